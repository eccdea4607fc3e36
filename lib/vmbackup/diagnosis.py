"""The diagnosis: a section's causes in the article's order, all others after them, each judged on the evidence.

Pure: the same evidence gives the same diagnosis, today or in a replay. A check says what its facts show; what signs of
a failure, the course of the backups and the age of our knowledge make of that is said here, for every check alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from vmbackup import catalog, clock
from vmbackup.catalog.knowledge import knowledge
from vmbackup.catalog.signatures import Strength, signatures
from vmbackup.checks.base import load, run
from vmbackup.checks.shared import agent_state
from vmbackup.failures.course import Course, course, open_signs
from vmbackup.failures.signatures import FACTS_OF, PASTED, UNRECOGNISED, Sign, places, unread
from vmbackup.model import SIGNS, Evidence, FactStatus, Finding, Step, Verdict, Word, data_of

# What a log said before a backup that worked, under an agent that works, is history.
_LOGS = ("agent_log", "extension_log", "windows_log", "serial", "event", "run_command")
# What may have been otherwise when the backup failed; disks, policies and rules do not change by themselves.
_OF_THE_MOMENT = ("guest.", "vm.agent", "vm.power", "vm.health", "vm.extensions", "vm.handlers")
# Where Azure itself says what failed; a cause that it names there may be the one in words that nobody knows.
_AZURES_OWN = frozenset({"job", "health", "pasted"})
# Reasons of a check that did not get what it looks at; with any other it has seen something.
_WITHOUT_SIGHT = (
    "unanswered",
    "not_collected",
    "unknown",
    "not_told",
    "no_disks",
    "power_unknown",
    "guest_only",
    "read_in_part",
)
_OF_THE_PLATFORM = ("guest.probe", "guest.boot_report", "guest.serial_log")
# What is no cause, and more than a verdict that is open: why a symptom is there, or what Azure named.
_FINDINGS_OF_THEIR_OWN = {"not_visible_now", "hangs", "hung"}


class Outcome(Word):
    """How a diagnosis ended; the command line's exit codes are made from it."""

    NO_CAUSE_FOUND = "no_cause_found"
    CAUSE_FOUND = "cause_found"
    UNDECIDED = "undecided"
    MISSING_RIGHTS = "missing_rights"


class Weight(Word):
    """Why a cause is probable, strongest first: Azure or a log names it, it was seen, or it is general hygiene. A
    symptom is no cause, and a rule or hygiene explains a failure only where there is one."""

    NAMED = "named"
    SEEN = "seen"
    RULE = "rule"
    GENERAL = "general"
    SYMPTOM = "symptom"


_RANK = {Weight.NAMED: 0, Weight.SEEN: 1, Weight.RULE: 1, Weight.GENERAL: 2}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found on one VM, the causes of one section first: their judged steps.

    ``probable`` is the cause to remedy first: of those found the one with the strongest evidence, among equals the
    first in the article's order; ``weight`` says how strong. ``next`` is where to go on: there, else at the cause that
    a sign or a symptom points to, else at the first that is unknown. ``missing`` are the facts that an unknown step
    lacks; ``denied`` are all RBAC actions that were refused, also where another way gave the answer. ``signs`` are
    those of a failure that still stand.
    """

    section: str | None
    steps: tuple[Step, ...]
    probable: Step | None
    next: Step | None
    outcome: Outcome
    missing: tuple[str, ...]
    denied: tuple[str, ...]
    weight: Weight | None = None
    signs: tuple[Sign, ...] = ()

    def step(self, cause: str) -> Step:
        """The step of this cause. Raises KeyError when the section does not have it."""
        for step in self.steps:
            if step.cause == cause:
                return step
        raise KeyError(f"section {self.section} has no cause {cause}")


@dataclass(frozen=True, slots=True)
class _Case:
    """What holds for all causes alike. ``works``: the agent reports now, and the newest backup was good; ``silent``:
    the agent does not; ``broken``: it does not, or a backup failed; ``unexplained``: nobody told that none failed, and
    no sign names what did; ``examined``: the guest script's facts are there."""

    evidence: Evidence
    os: str | None
    course: Course
    signs: tuple[Sign, ...]
    works: bool
    silent: bool
    broken: bool
    unexplained: bool
    examined: bool
    today: date | None


