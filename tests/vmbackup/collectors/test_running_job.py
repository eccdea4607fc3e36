from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path

import pytest

from vmbackup.collectors.jobs import read_job
from vmbackup.collectors.running_job import read_running_job
from worlds import examine


@pytest.mark.parametrize(
    ("jobs", "expected"),
    [
        ("[{status: InProgress, hours_ago: 4}]", (14400.0, True)),
        ("[{status: InProgress, hours_ago: 4, snapshot: Completed, transfer: InProgress}]", (14400.0, False)),
    ],
)
def test_a_running_backup_says_how_long_and_whether_it_still_takes_its_snapshot(
    tmp_path: Path, jobs: str, expected: tuple[float, bool]
) -> None:
    (tmp_path / "running.yaml").write_text(f"os: linux\njobs: {jobs}\n", "utf-8")
    found = examine(str(tmp_path / "running.yaml"))["backup.running_job"].data
    assert (found["running_s"], found["taking_snapshot"]) == expected


def test_a_running_job_without_tasks_does_not_say_what_it_does() -> None:
    job = read_job(
        {
            "name": "j",
            "properties": {"operation": "Backup", "status": "InProgress", "startTime": "2026-11-22T23:00:00Z"},
        }
    )
    now = datetime(2026, 11, 23, 3, tzinfo=timezone.utc)
    assert read_running_job(job, None, now)["taking_snapshot"] is None
