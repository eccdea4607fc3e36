"""Data either has the promised shape, or the first difference is named."""

import pytest

from vmbackup.facts import schema
from vmbackup.facts.vm import Disk, VmAgent

AGENT = {
    "version": "2.15.0.1",
    "code": "ProvisioningState/succeeded",
    "level": "Info",
    "display_status": "Ready",
    "message": None,
    "reported_at": None,
    "age_s": 12,
}


def test_a_fitting_record_has_no_mismatch() -> None:
    assert schema.error(AGENT, VmAgent) is None


@pytest.mark.parametrize(
    ("data", "shape", "says"),
    [
        ({**AGENT, "version": 2}, VmAgent, "data.version: expected"),
        ({key: value for key, value in AGENT.items() if key != "code"}, VmAgent, "code is missing"),
        ([AGENT], VmAgent, "expected an object, found list"),
        (AGENT, list[Disk], "expected a list, found dict"),
        ([{}], list[Disk], "data[0]: name is missing"),
        (True, int, "expected int, found bool"),
        (None, str, "expected str, found NoneType"),
        ({"a": ["x", 1]}, dict[str, list[tuple[str, float]]], "data.a[0]: expected a list"),
        ([["t", 1.0, 2]], list[tuple[str, float]], "expected 2 entries, found 3"),
        (float("inf"), float, "data: inf is no number"),
    ],
)
def test_the_first_difference_is_named(data: object, shape: object, says: str) -> None:
    assert says in (schema.error(data, shape) or "")


def test_whole_numbers_are_numbers() -> None:
    assert schema.error([["2026-11-23T03:00:00Z", 91]], list[tuple[str, float]]) is None
