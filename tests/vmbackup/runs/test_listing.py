"""A place lists what is in it, on this machine and in a store."""

from __future__ import annotations

from pathlib import Path

import pytest

from vmbackup.runs import storage
from vmbackup.runs.listing import entries, files_by_folder


@pytest.mark.parametrize("store", ["", "memory://"])
def test_a_place_lists_its_files_and_folders(store: str, tmp_path: Path) -> None:
    place = f"{store}{tmp_path}"
    assert entries(f"{place}/nowhere") == {}
    storage.at(place).write("fleet.json", b"{}")
    storage.at(f"{place}/vms").write("error.json", b"{}")
    storage.at(f"{place}/vms/a").write("result.json", b"{}")
    storage.at(f"{place}/vms/a/deeper").write("result.json", b"{}")
    assert entries(place) == {"fleet.json": False, "vms": True}
    assert files_by_folder(f"{place}/vms") == {"vms": {"error.json"}, "a": {"result.json"}}
    assert files_by_folder(f"{place}/nowhere") == {}


def test_a_place_that_cannot_be_listed_is_an_os_error() -> None:
    with pytest.raises(OSError, match="nosuch"):
        entries("nosuch://vms")
    with pytest.raises(OSError, match="nosuch"):
        files_by_folder("nosuch://vms")
