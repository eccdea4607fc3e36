"""The tool without a browser: what each button does, told by what the tool then shows."""

from __future__ import annotations

import re
import time
from html.parser import HTMLParser
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

import ipywidgets
import pytest

from pressing import field, press, shown, shown_over, tool_over, widgets
from vmbackup import catalog
from vmbackup.collectors.guest import script
from vmbackup.guest.short import short
from vmbackup.model import Fact, FactStatus, Language, Verdict
from vmbackup.notebook.frontend import guide
from vmbackup.pages.blocks import Page
from vmbackup.pages.links import HOSTS
from vmbackup.widgets.ending import SavedTicket
from vmbackup.widgets.guide import Guide
from walking import guest_output, interrupt, opened, run_over


def test_opened_without_evidence_it_asks_for_itself(tmp_path: Path) -> None:
    with run_over("agent_old_linux", tmp_path) as run:
        tool = shown_over(run)
        tool.ongoing.work.wait()
        assert "Probable cause found" in shown(tool)
        assert tool.notice.status.text == "All answers are in."
        assert tool.opened == "agent_linux"


def test_verdicts_come_one_by_one_and_none_is_said_too_early(tmp_path: Path) -> None:
    with opened("agent_stopped_linux", tmp_path) as (run, simulator):
        simulator.latency_ms = 30
        seen: list[str] = []
        tool = Guide(run, lambda _: SavedTicket("", b"", "none"), lambda: None)
        tick = tool.ongoing._on_progress
        tool.ongoing._on_progress = lambda: (tick(), seen.append(shown(tool)))  # type: ignore[assignment, func-returns-value]
        tool.ongoing.work.wait()
    early = [words for words in seen if "Being checked" in words]
    counts = [words.count("… Being checked ·") for words in early]
    assert counts == sorted(counts, reverse=True)
    assert len(set(counts)) >= 4, "one by one"
    assert any("✖ Symptom (still checking)" in words for words in early)
    assert not any(re.search("Undecided|No cause found|Back up now|Not the cause", words) for words in early)
    assert any("being asked …" in words for words in early)
    assert "Being checked" not in shown(tool)


def test_cancelled_in_the_first_collection_it_keeps_what_came(tmp_path: Path) -> None:
    with run_over("error_never_ending_operation", tmp_path) as run:
        tool = shown_over(run)
        for _ in range(200):
            if len(run.evidence) >= 21:
                break
            time.sleep(0.05)
        press(tool, "Cancel")
        assert tool.notice.status.text == "Stopped. What had arrived is kept; the rest is open."
        assert len(run.evidence) >= 21
        assert "✖ Symptom" in shown(tool)
        assert "1. ? Cannot tell" in shown(tool)


def test_a_step_opens_where_it_stands_and_closes_the_one_before(tmp_path: Path) -> None:
    with tool_over("agent_old_linux", tmp_path) as tool:
        assert "▾ 3. ✖ Found" in shown(tool)
        press(tool, "▸ 1. ")
        assert "▾ 1. " in shown(tool)
        assert "▾ 3. " not in shown(tool)


def test_every_word_follows_the_language(tmp_path: Path) -> None:
    with tool_over("agent_old_linux", tmp_path) as tool:
        press(tool, "Deutsch")
        assert "Wahrscheinliche Ursache gefunden" in shown(tool)
        assert "Erneut prüfen" in shown(tool)
        assert not re.search(r"Probable cause|Re-check|Back up now", shown(tool))
        assert tool.run.language == "de"


def test_a_question_and_what_was_saved_follow_the_language(tmp_path: Path) -> None:
    with tool_over("agent_old_linux", tmp_path) as tool:
        press(tool, "Save for the ticket")
        press(tool, "Plan a remedy")
        press(tool, "Apply: ")
        press(tool, "Deutsch")
        assert "Jetzt ausführen: " in shown(tool)
        assert "ticket.zip herunterladen" in shown(tool)
        assert not re.search(r"Apply now|Saved in|Download", shown(tool))
        press(tool, "Ja, jetzt ausführen")
        assert [receipt.outcome for receipt in tool.run.receipts] == ["done"]


def test_a_question_about_what_is_no_longer_planned_is_taken_back(tmp_path: Path) -> None:
    with tool_over("agent_old_linux", tmp_path) as tool:
        press(tool, "Plan a remedy")
        press(tool, "Apply: ")
        tool.run.evidence["vm.agent"] = Fact(FactStatus.FAILED, why="timeout", details={"seconds": "30"})
        tool.show()
        assert "Apply now" not in shown(tool)


