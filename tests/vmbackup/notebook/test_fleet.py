"""The summary of a fleet: pages, one HTML file, the table and the executed notebook."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from fleets import a_fleet, write_vm
from vmbackup.cli.main import app
from vmbackup.fleet.folder import fleet_json, read
from vmbackup.fleet.grouping import groups
from vmbackup.fleet.rows import unknown_row
from vmbackup.many_vms import ManyVms, summarise
from vmbackup.notebook.fleet import open_fleet
from vmbackup.pages import fleet as pages
from vmbackup.pages import fleet_over_time
from vmbackup.pages.blocks import Page, Table
from vmbackup.pages.fleet import Shown
from vmbackup.pages.incident import NOTE_BYTES
from vmbackup.runs.fleet import Fleet, FleetRow, Kept, VmState

FILES = ["summary.csv", "summary.parquet", "summary.html", "90_many_vms.ipynb"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A summed up fleet; an earlier run knew one VM more and one less."""
    place = tmp_path_factory.mktemp("fleet")
    earlier = a_fleet(place)
    earlier = earlier.rename(place / "earlier")
    (earlier / "vms" / "no_internet_linux" / "result.json").unlink()
    now = a_fleet(place)
    assert summarise(str(now), "en", str(earlier)) == FILES
    return now


def many(folder: Path, language: str) -> ManyVms:
    return ManyVms(read(str(folder), language), None, language, "")


def pages_of(book: ManyVms) -> list[Page]:
    return [book.overview(), book.work(), book.groups(), book.remedies(), book.matrix(), book.downgrades(),
            book.tonight(), book.changes(), book.plots(), book.not_covered()]  # fmt: skip


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]


def test_the_summary_is_whole_and_says_the_same_in_every_file(folder: Path) -> None:
    html = (folder / "summary.html").read_text("utf-8")
    found = _Links()
    found.feed(html)
    assert found.links
    assert not found.tags & {"script", "img", "link", "iframe"}
    for link in found.links:
        assert re.fullmatch(r"vms/[\w.%-]+/runbook\.ipynb", link)
        assert (folder / unquote(link)).parent.is_dir()
    assert "The kernel &lt;b&gt;died&lt;/b&gt;." in html
    assert "&lt;b&gt;gone&lt;/b&gt;" in html
    assert "default-src 'none'" in html
    book = nbformat.read(folder / "90_many_vms.ipynb", as_version=4)
    outputs = [output for cell in book.cells for output in cell.get("outputs", [])]
    assert len(outputs) == 10
    assert outputs[0].data["text/plain"] == many(folder, "en").overview().text()
    assert str(folder.parent) not in json.dumps(book.cells), "no path of this machine"


def test_the_first_lines_say_how_many_vms_lack_a_good_backup_and_what_the_biggest_group_is(folder: Path) -> None:
    for language, sentence in (
        ("en", "8 VMs have no good backup within the policy's interval. 1 VM is in no vault. For 5 VMs this is not"),
        ("de", "8 VMs haben keine gute Sicherung innerhalb des Intervalls der Richtlinie. 1 VM ist in keinem Tresor."),
    ):
        assert sentence in many(folder, language).overview().text()
    assert "The biggest group: 2 VMs, The VM has no Internet access" in many(folder, "en").overview().text()


def test_work_begins_with_what_is_most_overdue(folder: Path) -> None:
    table = next(block for block in many(folder, "en").work().blocks if isinstance(block, Table))
    names = [getattr(row[0], "text", "") for row in table.rows]
    assert names[:2] == ["vm-not-protected-linux", "vm-crash-consistent-downgrade-linux"]
    assert names[-1] == "vm-disk-too-large-linux"
    assert len(names) == 9


def test_every_page_speaks_german(folder: Path) -> None:
    english, german = (many(folder, language) for language in ("en", "de"))
    for one, other in zip(pages_of(english), pages_of(german), strict=True):
        assert one.text() != other.text()


def test_a_ticket_stands_alone_and_is_short_enough(folder: Path) -> None:
    from vmbackup.pages.fleet_causes import ticket

    shown = many(folder, "en").shown
    text = ticket(shown.groups[0], shown)
    assert text.startswith("2 VMs without a good backup: The VM has no Internet access")
    assert "- vm-no-internet-linux (resource group rg-no-internet-linux): last good backup 2026-11-20" in text
    big = [{**row, "vm_id": f"/x/{number}{'é' * 80}"} for number in range(3000) for row in shown.groups[0].rows[:1]]
    (group,) = groups(big)  # type: ignore[arg-type]
    assert len(ticket(group, shown).encode()) <= NOTE_BYTES


