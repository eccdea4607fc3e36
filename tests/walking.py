"""A run over a simulated world: what a notebook opens, without the notebook."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from azuresim.guest import output_file, printed
from azuresim.ids import guid
from azuresim.serve import Simulator
from vmbackup import clock
from vmbackup.parameters import Parameters
from vmbackup.remedies.apply import Consent
from vmbackup.remedies.plan import Plan
from vmbackup.runs.run import Run
from vmbackup.runs.state import Change
from worlds import world


@contextmanager
def run_over(scenario: str, folder: Path, section: str = "agent_unreachable", **given: Any) -> Iterator[Run]:
    """The run, nothing asked yet; its results go to ``folder``."""
    with opened(scenario, folder, section, **given) as (run, _):
        yield run


@contextmanager
def opened(
    scenario: str, folder: Path, section: str = "agent_unreachable", **given: Any
) -> Iterator[tuple[Run, Simulator]]:
    """The run and the simulated Azure that it asks."""
    with world(scenario) as (simulator, azure, target):
        parameters = Parameters(azure="live", run_folder=str(folder), deadline_s=20, **given)
        yield Run(parameters, section, target, azure=azure), simulator


def guest_output(run: Run, machine: str) -> str:
    """What the guest script printed on a real ``machine``, as if on this run's VM."""
    name = run.target.vm_name
    world_name = name.removeprefix("vm-").replace("-", "_")
    return printed(output_file("linux", machine), guid(0, world_name, name, "vmId"), name)


def restarted(run: Run) -> Run:
    """Another run with the same parameters, as after a restart of the kernel."""
    return Run(run.parameters, run.section, run.target, azure=run.azure)


def cure(run: Run, cause: str = "agent_linux") -> Change:
    """Apply the first remedy that can be applied to the cause, as if an operator had agreed to it."""
    plan = next(each for each in run.plans(cause) if each.applicable)
    return run.apply(plan, Consent.for_plan(plan))


def interrupt(run: Run, plan: Plan, at: str | None = None) -> None:
    """Leave the run folder as an earlier run did that was interrupted after it had sent this plan's first request."""
    journal = run.files.journal
    began = at or clock.azure_now(run.evidence)
    name = journal.begin(plan.remedy, plan.resource, run.target.vm_id, began, {}, plan.cures)
    journal.sending(name, 0)
    run.files.look_at(run.azure, run.target)
