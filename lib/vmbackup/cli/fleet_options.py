"""What was asked for on the command line of ``vmbackup fleet``: which VMs, and how they are examined."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from vmbackup import clock
from vmbackup.model import SetupError
from vmbackup.parameters import VAULT_ID, VAULT_ID_EXAMPLE, check_subscription

_MANAGEMENT_GROUP = re.compile(r"(?!\.+\Z)[\w.()-]{1,90}")
_AGO = re.compile(r"(\d{1,4})([dhm])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which VMs are examined: those of a ``table``, or those of a scope. ``failed_since`` is as the operator wrote it:
    ``24h``, a time, or ""."""

    table: str
    vaults: list[str]
    subscriptions: list[str]
    management_group: str
    failed_since: str
    examine_all: bool
    without_points: bool

    @property
    def has_scope(self) -> bool:
        """Whether the VMs are those of vaults, subscriptions or a management group."""
        return bool(self.vaults or self.subscriptions or self.management_group)

    def since(self) -> str | timedelta:
        """``failed_since`` as a time in UTC, or as a span before Azure's time; "" where it was not given. Raises
        SetupError."""
        ago = _AGO.fullmatch(self.failed_since)
        if ago:
            return timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        when = clock.parse(self.failed_since)
        if self.failed_since and when is None:
            raise SetupError("error.no_time", value=self.failed_since)
        return clock.stamp(when) or ""

    @property
    def sources(self) -> int:
        """How many ways of naming VMs were taken; 0 means those that the folder names."""
        return bool(self.table) + self.has_scope

    def as_json(self) -> dict[str, Any]:
        """As ``fleet.json`` keeps it, by the names of the options."""
        return {
            "from": self.table,
            "vault": self.vaults,
            "subscription": self.subscriptions,
            "management_group": self.management_group,
            "failed_since": self.failed_since,
            "examine_all": self.examine_all,
            "without_points": self.without_points,
        }

    def refuse_contradictions(self) -> None:
        """Raises SetupError for options that need a scope, and for names that are none."""
        for option, is_given in (("failed-since", self.failed_since), ("without-points", self.without_points)):
            if is_given and not self.has_scope:
                raise SetupError("error.option_needs_scope", option=f"--{option}")
        self.since()
        if self.management_group and not _MANAGEMENT_GROUP.fullmatch(self.management_group):
            raise SetupError("error.no_name", name="--management-group", value=self.management_group)
        for vault in self.vaults:
            if not VAULT_ID.fullmatch(vault.rstrip("/")):
                raise SetupError("error.no_vault_id", value=vault, example=VAULT_ID_EXAMPLE)
        for subscription in self.subscriptions:
            check_subscription(subscription)


@dataclass(frozen=True, slots=True)
class FleetOptions:
    """How the VMs of a ``selection`` are examined. ``timeout_s`` and ``workers`` are 0 where there is no limit and one
    for each core; ``max_errors`` is negative where failures never stop the run. ``earlier`` is the folder of the run
    that this one is compared with, or ""."""

    selection: Selection
    folder: str
    earlier: str
    resume: bool
    workers: int
    scheduler: str
    max_errors: int
    timeout_s: int
    skip_bad: bool
    dry_run: bool
    explain_calls: bool
    notify: str
    language: str
    as_json: bool

    def refuse_contradictions(self) -> None:
        """Raises SetupError for options that do not go together."""
        if self.selection.sources > 1 or not (self.selection.sources or self.resume):
            raise SetupError("error.fleet_needs_one_source")
        if self.resume and not self.folder:
            raise SetupError("error.resume_needs_folder")
        self.selection.refuse_contradictions()