def test_what_changed_since_the_earlier_run_is_shown(folder: Path) -> None:
    earlier = str(folder.parent / "earlier")
    book = open_fleet({"folder": str(folder), "earlier_folder": earlier, "language": "en"})
    shown = book.changes().text()
    assert re.search(r"vm-no-internet-linux +New +Not known", shown)
    result = CliRunner().invoke(app, ["diff", earlier, str(folder)])
    assert result.exit_code == 1
    assert "vm-no-internet-linux" in result.output
    assert CliRunner().invoke(app, ["diff", str(folder), str(folder)]).exit_code == 0


def test_a_notebook_elsewhere_leads_to_the_runbooks(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder.parent / "notebooks").mkdir()
    monkeypatch.chdir(folder.parent / "notebooks")
    assert 'href="../fleet/vms/no_internet_linux/runbook.ipynb"' in open_fleet({"folder": "../fleet"}).work().html()


@pytest.mark.parametrize("name", ["a&b <c>", "javascript:alert(1)", "ümläut 'x\"", "%2e%2e", "a#b?c"])
def test_a_link_is_quoted_and_leads_to_its_own_folder(tmp_path: Path, name: str) -> None:
    write_vm(tmp_path, name, "no_internet_linux")
    html = many(tmp_path, "en").work().html()
    (link,) = re.findall(r'href="([^"]*)"', html)
    assert unquote(link) == f"vms/{name}/runbook.ipynb"
    assert re.fullmatch(r"[\w./%~-]+", link)


def test_namesakes_are_told_apart_by_their_resource_groups() -> None:
    ids = [f"/subscriptions/s/resourceGroups/{group}/providers/Microsoft.Compute/virtualMachines/web" for group in "ab"]
    rows = [{**unknown_row("web", vm_id), "kept": str(Kept.NEVER)} for vm_id in ids]
    shown = Shown(Fleet(rows), [], "en", "", "runbook.ipynb")  # type: ignore[arg-type]
    assert {"web (a)", "web (b)"} == {shown.name(row) for row in shown.rows}
    assert "web (a)" in pages.work(shown).text()


def test_an_evil_name_acts_nowhere(tmp_path: Path) -> None:
    evil = '<img src=x onerror=alert(1)>","x":"'
    write_vm(tmp_path, "vm", "no_internet_linux")
    content = fleet_json([{"name": evil, "vm_id": evil, "examine": False, "why": evil}], [{"scope": evil, "why": evil}])
    (tmp_path / "fleet.json").write_text(json.dumps(content), "utf-8")
    document = many(tmp_path, "de").document()
    found = _Links()
    found.feed(document)
    assert not found.tags & {"img", "script"}


# --- counts ----------------------------------------------------------------------------------------------------------


def _made(state: VmState, kept: Kept, failing: bool | None, cause: str | None, seen: str) -> FleetRow:
    row = unknown_row("vm", "/id/vm")
    row.update(
        {"state": str(state), "kept": str(kept), "failing": failing, "probable_cause": cause, "consistency": seen}
    )
    return row


_ROWS = st.lists(
    st.builds(
        _made,
        st.sampled_from(VmState),
        st.sampled_from(Kept),
        st.sampled_from([None, True, False]),
        st.sampled_from([None, "disks"]),
        st.sampled_from(["ok", "problem", "unknown", "not_applicable"]),
    ),
    max_size=20,
)


@settings(max_examples=60)
@given(_ROWS)
def test_counts_add_up_and_what_was_not_examined_is_never_called_ok(rows: list[FleetRow]) -> None:
    shown = Shown(Fleet(rows), groups(rows), "en", "", "runbook.ipynb")
    tables = [block for block in pages.overview(shown).blocks if isinstance(block, Table)]
    tables += [block for block in fleet_over_time.tonight(shown).blocks[-1:] if isinstance(block, Table)]
    for table in tables:
        for row in table.rows:
            *numbers, total = [int(str(cell)) for cell in row[1:]]
            assert sum(numbers) == total == len(rows)
    examined = sum(row["state"] == VmState.EXAMINED for row in rows)
    assert str(tables[1].rows[0][1]) == str(examined)
    assert "OK" not in pages.overview(shown).text()
