"""The retry: started once, followed to its end, proven or not; refused where it must fail."""

from __future__ import annotations

import pytest

from remedy_worlds import opened
from vmbackup.arm.audit import allow_changes
from vmbackup.model import RemedyRefused
from vmbackup.pages import remedies as pages
from vmbackup.remedies.receipt import Receipt
from vmbackup.remedies.retry.back_up_now import back_up_now
from vmbackup.remedies.retry.proof import Proof
from vmbackup.remedies.values import values


def attempt(case, **options):
    return back_up_now(case.context, case.target, case.look(), **options)


def test_a_good_backup_is_the_proof(tmp_path):
    seen = []
    with opened("healthy_windows", tmp_path) as case:
        proof = attempt(case, on_progress=seen.append)
        assert proof.fixed
        assert proof.point["type"] == "AppConsistent"
        assert proof.last_good["time"] < proof.point["time"]
        assert proof.next_run_h > 0
        (row,) = case.audited()
        assert row["resource"].endswith("/backup")
        assert (row["outcome"], row["message"]) == ("succeeded", "fixed")
    assert [each.status for each in seen][0] == "InProgress"
    assert seen[-1].status == "Completed"
    assert ("Take Snapshot", "Completed") in seen[-1].tasks


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize(
    ("scenario", "changes"),
    [
        ("healthy_linux", {}),
        ("fs_freeze_linux", {}),
        ("crash_consistent_downgrade_linux", {}),
        ("healthy_linux", {"job_polls": 99}),
    ],
)
def test_every_end_can_be_shown(tmp_path, scenario, changes, language):
    with opened(scenario, tmp_path, **changes) as case:
        proof = attempt(case, deadline_s=0.2)
    page = pages.proof(proof, language)
    assert page.text()
    assert page.html()


def test_completed_with_a_crash_consistent_point_is_a_problem(tmp_path):
    with opened("crash_consistent_downgrade_linux", tmp_path) as case:
        proof = attempt(case)
        assert (proof.verdict, proof.reason) == ("problem", "wrong_consistency")
        assert proof.values["type"] == "CrashConsistent"


def test_a_deallocated_vm_may_be_crash_consistent(tmp_path):
    with opened("vm_deallocated_windows", tmp_path) as case:
        proof = attempt(case)
        assert proof.wanted == "crash_off"
        assert proof.verdict == "ok"


def test_a_job_that_fails_with_another_error_sends_back_to_its_section(tmp_path):
    with opened("extension_failed_linux", tmp_path, failure={"code": "ExtensionSnapshotFailedNoNetwork"},
                backup_fails_while=[{"always": True}]) as case:  # fmt: skip
        proof = attempt(case)
        assert (proof.verdict, proof.reason, proof.section) == ("problem", "failed_again", "snapshot_no_network")
        assert [row["outcome"] for row in case.audited()] == ["failed"]
        assert "02_snapshot_no_network" in pages.proof(proof, "en").text()


JOBS = [{"status": "Failed", "hours_ago": hour, "user_triggered": True} for hour in range(1, 10)]


@pytest.mark.parametrize(
    ("scenario", "changes", "said"),
    [
        ("healthy_linux", {"jobs": JOBS}, "Azure allows 9"),
        ("backup_in_progress_windows", {}, "running already"),
        ("protection_stopped_linux", {}, "not active"),
        ("not_protected_linux", {}, "No vault protects"),
    ],
)
def test_what_must_fail_is_refused_and_nothing_is_sent(tmp_path, scenario, changes, said):
    with opened(scenario, tmp_path, **changes) as case:
        with pytest.raises(RemedyRefused, match=said):
            attempt(case)
        assert case.sent("POST", "/backup?") == 0
        assert case.audited() == []


def test_eight_attempts_leave_room_for_a_ninth(tmp_path):
    with opened("healthy_linux", tmp_path, jobs=JOBS[:8]) as case:
        assert attempt(case).fixed


def test_it_can_be_cancelled(tmp_path):
    with opened("healthy_linux", tmp_path, job_polls=50) as case:
        proof = attempt(case, cancelled=lambda: True)
        assert proof.reason == "cancelled"
        assert case.sent("POST", "/cancel") == 1
        assert [row["outcome"] for row in case.audited()] == ["canceled", "succeeded"]


