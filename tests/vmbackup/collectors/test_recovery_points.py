from __future__ import annotations

from pathlib import Path

import pytest

from vmbackup.arm.errors import Unreadable
from vmbackup.collectors.recovery_points import read_recovery_point
from worlds import examine


def test_a_recovery_point_without_a_time_hides_which_is_the_newest() -> None:
    with pytest.raises(Unreadable):
        read_recovery_point({"name": "p", "properties": {"recoveryPointType": "CrashConsistent"}})


def test_the_newest_recovery_point_comes_first() -> None:
    points = examine("healthy_windows")["backup.recovery_points"].data
    assert points[0]["type"] == "AppConsistent"
    assert [point["time"] for point in points] == sorted((point["time"] for point in points), reverse=True)


def test_a_recovery_point_says_its_threat_and_where_it_lies(tmp_path: Path) -> None:
    tiers = "{InstantRP: Valid, HardenedRP: Deleted}"
    points = f"[{{hours_ago: 4, type: AppConsistent, threat_status: UnHealthy, tiers: {tiers}}}]"
    (tmp_path / "points.yaml").write_text(f"os: windows\nrecovery_points: {points}\n", "utf-8")
    [point] = examine(str(tmp_path / "points.yaml"))["backup.recovery_points"].data
    assert (point["threat"], point["tiers"]) == ("UnHealthy", ["InstantRP"])