def diagnose(section: str | None, evidence: Evidence) -> Diagnosis:
    """Judge all causes of the section, in order; without a section, all causes that there are (the general walk)."""
    case = _case(evidence)
    steps = tuple(_judge(number, cause, section, case) for number, cause in enumerate(causes_of(section), 1))
    probable = min((step for step in steps if _is_found(step, case.signs)), key=_rank, default=None)
    missing = _missing(steps, evidence)
    return Diagnosis(
        section,
        steps,
        probable,
        probable or _where_to_go_on(steps),
        _outcome(steps, probable, missing, case),
        missing,
        _denied(evidence),
        strongest(probable) if probable else None,
        case.signs,
    )


def every_finding(evidence: Evidence) -> tuple[Finding, ...]:
    """All findings of the general walk."""
    return tuple(finding for step in diagnose(None, evidence).steps for finding in step.findings)


def causes_of(section: str | None) -> list[str]:
    """The section's causes in the article's order, then the likeliest additions, then all others: an error that wraps
    another opens the wrong door, and the right cause must still be in the house."""
    entry = catalog.sections()[section] if section else {"causes": [], "additions": []}
    return list(dict.fromkeys([*entry["causes"], *entry["additions"], *catalog.causes()]))


def operating_system(evidence: Evidence) -> str | None:
    """``windows``, ``linux`` or None, as the VM's model says."""
    model: Mapping[str, Any] | None = data_of(evidence, "vm.model")
    return model["os"] if model else None


def nothing_failed(evidence: Evidence) -> bool:
    """Whether Azure said that no backup failed, was cancelled or hangs since the last good one; False where it was not
    told."""
    now = course(evidence)
    return now.failed is False and not now.runs_long


def weight(finding: Finding) -> Weight:
    """How strongly this finding speaks for its cause."""
    if finding.check == SIGNS or finding.reason == "named":
        return Weight.NAMED
    given = catalog.checks()[finding.check]["weight"]
    return Weight(given if isinstance(given, str) else given.get(finding.reason, str(Weight.SEEN)))


def strongest(step: Step) -> Weight:
    """The strongest evidence of a step with a problem."""
    weights = [weight(finding) for finding in step.findings if finding.verdict is Verdict.PROBLEM]
    return min(weights, key=lambda each: _RANK.get(each, len(_RANK)))


# --- what holds for all causes ---------------------------------------------------------------------------------------


def _case(evidence: Evidence) -> _Case:
    backups, power, agent = course(evidence), data_of(evidence, "vm.power"), data_of(evidence, "vm.agent")
    works = backups.failed is False and not backups.runs_long and agent_state.reports_now(power, agent)
    silent = agent_state.is_silent(power, agent)
    broken = backups.failed is True or silent
    found = [sign for sign in open_signs(evidence, backups) if not (works and sign.where in _LOGS)]
    guest = (name for name in evidence if name.startswith("guest.") and name not in _OF_THE_PLATFORM)
    examined = any(evidence[name].answered for name in guest)
    named = any(sign.strength is Strength.NAMES and len(sign.causes) == 1 for sign in found)
    unexplained = not named and (backups.failed is not False or backups.runs_long)
    heard = clock.azure_now(evidence)
    today = date.fromisoformat(heard[:10]) if heard else None
    return _Case(
        evidence, operating_system(evidence), backups, tuple(found), works, silent, broken, unexplained, examined, today
    )


# --- one cause -------------------------------------------------------------------------------------------------------


def _judge(number: int, cause: str, section: str | None, case: _Case) -> Step:
    """Judge one cause: all of its checks, in the catalogue's order, and the signs that speak for it."""
    entry, checks = catalog.causes()[cause], load()
    own = [_weighed(run(checks[name], case.evidence, case.os), case) for name in entry["checks"]]
    signs = _of_signs(cause, own, case)
    first = signs.reason in ("named", "not_visible_now", "contradicted")
    findings = (signs, *own) if first else (*own, signs)
    added = entry["addition"] if section is None else cause not in catalog.sections()[section]["causes"]
    return Step(number, cause, bool(added), findings)


def _weighed(finding: Finding, case: _Case) -> Finding:
    """The finding in the light of the case: what it rests on may be out of date, what it finds may harm nobody, and
    what it could not see may be seen by its working."""
    due = next((id for id in load()[finding.check].knows if case.today and knowledge()[id].is_due(case.today)), None)
    if due and finding.verdict in (Verdict.OK, Verdict.PROBLEM):
        values = {"entry": due, "review": knowledge()[due].review}
        return replace(finding, verdict=Verdict.UNKNOWN, reason="outdated", values=values, explains=())
    if finding.verdict is Verdict.PROBLEM and not _explains_the_failure(finding, case):
        return replace(finding, verdict=Verdict.UNKNOWN)
    if finding.if_works and case.works and not case.examined:
        return replace(finding, verdict=Verdict.OK, reason="works_now", values={})
    return finding


