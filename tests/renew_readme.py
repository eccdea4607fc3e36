"""Write README's generated table of checks from the catalogue; test_readme.py holds it current."""

from __future__ import annotations

import re
from pathlib import Path

from vmbackup import catalog

README = Path(__file__).parents[1] / "README.md"
_PLACE = re.compile(r"(<!-- checks: [^>]*-->\n).*?(<!-- /checks -->)", re.DOTALL)


def table() -> str:
    """Every cause with its checks, in the catalogue's order."""
    lines = ["| cause | check | who can tell |", "| --- | --- | --- |"]
    for cause, entry in catalog.causes().items():
        for check in entry["checks"]:
            said = catalog.checks()[check]
            who = "the guest" if said["needs_guest"] else "Azure"
            mark = " (addition)" if entry["addition"] else ""
            lines.append(f"| {cause}{mark} | {said['title']['en']} | {who} |")
    return "\n".join(lines) + "\n"


def renewed(text: str) -> str:
    """README's text with the table of today."""
    return _PLACE.sub(lambda place: place[1] + table() + place[2], text)


if __name__ == "__main__":
    README.write_text(renewed(README.read_text("utf-8")), "utf-8")
