"""The guest's clock is so wrong that Azure refuses its signed requests."""

from __future__ import annotations

import pytest

from judging import failed_job, job, outcome

GENERIC = {"backup__failed_job": failed_job(), "backup__jobs": [job("Failed")]}
GOOD = {"backup__failed_job": None, "backup__jobs": [job()]}


@pytest.mark.parametrize(
    ("skew_s", "expected"),
    [
        (0.4, ("unknown", "right_now")),
        (-300.0, ("unknown", "right_now")),
        (900.0, ("unknown", "right_now")),
        (901.0, ("problem", "problem")),
        (-86400.0, ("problem", "problem")),
        (None, ("unknown", "guest_only")),
    ],
)
def test_the_clock(skew_s: float | None, expected: tuple[str, str]) -> None:
    clock = {"skew_s": skew_s, "synchronized": None}
    assert outcome("guest_clock_is_right", guest__clock=clock, **GENERIC) == expected


def test_a_wrong_clock_counts_before_the_next_backup_fails() -> None:
    wrong = {"skew_s": 7200.0, "synchronized": False}
    assert outcome("guest_clock_is_right", guest__clock=wrong, **GOOD) == ("problem", "problem")


def test_a_clock_that_is_right_now_was_right_in_a_good_backup() -> None:
    right = {"skew_s": 0.4, "synchronized": True}
    assert outcome("guest_clock_is_right", guest__clock=right, **GOOD) == ("ok", "ok")
