"""The plan of a remedy for the VMs of a fleet, from what its run folder says. Asks and writes nothing.

The folder may be out of date and is not trusted: before a VM is changed, all of this is checked again in Azure.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from vmbackup.catalog.words import explain
from vmbackup.diagnosis import diagnose
from vmbackup.fleet.execute import RunSpec
from vmbackup.fleet.ledger import Ledger, vm_id_of
from vmbackup.fleet.orders import section_named
from vmbackup.fleet.rollout.agreement import Agreement, definition, what
from vmbackup.model import AzureSource, RemedyRefused, SetupError, Step, Verdict
from vmbackup.parameters import no_such, read, target
from vmbackup.remedies.apply import Consent
from vmbackup.remedies.plan import Plan, plan
from vmbackup.runs.evidence import parse_evidence, read_file
from vmbackup.runs.folder import EVIDENCE
from vmbackup.runs.rollout import LeftOut, Planned


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the operator asks for: one remedy, up to a risk, for all VMs but those ``without``. ``width`` is how many
    VMs are changed at the same time at most, ``retry`` whether each is backed up afterwards."""

    remedy: str
    max_risk: str
    width: int
    retry: bool = False
    without: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the operator would agree to, with each VM's change in ``words`` by its name; the VMs that are left out and
    why, and how many have no problem that the remedy cures."""

    agreement: Agreement
    words: Mapping[str, str]
    left: list[LeftOut] = field(default_factory=list)
    unaffected: int = 0


def propose(ledger: Ledger, wanted: Wanted, language: str) -> Proposal:
    """The plan for the VMs of this run folder. Raises SetupError where it holds no fleet, or a VM of ``without`` is
    not in it."""
    specs, finished = ledger.ordered(), ledger.finished()
    for name in wanted.without:
        if name not in {spec.name for spec in specs}:
            raise no_such("no_vm_of_fleet", name, (spec.name for spec in specs))
    consent = Consent.from_parameters(wanted.remedy, wanted.max_risk)
    vms, left, words, unaffected = list[Planned](), list[LeftOut](), dict[str, str](), 0
    changes: dict[tuple[str, str], str] = {}
    for spec in specs:
        try:
            found = _plan(ledger, spec, spec.name in finished, wanted.remedy, language)
            if found is None:
                unaffected += 1
                continue
            _require(found, consent, spec.name in wanted.without)
            change = found.resource.lower(), what(found)
            first = changes.setdefault(change, spec.name)
            if first != spec.name:
                raise RemedyRefused("rollout.shared", vm=first)
            vms.append(_describe(spec, found))
            words[spec.name] = found.words["what"]
        except (SetupError, RemedyRefused) as error:
            left.append(LeftOut(name=spec.name, vm_id=vm_id_of(spec), why=explain(error, language)))
    about = definition(wanted.remedy)
    agreement = Agreement(wanted.remedy, str(wanted.max_risk), wanted.retry, about, wanted.width, vms)
    return Proposal(agreement, words, left, unaffected)


def _plan(ledger: Ledger, spec: RunSpec, is_finished: bool, remedy: str, language: str) -> Plan | None:
    """This remedy's plan for one VM; None where it has nothing to cure. Raises SetupError."""
    if not is_finished:
        raise SetupError("rollout.not_examined")
    place = ledger.folder(spec.name)
    content = read_file(place, EVIDENCE)
    if content is None:
        raise SetupError("rollout.not_examined")
    subject, evidence = parse_evidence(content, EVIDENCE)
    parameters = read(spec.parameters)
    if parameters.azure == AzureSource.REPLAY:
        raise SetupError("error.replay")
    if parameters.azure == AzureSource.LIVE and subject.vm_id.lower() != target(parameters).vm_id.lower():
        raise SetupError("error.other_vm", folder=place, vm=subject.vm_id)
    steps = diagnose(None, evidence).steps
    plans = (found for step in steps if _is_problem(step) for found in plan(step, evidence, subject, language))
    return next((found for found in plans if found.remedy == remedy), None)


def _is_problem(step: Step) -> bool:
    return step.verdict is Verdict.PROBLEM


def _require(found: Plan, consent: Consent, is_excepted: bool) -> None:
    """Raises RemedyRefused where this VM is not to be changed, or must not be."""
    if is_excepted:
        raise RemedyRefused("rollout.excepted")
    beyond = consent.refusal(found)
    refusals = [*([beyond] if beyond else []), *found.refusals]
    if refusals:
        raise RemedyRefused(" ".join(refusal.words(found.language) for refusal in refusals))


def _describe(spec: RunSpec, found: Plan) -> Planned:
    return Planned(
        name=spec.name,
        vm_id=found.target.vm_id,
        section=section_named(spec.notebook.stem),
        resource=found.resource,
        what=what(found),
        parameters=dict(spec.parameters),
    )
