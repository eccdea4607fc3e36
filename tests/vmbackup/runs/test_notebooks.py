"""A VM's runbook is written once, with its parameters, and never over another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vmbackup import catalog
from vmbackup.runs.notebooks import Copy, filled, project, safe, text, write_runbook

RUNBOOK = project() / "notebooks" / "01_agent_unreachable.ipynb"


def write(folder: Path, vm: str, *names: str, **values: Any) -> Copy:
    return write_runbook(RUNBOOK, folder, vm, names, values)


def parameters(path: Path) -> dict[str, Any]:
    """The values that the parameters cell sets."""
    cells = json.loads(path.read_text("utf-8"))["cells"]
    [cell] = [each for each in cells if "parameters" in each["metadata"].get("tags", [])]
    values: dict[str, Any] = {}
    exec("".join(cell["source"]), {}, values)
    return values


def test_a_copy_without_values_is_the_notebook_itself() -> None:
    for notebook in RUNBOOK.parent.glob("*.ipynb"):
        assert text(filled(notebook, {})) == notebook.read_text("utf-8")


def test_a_copy_speaks_one_language() -> None:
    for language, other in (("en", "de"), ("de", "en")):
        for section in catalog.sections().values():
            book = filled(RUNBOOK.parent / f"{section['notebook']}.ipynb", {"language": language})
            words = "\n".join("".join(cell["source"]) for cell in book["cells"] if cell["cell_type"] == "markdown")
            for key in ("title", "intro"):
                assert section[key][language] in words
                assert section[key][other] not in words
            assert ("simuliert" in words) is (language == "de")
            assert words.startswith(f"# {section['title'][language]}\n")


def test_a_runbook_has_the_vms_parameters_whatever_stands_in_their_values(tmp_path: Path) -> None:
    hostile = 'x"\nimport os  # \\'
    copy = write(tmp_path, "/vm", "SQL 02", vm_id=hostile, azure="live", scenario="", retry=False)
    given = parameters(copy.path)
    assert (copy.path.name, copy.untouched) == ("01_sql_02.ipynb", True)
    assert (given["vm_id"], given["azure"], given["scenario"]) == (hostile, "live", "")
    assert given["probe"] == "auto", "what is not given stays"
    assert "simulated VM" not in copy.path.read_text("utf-8"), "nor does it say how to name a VM"


def test_two_vms_of_one_name_have_a_file_and_a_run_folder_each(tmp_path: Path) -> None:
    first, second = (write(tmp_path, f"/{group}/web", "web", group, vm_id=group) for group in ("a", "b"))
    third = write(tmp_path, "/other-subscription/b/web", "WEB", "b", vm_id="c")
    files = [copy.path.name for copy in (first, second, third)]
    assert files == ["01_web.ipynb", "01_web_b.ipynb", "01_web_b_2.ipynb"]
    folders = [parameters(copy.path)["run_folder"] for copy in (first, second, third)]
    assert folders == ["", "runs/web_b", "runs/web_b_2"]


def test_the_same_vms_runbook_is_found_again_and_left_as_it_is(tmp_path: Path) -> None:
    copy = write(tmp_path, "/vm", "web", vm_id="/vm")
    assert write(tmp_path, "/vm", "web", vm_id="/vm") == copy, "as it was written: it may be run"
    book = json.loads(copy.path.read_text("utf-8"))
    book["cells"].append({"cell_type": "code", "source": "mine = 1", "metadata": {}, "outputs": []})
    copy.path.write_text(json.dumps(book), "utf-8")
    before = copy.path.read_bytes()
    assert write(tmp_path, "/vm", "web", vm_id="/vm") == Copy(copy.path, False)
    assert copy.path.read_bytes() == before


def test_no_file_that_is_not_this_vms_is_touched(tmp_path: Path) -> None:
    for name, content in (("01_web.ipynb", "no notebook"), ("01_web_a.ipynb", "{}"), ("01_web_a_2.ipynb", "[1]")):
        (tmp_path / name).write_text(content, "utf-8")
    assert write(tmp_path, "/a/web", "web", "a").path.name == "01_web_a_3.ipynb"
    assert (tmp_path / "01_web.ipynb").read_text("utf-8") == "no notebook"


def test_no_name_leads_out_of_the_folder() -> None:
    assert [safe(name) for name in ("../../etc", "..", "", "a/b\\c", "vm-<script>🙂", "x" * 500)] == [
        "etc",
        "vm",
        "vm",
        "a_b_c",
        "vm-_script",
        "x" * 60,
    ]
