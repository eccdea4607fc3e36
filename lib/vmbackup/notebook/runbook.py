"""The composition root: from parameters to a Run that a notebook or the command line walks through.

Only here the doors are opened: the live Azure with DefaultAzureCredential, the embedded simulator, or saved evidence.
"""

from __future__ import annotations

import atexit
import difflib
import os
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vmbackup import catalog
from vmbackup.diagnosis import Walk, walk
from vmbackup.failures.triage import Triage, triage, triage_job
from vmbackup.model import Evidence, Fact, RemedyRefused, SetupError, Target, Verdict
from vmbackup.pages.blocks import Block, Page, Paragraph
from vmbackup.pages.collected import overview as overview_page
from vmbackup.pages.failure import failure as failure_page
from vmbackup.pages.outcome import result as result_page
from vmbackup.pages.step import step as step_page
from vmbackup.parameters import Parameters, from_notebook, target
from vmbackup.remedies.retry.proof import Proof
from vmbackup.runs import folder as evidence
from vmbackup.runs import result

if TYPE_CHECKING:
    from azuresim.world import World
    from vmbackup.arm.connection import Azure
    from vmbackup.remedies.apply import Confirmation
    from vmbackup.remedies.plan import Plan
    from vmbackup.remedies.receipt import Receipt
    from vmbackup.widgets.guide import Guide

# Sovereign clouds have an address of their own; the variable names it.
_LIVE_ENDPOINT = os.environ.get("VMBACKUP_ARM_ENDPOINT", "https://management.azure.com")


class ResultPage(Page):
    """The last page of a run; it carries the machine-readable result beside the readable one."""

    def __init__(self, page: Page, content: dict[str, Any]) -> None:
        super().__init__(page.blocks)
        object.__setattr__(self, "content", content)

    content: dict[str, Any]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {**super()._repr_mimebundle_(), result.MIME_TYPE: self.content}


