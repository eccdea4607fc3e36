"""The house drawn from its imports: few floors, no circle, few modules outside of a room, and none too long."""

from __future__ import annotations

from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

LIB = Path(__file__).parents[1] / "lib"
FLOORS = {"vmbackup": 10, "azuresim": 10}


def rooms(package: str) -> dict[str, set[str]]:
    """Each room (a folder or a module of the top level) with the rooms that it imports."""
    graph = grimp.build_graph(package, cache_dir=None)
    found: dict[str, set[str]] = {}
    for module in graph.modules - {package}:
        imported = {_room(other) for other in graph.find_modules_directly_imported_by(module)}
        found.setdefault(_room(module), set()).update(imported - {_room(module), package})
    return found


def _room(module: str) -> str:
    return module.split(".")[1] if "." in module else module


@pytest.mark.parametrize("package", FLOORS)
def test_no_room_is_imported_in_a_circle_and_the_house_has_few_floors(package: str) -> None:
    house = rooms(package)
    floors: dict[str, int] = {}
    for room in TopologicalSorter(house).static_order():
        floors[room] = 1 + max((floors[below] for below in house.get(room, ())), default=0)
    assert max(floors.values()) <= FLOORS[package], floors


def test_few_modules_stand_outside_of_a_room() -> None:
    assert len(list((LIB / "vmbackup").glob("*.py"))) <= 12


@pytest.mark.parametrize("package", FLOORS)
def test_a_module_stays_under_300_lines(package: str) -> None:
    lines = {file: len(file.read_text("utf-8").splitlines()) for file in (LIB / package).rglob("*.py")}
    long = {file.relative_to(LIB).as_posix(): count for file, count in lines.items() if count >= 300}
    assert long == {}