def _explains_the_failure(finding: Finding, case: _Case) -> bool:
    """A broken rule is a cause where a backup failed and what Azure says does not all point elsewhere; hygiene only
    where none of it does."""
    heavy = weight(finding)
    if heavy not in (Weight.RULE, Weight.GENERAL):
        return True
    said = [finding.cause in sign.causes for sign in _pointing(case.signs) if sign.where not in _LOGS]
    fits = not said or any(said) if heavy is Weight.RULE else all(said) and not _not_understood(case)
    return bool(case.course.failed and fits)


def _pointing(signs: Iterable[Sign]) -> list[Sign]:
    return [sign for sign in signs if sign.causes and sign.strength is not Strength.CONSEQUENCE]


def _not_understood(case: _Case) -> Sign | None:
    """The first words of Azure about the failure that no signature knows: they may be about anything, unless others
    beside them name the cause."""
    own = [sign for sign in case.signs if sign.where in _AZURES_OWN]
    if not case.broken or any(sign.strength is Strength.NAMES for sign in own):
        return None
    return next((sign for sign in own if sign.guessed or (sign.id == UNRECOGNISED and not sign.causes)), None)


def _of_signs(cause: str, own: list[Finding], case: _Case) -> Finding:
    """What the open signs say of this cause, and whether all places were read where one could stand."""
    applicable = [finding for finding in own if finding.verdict is not Verdict.NOT_APPLICABLE]
    explained = {id for finding in own for id in finding.explains}
    speaking = [sign for sign in case.signs if cause in sign.causes and sign.id not in explained]
    foreign = all(finding.reason == "other_os" for finding in own)
    if foreign or not (applicable or speaking):
        return _signs(cause, Verdict.NOT_APPLICABLE, "not_applicable", {}, ())
    names = [sign for sign in speaking if _names(sign, cause) and not _is_of_an_earlier_run(sign, case)]
    if names and case.broken and not _is_out_of_date(names[0], case):
        gone = _is_not_visible_now(names[0], own, case)
        verdict, reason = (Verdict.UNKNOWN, "not_visible_now") if gone else (Verdict.PROBLEM, "named")
        return _signs(cause, verdict, reason, _quoted(names[0]), FACTS_OF.get(names[0].where, (PASTED,)))
    if speaking:
        strong = min(speaking, key=lambda sign: list(Strength).index(sign.strength))
        return _signs(cause, Verdict.UNKNOWN, "contradicted", _quoted(strong), ())
    strange = _not_understood(case)
    if strange and applicable and not _AZURES_OWN.isdisjoint(places(cause)):
        return _signs(cause, Verdict.UNKNOWN, "not_understood", _quoted(strange), ())
    lacking = () if case.works else _unread(cause, case)
    if lacking:
        return _signs(cause, Verdict.UNKNOWN, "unread", {"facts": list(lacking)}, lacking)
    # Where no check could tell whether the cause concerns this VM at all, silence rules nothing out.
    decided = any(finding.verdict in (Verdict.OK, Verdict.PROBLEM) for finding in applicable)
    if decided and case.unexplained and any(_looks_at_the_moment(finding) for finding in applicable):
        return _signs(cause, Verdict.UNKNOWN, "only_now", {}, ())
    return _signs(cause, Verdict.OK if decided else Verdict.UNKNOWN, "ok" if decided else "none_seen", {}, ())


def _looks_at_the_moment(finding: Finding) -> bool:
    checked = load()[finding.check]
    return not checked.then and any(name.startswith(_OF_THE_MOMENT) for name in checked.evidence)


def _signs(cause: str, verdict: Verdict, reason: str, values: Mapping[str, Any], facts: tuple[str, ...]) -> Finding:
    return Finding(SIGNS, cause, verdict, reason, values, facts)


def _quoted(sign: Sign) -> dict[str, Any]:
    return {"sign": sign.id, "where": sign.where, "text": sign.text or sign.code or sign.id, "code": sign.code}


def _names(sign: Sign, cause: str) -> bool:
    return sign.strength is Strength.NAMES and sign.causes == (cause,)


