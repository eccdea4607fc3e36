"""Extensions: the model's list joined with what the instance view says, and the versions of the backup extension."""

from __future__ import annotations

from typing import Any

import pytest

from vmbackup.collectors.extensions import read_extensions
from worlds import examine

MODEL = {
    "name": "Ext",
    "properties": {"publisher": "P", "type": "T", "typeHandlerVersion": "1.0", "provisioningState": "Failed"},
}
VIEW = {
    "name": "ext",
    "type": "P.Q.T",
    "typeHandlerVersion": "1.0.9220.0",
    "statuses": [{"code": "ProvisioningState/failed/1", "level": "Error", "message": "m"}],
}


@pytest.mark.parametrize(
    ("models", "views", "read"),
    [
        ([], None, []),
        ([MODEL], [VIEW], [("Ext", "P", "T", "1.0.9220.0", "Failed", "ProvisioningState/failed/1")]),
        ([MODEL], [], [("Ext", "P", "T", "1.0", "Failed", None)]),
        ([], [VIEW], [("ext", "P.Q", "T", "1.0.9220.0", None, "ProvisioningState/failed/1")]),
        ([{"name": "Ext", "properties": None}], None, [("Ext", None, None, None, None, None)]),
    ],
)
def test_model_and_instance_view_are_joined_by_name(models: list[Any], views: Any, read: list[Any]) -> None:
    found = read_extensions(models, {"extensions": views})
    names = ("name", "publisher", "type", "version", "provisioning_state", "code")
    assert [tuple(each[name] for name in names) for each in found] == read  # type: ignore[literal-required]


def test_the_worst_of_several_statuses_counts() -> None:
    statuses = [{"code": "a", "level": "Info"}, {"code": "b", "level": "Error"}, {"code": "c", "level": "Warning"}]
    assert read_extensions([], {"extensions": [{**VIEW, "statuses": statuses}]})[0]["code"] == "b"


@pytest.mark.parametrize(("world", "kind"), [("healthy_linux", "VMSnapshotLinux"), ("healthy_windows", "VMSnapshot")])
def test_versions_are_those_of_the_systems_own_extension_oldest_first(world: str, kind: str) -> None:
    listed = examine(world)["vm.extension_versions"].data
    assert listed["type"] == kind
    numbers = [[int(part) for part in version.split(".")] for version in listed["versions"]]
    assert numbers == sorted(numbers)