def test_while_something_is_under_way_nothing_else_is_begun(tmp_path: Path) -> None:
    with tool_over("agent_stopped_linux", tmp_path) as tool:
        press(tool, "Paste output")
        goes_on = Event()
        tool.ongoing.work.start(lambda _: goes_on.wait(), lambda _: None, lambda _: None, lambda: None)
        tool.show()
        buttons = [each for each in widgets(tool.box) if isinstance(each, ipywidgets.Button)]
        usable = {each.description for each in buttons if not each.disabled and each.description[0] not in "▸▾"}
        goes_on.set()
        tool.ongoing.work.wait()
        assert usable <= {"Deutsch", "Go to the next open cause"}


def test_a_double_click_is_told_what_goes_on(tmp_path: Path) -> None:
    with opened("agent_stopped_linux", tmp_path) as (run, simulator):
        run.collect()
        tool = shown_over(run)
        simulator.latency_ms = 50
        [again] = [each for each in widgets(tool.box) if getattr(each, "description", "") == "Ask everything again"]
        again.click()
        again.click()
        assert tool.notice.status.text == "Asking Azure …"
        tool.ongoing.work.wait()


def test_a_cell_run_again_while_a_backup_goes_on_shows_the_tool_that_follows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with run_over("agent_old_linux", tmp_path) as run:
        run.collect()
        monkeypatch.setenv("VMBACKUP_WIDGETS", "1")
        tool = guide(run)
        assert isinstance(tool, Guide)
        press(tool, "Back up now")
        [yes] = [each for each in widgets(tool.box) if getattr(each, "description", "") == "Yes, back up now"]
        yes.click()
        assert guide(run) is tool
        tool.ongoing.work.wait()
        assert run.proof is not None
        assert guide(run) is not tool


def test_a_backup_is_what_to_do_next_only_once_the_cause_is_gone_and_not_yet_proved(tmp_path: Path) -> None:
    with tool_over("agent_old_linux", tmp_path) as tool:
        [button] = [each for each in widgets(tool.box) if getattr(each, "description", "") == "Back up now"]
        prominent = ["vmbackup-main" in button._dom_classes]
        for first, *then in (("Plan a remedy", "Apply: ", "Yes, apply it now"), ("Back up now", "Yes, back up now")):
            press(tool, first)
            assert "not needed" not in shown(tool)
            for words in then:
                press(tool, words)
            prominent.append("vmbackup-main" in button._dom_classes)
        assert prominent == [False, True, False]
        press(tool, "Back up now")
        assert "a further backup is not needed" in shown(tool)


def test_what_an_interrupted_run_began_is_said_and_offered(tmp_path: Path) -> None:
    with run_over("agent_old_linux", tmp_path) as run:
        run.collect()
        plan = next(each for each in run.plans() if each.applicable)
        interrupt(run, plan)
        tool = shown_over(run)
        assert "An earlier run was interrupted during this" in shown(tool)
        press(tool, "Plan a remedy")
        press(tool, "Apply: ")
        press(tool, "Yes, apply it now")
        assert "An earlier run was interrupted during this" not in shown(tool)
        assert run.receipts[0].continued


def test_output_of_another_vm_is_refused_and_what_was_known_stays(tmp_path: Path) -> None:
    with tool_over("agent_stopped_linux", tmp_path) as tool:
        known = dict(tool.run.evidence)
        press(tool, "Paste output")
        field(tool, "Output of the guest script").value = guest_output(tool.run, "agent_stopped").replace("A", "B", 40)
        press(tool, "Read this output")
        assert tool.run.evidence == known
        field(tool, "Output of the guest script").value = guest_output(tool.run, "agent_stopped")
        press(tool, "Read this output")
        assert tool.notice.status.text == "The output of the guest script was read."


def test_nothing_changes_before_the_operator_confirmed(tmp_path: Path) -> None:
    with opened("agent_old_linux", tmp_path) as (run, simulator):
        run.collect()
        tool = shown_over(run)
        press(tool, "Plan a remedy")
        press(tool, "Apply: ")
        press(tool, "No, change nothing")
        press(tool, "Back up now")
        press(tool, "No, change nothing")
        changing = {"PUT", "PATCH", "DELETE"} | {"POST /backup"}
        assert not [each for each in simulator.requests if each[0] in changing or each[1].endswith("/backup")]
        assert not (tmp_path / "audit.jsonl").exists()


def test_an_error_in_what_a_button_does_is_shown_and_the_tool_goes_on(tmp_path: Path) -> None:
    with opened("agent_old_linux", tmp_path) as (run, simulator):
        run.collect()
        tool = shown_over(run)
        simulator.azure.worlds[0].spec["faults"] = [{"match": ".", "status": 401, "code": "ExpiredAuthenticationToken"}]
        press(tool, "Re-check")
        assert "az login" in tool.notice.status.text
        assert "Traceback" not in shown(tool)
        simulator.azure.worlds[0].spec["faults"] = []
        press(tool, "Re-check")
        assert tool.notice.status.text == "This cause was checked again."


