"""The VM at a glance: what an operator wants to know before anything else. Pure."""

from __future__ import annotations

from typing import Any

from vmbackup import catalog, clock
from vmbackup.catalog.words import duration, why
from vmbackup.facts.azure import VmAgent
from vmbackup.model import Evidence, FactStatus, Target, Verdict
from vmbackup.pages.blocks import Page, Table
from vmbackup.pages.collected import no_failed_job
from vmbackup.remedies.retry.proof import last_good
from vmbackup.remedies.retry.schedule import longest_gap_h, next_run


def page(target: Target, evidence: Evidence, language: str) -> Page:
    """Name, system, power, agent with the age of its heartbeat, last good point, RPO clock and the failed job."""
    verdict, rpo = _rpo(evidence, language)
    rows: list[tuple[str, str, str]] = [
        ("os", _os(evidence, language), ""),
        ("power", _power(evidence, language), ""),
        ("agent", _agent(evidence, language), ""),
        ("last_good", _last_good(evidence, language), ""),
        ("rpo", rpo, verdict),
        ("failed_job", _failed_job(evidence, language), ""),
        ("message", _message(evidence), ""),
    ]
    said = [(catalog.text(f"card.{key}", language), words, sign) for key, words, sign in rows if words]
    table = [[label, words] for label, words, _ in said]
    return Page([Table([catalog.text("card.vm", language), target.vm_name], table, [sign for *_, sign in said])])


def _os(evidence: Evidence, language: str) -> str:
    model = _data(evidence, "vm.model")
    return (model["os_name"] or (model["os"] or "").capitalize()) if model else _gap(evidence, "vm.model", language)


def _power(evidence: Evidence, language: str) -> str:
    power = _data(evidence, "vm.power")
    return (power["power"] or "") if power else _gap(evidence, "vm.power", language)


def _agent(evidence: Evidence, language: str) -> str:
    agent: VmAgent | None = _data(evidence, "vm.agent")
    if agent is None:
        return _gap(evidence, "vm.agent", language)
    unknown = catalog.text("label.unknown", language)
    version, status = agent["version"] or unknown, agent["display_status"] or unknown
    # The time of a status that is not Ready is when Azure wrote it, not when the agent last spoke.
    if agent["age_s"] is None or agent["display_status"] != "Ready":
        return catalog.text("card.no_heartbeat", language, version=version, status=status)
    return catalog.text("card.heartbeat", language, version=version, status=status, age=duration(agent["age_s"]))


def _good(evidence: Evidence) -> Any:
    model = _data(evidence, "vm.model")
    return last_good(
        _data(evidence, "backup.recovery_points") or [],
        _data(evidence, "backup.policy"),
        model["os"] if model else None,
    )


def _last_good(evidence: Evidence, language: str) -> str:
    fact = evidence.get("backup.recovery_points")
    if fact is None or not fact.answered:
        return _gap(evidence, "backup.recovery_points", language)
    point = _good(evidence)
    return f"{clock.local(point['time'])}, {point['type']}" if point else catalog.text("card.no_point", language)


def _rpo(evidence: Evidence, language: str) -> tuple[str, str]:
    """How old the last good point is against what the policy promises: a verdict and its words."""
    point, policy = _good(evidence), _data(evidence, "backup.policy")
    age_s = clock.seconds_between(point["time"] if point else None, clock.azure_now(evidence))
    wanted_h = longest_gap_h(policy)
    start = next_run(policy, clock.now(evidence))
    after = f" {catalog.text('card.next_run', language, when=clock.local(start.isoformat()))}" if start else ""
    if age_s is None or wanted_h is None:
        key = "rpo_unknown" if age_s is None else "rpo_no_policy"
        return Verdict.UNKNOWN, catalog.text(f"card.{key}", language, age=duration(age_s or 0)) + after
    values = {"age": duration(age_s), "wanted": duration(wanted_h * 3600)}
    if age_s <= wanted_h * 3600:
        return Verdict.OK, catalog.text("card.rpo_kept", language, **values) + after
    over = duration(age_s - wanted_h * 3600)
    return Verdict.PROBLEM, catalog.text("card.rpo_missed", language, over=over, **values) + after


def _failed_job(evidence: Evidence, language: str) -> str:
    fact = evidence.get("backup.failed_job")
    if fact is not None and fact.status is FactStatus.ABSENT:
        return no_failed_job(evidence, language)
    job = _data(evidence, "backup.failed_job")
    if not job:
        return _gap(evidence, "backup.failed_job", language)
    return f"{job['status']}, {clock.local(job['start'])}"


def _message(evidence: Evidence) -> str:
    job = _data(evidence, "backup.failed_job")
    if not job:
        return ""
    words = [" ".join(filter(None, (error["title"], error["text"]))) for error in job["errors"]]
    return "\n".join(filter(None, [*words, job["dynamic_message"]]))


def _data(evidence: Evidence, name: str) -> Any:
    fact = evidence.get(name)
    return fact.data if fact and fact.answered else None


def _gap(evidence: Evidence, name: str, language: str) -> str:
    fact = evidence.get(name)
    return (why(fact, language) if fact else "") or catalog.text("label.unknown", language)