def _is_of_an_earlier_run(sign: Sign, case: _Case) -> bool:
    """Each run of the extension writes its status anew: an older one says that the newest backup did not come so far,
    and so what it names is not what failed that. So does one without a time, of an agent that is silent."""
    newest = case.course.last_bad
    if sign.where != "extension":
        return False
    return case.silent if sign.time is None else bool(newest and sign.time < newest)


def _is_out_of_date(sign: Sign, case: _Case) -> bool:
    return sign.id != UNRECOGNISED and case.today is not None and signatures()[sign.id].review < case.today


def _is_not_visible_now(sign: Sign, own: Iterable[Finding], case: _Case) -> bool:
    """Whether those who would see the fault see it no more, or did not look where others did."""
    seers = [each for each in own if sign.id in load()[each.check].sees and each.verdict is not Verdict.NOT_APPLICABLE]
    if not seers or any(finding.verdict is Verdict.PROBLEM for finding in seers):
        return False
    return all(each.verdict is Verdict.OK for each in seers) or any(_cannot_see(each, case) for each in seers)


def _cannot_see(seer: Finding, case: _Case) -> bool:
    """Whether it was to look and could not. It may not have looked where nobody did, and what it doubts it did see."""
    unexamined = seer.if_works and not case.examined
    return seer.verdict is Verdict.UNKNOWN and not unexamined and seer.reason in _WITHOUT_SIGHT


def _unread(cause: str, case: _Case) -> tuple[str, ...]:
    """The facts that could show a sign of this cause and were not read; the serial log only stands in for the logs."""
    lacking = unread(cause, case.evidence)
    logs = data_of(case.evidence, "guest.logs")
    has_logs = logs is not None and logs["patterns"] is not None
    return tuple(name for name in lacking if not (name == "guest.serial_log" and has_logs))


# --- the outcome -----------------------------------------------------------------------------------------------------


def _is_found(step: Step, signs: tuple[Sign, ...]) -> bool:
    """A symptom is no cause, and hygiene none where the logs may mean another."""
    if step.verdict is not Verdict.PROBLEM or strongest(step) is Weight.SYMPTOM:
        return False
    logs = (sign.causes for sign in _pointing(signs) if sign.where in _LOGS)
    return not (strongest(step) is Weight.GENERAL and any(causes != (step.cause,) for causes in logs))


def _rank(step: Step) -> tuple[int, int]:
    return _RANK[strongest(step)], step.number


def _where_to_go_on(steps: tuple[Step, ...]) -> Step | None:
    """A cause that was named or a backup that hangs, else a symptom, else one that a sign points to, else the first
    that is unknown, last those that only may have been otherwise."""

    def how(step: Step) -> int:
        reasons = {finding.reason for finding in step.findings if finding.verdict is Verdict.UNKNOWN}
        if reasons & _FINDINGS_OF_THEIR_OWN:
            return 0
        if step.verdict is Verdict.PROBLEM:
            return 1
        if reasons == {"only_now"}:
            return 4
        return 2 if "contradicted" in reasons else 3

    open_steps = [step for step in steps if step.verdict in (Verdict.PROBLEM, Verdict.UNKNOWN)]
    return min(open_steps, key=lambda step: (how(step), step.number), default=None)


def _missing(steps: tuple[Step, ...], evidence: Evidence) -> tuple[str, ...]:
    findings = [finding for step in steps for finding in step.findings if finding.verdict is Verdict.UNKNOWN]
    names = {name: None for finding in findings for name in finding.evidence}
    return tuple(name for name in names if name not in evidence or not evidence[name].answered)


def _denied(evidence: Evidence) -> tuple[str, ...]:
    facts = [fact for fact in evidence.values() if fact.why == "missing_action"]
    return tuple({fact.details["action"]: None for fact in facts if "action" in fact.details})


def _outcome(steps: tuple[Step, ...], probable: Step | None, missing: tuple[str, ...], case: _Case) -> Outcome:
    """No cause found only where nothing failed; a symptom alone decides nothing."""
    if probable:
        return Outcome.CAUSE_FOUND
    symptom = any(step.verdict is Verdict.PROBLEM for step in steps)
    if nothing_failed(case.evidence) and not case.signs and not symptom:
        return Outcome.NO_CAUSE_FOUND
    denied = any(name in case.evidence and case.evidence[name].status is FactStatus.DENIED for name in missing)
    return Outcome.MISSING_RIGHTS if denied else Outcome.UNDECIDED
