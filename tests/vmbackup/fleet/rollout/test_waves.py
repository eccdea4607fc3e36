"""One VM is changed first, then a few, then the rest in slices; never two with the same resource at once."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vmbackup.fleet.rollout.waves import FEW, next_wave, waves
from vmbackup.runs.rollout import Planned


def planned(name: str, resource: str = "") -> Planned:
    return Planned(name=name, vm_id=f"/vm/{name}", section=None, resource=resource or name, what="x", parameters={})


def names(count: int, width: int) -> list[list[str]]:
    return [[vm["name"] for vm in wave] for wave in waves([planned(f"{number}") for number in range(count)], width)]


@pytest.mark.parametrize(
    ("count", "width", "sizes"),
    [
        (0, 10, []),
        (1, 10, [1]),
        (6, 10, [1, 5]),
        (60, 10, [1, 5, 10, 10, 10, 10, 10, 4]),
        (9, 3, [1, 3, 3, 2]),
        (4, 1, [1, 1, 1, 1]),
    ],
)
def test_it_is_one_then_a_few_then_slices(count: int, width: int, sizes: list[int]) -> None:
    found = names(count, width)
    assert [len(wave) for wave in found] == sizes
    assert [name for wave in found for name in wave] == [f"{number}" for number in range(count)]


def test_vms_that_share_a_resource_are_not_changed_at_the_same_time() -> None:
    vms = [planned("a", "/NSG"), planned("b", "/nsg"), planned("c", "/nsg"), planned("d")]
    assert [[vm["name"] for vm in wave] for wave in waves(vms, 10)] == [["a"], ["b", "d"], ["c"]]


@pytest.mark.parametrize(("changed", "size"), [(0, 1), (1, 5), (2, 10), (6, 10)])
def test_as_long_as_none_was_changed_the_next_wave_is_one_vm_again(changed: int, size: int) -> None:
    assert len(next_wave([planned(f"{number}") for number in range(30)], changed, 10)) == size


@given(st.lists(st.sampled_from(["A", "a", "B", "c", ""]), max_size=30), st.integers(1, 12))
def test_each_vm_is_in_one_wave_and_no_wave_is_too_large(resources: list[str], width: int) -> None:
    vms = [planned(f"{number}", resource) for number, resource in enumerate(resources)]
    found = waves(vms, width)
    assert Counter(vm["name"] for wave in found for vm in wave) == {vm["name"]: 1 for vm in vms}
    for number, wave in enumerate(found):
        assert 1 <= len(wave) <= [1, min(FEW, width), width][min(number, 2)]
        assert len({vm["resource"].lower() for vm in wave}) == len(wave)
