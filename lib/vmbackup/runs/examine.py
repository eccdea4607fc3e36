"""Examine one VM: ask the control plane first, then the guest if it can still decide something."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType

from vmbackup.arm.connection import Azure
from vmbackup.collectors import collect, guest
from vmbackup.diagnosis import diagnose
from vmbackup.failures.signatures import PASTED
from vmbackup.model import Evidence, Fact, FactStatus, Finding, Probe, SetupError, Target, Verdict
from vmbackup.parameters import Parameters
from vmbackup.runs import storage
from vmbackup.runs.folder import RunFolder
from vmbackup.runs.guest_evidence import is_guest, without_guest


def examine(
    azure: Azure,
    target: Target,
    parameters: Parameters,
    section: str | None,
    files: RunFolder,
    *,
    only: Sequence[str] | None = None,
    known: Evidence = MappingProxyType({}),
    listed: Evidence = MappingProxyType({}),
    ask_guest: bool = True,
    on_fact: Callable[[str, Fact], object] | None = None,
) -> dict[str, Fact]:
    """What was asked: all facts or ``only`` these of the control plane's, and the guest's as far as parameters and VM
    allow. ``known`` are earlier answers that help to decide whether the guest is needed, ``listed`` what lists of a
    whole fleet said a moment ago and need not be asked again; ``files`` keep where a guest script runs, so that none is
    started twice."""
    fresh: dict[str, Fact] = pasted_failure(parameters)
    fresh |= collect(
        azure, target, deadline_s=parameters.deadline_s, failure=parameters.job_name, on_fact=on_fact, only=only,
        known=listed,
    )  # fmt: skip
    if ask_guest:
        fresh |= guest_facts(azure, target, parameters, section, files, {**without_guest(known), **fresh})
    return fresh


def pasted_failure(parameters: Parameters) -> dict[str, Fact]:
    """The code or message that the operator gave: evidence like any other."""
    if not parameters.failure or parameters.job_name:
        return {}
    return {PASTED: Fact(FactStatus.OK, {"text": parameters.failure})}


def guest_facts(
    azure: Azure,
    target: Target,
    parameters: Parameters,
    section: str | None,
    files: RunFolder,
    evidence: Evidence,
) -> dict[str, Fact]:
    """The guest's facts; where it was not examined ``guest.probe`` says why, and boot diagnostics are read instead."""
    if parameters.guest_output:
        return pasted(parameters.guest_output, evidence)
    if parameters.probe == Probe.NEVER:
        return {"guest.probe": Fact(FactStatus.SKIPPED, why="probe_off")}
    if parameters.probe == Probe.AUTO and not guest_decides(section, evidence):
        return {"guest.probe": Fact(FactStatus.SKIPPED, why="not_needed")}
    hindered = guest.obstacle(evidence)
    if hindered is not None and (parameters.probe != Probe.FORCE or hindered.why not in guest.FORCED):
        return {"guest.probe": hindered, **_boot_diagnostics(azure, target, parameters, evidence)}
    left, keep = files.guest_operation(), files.note_guest_operation
    found = guest.probe(azure, target, evidence, parameters.deadline_s, left, keep)
    if not found["guest.probe"].answered:
        found |= _boot_diagnostics(azure, target, parameters, evidence)
    return found


def _boot_diagnostics(azure: Azure, target: Target, parameters: Parameters, evidence: Evidence) -> dict[str, Fact]:
    model = evidence.get("vm.model")
    if model is None or not model.answered:
        return {}
    return guest.boot_diagnostics(azure, target, evidence, parameters.deadline_s)


def guest_decides(section: str | None, evidence: Evidence) -> bool:
    """Whether an open verdict of this section could still be decided by the guest."""
    findings = [finding for step in diagnose(section, evidence).steps for finding in step.findings]
    return any(finding.verdict is Verdict.UNKNOWN and _may_decide(finding) for finding in findings)


def _may_decide(finding: Finding) -> bool:
    """The guest cannot replace a fact from Azure that the check requires and that has no answer."""
    if finding.reason == "os_unknown":
        return False
    lacks_azure = finding.reason in ("unanswered", "not_collected") and not is_guest(finding.values["fact"])
    return not lacks_azure and any(map(is_guest, finding.evidence))


def pasted(place: str, evidence: Evidence) -> dict[str, Fact]:
    """The facts in a file with the guest script's output, by path or URL. Raises SetupError or GuestOutputError with
    what is wrong."""
    try:
        content = storage.read_input(place)
    except (OSError, ImportError, ValueError) as error:
        raise SetupError("error.guest_output_unread", path=place, message=storage.why(error)) from None
    return guest.from_text(content, evidence)
