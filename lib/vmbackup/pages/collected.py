"""What was collected: the VM at a glance, what could not be found out, and every fact. Pure."""

from __future__ import annotations

from vmbackup import catalog
from vmbackup.catalog.words import duration
from vmbackup.diagnosis import nothing_failed
from vmbackup.model import Evidence, FactStatus, Target
from vmbackup.pages import facts
from vmbackup.pages.blocks import Block, Folded, Page, Paragraph, Table
from vmbackup.pages.facts import data


def overview(target: Target, evidence: Evidence, language: str) -> Page:
    """The VM at a glance and what could not be found out."""
    rows = [[catalog.text(f"label.{label}", language), value] for label, value in _card(target, evidence, language)]
    answered = sum(fact.answered for fact in evidence.values())
    said = catalog.text("label.collected", language, answered=answered, count=len(evidence))
    blocks: list[Block] = [Table([catalog.text("label.vm", language), target.vm_name], rows), Paragraph(said)]
    gaps = {name: fact for name, fact in evidence.items() if fact.why and fact.status is not FactStatus.ABSENT}
    if gaps:
        blocks.append(Paragraph("", catalog.text("label.unanswered", language)))
        blocks.append(facts.table(gaps, language, ("fact", "status", "why")))
    blocks.append(Folded(catalog.text("label.all_facts", language), [facts.table(evidence, language)]))
    return Page(blocks)


def _card(target: Target, evidence: Evidence, language: str) -> list[tuple[str, str]]:
    unknown = catalog.text("label.unknown", language)
    model, power = data(evidence, "vm.model"), data(evidence, "vm.power")
    protection, item = data(evidence, "backup.protection"), data(evidence, "backup.item")
    last = f"{item['last_backup_status'] or unknown}, {item['last_backup_time'] or unknown}" if item else unknown
    return [
        ("resource_group", target.resource_group),
        ("subscription", target.subscription_id),
        ("os", (model["os_name"] or model["os"] or unknown) if model else unknown),
        ("power", (power["power"] or unknown) if power else unknown),
        ("agent", _agent(evidence, language)),
        (
            "vault",
            protection["vault_id"].rsplit("/", 1)[-1] if protection else _gap(evidence, "backup.protection", language),
        ),
        ("policy", (item["policy_name"] or unknown) if item else unknown),
        ("last_backup", last),
        ("last_point", _last_point(evidence, language)),
        ("failed_job", _failed_job(evidence, language)),
    ]


def _agent(evidence: Evidence, language: str) -> str:
    agent = data(evidence, "vm.agent")
    if not agent:
        return _gap(evidence, "vm.agent", language)
    unknown = catalog.text("label.unknown", language)
    version, status = agent["version"] or unknown, agent["display_status"] or unknown
    # The time of a status that is not Ready is when Azure wrote it, not when the agent last spoke.
    if agent["age_s"] is None or agent["display_status"] != "Ready":
        return catalog.text("label.reported_never", language, version=version, status=status)
    return catalog.text("label.reported", language, version=version, status=status, age=duration(agent["age_s"]))


def _last_point(evidence: Evidence, language: str) -> str:
    points = data(evidence, "backup.recovery_points")
    if not points:
        return _gap(evidence, "backup.recovery_points", language)
    newest = max(points, key=lambda point: point["time"] or "")
    return f"{newest['time']}, {newest['type']}"


def _failed_job(evidence: Evidence, language: str) -> str:
    fact = evidence.get("backup.failed_job")
    if fact and fact.status is FactStatus.ABSENT:
        return no_failed_job(evidence, language)
    job = fact.data if fact and fact.answered else None
    return f"{job['status']}, {job['start']}" if job else _gap(evidence, "backup.failed_job", language)


def no_failed_job(evidence: Evidence, language: str) -> str:
    """What stands in place of a failed job where none is listed."""
    return catalog.text("label.no_failed_job" if nothing_failed(evidence) else "label.failed_job_unlisted", language)


def _gap(evidence: Evidence, name: str, language: str) -> str:
    fact = evidence.get(name)
    if fact and fact.status is FactStatus.ABSENT:
        return catalog.text("label.none", language)
    return catalog.text("label.unknown", language)
