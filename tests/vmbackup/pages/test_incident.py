"""The first screen is the incident; after a cure the story stays; and it fits into a note."""

from __future__ import annotations

from pathlib import Path

import pytest

from vmbackup import catalog
from vmbackup.model import Fact, FactStatus, Target
from vmbackup.pages import incident as pages
from vmbackup.parameters import Parameters
from vmbackup.remedies.receipt import OUTCOMES, Receipt
from vmbackup.runs.incident import Standing, incident
from vmbackup.runs.state import State
from walking import cure, restarted, run_over
from worlds import examine

FAILED_AT = "2026-11-22 23:00 UTC"
CODE = "UserErrorGuestAgentStatusUnavailable"
TOO_OLD = "Version 2.2.18 is older than the supported minimum 2.2.53.1."


def state(evidence: dict[str, Fact], language: str = "en", **given: str) -> State:
    parameters = Parameters(language=language, **given)  # type: ignore[arg-type]
    return State(parameters, "agent_unreachable", Target("s", "g", "web-1"), dict(evidence))


def test_the_story_stays_after_the_cure(tmp_path: Path) -> None:
    with run_over("agent_old_linux", tmp_path) as run:
        run.collect()
        found = incident(run)
        assert found.standing is Standing.CAUSE_FOUND
        for words in (FAILED_AT, "400196", CODE, "51 h ago; overdue by 27 h", TOO_OLD, "Nothing was changed."):
            assert words in pages.note(found, "en")
        assert f"vmbackup apply update_guest_agent_linux --vm-id {run.target.vm_id}" in pages.note(found, "en")
        cure(run)
        assert incident(run).standing is Standing.UNPROVED
        assert "vmbackup retry --vm-id" in pages.note(incident(run), "en")
        run.back_up()
        assert run.evidence["backup.failed_job"].status is FactStatus.ABSENT
        ended = pages.note(incident(run), "en")
        for words in (FAILED_AT, CODE, TOO_OLD, "2026-11-23 03:05 UTC: Update the Linux agent", ": done", "Yes: Fixed"):
            assert words in ended
        resumed = restarted(run)
        resumed.resume()
        assert pages.note(incident(resumed), "en") == ended


def test_a_backup_mended_by_somebody_else_does_not_erase_the_failure(tmp_path: Path) -> None:
    with run_over("agent_old_linux", tmp_path) as run:
        run.collect()
        failed = dict(run.evidence)
        cure(run)
        run.back_up()
        run.evidence, run.before, run.receipts, run.proof = failed, {}, [], None
        run.collect()
        assert run.evidence["backup.failed_job"].status is FactStatus.ABSENT
        assert CODE in pages.note(incident(run), "en")


@pytest.mark.parametrize("language", ["en", "de"])
def test_however_a_remedy_ended_is_said(language: str) -> None:
    subject = state(examine("agent_old_linux"), language)
    for outcome in OUTCOMES:
        subject.receipts = [Receipt("restart_vm", "/vm", outcome, "me", None, None, (), {}, {})]
        assert catalog.text(f"incident.outcome_{outcome}", language) in pages.note(incident(subject), language)


def test_nothing_failed_is_said_as_that() -> None:
    told = incident(state(examine("healthy_linux")))
    assert (told.standing, told.command) == (Standing.NOTHING_FAILED, "")
    assert "No failed backup, no cause found" in pages.note(told, "en")


def test_what_is_not_known_names_its_reason() -> None:
    told = incident(state(examine("rights_missing_linux")))
    note = pages.note(told, "en")
    assert "lacks the right" in note
    assert told.standing is Standing.UNDECIDED


def test_what_is_simulated_says_so_in_every_rendering() -> None:
    page = pages.page(incident(state({}, azure="simulator", scenario="agent_old_linux")), "en")
    for rendering in (page.html(), page.markdown(), page.text()):
        assert "SIMULATED" in rendering


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("most", [pages.NOTE_BYTES, pages.SHORT_NOTE_BYTES])
def test_a_note_is_never_longer_than_its_ticket_takes(language: str, most: int) -> None:
    evidence = examine("rights_missing_linux")
    job = examine("agent_old_linux")["backup.failed_job"].data
    long = {"code": 400196, "title": CODE, "text": "Überläng€ " * 3000, "recommendations": []}
    evidence["backup.failed_job"] = Fact(FactStatus.OK, data={**job, "errors": [long] * 4})
    note = pages.note(incident(state(evidence, language)), language, most)
    assert len(note.encode()) <= most
    for words in (CODE, "web-1", "vmbackup"):
        assert words in note
