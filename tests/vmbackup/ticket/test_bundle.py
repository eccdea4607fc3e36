"""A bundle stands alone, holds no secret, tells nobody's names, and is judged again as it was; a bad one is refused."""

from __future__ import annotations

import io
import json
import re
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbconvert.filters import markdown2html_mistune
from tests.canaries import leaks, plant
from typer.testing import CliRunner

from saying import refused
from vmbackup import catalog
from vmbackup.cli.ticket import app
from vmbackup.facts import schema
from vmbackup.model import Fact, FactStatus, SetupError
from vmbackup.pages import incident as incident_page
from vmbackup.pages import outcome, signs, step
from vmbackup.pages.blocks import Heading, Page, Paragraph
from vmbackup.runs import storage
from vmbackup.runs.evidence import SHAPES
from vmbackup.runs.incident import incident
from vmbackup.runs.reopen import reopened
from vmbackup.ticket import bundle, diff, notebook, reading
from vmbackup.ticket.aliases import Level
from walking import cure, run_over

PAYLOADS = (
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "$x$ \\(y\\) \\[z\\] $$w$$",
    "**bold** [link](javascript:alert(1)) `code` # heading\n\n- item",
    "{{ 7*7 }} {% raw %}",
    "\x1b[31mred\x1b[0m \x1b]0;title\x07",
    "abc\u202ecba \u2066x",
    "</main></body><!-- --></details>",
)


