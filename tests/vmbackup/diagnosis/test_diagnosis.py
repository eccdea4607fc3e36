"""The walk: which causes a section asks, in which order, and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests import judging
from tests.judging import disk, model

from vmbackup.diagnosis import Outcome, causes_of, diagnose, nothing_failed
from vmbackup.model import Evidence, Fact, FactStatus, Verdict
from vmbackup.pages.overview import failed_job
from worlds import examine

TOO_LARGE: Evidence = {
    "backup.failed_job": Fact(FactStatus.OK, judging.failed_job(None, "Unheard")),
    "vm.model": Fact(FactStatus.OK, model()),
    "vm.disks": Fact(FactStatus.OK, [disk(size_gb=70_000)]),
}


def test_without_a_section_and_for_an_error_that_says_nothing_every_cause_is_asked() -> None:
    assert set(causes_of("internal_error")) == set(causes_of(None))


def test_a_cause_is_an_addition_where_the_article_does_not_name_it() -> None:
    assert not diagnose("disk_not_supported", TOO_LARGE).step("disks").addition
    assert diagnose("internal_error", TOO_LARGE).step("disks").addition
    assert not diagnose(None, TOO_LARGE).step("disks").addition


def test_the_first_problem_is_the_probable_cause_and_where_to_go_on() -> None:
    diagnosis = diagnose("internal_error", TOO_LARGE)
    assert diagnosis.outcome is Outcome.CAUSE_FOUND
    assert diagnosis.probable is diagnosis.next is diagnosis.step("disks")


def test_without_a_problem_the_first_unknown_cause_is_next() -> None:
    diagnosis = diagnose("internal_error", {})
    assert diagnosis.probable is None
    assert diagnosis.next is diagnosis.steps[0]
    assert {step.verdict for step in diagnosis.steps} == {Verdict.UNKNOWN}
    assert diagnosis.outcome is Outcome.UNDECIDED


@pytest.mark.parametrize(
    ("status", "outcome", "said"),
    [
        ("Failed", Outcome.UNDECIDED, "none is listed any more"),
        ("Completed", Outcome.NO_CAUSE_FOUND, "none since the last good backup"),
    ],
)
def test_a_failure_older_than_the_list_of_jobs_is_not_forgotten(
    tmp_path: Path, status: str, outcome: Outcome, said: str
) -> None:
    (tmp_path / "old.yaml").write_text(f"os: linux\nhistory: 0\nitem: {{last_backup_status: {status}}}\n", "utf-8")
    evidence = examine(str(tmp_path / "old.yaml"))
    assert evidence["backup.jobs"].data == []
    assert diagnose(None, evidence).outcome is outcome
    assert nothing_failed(evidence) is (status == "Completed")
    assert said in failed_job(evidence, "en")


def test_a_job_that_does_not_say_what_it_does_may_be_a_backup_that_failed() -> None:
    good, later = judging.job("Completed", "2026-11-21T22:00:00Z"), judging.job("InProgress", "2026-11-22T22:00:00Z")
    for unread in ("operation", "status", "start"):
        listed = [good, {**later, unread: None}]
        assert not nothing_failed({"backup.jobs": Fact(FactStatus.OK, listed)}), unread
    assert nothing_failed({"backup.jobs": Fact(FactStatus.OK, [good, {**later, "operation": "Restore"}])})


UNHEARD = "Something quite new happened to this machine"
WRAPPED = judging.failed_job(400349, "UserErrorCrpReportedUserError", dynamic_message=UNHEARD)
ALIVE: Evidence = {
    "vm.model": Fact(FactStatus.OK, model()),
    "vm.power": Fact(FactStatus.OK, judging.power()),
    "vm.agent": Fact(FactStatus.OK, judging.agent(version="2.2.10")),
    "vm.disks": Fact(FactStatus.OK, [disk()]),
}


def test_words_of_azure_that_nobody_knows_may_be_about_every_cause_that_azure_names() -> None:
    evidence = {**ALIVE, "backup.failed_job": Fact(FactStatus.OK, WRAPPED)}
    said = {each.reason for each in diagnose(None, evidence).step("disks").findings if each.check == "signs"}
    assert said == {"not_understood"}
    named = {**WRAPPED, "dynamic_message": f"{UNHEARD}\nExtensionFailedVssWriterInBadState"}
    known = diagnose(None, {**evidence, "backup.failed_job": Fact(FactStatus.OK, named)})
    assert "not_understood" not in {each.reason for step in known.steps for each in step.findings}


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        ("UserErrorGuestAgentStatusUnavailable", Verdict.PROBLEM),
        ("UserErrorFsFreezeFailed", Verdict.UNKNOWN),
        ("Unheard", Verdict.UNKNOWN),
    ],
)
def test_hygiene_is_a_cause_only_where_what_was_said_points_to_it_alone(code: str, verdict: Verdict) -> None:
    evidence = {**ALIVE, "backup.failed_job": Fact(FactStatus.OK, judging.failed_job(None, code))}
    found = {each.check: each.verdict for each in diagnose(None, evidence).step("agent_linux").findings}
    assert found["linux_agent_version_is_supported"] is verdict


@pytest.mark.parametrize(("at", "verdict"), [("22", Verdict.PROBLEM), ("21", Verdict.UNKNOWN), (None, Verdict.PROBLEM)])
def test_a_status_of_an_earlier_run_does_not_name_what_failed_the_newest(at: str | None, verdict: Verdict) -> None:
    status = {"name": "x", "versions": [], "newest": None, "status": "error", "code": 121, "message": None}
    status |= {"operation": None, "seq": 1, "at": f"2026-11-{at}T23:10:00Z" if at else None, "cut": []}
    job = {**judging.failed_job(400039, "GuestAgentSnapshotTaskStatusError"), "start": "2026-11-22T23:00:36Z"}
    facts = {"backup.failed_job": Fact(FactStatus.OK, job), "guest.extension": Fact(FactStatus.OK, status)}
    assert diagnose(None, {**ALIVE, **facts}).step("file_system_freeze").verdict is verdict


def test_what_looks_right_now_is_not_ruled_out_while_nothing_names_what_failed() -> None:
    """A wrapper says nothing; a code that names a cause leaves the others be. Who protects the VM does not change by
    itself."""
    jobs = {"backup.jobs": Fact(FactStatus.OK, [judging.job("Failed")])}
    read = {"guest.serial_log": Fact(FactStatus.ABSENT), **jobs}

    def said(cause: str, code: str) -> set[str]:
        job = Fact(FactStatus.OK, judging.failed_job(None, code))
        steps = diagnose(None, {**examine("healthy_linux"), **read, "backup.failed_job": job})
        return {finding.reason for finding in steps.step(cause).findings if finding.check == "signs"}

    assert said("vm_state", "BackUpOperationFailed") == {"only_now"}
    assert said("protection", "BackUpOperationFailed") == {"ok"}
    assert said("vm_state", "UserErrorFsFreezeFailed") == {"ok"}