@dataclass(slots=True)
class Run:
    """One runbook on one VM: collect, walk through the causes, save the result.

    Each method returns a :class:`~vmbackup.pages.blocks.Page` that Jupyter shows; nothing is asked twice.
    """

    parameters: Parameters
    section: str | None
    target: Target
    azure: Azure | None
    evidence: dict[str, Fact] = field(default_factory=dict)
    receipts: list[Receipt] = field(default_factory=list)
    proof: Proof | None = None

    @property
    def language(self) -> str:
        """``en`` or ``de``; change ``parameters`` and show a step again to switch."""
        return self.parameters.language

    def collect(self, on_fact: Callable[[str, Fact], object] | None = None) -> Page:
        """Ask Azure for everything the checks need (or nothing, in a replay) and show the VM at a glance."""
        if self.azure is not None:
            from vmbackup.runs.examine import examine

            with nullcontext(on_fact) if on_fact else self._watched() as told:
                self.evidence = examine(self.azure, self.target, self.parameters, self.section, told)
        page = overview_page(self.target, self.evidence, self.language)
        return Page([*self._door(), *page.blocks])

    def failure(self) -> Page:
        """The failed job and whether it belongs to this runbook."""
        return failure_page(self._collected(), self.triage(), self.section, self.language)

    def triage(self) -> Triage | None:
        """Where the failure belongs: what was pasted, else the newest failed job; None when there is neither."""
        pasted = self.parameters.failure
        if pasted and not self.parameters.job_name:
            return triage(pasted)
        fact = self._collected().get("backup.failed_job")
        return triage_job(fact.data) if fact and fact.answered and fact.data else None

    def walk(self) -> Walk:
        """The judged causes of this runbook's section."""
        return walk(self.section, self._collected())

    def step(self, cause: str) -> Page:
        """One cause with its verdict, evidence and next action."""
        walked = self.walk()
        return step_page(walked, walked.step(cause), self.evidence, self.language)

    def guide(self) -> Guide | Page:
        """The guided walk: buttons where a notebook can show them, elsewhere the page that says the same."""
        from vmbackup.notebook.shown import guide

        return guide(self)

    def plans(self) -> list[Plan]:
        """What an earlier run began and did not end, then the remedies for every cause with a problem, in order."""
        from vmbackup.remedies.again import begun_first
        from vmbackup.remedies.plan import plan

        steps = [step for step in self.walk().steps if step.verdict is Verdict.PROBLEM]
        found = [each for step in steps for each in plan(step, self.evidence, self.target, self.language)]
        return begun_first(self.interrupted(), found)

    def interrupted(self) -> list[Plan]:
        """The plans of what an earlier run in this folder began on this VM and did not end."""
        from vmbackup.remedies.again import interrupted
        from vmbackup.remedies.journal import Operations

        if self.azure is None:
            return []
        begun = Operations(self.parameters.folder).unfinished()
        return interrupted(begun, self.evidence, self.target, self.language)

    def remedies(self) -> Page:
        """The plans; those that the parameter ``remedies`` names, up to ``max_risk``, are applied and looked at again.

        After each the plans are made anew: it may have opened the way for another one, or there is a second obstacle
        of its kind. One that must not be applied, or ends otherwise than it should, is shown as such and ends no other.
        """
        from vmbackup.pages import remedies as pages
        from vmbackup.remedies.apply import Confirmation, allowed

        found = self.plans()
        confirm = Confirmation.from_parameters(self.parameters.remedies, self.parameters.max_risk)
        blocks: list[Block] = [*pages.interrupted(self.interrupted(), self.language).blocks]
        blocks += pages.plans(found, self.language).blocks
        blocks += pages.not_covered(found, confirm.remedies, confirm.refusal, self.language).blocks
        shown, tried = {each.change for each in found}, set()
        while chosen := next((each for each in allowed(self.plans(), confirm) if each.change not in tried), None):
            if chosen.change not in shown:
                blocks += pages.plan(chosen).blocks
            tried.add(chosen.change)
            blocks += self.apply(chosen, confirm).blocks
        return Page(blocks)

    def apply(self, chosen: Plan, confirm: Confirmation) -> Page:
        """Apply one plan that was agreed to and show what it changed, or why it must not be done."""
        try:
            return self.carry_out(chosen, confirm)
        except RemedyRefused as refused:
            return Page([Paragraph(str(refused), chosen.remedy)])

    def carry_out(self, chosen: Plan, confirm: Confirmation) -> Page:
        """Apply one plan, then ask again for what it should have changed. Raises RemedyRefused."""
        from vmbackup.pages import remedies as pages
        from vmbackup.remedies.again import affected
        from vmbackup.remedies.apply import apply
        from vmbackup.remedies.executor import open_tools
        from vmbackup.runs.examine import examine_changed

        azure, before = self._azure(), self.walk().steps
        done = apply(chosen, open_tools(azure, self.parameters.folder), confirm)
        self.receipts.append(done)
        self.evidence = examine_changed(
            azure, self.target, self.parameters, self.section, self.evidence, affected(chosen)
        )
        compared = pages.verdicts(before, self.walk().steps, chosen.cures, self.language)
        return Page([*pages.receipt(done, self.language).blocks, *compared.blocks])

    def retry(self) -> Page:
        """Back up on demand and prove it, if the parameters say so or named a remedy that was applied.

        Else show the proof of a backup that the operator made in the guided walk, or say how it is done.
        """
        from vmbackup.arm.audit import rows
        from vmbackup.pages import remedies as pages
        from vmbackup.remedies.executor import open_tools
        from vmbackup.remedies.retry.back_up_now import retry
        from vmbackup.runs.examine import azure_facts

        applied = self.parameters.remedies and any(receipt.cured for receipt in self.receipts)
        if not (self.parameters.retry or applied):
            made = pages.proof(self.proof, self.language) if self.proof else None
            return made or Page([Paragraph(catalog.text("action.retry", self.language))])
        azure = self._azure()
        tools = open_tools(azure, self.parameters.folder)
        try:
            self.proof = retry(tools, self.target, self.evidence, language=self.language)
        except RemedyRefused as refused:
            return Page([Paragraph(str(refused))])
        backup = [name for name in self.evidence if name.startswith("backup.")]
        self.evidence |= azure_facts(azure, self.target, self.parameters, backup)
        audited = pages.audit(rows(tools.audit.path), self.language)
        return Page([*pages.proof(self.proof, self.language).blocks, *audited.blocks])

    def result(self) -> Page:
        """The outcome of the walk; saves ``result.json`` and ``evidence.json`` in the run folder."""
        walked = self.walk()
        receipts = [receipt.as_json() for receipt in self.receipts]
        proof = self.proof.as_json() if self.proof else None
        content = result.as_json(self.target, walked, self.evidence, self.language, receipts, proof)
        folder = self.parameters.folder
        evidence.save(folder / "evidence.json", self.target, self.evidence)
        evidence.write_json(folder / "result.json", content)
        return ResultPage(result_page(walked, self.evidence, self.language, str(folder)), content)

    def _watched(self) -> AbstractContextManager[Callable[[str, Fact], object] | None]:
        from vmbackup.notebook.frontend import asking

        return asking(self.language)

    def _azure(self) -> Azure:
        if self.azure is None:
            raise SetupError(catalog.text("refused.replay", self.language))
        return self.azure

    def _collected(self) -> Evidence:
        if not self.evidence:
            raise SetupError("Nothing has been collected yet: run the cell with run.collect() first.")
        return self.evidence

    def _door(self) -> list[Block]:
        if self.parameters.azure == "live":
            return []
        words = catalog.text(f"label.{self.parameters.azure}", self.language, scenario=self.parameters.scenario)
        return [Paragraph(words)]


