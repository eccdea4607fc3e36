"""A place lists what is in it, on this machine and in a store."""

from __future__ import annotations

from pathlib import Path

import pytest

from vmbackup.runs import storage


@pytest.mark.parametrize("store", ["", "memory://"])
def test_a_place_lists_its_files_and_folders(store: str, tmp_path: Path) -> None:
    place = f"{store}{tmp_path}"
    assert storage.entries(f"{place}/nowhere") == {}
    storage.at(place).write("fleet.json", b"{}")
    storage.at(f"{place}/vms").write("error.json", b"{}")
    assert storage.entries(place) == {"fleet.json": False, "vms": True}


def test_a_place_that_cannot_be_listed_is_an_os_error() -> None:
    with pytest.raises(OSError, match="nosuch"):
        storage.entries("nosuch://vms")
