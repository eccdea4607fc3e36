"""Values inside commands: each is quoted for the shell it stands in, so that no name can act as a command. Pure.

Names and rules come from Azure and are untrusted. What no shell can carry safely (control characters, among them the
line end that a paste into a terminal would run) is refused, not repaired: a changed name would hit another resource.
"""

from __future__ import annotations

import re
import shlex
import string
from collections.abc import Callable, Mapping

# Azure names never hold these; Unicode's line and paragraph separators end a line in some shells and editors.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")
# PowerShell takes the typographic quotes for apostrophes.
_APOSTROPHES = re.compile("['\u2018\u2019\u201a\u201b]")


class Unquotable(ValueError):
    """A value that must not stand in any command."""


def quote_bash(value: object) -> str:
    """The value as one word of bash.

    >>> quote_bash("web-01"), quote_bash("a b"), quote_bash("$(id)")
    ('web-01', "'a b'", "'$(id)'")
    """
    return shlex.quote(_plain(value))


def quote_powershell(value: object) -> str:
    """The value as one PowerShell literal.

    >>> quote_powershell("web-01"), quote_powershell("a'$(Remove-Item x)")
    ("'web-01'", "'a''$(Remove-Item x)'")
    """
    return "'" + _APOSTROPHES.sub(lambda found: found.group() * 2, _plain(value)) + "'"


def render(template: str, values: Mapping[str, object], quote: Callable[[object], str]) -> tuple[str, tuple[str, ...]]:
    """The template with every ``{name}`` quoted, and the names for which there is no usable value.

    A list becomes one word per item. A missing value stands there as a quoted ``<name>``, which no command accepts.
    """
    missing: list[str] = []

    def word(name: str) -> str:
        value = values.get(name)
        try:
            if value is None or value == "":
                raise Unquotable(name)
            items = value if isinstance(value, (list, tuple)) else [value]
            return " ".join(quote(item) for item in items)
        except Unquotable:
            missing.append(name)
            return quote(f"<{name}>")

    parts = [before + (word(name) if name else "") for before, name, _, _ in string.Formatter().parse(template)]
    return "".join(parts), tuple(dict.fromkeys(missing))


def _plain(value: object) -> str:
    words = str(value)
    if _CONTROL.search(words):
        raise Unquotable(ascii(words))
    return words
