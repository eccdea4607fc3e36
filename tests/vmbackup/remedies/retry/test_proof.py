"""Fixed means: completed, a new point, and the consistency that the policy wants. Everything else says what it is."""

from __future__ import annotations

import pytest

from vmbackup.collectors.failed_job import read_failed_job
from vmbackup.remedies.retry.proof import judge, section_of, wanted

ENHANCED = {"consistency": "OnlyCrashConsistent"}
PLAIN = {"consistency": None}


@pytest.mark.parametrize(
    ("policy", "power", "want"),
    [
        (PLAIN, "running", "application"),
        (ENHANCED, "running", "crash"),
        (PLAIN, "deallocated", "crash_off"),
        (PLAIN, None, "unknown"),
        (None, "running", "unknown"),
    ],
)
def test_what_the_point_must_be(policy, power, want):
    assert wanted(policy, power) == want


@pytest.mark.parametrize(
    ("kind", "want", "os", "verdict"),
    [
        ("AppConsistent", "application", "windows", "ok"),
        ("AppConsistent", "unknown", None, "ok"),
        ("FileSystemConsistent", "application", "linux", "ok"),
        ("FileSystemConsistent", "application", "windows", "problem"),
        ("FileSystemConsistent", "application", None, "unknown"),
        ("CrashConsistent", "application", "linux", "problem"),
        ("CrashConsistent", "crash", "linux", "ok"),
        ("CrashConsistent", "crash_off", "windows", "ok"),
        ("CrashConsistent", "unknown", "linux", "unknown"),
        ("Wondrous", "application", "linux", "unknown"),
        (None, "application", "linux", "unknown"),
    ],
)
def test_a_completed_job_is_judged_by_its_point(kind, want, os, verdict):
    point = {"name": "p", "time": "2026-11-23T03:00:00Z", "type": kind}
    assert judge("completed", read_failed_job({}), [point], want, os).verdict == verdict


@pytest.mark.parametrize(
    ("status", "verdict", "reason"),
    [
        ("completed", "unknown", "no_point"),
        ("cancelled", "unknown", "cancelled"),
        ("failed", "problem", "failed_again"),
        ("completedwithwarnings", "problem", "warnings"),
        ("somethingnew", "unknown", "failed_again"),
    ],
)
def test_without_a_point_nothing_is_fixed(status, verdict, reason):
    proof = judge(status, read_failed_job({}), [], "application", "linux")
    assert (proof.verdict, proof.reason) == (verdict, reason)


def test_a_job_that_failed_says_which_section_to_start_over_with():
    details = [{"errorCode": 1, "errorTitle": "ExtensionSnapshotFailedNoNetwork", "errorString": "x"}]
    job = read_failed_job({"name": "j", "properties": {"status": "Failed", "errorDetails": details}})
    assert section_of(job) == "snapshot_no_network"


@pytest.mark.parametrize(
    "body", [{}, {"properties": None}, {"properties": {"errorDetails": [None, {}], "extendedInfo": None}}]
)
def test_a_thin_answer_is_read_without_guessing(body):
    assert read_failed_job(body)["dynamic_message"] is None
