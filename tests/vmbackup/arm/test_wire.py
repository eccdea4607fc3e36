"""Wire JSON is read without trust: any case of keys, any type of values, and nothing is guessed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vmbackup.arm import wire as reading
from vmbackup.arm.errors import Unreadable
from vmbackup.collectors.backup_policy import read_policy
from vmbackup.collectors.extensions import read_extensions
from vmbackup.collectors.failed_job import read_failed_job
from vmbackup.collectors.jobs import read_job
from vmbackup.collectors.network import read_nic
from vmbackup.collectors.protected_item import read_item
from vmbackup.collectors.rules import read_effective_rules, read_nsg
from vmbackup.collectors.vm import read_model, read_power


@pytest.mark.parametrize(
    ("value", "text", "flag", "whole"),
    [
        ("a", "a", None, None),
        ("", None, None, None),
        ("True", "True", True, None),
        (True, None, True, None),
        (7, "7", None, 7),
        ("7", "7", None, 7),
        (7.0, "7.0", None, 7),
        (7.5, "7.5", None, None),
        (float("nan"), "nan", None, None),
        (None, None, None, None),
        ([], None, None, None),
        ({}, None, None, None),
    ],
)
def test_a_value_of_another_type_is_none(value: Any, text: Any, flag: Any, whole: Any) -> None:
    told = {"Key": value}
    assert (reading.text(told, "key"), reading.flag(told, "key"), reading.whole(told, "key")) == (text, flag, whole)


KEYS = st.sampled_from(
    ["id", "name", "properties", "value", "statuses", "code", "time", "vmAgent", "extensionHandlers", "osProfile"]
    + ["storageProfile", "osDisk", "networkProfile", "networkInterfaces", "ipConfigurations", "schedulePolicy"]
    + ["scheduleRunTimes", "healthDetails", "extendedProperties", "diskExclusionProperties", "diskLunList"]
    + ["extendedInfo", "tasksList", "errorDetails", "duration", "startTime", "effectiveSecurityRules", "direction"]
    + ["access", "priority", "destinationAddressPrefix", "securityRules", "sourceAddressPrefix", "sourcePortRange"]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("Outbound"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)


READERS: list[Callable[[Any], object]] = [
    read_model,
    read_item,
    read_policy,
    read_failed_job,
    read_nic,
    read_power,
    read_job,
    lambda wire: read_effective_rules("nic", wire, ["10.0.0.4"]),
    lambda wire: read_nsg(wire, "nic", ["10.0.0.4"], []),
]


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(KEYS, ANYTHING, max_size=6))
def test_no_object_crashes_a_reader(wire: dict[str, Any]) -> None:
    for read in READERS:
        with suppress(Unreadable):
            read(wire)
    read_extensions([wire], wire)