@pytest.fixture(scope="module")
def cured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that found, cured and proved."""
    folder = tmp_path_factory.mktemp("cured")
    with run_over("agent_old_linux", folder) as run:
        run.collect()
        cure(run)
        run.back_up()
    return folder


def made(folder: Path, level: Level = Level.NONE) -> bundle.Bundle:
    return bundle.bundle(str(folder), level, with_pdf=False)


def zipped(folder: Path, to: Path, change: Callable[[dict[str, bytes]], Any] | None = None) -> str:
    files = dict(made(folder).files)
    if change:
        change(files)
    path = to / "bundle.zip"
    path.write_bytes(bundle.Bundle(files, {}).zipped())
    return str(path)


@pytest.mark.parametrize("level", list(Level))
def test_no_secret_is_in_any_byte_at_any_level(level: Level, tmp_path: Path) -> None:
    plant(tmp_path)
    files = made(tmp_path, level).files
    assert leaks(files) == []
    assert {"incident.txt", "incident.short.txt", "runbook.html", "runbook.ipynb", "evidence.json"} <= set(files)


def test_the_folder_tells_the_same_story_as_the_run(cured: Path) -> None:
    note = made(cured).files[bundle.NOTE].decode()
    for words in (
        "UserErrorGuestAgentStatusUnavailable",
        "Version 2.2.18",
        "03:05 UTC: Update the Linux agent",
        "Fixed",
    ):
        assert words in note


@pytest.mark.parametrize("level", [Level.STANDARD, Level.STRICT])
def test_no_name_is_left_where_names_are_masked(cured: Path, level: Level, tmp_path: Path) -> None:
    state = reopened(str(cured))
    target = state.target
    shown = nbformat.v4.new_output("display_data", outcome.whole(state)._repr_mimebundle_())
    told = nbformat.v4.new_code_cell(f"vm_id = {target.vm_id!r}", outputs=[shown])
    nbformat.write(nbformat.v4.new_notebook(cells=[told]), tmp_path / "x.ipynb")
    files = bundle.bundle(str(cured), level, str(tmp_path / "x.ipynb"), with_pdf=False).files
    assert {bundle.NOTEBOOK_PAGE, "runbook.ipynb"} <= set(files)
    for name in (target.vm_name, target.resource_group, target.subscription_id, "vault-agent-old-linux"):
        assert [file for file, content in files.items() if name.lower() in content.decode().lower()] == []
    assert "vm-1" in files[bundle.NOTE].decode()
    assert bundle.PRIVATE_MAP not in files


def test_the_next_bundle_of_a_run_uses_the_same_aliases(cured: Path, tmp_path: Path) -> None:
    first = made(cured, Level.STANDARD)
    again = bundle.bundle(str(cured), Level.STANDARD, known=first.aliases, with_pdf=False)
    assert again.files == first.files
    bundle.write(str(cured), str(tmp_path), Level.STANDARD, with_pdf=False)
    assert json.loads((cured / bundle.PRIVATE_MAP).read_text("utf-8")) == dict(first.aliases)
    assert not (tmp_path / bundle.PRIVATE_MAP).exists()
    assert {each.name for each in (tmp_path / "ticket").iterdir()} == set(first.files)


@pytest.mark.parametrize("level", list(Level))
def test_a_bundle_replays_to_the_verdicts_it_was_made_with(cured: Path, level: Level, tmp_path: Path) -> None:
    place = tmp_path / "bundle.zip"
    place.write_bytes(made(cured, level).zipped())
    received = reading.read(str(place))
    assert (received.changed, received.differs) == ((), ())
    assert received.state.proof
    assert received.state.proof.fixed
    verdicts = [step.verdict for step in reopened(str(cured)).diagnosis().steps]
    assert [step.verdict for step in received.state.diagnosis().steps] == verdicts


def test_a_changed_bundle_is_refused_unless_told_otherwise(cured: Path, tmp_path: Path) -> None:
    place = zipped(cured, tmp_path, lambda files: files.update({bundle.NOTE: b"all is well"}))
    with pytest.raises(SetupError, match=r"incident\.txt"):
        reading.read(place)
    assert reading.read(place, changed_anyway=True).changed == (bundle.NOTE,)


def test_what_todays_checks_say_differently_is_said(cured: Path, tmp_path: Path) -> None:
    def older(files: dict[str, bytes]) -> None:
        result = json.loads(files["result.json"])
        result["steps"][0]["verdict"] = "problem"
        files["result.json"] = json.dumps(result).encode()

    received = reading.read(zipped(cured, tmp_path, older), changed_anyway=True)
    assert [(cause, then) for cause, then, _ in received.differs] == [("no_internet", "problem")]


def _bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("evidence.json", b"0" * (reading.LARGEST + 1))
    return packed.getvalue()


def _with(name: str, content: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, content)
    return packed.getvalue()


def _lying_about_its_size() -> bytes:
    content = bytearray(_bomb())
    central = content.rindex(b"PK\x01\x02")
    content[central + 24 : central + 28] = struct.pack("<I", 10)
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"PK\x03\x04half", "cut off or damaged"),
        (b"", "cut off or damaged"),
        (_with("../../etc/cron.d/x", b"x"), "does not belong in a bundle: ../../etc/cron.d/x"),
        (_with("/evidence.json", b"x"), "does not belong in a bundle"),
        (_with("run.py", b"x"), "does not belong in a bundle"),
        (_with("evidence.json", b"x"), "no manifest"),
        (_with("manifest.json", b"[" * 100_000), "manifest.json is damaged"),
        (_with("manifest.json", b'{"schema": "vmbackup.bundle/9"}'), "newer version"),
    ],
)
def test_what_is_no_bundle_is_refused_in_words(content: bytes, says: str, tmp_path: Path) -> None:
    place = tmp_path / "bundle.zip"
    place.write_bytes(content)
    with pytest.raises(SetupError) as refused:
        reading.read(str(place))
    assert says in str(refused.value)


@pytest.mark.parametrize("bomb", [_bomb, _lying_about_its_size])
def test_a_zip_bomb_is_not_unpacked(bomb: Callable[[], bytes], tmp_path: Path) -> None:
    place = tmp_path / "bundle.zip"
    place.write_bytes(bomb())
    with pytest.raises(SetupError, match=r"is not a bundle"):
        reading.read(str(place))


def test_half_a_zip_is_refused(cured: Path, tmp_path: Path) -> None:
    place = Path(zipped(cured, tmp_path))
    whole = place.read_bytes()
    for size in range(1, len(whole), len(whole) // 7):
        place.write_bytes(whole[:size])
        with pytest.raises(SetupError, match=r"is not a bundle"):
            reading.read(str(place))


WATCHED = """
import sys
from vmbackup.cli.main import main
events = {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.startfile", "socket.connect"}
seen = []
sys.addaudithook(lambda event, _: seen.append(event) if event in events else None)
sys.argv = ["vmbackup", "replay", sys.argv[1]]
try:
    main()
finally:
    assert seen == [], seen
"""


def test_a_replay_starts_no_program_and_asks_nobody(cured: Path, tmp_path: Path) -> None:
    """Nor is anything unpacked: the folder holds what it held."""
    place = zipped(cured, tmp_path)
    ran = subprocess.run([sys.executable, "-c", WATCHED, place], capture_output=True, text=True, check=False)
    assert (ran.returncode, "Today's checks give the same result" in ran.stderr) == (0, True), ran.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["bundle.zip"]


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.words.append(data)


ACTIVE = {"script", "img", "a", "iframe", "object", "link", "form", "input", "style", "em"}


def harmless(html: str, *, own_style: bool = False) -> str:
    """What a reader sees of the HTML, in which nothing acts."""
    parsed = _Tags()
    parsed.feed(html)
    assert not parsed.tags & (ACTIVE - ({"style"} if own_style else set()))
    assert not {name for name in parsed.attributes if name.startswith("on") or name in ("href", "src")}
    return "".join(parsed.words)


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_would_act_on_a_page_stays_text(payload: str, tmp_path: Path) -> None:
    with run_over("agent_old_linux", tmp_path) as run:
        run.collect()
        job = run.evidence["backup.failed_job"].data
        error = {**job["errors"][0], "text": payload, "title": payload}
        run.evidence["backup.failed_job"] = Fact(FactStatus.OK, data={**job, "errors": [error]})
        run.skip("disks", payload)
    files = made(tmp_path).files
    words, note = harmless(files[bundle.PAGE].decode(), own_style=True), files[bundle.NOTE].decode()
    assert not {"\x1b", "\u202e"} & set(words + note)
    if payload.isascii() and payload.isprintable():
        assert payload in words
        assert payload in note


def _everywhere(value: Any, fits: Callable[[Any], bool], payload: str) -> Any:
    """The JSON value with the payload in place of every text where that fits."""
    if isinstance(value, dict):
        for key in value:
            value[key] = _everywhere(value[key], lambda new, key=key: fits({**value, key: new}), payload)
    elif isinstance(value, list):
        for at in range(len(value)):
            value[at] = _everywhere(value[at], lambda new, at=at: fits([*value[:at], new, *value[at + 1 :]]), payload)
    elif isinstance(value, str) and fits(payload):
        return payload
    return value


@pytest.mark.parametrize("scenario", ["agent_old_linux", "vss_writer_windows"])
def test_whatever_field_it_stands_in(scenario: str, tmp_path: Path) -> None:
    payload = "".join(PAYLOADS)
    with run_over(scenario, tmp_path) as run:
        run.collect()
        for name, fact in run.evidence.items():
            if fact.data is not None:
                copied, shape = json.loads(json.dumps(fact.data)), SHAPES[name]
                data = _everywhere(copied, lambda new, shape=shape: schema.error(new, shape) is None, payload)
                run.evidence[name] = replace(fact, data=data, details=dict.fromkeys(fact.details, payload))
        run.save()
        pages = [outcome.whole(run), signs.page(run.evidence, "en"), incident_page.page(incident(run), "en")]
        pages += [step.page(run, each.cause) for each in run.diagnosis().steps]
        pages += [diff.page(run, reopened(str(tmp_path)), "en")]
    assert sum(payload in str(fact.data) or "alert(1)" in str(fact.data) for fact in run.evidence.values()) > 20
    for page in pages:
        assert "alert(1)" not in page.html() or "&lt;script&gt;" in page.html()
        harmless(page.html())
        rendered = re.sub(r'<a class="anchor-link"[^>]*>[^<]*</a>', "", markdown2html_mistune(page.markdown()))
        assert "$y$" not in harmless(rendered), "what stands in it became a formula"
        assert not {"\x1b", "\x07", "\u202e", "\u2066"} & set(page.html() + page.markdown() + page.text())
    for name, content in made(tmp_path).files.items():
        assert not {"\x1b", "\u202e", "\u2066"} & set(content.decode()), name
    harmless(made(tmp_path).files[bundle.PAGE].decode(), own_style=True)


def test_the_command_writes_to_any_url(cured: Path) -> None:
    ran = CliRunner().invoke(app, ["bundle", str(cured), "--to", "memory://ticket-12", "--no-pdf", "--language", "de"])
    assert (ran.exit_code, ran.output) == (0, "Geschrieben: memory://ticket-12/ticket.zip\n")
    assert storage.at("memory://ticket-12/ticket").read("incident.txt")


def test_the_document_is_small_and_opens_with_the_incident(cured: Path) -> None:
    page = made(cured).files[bundle.PAGE].decode()
    assert len(page.encode()) <= 300_000
    folded = page.index("<details>")
    assert folded < 12_000, "two screens before the first fold"
    assert page.index("UserErrorGuestAgentStatusUnavailable") < folded
    assert "http://" not in page[:folded].replace("http-equiv", "")


REFERENCE = Path(__file__).parents[2] / "reference"


@pytest.mark.parametrize(
    ("name", "language", "title"),
    [
        ("01_agent_unreachable", "en", "VM Agent unable to communicate with Azure Backup"),
        ("05_internal_error.de", "de", "Interner Fehler bei der Sicherung"),
    ],
)
def test_the_notebooks_page_opens_with_the_incident_in_one_language_and_without_code(
    name: str, language: str, title: str, cured: Path
) -> None:
    files = bundle.bundle(
        str(cured), notebook=str(REFERENCE / f"{name}.ipynb"), language=language, with_pdf=False
    ).files
    page = files[bundle.NOTEBOOK_PAGE].decode()
    assert len(page.encode()) <= 300_000
    first, _, folded = page.partition("<details>")
    assert f"<h1>{title}" in first
    assert catalog.text("incident.title", language, vm="vm-") in first
    assert folded
    kept = json.loads(files["runbook.ipynb"])["cells"]
    parameters = [each for each in kept if "".join(each["source"]).startswith(("azure: str", "# Parameters"))]
    assert [each["metadata"]["jupyter"]["source_hidden"] for each in parameters] == [True, True]
    assert "subscription_id:" not in page
    assert "open_run" not in page
    assert len(first) < 12_000, "two screens before the first fold"


def test_each_heading_that_an_output_begins_with_folds_what_follows() -> None:
    new = nbformat.v4
    pages = [
        Page([Paragraph("first")]),
        *(Page([Heading(title, level=2), Paragraph("below")]) for title in ("A & B", "C")),
    ]
    outputs = [new.new_output("display_data", page._repr_mimebundle_()) for page in pages]
    cells = [new.new_markdown_cell("# Title\n\n*Titel*"), *(new.new_code_cell(outputs=[each]) for each in outputs)]
    shown = notebook.shown(new.new_notebook(cells=cells), "de")
    assert shown.title == "Titel"
    assert "first" in shown.first
    assert [heading for heading, _ in shown.parts] == ["A & B", "C"]
    assert all("below" in content and "<h2>" not in content for _, content in shown.parts)


def test_of_a_notebook_from_anywhere_nothing_acts_on_the_page(cured: Path, tmp_path: Path) -> None:
    new = nbformat.v4
    hostile = "".join(PAYLOADS) + "<iframe src=x></iframe><a href=javascript:alert(1)>x</a><svg onload=alert(1)></svg>"
    widget = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}, "text/plain": "needs a kernel"}
    outputs = [new.new_output("display_data", {kind: hostile}) for kind in ("text/html", "text/markdown", "text/plain")]
    outputs += [new.new_output("stream", text=hostile), new.new_output("error", ename="E", traceback=[hostile])]
    outputs += [new.new_output("display_data", {kind: "alert(1)"}) for kind in ("application/javascript",)]
    cells = [new.new_code_cell(outputs=[new.new_output("display_data", widget), *outputs])]
    cells += [new.new_markdown_cell(f"# {hostile}"), new.new_code_cell(outputs=outputs)]
    path = tmp_path / "any.ipynb"
    nbformat.write(new.new_notebook(cells=cells, metadata={"widgets": {"x": "state"}}), path)
    files = bundle.bundle(str(cured), notebook=str(path), with_pdf=False).files
    parsed = _Tags()
    parsed.feed(files[bundle.NOTEBOOK_PAGE].decode())
    assert not parsed.tags & {"script", "img", "iframe", "object", "link", "form", "input"}
    assert not {name for name in parsed.attributes if name.startswith("on") or name in ("href", "src")}
    assert "needs a kernel" not in parsed.words
    assert '"widgets"' not in files["runbook.ipynb"].decode()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "no notebook",
        "[]",
        '{"cells": [], "metadata": {}, "nbformat": 99, "nbformat_minor": 0}',
        '{"cells": [{}], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}',
        '{"cells": [{"cell_type": "code", "metadata": {}, "source": "", "execution_count": null,'
        ' "outputs": [{"output_type": "weird"}]}], "metadata": {}, "nbformat": 4, "nbformat_minor": 4}',
    ],
)
def test_a_file_that_is_no_notebook_is_refused_in_words(content: str, cured: Path, tmp_path: Path) -> None:
    (tmp_path / "x.ipynb").write_text(content, "utf-8")
    with refused("Cannot read the notebook"):
        bundle.bundle(str(cured), notebook=str(tmp_path / "x.ipynb"), with_pdf=False)


def test_two_runs_of_a_vm_differ_in_what_was_cured(cured: Path, tmp_path: Path) -> None:
    with run_over("agent_old_linux", tmp_path) as run:
        run.collect()
    page = diff.page(diff.opened(str(tmp_path), "en"), diff.opened(str(cured), "en"), "en").text()
    for words in ("The agent installed in the VM is out of date", "vm.agent.version", '"2.2.18"', "backup.failed_job"):
        assert words in page
    same = diff.page(diff.opened(str(tmp_path), "de"), diff.opened(str(tmp_path), "de"), "de")
    assert same.text().strip() == "Die beiden Läufe unterscheiden sich nicht."


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="holds no run"):
        made(tmp_path)
