from __future__ import annotations

from vmbackup.resource_ids import part_after, resource_group, resource_name


def test_parts_of_an_id_are_found_in_any_case() -> None:
    vault = "/subscriptions/s/RESOURCEGROUPS/g/providers/P/vaults/v"
    assert (resource_group(vault), resource_name(vault)) == ("g", "v")
    assert (part_after(vault, "v"), part_after(None, "x"), resource_name("")) == ("", "", "")
