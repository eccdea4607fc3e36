"""What a headless run says of remedies that it was told to apply, or found half done."""

from __future__ import annotations

import pytest

from remedy_cases import TARGET, evidence, step
from vmbackup.pages import remedies as pages
from vmbackup.pages.changed import compared
from vmbackup.remedies.apply import Consent
from vmbackup.remedies.plan import plan
from vmbackup.remedies.receipt import Receipt
from vmbackup.runs.state import Change

FOUND = plan(step("extension", "vmsnapshot_linux_is_loaded"), evidence(), TARGET, "en")


@pytest.mark.parametrize(
    ("remedies", "max_risk", "said"),
    [
        ("remove_backup_extension", "low", "Its risk is medium, and max_risk allows low."),
        ("remove_backup_extension", "medium", ""),
        ("", "low", ""),
        ("start_vm", "low", ""),
    ],
)
def test_a_named_remedy_that_is_too_risky_says_so(remedies, max_risk, said):
    confirm = Consent.from_parameters(remedies, max_risk)
    text = pages.not_covered(FOUND, confirm.remedies, confirm.refusal, "en").text()
    assert said in text
    assert bool(text.strip()) is bool(said)


@pytest.mark.parametrize("language", ["en", "de"])
def test_what_was_interrupted_is_named(language):
    assert FOUND[0].words["title"] in pages.interrupted(FOUND[:1], language).text()


def test_the_verdicts_of_what_a_remedy_concerns_are_compared():
    before = step("extension", "vmsnapshot_linux_is_loaded")
    done = Receipt("remove_backup_extension", "/vm", "done", "me", None, None, (), {}, {})
    text = pages.change(Change(done, ((before, before),)), "en").text()
    assert text.count("Found") == 2


def test_before_and_after_stand_in_one_line_and_what_stayed_is_said_once():
    before = {"power": "running", "agent": {"status": "Not Ready", "version": "2.9"}, "since": None}
    after = {"power": "running", "agent": {"status": "Ready", "version": "2.9"}, "since": "2026-11-23T03:00:00Z"}
    assert compared(before, after, "de") == [
        ["Energiezustand", "running"], ["Agent", "Not Ready → Ready"], ["Agentversion", "2.9"],
        ["since", "– → 2026-11-23 03:00 UTC"],
    ]  # fmt: skip


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_plan_names_its_resource_in_full_only_where_that_is_typed(language):
    for each in plan(step("extension", "vmsnapshot_linux_is_loaded"), evidence(), TARGET, language):
        typed = sum(command.text.count(each.resource) for command in each.commands)
        assert pages.plan(each).text().count(each.resource) == max(typed, 1)
