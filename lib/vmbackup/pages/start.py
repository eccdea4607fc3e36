"""The VMs whose backup failed, one row each. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from vmbackup import catalog, clock
from vmbackup.failures.failed_vms import FailedVm
from vmbackup.pages.blocks import Table

COLUMNS = ("vm", "last_good", "failed_since", "code", "runbook", "recovered")


def runbook(section: str) -> str:
    """The name of a section's notebook."""
    return str(catalog.sections()[section]["notebook"])


def header(language: str) -> list[str]:
    """The titles of the columns."""
    return [catalog.text(f"start.{name}", language) for name in COLUMNS]


def cells(vm: FailedVm, vms: Sequence[FailedVm], language: str) -> list[str]:
    """One VM's row; its resource group is named where another VM has the same name."""

    def said(key: str) -> str:
        return catalog.text(f"start.{key}", language)

    namesakes = [each for each in vms if each.name.lower() == vm.name.lower()]
    name = f"{vm.name} ({vm.group})" if len(namesakes) > 1 and vm.group else vm.name
    since = (
        clock.local(vm.failed_since) if vm.failed_since else said("no_failed_job" if vm.job is None else "not_known")
    )
    last_good = clock.local(vm.last_good) if vm.last_good else said("not_known")
    recovered = clock.local(vm.recovered_at) if vm.recovered_at else said("not_recovered") if vm.job else ""
    return [name, last_good, since, vm.code, runbook(vm.section), recovered]


def verdict(vm: FailedVm) -> str:
    """The sign before the row: failing, recovered, or nothing known to have failed."""
    return "ok" if vm.recovered_at else "problem" if vm.job else "unknown"


def table(vms: Sequence[FailedVm], language: str) -> Table:
    """All VMs."""
    rows = [cells(vm, vms, language) for vm in vms]
    return Table(header(language), rows, [verdict(vm) for vm in vms])
