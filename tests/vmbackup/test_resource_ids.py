from __future__ import annotations

import pytest

from vmbackup.resource_ids import out_of_portal, part_after, resource_group, resource_name


def test_parts_of_an_id_are_found_in_any_case() -> None:
    vault = "/subscriptions/s/RESOURCEGROUPS/g/providers/P/vaults/v"
    assert (resource_group(vault), resource_name(vault)) == ("g", "v")
    assert (part_after(vault, "v"), part_after(None, "x"), resource_name("")) == ("", "", "")


_VM = "/subscriptions/s/resourceGroups/my%20group/providers/Microsoft.Compute/virtualMachines/vm"


@pytest.mark.parametrize(
    "address",
    [
        f"https://portal.azure.com/#@contoso.com/resource{_VM}/overview",
        f"https://portal.azure.com/#@contoso.com/resource{_VM}",
        f"https://ms.portal.azure.com/?feature.x=true#resource{_VM}/backup/more",
        f"https://portal.azure.us/#@contoso/resource{_VM}?tab=Monitoring",
        f"https://portal.azure.com/#view/Hub/Page.ReactView/id/{_VM.replace('/', '%2F')}/tab/x",
    ],
)
def test_the_id_is_read_out_of_an_address_of_the_portal(address: str) -> None:
    assert out_of_portal(address) == _VM.replace("%20", " ")


@pytest.mark.parametrize("words", ["", _VM, "https://example.com/#" + _VM, "https://portal.azure.com/#home"])
def test_what_is_no_such_address_stays_as_it_is(words: str) -> None:
    assert out_of_portal(words) == words
