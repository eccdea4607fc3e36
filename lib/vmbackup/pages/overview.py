"""The VM at a glance: its place, its agent, how long it has been without a good backup, and the failed job. Pure."""

from __future__ import annotations

from typing import Any

from vmbackup import catalog, clock
from vmbackup.catalog.words import duration, why
from vmbackup.diagnosis import nothing_failed
from vmbackup.facts.backup import ProtectedItem
from vmbackup.facts.vm import VmAgent
from vmbackup.model import AWAITED, Evidence, FactStatus, Target, Verdict, data_of
from vmbackup.pages import facts
from vmbackup.pages.blocks import Block, Details, Page, Paragraph, Table
from vmbackup.remedies.retry.proof import last_good
from vmbackup.remedies.retry.schedule import longest_gap_h, next_run

# A label, what stands beside it, and a verdict where it has one.
_Row = tuple[str, str, str]


def page(target: Target, evidence: Evidence, language: str) -> Page:
    """What an operator wants to know first: system, agent, last good point, RPO clock, the failed job's message."""
    return Page([_table(target, [*_machine(evidence, language), *_backups(evidence, language)], language)])


def collected(target: Target, evidence: Evidence, language: str) -> Page:
    """The same with the VM's place, then what could not be found out, and every fact."""
    rows = [
        ("resource_group", target.resource_group, ""),
        ("subscription", target.subscription_id, ""),
        *_machine(evidence, language),
        *_protection(evidence, language),
        *_backups(evidence, language),
    ]
    answered = sum(fact.answered for fact in evidence.values())
    count = catalog.text("label.collected", language, answered=answered, count=len(evidence))
    blocks: list[Block] = [_table(target, rows, language), Paragraph(count)]
    gaps = {name: fact for name, fact in evidence.items() if fact.why and fact.status is not FactStatus.ABSENT}
    if gaps:
        blocks.append(Paragraph("", catalog.text("label.unanswered", language)))
        blocks.append(facts.table(gaps, language, ("fact", "status", "why")))
    blocks.append(Details(catalog.text("label.all_facts", language), [facts.table(evidence, language)]))
    return Page(blocks)


def _table(target: Target, rows: list[_Row], language: str) -> Table:
    shown = [(catalog.text(f"label.{key}", language), words, verdict) for key, words, verdict in rows if words]
    header = [catalog.text("label.vm", language), target.vm_name]
    return Table(header, [[label, words] for label, words, _ in shown], [verdict for *_, verdict in shown])


def _machine(evidence: Evidence, language: str) -> list[_Row]:
    model, power = data_of(evidence, "vm.model"), data_of(evidence, "vm.power")
    os = (model["os_name"] or (model["os"] or "").capitalize()) if model else _gap(evidence, "vm.model", language)
    running = (power["power"] or "") if power else _gap(evidence, "vm.power", language)
    return [("os", os, ""), ("power", running, ""), ("agent", _agent(evidence, language), "")]


def _agent(evidence: Evidence, language: str) -> str:
    agent: VmAgent | None = data_of(evidence, "vm.agent")
    if agent is None:
        return _gap(evidence, "vm.agent", language)
    unknown = catalog.text("label.unknown", language)
    version, status = agent["version"] or unknown, agent["display_status"] or unknown
    # If the status is not Ready, its time is when Azure wrote it, not when the agent last reported.
    if agent["age_s"] is None or agent["display_status"] != "Ready":
        return catalog.text("overview.no_heartbeat", language, version=version, status=status)
    age = duration(agent["age_s"])
    return catalog.text("overview.heartbeat", language, version=version, status=status, age=age)


def _protection(evidence: Evidence, language: str) -> list[_Row]:
    protection = data_of(evidence, "backup.protection")
    vault = protection["vault_id"].rsplit("/", 1)[-1] if protection else _gap(evidence, "backup.protection", language)
    item: ProtectedItem | None = data_of(evidence, "backup.item")
    if item is None:
        return [("vault", vault, "")]
    unknown = catalog.text("label.unknown", language)
    last = f"{item['last_backup_status'] or unknown}, {clock.local(item['last_backup_time'])}"
    return [("vault", vault, ""), ("policy", item["policy_name"] or unknown, ""), ("last_backup", last, "")]


def _backups(evidence: Evidence, language: str) -> list[_Row]:
    verdict, rpo = _rpo(evidence, language)
    return [
        ("last_good", _last_good(evidence, language), ""),
        ("rpo", rpo, verdict),
        ("failed_job", failed_job(evidence, language), ""),
        ("message", _message(evidence), ""),
    ]


def _good(evidence: Evidence) -> Any:
    model = data_of(evidence, "vm.model")
    points = data_of(evidence, "backup.recovery_points") or []
    return last_good(points, data_of(evidence, "backup.policy"), model["os"] if model else None)


def _last_good(evidence: Evidence, language: str) -> str:
    fact = evidence.get("backup.recovery_points")
    if fact is None or not fact.answered:
        return _gap(evidence, "backup.recovery_points", language)
    point = _good(evidence)
    return f"{clock.local(point['time'])}, {point['type']}" if point else catalog.text("overview.no_point", language)


def _rpo(evidence: Evidence, language: str) -> tuple[str, str]:
    """The age of the last good point compared with the policy: a verdict and its words."""
    point, policy = _good(evidence), data_of(evidence, "backup.policy")
    if point is None and evidence.get("backup.recovery_points") == AWAITED:
        return "", why(AWAITED, language)
    age_s = clock.seconds_between(point["time"] if point else None, clock.azure_now(evidence))
    wanted_h = longest_gap_h(policy)
    start = next_run(policy, clock.now(evidence))
    after = f" {catalog.text('overview.next_run', language, when=clock.local(start.isoformat()))}" if start else ""
    if age_s is None or wanted_h is None:
        key = "rpo_unknown" if age_s is None else "rpo_no_policy"
        return Verdict.UNKNOWN, catalog.text(f"overview.{key}", language, age=duration(age_s or 0)) + after
    values = {"age": duration(age_s), "wanted": duration(wanted_h * 3600)}
    verdict = Verdict.OK if age_s <= wanted_h * 3600 else Verdict.PROBLEM
    return verdict, catalog.text("overview.rpo", language, **values) + after


def failed_job(evidence: Evidence, language: str) -> str:
    """The failed job in one line: its status and when it began, or why there is none."""
    fact = evidence.get("backup.failed_job")
    if fact is not None and fact.status is FactStatus.ABSENT:
        key = "no_failed_job" if nothing_failed(evidence) else "failed_job_unlisted"
        return catalog.text(f"label.{key}", language)
    job = data_of(evidence, "backup.failed_job")
    return f"{job['status']}, {clock.local(job['start'])}" if job else _gap(evidence, "backup.failed_job", language)


def _message(evidence: Evidence) -> str:
    job = data_of(evidence, "backup.failed_job")
    if not job:
        return ""
    words = [" ".join(filter(None, (error["title"], error["text"]))) for error in job["errors"]]
    return "\n".join(filter(None, [*words, job["dynamic_message"]]))


def _gap(evidence: Evidence, name: str, language: str) -> str:
    fact = evidence.get(name)
    return (why(fact, language) if fact else "") or catalog.text("label.unknown", language)