def test_a_job_that_outlives_the_deadline_is_followed_by_the_next_run(tmp_path):
    with opened("healthy_linux", tmp_path, job_polls=12) as case:
        first = attempt(case, deadline_s=0.05)
        assert first.reason == "timeout"
        second = attempt(case)
        assert second.fixed
        assert second.job == first.job
        assert case.sent("POST", "protectedItems") == 1
        assert [row["outcome"] for row in case.audited()] == ["succeeded"]


def test_an_answer_lost_after_the_start_is_found_among_the_jobs_and_not_started_twice(tmp_path):
    lost = [{"match": "POST .*/backup$", "mode": "cut_off", "times": 1}]
    with opened("healthy_linux", tmp_path, faults=lost) as case:
        proof = attempt(case)
        assert proof.fixed
        assert case.sent("POST", "protectedItems") == 1
        assert [row["outcome"] for row in case.audited()] == ["succeeded"]


def test_a_start_that_was_noted_but_never_sent_is_made_up_for(tmp_path):
    with opened("healthy_linux", tmp_path) as case:
        evidence = case.look()
        item = values(case.target, evidence, ())["item_id"]
        case.context.journal.begin("backup_now", item, case.target.vm_id, "2026-11-23T03:00:00Z", {"points": []})
        assert back_up_now(case.context, case.target, evidence).job
        assert case.sent("POST", "protectedItems") == 1
        assert case.context.journal.unfinished() == []


def test_a_start_that_failed_while_nobody_looked_is_said_and_closed(tmp_path):
    fails = [{"match": "POST .*/backup$", "mode": "operation_failed", "code": "UserErrorVmNotFoundV2", "message": "no"}]
    with opened("healthy_linux", tmp_path, faults=fails) as case:
        evidence = case.look()
        item = values(case.target, evidence, ())["item_id"]
        name = case.context.journal.begin("backup_now", item, case.target.vm_id, "2026-11-23T03:00:00Z", {"points": []})
        case.context.journal.sending(name, 0)
        with allow_changes(case.context.audit, "test"):
            answer = case.context.arm.request(
                "POST", f"{item}/backup", {"properties": {"objectType": "IaasVMBackupRequest"}}
            )
        case.context.journal.accepted(name, 0, answer.operation, answer.time)
        proof = back_up_now(case.context, case.target, evidence)
        assert (proof.reason, proof.values["code"]) == ("not_started", "UserErrorVmNotFoundV2")
        assert case.context.journal.unfinished() == []


def test_an_operation_without_a_job_id_is_found_by_vm_and_time(tmp_path):
    silent = [{"match": "GET .*/operationsStatus/", "status": 404, "code": "Gone"}]
    with opened("healthy_linux", tmp_path, faults=silent) as case:
        assert attempt(case).fixed


def test_a_point_of_an_earlier_backup_that_is_listed_late_proves_nothing(tmp_path):
    with opened("healthy_linux", tmp_path) as case:
        points = case.world.machines[0]["recovery_points"]
        late = points.pop(0)
        listed = list(points)

        def appear(progress):
            if progress.status == "Completed":
                points[:] = [late, *listed]

        assert attempt(case, on_progress=appear).reason == "no_point"


def test_a_job_known_before_a_start_that_was_not_answered_is_not_taken_for_its_own(tmp_path):
    failed = [{"status": "Failed", "hours_ago": 0.05, "user_triggered": True}]
    lost = [{"match": "POST .*/backup$", "mode": "plain", "status": 502, "times": 1}]
    with opened("healthy_linux", tmp_path, jobs=failed, faults=lost) as case:
        first = attempt(case)
        assert (first.verdict, first.reason) == ("unknown", "no_answer")
        assert pages.proof(first, "de").text()
        assert attempt(case).fixed
        assert case.sent("POST", "protectedItems") == 2
        assert case.context.journal.unfinished() == []


@pytest.mark.parametrize("fault", [{"status": 503, "code": "ServerBusy"}, {"mode": "cut_off"}, {"mode": "garbage"}])
def test_a_job_that_cannot_be_followed_is_unknown_and_looked_for_by_the_next_run(tmp_path, fault):
    with opened("healthy_linux", tmp_path, faults=[{"match": "GET .*/backupJobs/[^/]*$", **fault}]) as case:
        first = attempt(case)
        assert (first.verdict, first.reason) == ("unknown", "not_followed")
        assert first.job in pages.proof(first, "en").text()
        case.world.spec["faults"] = []
        assert attempt(case).fixed
        assert case.sent("POST", "protectedItems") == 1