@pytest.mark.parametrize("language", list(Language))
def test_what_pasted_output_decided_is_said_at_once(tmp_path: Path, language: Language) -> None:
    with run_over("agent_stopped_linux", tmp_path, language=language) as run:
        run.collect()
        before = {(each.cause, each.check): each for step in run.diagnosis().steps for each in step.findings}
        tool = shown_over(run)
        press(tool, catalog.text("guide.paste", language))
        field(tool, catalog.text("paste.output", language)).value = guest_output(run, "agent_stopped")
        press(tool, catalog.text("paste.read", language))
        now = {(each.cause, each.check): each for step in run.diagnosis().steps for each in step.findings}
        opened = [key for key, finding in before.items() if finding.verdict is Verdict.UNKNOWN and key[1] != "signs"]
        decided = [key for key in opened if now[key].verdict is not Verdict.UNKNOWN]
        assert len(decided) > 5
        assert catalog.text("paste.learned", language, count=len(decided)) in shown(tool)
        assert catalog.text("paste.still_open", language, count=len(opened) - len(decided)) in shown(tool)
        unknown, problem = (catalog.text(f"verdict.{verdict}", language) for verdict in ("unknown", "problem"))
        assert f"{unknown} → {problem}" in shown(tool)


def test_the_guest_script_comes_as_a_file_and_in_a_short_form_too(tmp_path: Path) -> None:
    with tool_over("agent_stopped_linux", tmp_path) as tool:
        press(tool, "Show script")
        assert 'download="collect_linux.sh"' in shown(tool)
        [packed] = [each for each in widgets(tool.box) if getattr(each, "text", "").startswith("Copy short form")]
        assert packed.content == short(script("linux"))


def test_without_somebody_who_looks_on_there_is_the_page_that_says_the_same(tmp_path: Path) -> None:
    with run_over("agent_old_linux", tmp_path) as run:
        run.collect()
        page = guide(run)
        assert isinstance(page, Page)
        tool = shown_over(run)
        assert tool.page().text() == page.text()
        for words in ("Operating system", "Probable cause found", "What changed before", "Load while the snapshot"):
            assert words in page.text()
            assert words in page.markdown()


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        if tag == "a":
            address = urlsplit(dict(attrs)["href"] or "")
            assert (address.scheme, address.netloc in HOSTS) == ("https", True)
        assert not [name for name, _ in attrs if name.startswith("on")]


@pytest.mark.parametrize("section", ["snapshot_extension_failed", "internal_error"])
def test_names_from_azure_and_words_of_the_operator_bring_no_element(tmp_path: Path, section: str) -> None:
    with tool_over("error_hostile_names", tmp_path, section) as tool:
        press(tool, "▸ 1. ") if "▸ 1. " in shown(tool) else None
        tool.run.skip("extension", "<script>alert(1)</script><img src=x onerror=alert(1)>")
        tool.show()
        tags = Tags()
        tags.feed(shown(tool))
        assert not tags.seen & {"script", "img", "iframe", "style"}
        assert "/virtualMachines/vm-%3Cscript%3E" in shown(tool)


@pytest.mark.parametrize(
    ("world", "command"),
    [
        ("agent_stopped_linux", "systemctl restart walinuxagent"),
        ("agent_stopped_windows", "Restart-Service RdAgent, WindowsAzureGuestAgent"),
    ],
)
def test_a_stopped_agent_is_first_started_by_hand_and_then_checked_again(
    tmp_path: Path, world: str, command: str
) -> None:
    with opened(world, tmp_path) as (run, simulator):
        run.collect()
        tool = shown_over(run)
        press(tool, "Plan a remedy")
        assert command in shown(tool)
        assert not re.search("Apply: |Not applied here", shown(tool))
        before = len(simulator.requests)
        press(tool, "I have done it: check again")
        assert tool.notice.status.text == "This cause was checked again."
        assert len(simulator.requests) > before


def test_at_a_high_risk_no_comes_first_and_stands_out(tmp_path: Path) -> None:
    with tool_over("agent_stopped_linux", tmp_path) as tool:
        press(tool, "Plan a remedy")
        press(tool, "▸ Restart the VM from Azure")
        press(tool, "Apply: Restart the VM")
        buttons = [each for each in widgets(tool.box) if isinstance(each, ipywidgets.Button)]
        answers = [each for each in buttons if each.description in ("Yes, apply it now", "No, change nothing")]
        assert [each.description[:2] for each in answers] == ["No", "Ye"]
        assert ["vmbackup-main" in each._dom_classes for each in answers] == [True, False]
        assert f"Resource: {tool.run.target.vm_name}. Risk: high." in shown(tool)


def test_the_script_that_a_plan_names_comes_as_that_file(tmp_path: Path) -> None:
    with tool_over("agent_old_linux", tmp_path) as tool:
        press(tool, "Plan a remedy")
        assert "@remedy_update_guest_agent_linux.sh" in shown(tool)
        assert 'download="remedy_update_guest_agent_linux.sh"' in shown(tool)