def open_run(namespace: Mapping[str, Any], section: str) -> Run:
    """Open a runbook from a notebook's variables (``globals()``). Raises SetupError that says what to do."""
    return run_for(from_notebook(namespace), section)


def run_for(parameters: Parameters, section: str | None) -> Run:
    """Open a runbook from checked parameters; without a section it is the general walk."""
    if section is not None and section not in catalog.sections():
        raise SetupError(f"There is no section {section!r}. There are: {', '.join(catalog.sections())}.")
    refuse_unknown_remedies(parameters.remedies)
    if parameters.azure == "replay":
        return _replay(parameters, section)
    if parameters.azure == "simulator":
        azure, (world,) = simulated([parameters.scenario])
        vm = world.vms[0]
        subject = Target(vm["subscription_id"], vm["resource_group"], vm["vm_name"], parameters.vault_id or None)
        if world.pasted and not parameters.guest_output:
            parameters = replace(parameters, guest_output=str(world.pasted))
        return Run(parameters, section, subject, azure)
    subject_vm = target(parameters)
    return Run(parameters, section, subject_vm, live(subject_vm.subscription_id))


def refuse_unknown_remedies(named: str) -> None:
    """Raises SetupError for a name, among those separated by commas, that no remedy has."""
    if not named:
        return
    from vmbackup.catalog.remedies import remedies

    for name in (each.strip() for each in named.split(",")):
        if name and name not in remedies():
            close = difflib.get_close_matches(name, list(remedies()), 1)
            hint = f" Did you mean {close[0]!r}?" if close else " `vmbackup plan` names those for a VM."
            raise SetupError(f"There is no remedy {name!r}.{hint}")


def live(subscription_id: str) -> Azure:
    """The real Azure, signed in by whatever DefaultAzureCredential finds: az login, managed identity, environment."""
    from azure.identity import DefaultAzureCredential

    from vmbackup.arm.connection import Azure, Connection

    return Azure(DefaultAzureCredential(), subscription_id, Connection(_LIVE_ENDPOINT))


_simulators = ExitStack()
atexit.register(_simulators.close)


def simulated(scenarios: list[str]) -> tuple[Azure, list[World]]:
    """An embedded simulator with these worlds (names, or YAML files), and the worlds. It ends with the process."""
    from azure.identity import DefaultAzureCredential

    from azuresim.loading import is_file, load_world, scenario_names
    from azuresim.schema import WorldError
    from azuresim.serve import Simulator
    from vmbackup.arm.connection import Azure, Connection

    for name in scenarios:
        if name not in scenario_names() and not is_file(name):
            raise SetupError(f"There is no scenario {name!r}. `vmbackup demo --list` names them.")
    try:
        worlds = [load_world(name) for name in scenarios]
    except WorldError as error:
        raise SetupError(f"The scenario cannot be loaded: {error}") from None
    simulator = _simulators.enter_context(Simulator(worlds))
    os.environ.update(simulator.environment)
    connection = Connection(simulator.endpoint, polling_interval_s=0.05)
    return Azure(DefaultAzureCredential(), worlds[0].subscription, connection), worlds


def _replay(parameters: Parameters, section: str | None) -> Run:
    path = Path(parameters.evidence_file)
    subject, facts = evidence.load(path)
    if parameters.guest_output:
        from vmbackup.runs.examine import pasted

        facts |= pasted(Path(parameters.guest_output), facts)
    return Run(parameters, section, subject, None, facts)
