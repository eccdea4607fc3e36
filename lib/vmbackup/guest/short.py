"""The short form of a shell script, to paste where nothing else arrives: a serial console. Pure.

Lines of at most 1,000 characters, because a console takes no more than 4,096 at a time, none of them with a character
that an interactive shell changes. The last line runs the script only if everything arrived as it was sent. Nothing is
written to a file: the disk may be full.
"""

from __future__ import annotations

import base64
import gzip
import re

from vmbackup.guest.document import posix_cksum

_LONGEST_LINE = 1000
_ASSIGN = "s=${s}"
_COMMENTS = re.compile(r"^[ \t]*#.*\n", re.MULTILINE)
_RUN = (
    'if [ "$(printf %s "$s" | cksum)" = "{checksum} {count}" ]; then $([ "$(id -u)" = 0 ] || echo sudo) '
    'sh -c "$(printf %s "$s" | base64 -d | gzip -dc)"; '
    'else echo "vmbackup: not run, the text did not arrive whole: paste it again"; fi'
)


def has_short_form(script: str) -> bool:
    """Whether it is for a shell; PowerShell's consoles take a whole script."""
    return script.startswith("#!/bin/sh")


def short(script: str) -> str:
    """The same script, packed, as lines to paste into a shell."""
    # In a here-document a number sign may belong to the text.
    bare = script if "<<" in script else _COMMENTS.sub("", script)
    packed = base64.b64encode(gzip.compress(bare.encode(), 9, mtime=0)).decode()
    size = _LONGEST_LINE - len(_ASSIGN)
    parts = [f"{_ASSIGN}{packed[at : at + size]}" for at in range(0, len(packed), size)]
    return "\n".join(["s=", *parts, _RUN.format(checksum=posix_cksum(packed.encode()), count=len(packed)), ""])
