"""One cause: what its checks found, in the light of the case, and what the signs of a failure say of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from vmbackup import catalog
from vmbackup.catalog.knowledge import knowledge
from vmbackup.catalog.signatures import Strength, signatures
from vmbackup.checks.base import load, run
from vmbackup.diagnosis.case import LOGS, Case, not_understood, pointing
from vmbackup.diagnosis.weight import Weight, weight
from vmbackup.failures.places import AZURES_OWN, FACTS_OF, places, unread
from vmbackup.failures.signatures import PASTED, UNRECOGNISED, Sign
from vmbackup.model import SIGNS, Finding, Step, Verdict, data_of

# What may have been otherwise when the backup failed; disks, policies and rules do not change by themselves.
_OF_THE_MOMENT = ("guest.", "vm.agent", "vm.power", "vm.health", "vm.extensions", "vm.handlers")
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


def judge(number: int, cause: str, section: str | None, case: Case) -> Step:
    """Judge one cause: all of its checks, in the catalogue's order, and the signs that speak for it."""
    entry, checks = catalog.causes()[cause], load()
    own = [_weighed(run(checks[name], case.evidence, case.os), case) for name in entry["checks"]]
    signs = _of_signs(cause, own, case)
    first = signs.reason in ("named", "not_visible_now", "contradicted")
    findings = (signs, *own) if first else (*own, signs)
    added = entry["addition"] if section is None else cause not in catalog.sections()[section]["causes"]
    return Step(number, cause, bool(added), findings)


def _weighed(finding: Finding, case: Case) -> Finding:
    """The finding in the light of the case: what it rests on may be out of date, what it finds may harm nobody, and
    what it could not see may be seen by its working."""
    finding = dated(finding, case.today)
    if finding.verdict is Verdict.PROBLEM and not _explains_the_failure(finding, case):
        return replace(finding, verdict=Verdict.UNKNOWN)
    if finding.if_works and case.works and not case.examined:
        return replace(finding, verdict=Verdict.OK, reason="works_now", values={})
    return finding


def dated(finding: Finding, today: date | None) -> Finding:
    """The finding, or unknown where knowledge that it rests on was to be reviewed before today."""
    due = next((id for id in load()[finding.check].knows if today and knowledge()[id].is_due(today)), None)
    if due is None or finding.verdict not in (Verdict.OK, Verdict.PROBLEM):
        return finding
    values = {"entry": due, "review": knowledge()[due].review}
    return replace(finding, verdict=Verdict.UNKNOWN, reason="outdated", values=values, explains=())


def _explains_the_failure(finding: Finding, case: Case) -> bool:
    """A broken rule is a cause where a backup failed and what Azure says does not all point elsewhere; hygiene only
    where none of it does."""
    heavy = weight(finding)
    if heavy not in (Weight.RULE, Weight.GENERAL):
        return True
    said = [finding.cause in sign.causes for sign in pointing(case.signs) if sign.where not in LOGS]
    fits = not said or any(said) if heavy is Weight.RULE else all(said) and not not_understood(case)
    return bool(case.course.failed and fits)


def _of_signs(cause: str, own: list[Finding], case: Case) -> Finding:
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
    strange = not_understood(case)
    if strange and applicable and not AZURES_OWN.isdisjoint(places(cause)):
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


def _is_of_an_earlier_run(sign: Sign, case: Case) -> bool:
    """Each run of the extension writes its status anew: an older one says that the newest backup did not come so far,
    and so what it names is not what failed that. So does one without a time, of an agent that is silent."""
    newest = case.course.last_bad
    if sign.where != "extension":
        return False
    return case.silent if sign.time is None else bool(newest and sign.time < newest)


def _is_out_of_date(sign: Sign, case: Case) -> bool:
    return sign.id != UNRECOGNISED and case.today is not None and signatures()[sign.id].review < case.today


def _is_not_visible_now(sign: Sign, own: Iterable[Finding], case: Case) -> bool:
    """Whether those who would see the fault see it no more, or did not look where others did."""
    seers = [each for each in own if sign.id in load()[each.check].sees and each.verdict is not Verdict.NOT_APPLICABLE]
    if not seers or any(finding.verdict is Verdict.PROBLEM for finding in seers):
        return False
    return all(each.verdict is Verdict.OK for each in seers) or any(_cannot_see(each, case) for each in seers)


def _cannot_see(seer: Finding, case: Case) -> bool:
    """Whether it was to look and could not. It may not have looked where nobody did, and what it doubts it did see."""
    unexamined = seer.if_works and not case.examined
    return seer.verdict is Verdict.UNKNOWN and not unexamined and seer.reason in _WITHOUT_SIGHT


def _unread(cause: str, case: Case) -> tuple[str, ...]:
    """The facts that could show a sign of this cause and were not read; the serial log only stands in for the logs."""
    lacking = unread(cause, case.evidence)
    logs = data_of(case.evidence, "guest.logs")
    has_logs = logs is not None and logs["patterns"] is not None
    return tuple(name for name in lacking if not (name == "guest.serial_log" and has_logs))
