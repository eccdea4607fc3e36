"""No world is judged wrongly: neither a true cause ruled out, nor an innocent one found, nor a failure passed over."""

from __future__ import annotations

import pytest

from azuresim.loading import scenario_names
from expected_verdicts import written
from truth import WORLDS, Measure, examined, judged, labels, path_of, something_failed

LABELS = labels()
# One stopped agent in each: the worlds in which Azure answers badly are measured by `make truth-all`.
MEASURED = [name for name in LABELS if not name.startswith("error_")]
# Judged wrongly today. Whoever mends one takes it off.
STILL_WRONG = {
    "agent_silent_after_good_backup",
    "backup_hangs_agent_silent",
    "case_04_restricted_network_409",
    "case_21_freeze_hang_kernel_xfs",
    "case_54_clock_skew_managed_disks",
    "case_59_openssl_conf_broken_after_restore",
    "disk_1500_gb_linux",
    "enhanced_policy_42_points_healthy",
    "host_snapshot_service_error",
    "storage_type_not_supported",
    "vm_deallocated_windows",
}


def test_every_world_has_its_label_and_no_label_is_left_over() -> None:
    worlds = {name for name in scenario_names() if "stops" not in written(name)}
    assert set(LABELS) == worlds | {path.stem for path in WORLDS.glob("*.yaml")}


@pytest.mark.parametrize("name", MEASURED)
def test_world(name: str) -> None:
    label, path = LABELS[name], path_of(name)
    measured = judged(label, examined(path, label.section).diagnosis(), something_failed(path))
    assert (measured.measure is Measure.WRONG) is (name in STILL_WRONG), measured.why
