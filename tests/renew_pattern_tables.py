"""Write the tables of known log lines into the guest scripts, from signatures.yaml; test_log_patterns.py holds them
current."""

from __future__ import annotations

import re
from pathlib import Path

from vmbackup.catalog.signatures import Signature, signatures

SCRIPTS = Path(__file__).parents[1] / "lib" / "vmbackup" / "guest" / "scripts"
_LINUX = re.compile(r"(?<=^PATTERNS=').*?(?='$)", re.DOTALL | re.MULTILINE)
_WINDOWS = re.compile(r"(?<=\$known = @\{\n).*?(?=        \}\n)", re.DOTALL)


def of_linux() -> str:
    """One signature a line: id, blank, its patterns."""
    found = _at("agent_log", "extension_log")
    return "\n".join(f"{each.id} {' && '.join(each.patterns)}" for each in found)


def of_windows() -> str:
    """One signature a line, as entries of a hash table."""
    return "".join(f"            {each.id} = '{each.patterns[0]}'\n" for each in _at("windows_log"))


def _at(*places: str) -> list[Signature]:
    return [each for each in signatures().values() if each.patterns and each.places.intersection(places)]


def renewed(name: str, text: str) -> str:
    """The script's text with the table of today."""
    if name.endswith(".sh"):
        return _LINUX.sub(lambda _: of_linux(), text, count=1)
    return _WINDOWS.sub(lambda _: of_windows(), text, count=1)


if __name__ == "__main__":
    for script in (SCRIPTS / "collect_linux.sh", SCRIPTS / "collect_windows.ps1"):
        script.write_text(renewed(script.name, script.read_text("utf-8")), "utf-8")
