"""Worlds in this process, examined once whole and then again with something wrong: which verdicts got better?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from azuresim.loading import load_world
from in_process import Damage, Near, Sent, near
from truth import path_of
from vmbackup.collectors import COLLECTORS, collect, guest
from vmbackup.diagnosis import Outcome, diagnose, nothing_failed
from vmbackup.facts.azure import FACTS
from vmbackup.model import SIGNS, Evidence, Fact, SetupError, Verdict

WORLDS = (
    "healthy_linux",
    "healthy_windows",
    "agent_stopped_linux",
    "disk_too_large_linux",
    "restore_points_limit_linux",
    "restore_points_lock_windows",
    "no_internet_windows",
    "extension_failed_linux",
    "backup_in_progress_windows",
    "snapshot_shutdown_linux",
    "vss_writer_windows",
)
SERIAL_LOG = """\
[    0.000000] Linux version 6.8.0-1015-azure (buildd@lcy02) #17-Ubuntu SMP
[   12.300000] cloud-init[801]: Cloud-init v. 24.1 finished at Mon, 23 Nov 2026 01:00:00 +0000. \
Datasource DataSourceAzure [seed=/dev/sr0].  Up 12.30 seconds
[   13.000000] systemd[1]: Started walinuxagent.service - Azure Linux Agent.
"""
GUEST_DEADLINE_S = 20.0


@dataclass(frozen=True)
class Examined:
    """A world, all facts about its VM, and what each request was answered with."""

    there: Near
    evidence: dict[str, Fact]
    answers: dict[str, Sent]

    def again(self, facts: Iterable[str]) -> dict[str, Fact]:
        """These facts, asked for anew. Raises SetupError."""
        there, names = self.there, set(facts)
        fresh = collect(there.azure, there.target, deadline_s=30, only=[name for name in FACTS if name in names])
        if names & {"guest.probe"}:
            fresh |= _probed(there, {**self.evidence, **fresh})
        if names & {"guest.serial_log", "guest.boot_report"}:
            fresh |= guest.boot_diagnostics(there.azure, there.target, {**self.evidence, **fresh}, GUEST_DEADLINE_S)
        return fresh

    def worsened(self, facts: Iterable[str], damage: Damage) -> Evidence | None:
        """The evidence once these facts were asked for with damaged answers. None where that stopped the run: a stop
        with its reason says nothing of the VM."""
        names = set(facts)
        # What the guest said is one answer: where the probe fails, nothing of it is left.
        lost = {name for name in self.evidence if _is_probes(name)} if "guest.probe" in names else set()
        self.there.loopback.damage = damage
        try:
            fresh = self.again(names)
        except SetupError:
            return None
        finally:
            self.there.loopback.damage = None
        return {**{name: fact for name, fact in self.evidence.items() if name not in lost}, **fresh}


@cache
def examined(world: str) -> Examined:
    """This world, examined with all answers whole, the guest and its serial log among them where they answer."""
    loaded = load_world(path_of(world))
    loaded.spec.setdefault("serial_log", SERIAL_LOG)
    there = near(loaded)
    answers: dict[str, Sent] = {}

    def keep(line: str, sent: Sent) -> Sent:
        answers[line] = sent
        return sent

    there.loopback.damage = keep
    evidence = collect(there.azure, there.target, deadline_s=60)
    if guest.obstacle(evidence) is None:
        evidence |= _probed(there, evidence)
    if evidence["vm.model"].answered:
        evidence |= guest.boot_diagnostics(there.azure, there.target, evidence, GUEST_DEADLINE_S)
    there.loopback.damage = None
    return Examined(there, evidence, answers)


def _probed(there: Near, evidence: Evidence) -> dict[str, Fact]:
    return guest.probe(there.azure, there.target, evidence, GUEST_DEADLINE_S, {}, lambda _: None)


def _is_probes(name: str) -> bool:
    return name.startswith("guest.") and name not in ("guest.serial_log", "guest.boot_report")


def behind(facts: Iterable[str]) -> set[str]:
    """The facts, and all that are made from them."""
    found = set(facts)
    while True:
        made = [each for each in COLLECTORS if found & {*each.needs, *each.optional, *each.gives}]
        more = {name for each in made for name in each.gives}
        if more <= found:
            return found
        found |= more


def better(before: Evidence, after: Evidence) -> list[str]:
    """The verdicts that something wrong with an answer made better, or worse than unknown; and that there is no cause
    any more."""
    old, new = diagnose(None, before), diagnose(None, after)
    verdicts = {(step.cause, finding.check): finding.verdict for step in old.steps for finding in step.findings}
    found = []
    for step in new.steps:
        for finding in step.findings:
            was = verdicts.get((step.cause, finding.check), Verdict.UNKNOWN)
            if finding.reason == "check_failed" or _is_better(finding.check, was, finding.verdict):
                found.append(f"{step.cause}, {finding.check}: {was} → {finding.verdict} ({finding.reason})")
    # Where no backup failed there is no cause to be found, whatever else is not known.
    if new.outcome is Outcome.NO_CAUSE_FOUND is not old.outcome and not nothing_failed(before):
        found.append(f"{old.outcome} → {new.outcome}")
    return found


def _is_better(check: str, was: Verdict, now: Verdict) -> bool:
    if now in (Verdict.UNKNOWN, was):
        return False
    # Signs are told of only for a cause that may apply; what only informs does not apply without its facts.
    return not (check == SIGNS and was is Verdict.NOT_APPLICABLE) and (was, now) != (Verdict.OK, Verdict.NOT_APPLICABLE)
