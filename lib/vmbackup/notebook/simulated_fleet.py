"""The fleet that ``90_many_vms`` shows where no folder was named: a few simulated VMs, half of them healthy."""

from __future__ import annotations

from vmbackup import catalog
from vmbackup.arm.connection import Azure
from vmbackup.diagnosis import nothing_failed
from vmbackup.fleet.rows import examined_row, listed_row
from vmbackup.model import AzureSource, Language, Probe, Target
from vmbackup.parameters import Parameters
from vmbackup.runs.fleet import Fleet, FleetRow
from vmbackup.runs.open import connect_worlds
from vmbackup.runs.run import Run

VMS, VAULTS, SEED, HEALTHY = 24, 2, 3, 0.5


def simulated(language: str) -> Fleet:
    """Examine the VMs whose backup failed; of the healthy ones only what the lists say is taken."""
    from azuresim.fleet import fleet

    worlds = list(fleet(VMS, vaults=VAULTS, seed=SEED, healthy=HEALTHY))
    azure = connect_worlds(worlds)
    return Fleet([_row(azure, world.vms[0], language) for world in worlds])


def _row(azure: Azure, vm: dict[str, str], language: str) -> FleetRow:
    target = Target(vm["subscription_id"], vm["resource_group"], vm["vm_name"])
    parameters = Parameters(AzureSource.SIMULATOR, probe=Probe.NEVER, language=Language(language))
    run = Run(parameters, None, target, azure=azure, kept=False)
    run.collect()
    if not nothing_failed(run.evidence):
        return {**examined_row(target.vm_name, target, run.evidence, run.result(), ""), "folder": None}
    return {**listed_row(target, run.evidence), "why": catalog.text("fleet.good_by_lists", language)}
