"""Copies of the product's notebooks in an incident's folder, with parameters filled in. No copy is ever overwritten."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vmbackup.model import SetupError

START = "00_start_here"
# In a notebook's metadata: the VM that it was written for.
_OWN = "vmbackup"
_LINE = re.compile(r"(?P<declared>(?P<name>\w+)(?:: \w+)?) = [^#]*?(?P<comment>  # .*)?")
_LONGEST_NAME = 60
_GERMAN = re.compile(r"\*[^*].*\*", re.DOTALL)
_HEADING_SIGN = re.compile("#+ ")


def project() -> Path:
    """The folder with the notebooks: this one, one above it, or the checkout. Raises SetupError where there is none."""
    for folder in (Path.cwd(), *Path.cwd().parents, Path(__file__).resolve().parents[3]):
        if (folder / "notebooks" / f"{START}.ipynb").exists():
            return folder
    raise SetupError("error.no_notebooks")


def template(notebook: str) -> Path:
    """The product's notebook of this name, else the copy in this folder."""
    try:
        return project() / "notebooks" / f"{notebook}.ipynb"
    except SetupError:
        return Path.cwd() / f"{notebook}.ipynb"


def filled(notebook: Path, values: Mapping[str, Any]) -> dict[str, Any]:
    """A notebook's content with these values of parameters, in the language among them, and without outputs."""
    book: dict[str, Any] = json.loads(notebook.read_text("utf-8"))
    for cell in book["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
        if "parameters" in cell["metadata"].get("tags", []):
            cell["source"] = [_assigned(line, values) for line in "".join(cell["source"]).splitlines(keepends=True)]
        if cell["cell_type"] == "markdown" and "language" in values:
            cell["source"] = _in_one_language("".join(cell["source"]), values["language"]).splitlines(keepends=True)
    return book


def _in_one_language(words: str, language: str) -> str:
    """A Markdown cell of both languages in one: a heading has the German behind a dot, anything else in italics below.

    >>> _in_one_language("# One · Eins\\n\\nText\\n\\n*Ein Text*\\n\\n| a |", "de")
    '# Eins\\n\\nEin Text\\n\\n| a |'
    """
    spoken = list[str]()
    for part in words.split("\n\n"):
        heading, dot, german = part.partition(" · ")
        if _GERMAN.fullmatch(part) and spoken:
            sign = _HEADING_SIGN.match(spoken[-1])
            spoken[-1] = f"{sign.group() if sign else ''}{part.strip('*')}" if language == "de" else spoken[-1]
        elif part.startswith("#") and dot:
            spoken.append(f"{heading.split(' ')[0]} {german}" if language == "de" else heading)
        else:
            spoken.append(part)
    return "\n\n".join(spoken)


def _assigned(line: str, values: Mapping[str, Any]) -> str:
    found = _LINE.fullmatch(line.rstrip("\n"))
    if found is None or found["name"] not in values:
        return line
    value = values[found["name"]]
    literal = repr(value) if isinstance(value, (bool, int)) else json.dumps(str(value), ensure_ascii=False)
    return f"{found['declared']} = {literal}{found['comment'] or ''}{line[len(line.rstrip()) :]}"


def text(book: Mapping[str, Any]) -> str:
    """A notebook's content as its file has it."""
    return json.dumps(book, ensure_ascii=False, indent=1) + "\n"


@dataclass(frozen=True, slots=True)
class Copy:
    """A notebook in the incident's folder. ``untouched``: nobody has run or changed it since it was written."""

    path: Path
    untouched: bool


def write_runbook(notebook: Path, folder: Path, vm: str, names: tuple[str, ...], values: Mapping[str, Any]) -> Copy:
    """The copy of a runbook for one VM, written where there is none yet.

    ``vm`` tells VMs apart; ``names`` are what the file is called after the runbook's number: the VM's name first, then
    what tells it from another VM of that name. Such a VM has a run folder of its own as well.
    """
    for stem in _stems(names):
        path = folder / f"{notebook.stem[:2]}_{stem}.ipynb"
        own = values if stem == safe(names[0]) else {**values, "run_folder": f"runs/{stem}"}
        book = _about(vm, filled(notebook, own))
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text(book))
            return Copy(path, True)
        except FileExistsError:
            if (there := _read(path)) is not None and there["metadata"].get(_OWN) == {"vm": vm}:
                return Copy(path, _cells(there) == _cells(book))
    raise AssertionError("there is always another name")


def _about(vm: str, book: dict[str, Any]) -> dict[str, Any]:
    """The notebook as one about this VM: how to name a VM is no longer said, and the parameters are folded, so that
    the verdict is on the first screen."""
    book["metadata"][_OWN] = {"vm": vm}
    cells = book["cells"]
    at = next(number for number, cell in enumerate(cells) if "parameters" in cell["metadata"].get("tags", []))
    cells[at]["metadata"]["jupyter"] = {"source_hidden": True}
    if cells[at - 1]["cell_type"] == "markdown" and at > 1:
        del cells[at - 1]
    return book


def safe(name: str) -> str:
    """The name as a part of a file's name, which differs on no system by case alone.

    >>> safe("SQL <02>")
    'sql_02'
    """
    return re.sub(r"[^\w.-]+", "_", name.lower()).strip("._-")[:_LONGEST_NAME] or "vm"


def _stems(names: tuple[str, ...]) -> Iterator[str]:
    whole = "_".join(map(safe, names))
    yield safe(names[0])
    yield whole
    number = 2
    while True:
        yield f"{whole}_{number}"
        number += 1


def _read(path: Path) -> dict[str, Any] | None:
    try:
        book = json.loads(path.read_text("utf-8"))
        return book if isinstance(book["metadata"], dict) and isinstance(book["cells"], list) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _cells(book: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """What makes a notebook another one: the text of its cells, and whether they were run."""
    return [("".join(cell.get("source", "")), bool(cell.get("outputs"))) for cell in book["cells"]]
