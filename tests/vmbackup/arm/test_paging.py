"""Lists end: after their last page, or after so many that the rest is left out and said to be."""

from __future__ import annotations

import json
from dataclasses import replace

from in_process import ENDPOINT, Sent, near
from vmbackup.arm.paging import MOST_PAGES
from vmbackup.collectors import collect, failed_jobs
from vmbackup.diagnosis import diagnose
from vmbackup.model import Fact, Verdict


def endless(there_is: str, fact: str, *more: str, world: str = "healthy_linux") -> tuple[dict[str, Fact], int]:
    """The facts where the pages of one list name each other for ever, and how many of them were asked for."""
    there = near(world)

    def damage(line: str, sent: Sent) -> Sent:
        if not line.lower().endswith(there_is):
            return sent
        link = f"{ENDPOINT}{line.split(' ')[1]}?api-version=2026-04-01&page=again"
        return replace(sent, data=json.dumps({**json.loads(sent.data), "nextLink": link}).encode(), promised=None)

    there.loopback.damage = damage
    found = collect(there.azure, there.target, deadline_s=60, only=[fact, *more])
    return found, sum(line.lower().endswith(there_is) for line in there.loopback.requests)


def verdict(check: str, evidence: dict[str, Fact]) -> tuple[Verdict, str]:
    findings = [finding for step in diagnose(None, evidence).steps for finding in step.findings]
    return next((each.verdict, each.reason) for each in findings if each.check == check)


def test_a_list_without_an_end_is_read_in_part_and_no_check_calls_it_good() -> None:
    found, asked = endless("/locks", "vm.locks", "vm.restore_points", "vm.model")
    assert asked == MOST_PAGES
    assert found["vm.locks"].is_cut
    assert found["vm.locks"].why == "list_cut"
    assert verdict("no_lock_blocks_restore_points", found) == (Verdict.UNKNOWN, "read_in_part")


def test_what_is_wrong_in_a_part_is_wrong() -> None:
    jobs = ("backup.protection", "backup.jobs", "backup.failed_job")
    names = ("vm.locks", "vm.restore_points", "vm.model", *jobs)
    found, _ = endless("/locks", *names, world="restore_points_lock_windows")
    assert verdict("no_lock_blocks_restore_points", found)[0] is Verdict.PROBLEM


def test_what_is_made_of_a_part_is_marked_as_one() -> None:
    found, _ = endless("/backupjobs", "backup.jobs", "backup.failed_job", "backup.protection")
    assert found["backup.jobs"].is_cut
    assert found["backup.failed_job"].is_cut
    assert not found["backup.protection"].is_cut


def test_an_activity_log_without_an_end_is_read_in_part_too() -> None:
    there = near("healthy_linux")

    def again(line: str, sent: Sent) -> Sent:
        if not line.endswith("/values"):
            return sent
        page = {"value": [], "nextLink": f"{ENDPOINT}{line.split(' ')[1]}?api-version=2015-04-01&page=again"}
        return replace(sent, status=200, data=json.dumps(page).encode(), promised=None)

    there.loopback.damage = again
    assert collect(there.azure, there.target, deadline_s=60, only=["vm.activity"])["vm.activity"].is_cut
    # The VM's resource group, and the one of its restore points.
    assert sum(line.endswith("/values") for line in there.loopback.requests) % MOST_PAGES == 0


def test_events_beyond_the_thousandth_are_left_out_and_said_to_be() -> None:
    there = near("healthy_linux")

    def many(line: str, sent: Sent) -> Sent:
        if not line.endswith("/values"):
            return sent
        event = {"eventTimestamp": "2026-11-23T01:00:00Z", "operationName": {"value": "x/read"}}
        return replace(sent, data=json.dumps({"value": [event] * 1200}).encode(), promised=None)

    there.loopback.damage = many
    fact = collect(there.azure, there.target, deadline_s=60, only=["vm.activity"])["vm.activity"]
    assert fact.is_cut
    assert len(fact.data) % 1000 == 0


def test_the_failed_jobs_of_a_vault_are_marked_too() -> None:
    there = near("agent_stopped_linux")

    def damage(line: str, sent: Sent) -> Sent:
        if not line.endswith("/backupJobs"):
            return sent
        link = f"{ENDPOINT}{line.split(' ')[1]}?api-version=2026-04-01&$filter=status eq 'Failed'&page=2"
        return replace(sent, data=json.dumps({**json.loads(sent.data), "nextLink": link}).encode(), promised=None)

    there.loopback.damage = damage
    assert failed_jobs(there.azure, there.world.vault_id).is_cut