def test_nothing_is_started_while_azure_does_not_show_how_it_is(tmp_path):
    denied = [{"match": "GET .*/recoveryPoints", "status": 403, "code": "AuthorizationFailed", "message": "no"}]
    with opened("healthy_linux", tmp_path, faults=denied) as case:
        with pytest.raises(RemedyRefused, match=r"Nothing was changed.*AuthorizationFailed"):
            attempt(case)
        assert case.sent("POST", "protectedItems") == 0


@pytest.mark.parametrize("days", [0, 2])
def test_a_backup_of_an_earlier_run_with_another_after_it_or_of_another_day_is_no_proof(tmp_path, days):
    with opened("healthy_linux", tmp_path, job_polls=2) as case:
        first = attempt(case, deadline_s=0)
        assert first.reason == "timeout"
        while case.world.machines[0]["jobs"][0]["status"] == "InProgress":
            case.context.arm.request("GET", f"{case.world.vault_id}/backupJobs/{first.job}")
        case.world.advance(days=days, hours=1)
        if not days:
            newer = {**case.world.machines[0]["jobs"][0], "name": "newer", "status": "Failed", "start": case.world.now}
            case.world.machines[0]["jobs"].insert(0, newer)
        second = attempt(case)
        assert second.fixed
        assert second.job != first.job
        assert case.context.journal.unfinished() == []


def test_a_start_that_azure_refuses_is_said_as_it_is(tmp_path):
    refused = [{"match": "POST .*/backup$", "status": 403, "code": "AuthorizationFailed", "message": "no"}]
    with opened("healthy_linux", tmp_path, faults=refused) as case:
        proof = attempt(case)
        assert (proof.reason, proof.values["code"]) == ("not_started", "AuthorizationFailed")
        assert [row["outcome"] for row in case.audited()] == ["refused"]
        assert case.context.journal.unfinished() == []


@pytest.mark.parametrize(("language", "words"), [("en", "how it ended"), ("de", "wie sie ausging")])
def test_no_backup_is_started_before_it_is_known_how_a_change_ended(tmp_path, language, words):
    with opened("healthy_linux", tmp_path) as case:
        journal, vm_id = case.context.journal, case.target.vm_id
        name = journal.begin("restart_vm", vm_id, vm_id, "2026-11-23T03:00:00Z", {})
        journal.sending(name, 0)
        with pytest.raises(RemedyRefused, match=words):
            attempt(case, language=language)
        assert case.sent("POST", "protectedItems") == 0
        journal.close(name, Receipt("restart_vm", vm_id, "done", "me", None, None, (), {}, {}))
        assert attempt(case).fixed


def test_a_receipt_closes_what_it_is_for_and_holds_the_proof(tmp_path):
    with opened("healthy_linux", tmp_path) as case:
        proof = attempt(case)
        events = case.context.journal._operations
        ended = (tmp_path / events.name).read_bytes().splitlines()
        (tmp_path / events.name).write_bytes(b"\n".join(ended[:-1]))  # killed before it noted the end
        assert case.context.journal.unfinished() == []
        (receipt,) = case.context.journal.receipts()
        assert Proof.from_json(receipt.after) == proof


def test_a_backup_from_before_a_change_proves_nothing_about_it(tmp_path):
    with opened("healthy_linux", tmp_path, job_polls=3) as case:
        first = attempt(case, deadline_s=0)
        assert first.reason == "timeout"
        while case.world.machines[0]["jobs"][0]["status"] == "InProgress":
            case.context.arm.request("GET", f"{case.world.vault_id}/backupJobs/{first.job}")
        journal, vm_id = case.context.journal, case.target.vm_id
        name = journal.begin("restart_vm", vm_id, vm_id, "2026-11-23T03:00:00Z", {})
        journal.sending(name, 0)
        journal.close(name, Receipt("restart_vm", vm_id, "done", "me", None, None, (), {}, {}))
        case.world.advance(hours=1)
        assert attempt(case).job != first.job
