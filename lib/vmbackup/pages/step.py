"""The views of a run as pages: the VM, the failure, one step, the result. Words come from the catalogue only.

Pure: a page is made of evidence and a walk, so that a replay shows what the live run showed.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Mapping
from typing import Any

from vmbackup import catalog
from vmbackup.checks.base import load
from vmbackup.diagnosis import Outcome, Walk, nothing_failed
from vmbackup.failures.triage import Triage
from vmbackup.model import Evidence, Fact, FactStatus, Finding, SetupError, Step, Target, Verdict
from vmbackup.pages.blocks import Banner, Block, Folded, Heading, Page, Paragraph, Table

# The whole answer is in evidence.json; a page shows enough to recognise it.
_LONGEST_ANSWER = 300


def overview(target: Target, evidence: Evidence, language: str) -> Page:
    """The VM at a glance and what could not be found out."""
    rows = [[catalog.text(f"label.{label}", language), value] for label, value in _card(target, evidence, language)]
    answered = sum(fact.answered for fact in evidence.values())
    said = catalog.text("label.collected", language, answered=answered, count=len(evidence))
    blocks: list[Block] = [Table([catalog.text("label.vm", language), target.vm_name], rows), Paragraph(said)]
    gaps = {name: fact for name, fact in evidence.items() if fact.why and fact.status is not FactStatus.ABSENT}
    if gaps:
        blocks.append(Paragraph("", catalog.text("label.unanswered", language)))
        blocks.append(_facts_table(gaps, language, ("fact", "status", "why")))
    blocks.append(Folded(catalog.text("label.all_facts", language), [_facts_table(evidence, language)]))
    return Page(blocks)


def _card(target: Target, evidence: Evidence, language: str) -> list[tuple[str, str]]:
    unknown = catalog.text("label.unknown", language)
    model, power = _data(evidence, "vm.model"), _data(evidence, "vm.power")
    protection, item = _data(evidence, "backup.protection"), _data(evidence, "backup.item")
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
    agent = _data(evidence, "vm.agent")
    if not agent:
        return _gap(evidence, "vm.agent", language)
    unknown = catalog.text("label.unknown", language)
    version, status = agent["version"] or unknown, agent["display_status"] or unknown
    # The time of a status that is not Ready is when Azure wrote it, not when the agent last spoke.
    if agent["age_s"] is None or agent["display_status"] != "Ready":
        return catalog.text("label.reported_never", language, version=version, status=status)
    return catalog.text("label.reported", language, version=version, status=status, age=duration(agent["age_s"]))


def _last_point(evidence: Evidence, language: str) -> str:
    points = _data(evidence, "backup.recovery_points")
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


def failure(evidence: Evidence, triaged: Triage | None, section: str | None, language: str) -> Page:
    """The failed job in Azure's words, and whether it belongs to this runbook."""
    job = _data(evidence, "backup.failed_job")
    blocks: list[Block] = []
    if job:
        rows = [[str(error["code"] or ""), error["title"] or "", error["text"] or ""] for error in job["errors"]]
        if job["dynamic_message"]:
            rows.append(["", "", job["dynamic_message"]])
        header = [catalog.text(f"label.{label}", language) for label in ("code", "cause", "message")]
        blocks += [
            Paragraph(
                f"{job['name']}, {job['status']}, {job['start']}", catalog.text("label.failed_job", language) + ":"
            ),
            Table(header, rows),
        ]
    blocks.append(Paragraph(_belongs(triaged, section, language)))
    return Page(blocks)


def _belongs(triaged: Triage | None, section: str | None, language: str) -> str:
    if triaged is None:
        return catalog.text("triage.nothing", language)
    if triaged.section == section:
        return catalog.text("triage.agrees", language)
    if triaged.section:
        other = catalog.sections()[triaged.section]
        return catalog.text("triage.differs", language, section=other["title"][language], notebook=other["notebook"])
    return sorted_into(triaged, language)


def sorted_into(triaged: Triage, language: str) -> str:
    """Where a failure belongs, in one sentence."""
    if triaged.section:
        entry = catalog.sections()[triaged.section]
        return catalog.text("triage.belongs", language, section=entry["title"][language], notebook=entry["notebook"])
    causes = [candidate.cause for candidate in triaged.candidates if candidate.cause]
    if causes:
        return catalog.text("triage.names_cause", language, cause=cause_title(causes[0], language))
    titles = [catalog.sections()[c.section]["title"][language] for c in triaged.candidates if c.section]
    key, values = ("ambiguous", {"sections": " · ".join(titles)}) if titles else ("unknown", {})
    return catalog.text(f"triage.{key}", language, **values)


def step(walk: Walk, judged: Step, evidence: Evidence, language: str) -> Page:
    """One cause: verdict, findings, next action, evidence, what the article said, sources."""
    entry = catalog.causes()[judged.cause]
    blocks: list[Block] = [
        Paragraph(_place(walk, judged, language)),
        Banner(judged.verdict, word(judged.verdict, language), sentence(heaviest(judged), evidence, language)),
    ]
    if judged.verdict is Verdict.NOT_APPLICABLE:
        return Page(blocks)
    blocks.append(_findings_table(judged, evidence, language))
    blocks += [
        Paragraph(action, catalog.text("label.next", language)) for action in actions(judged, evidence, language)
    ]
    names = {name: None for finding in judged.findings for name in finding.evidence}
    facts = {name: evidence[name] for name in names if name in evidence}
    if facts:
        blocks.append(Folded(catalog.text("label.evidence", language), [_facts_table(facts, language)]))
    blocks += _superseded(entry, language)
    blocks.append(Paragraph(_sources(judged, language), catalog.text("label.sources", language)))
    return Page(blocks)


def _place(walk: Walk, judged: Step, language: str) -> str:
    if judged.addition:
        return f"{catalog.text('label.added_cause', language)}: {cause_title(judged.cause, language)}"
    count = sum(not each.addition for each in walk.steps)
    place = catalog.text("label.article_cause", language, number=judged.number, count=count)
    return f"{place}: {cause_title(judged.cause, language)}"


def _by_weight(judged: Step) -> list[Finding]:
    order = [Verdict.PROBLEM, Verdict.UNKNOWN, Verdict.OK, Verdict.NOT_APPLICABLE]
    return sorted(judged.findings, key=lambda finding: order.index(finding.verdict))


def heaviest(judged: Step) -> Finding:
    """The finding that gives the step its verdict."""
    return _by_weight(judged)[0]


def _findings_table(judged: Step, evidence: Evidence, language: str) -> Table:
    header = [catalog.text(f"label.{label}", language) for label in ("verdict", "check", "finding")]
    rows = [
        [
            word(finding.verdict, language),
            catalog.checks()[finding.check]["title"][language],
            sentence(finding, evidence, language),
        ]
        for finding in judged.findings
    ]
    return Table(header, rows, [finding.verdict for finding in judged.findings])


def actions(judged: Step, evidence: Evidence, language: str) -> list[str]:
    """What to do next for this step, most urgent first, each said once."""
    said: dict[str, None] = {}
    for finding in _by_weight(judged):
        if finding.verdict is not judged.verdict or finding.verdict is Verdict.NOT_APPLICABLE:
            continue
        said.update(dict.fromkeys(_finding_actions(finding, evidence, language)))
    return list(said) or [catalog.text("action.nothing", language)]


def _finding_actions(finding: Finding, evidence: Evidence, language: str) -> list[str]:
    if finding.verdict is Verdict.OK:
        return []
    own = catalog.next_action(finding, language)
    facts = [evidence[name] for name in finding.evidence if name in evidence]
    rights = [fact.details["action"] for fact in facts if fact.status is FactStatus.DENIED and "action" in fact.details]
    ask = [catalog.text("action.ask_for_right", language, action=action) for action in rights]
    failed = any(fact.status is FactStatus.FAILED for fact in facts)
    again = [catalog.text("action.try_again", language)] if failed and finding.verdict is Verdict.UNKNOWN else []
    return (ask if finding.verdict is Verdict.UNKNOWN else []) + again + ([own] if own else [])


def _superseded(entry: Mapping[str, Any], language: str) -> list[Block]:
    if not entry["superseded"]:
        return []
    inside: list[Block] = []
    for change in entry["superseded"]:
        inside.append(Paragraph(change["said"][language], catalog.text("label.said", language)))
        today = f"{change['today'][language]} ({', '.join(change['sources'])})"
        inside.append(Paragraph(today, catalog.text("label.today", language)))
    return [Folded(catalog.text("label.superseded", language), inside)]


def _sources(judged: Step, language: str) -> str:
    entries = [catalog.causes()[judged.cause], *(catalog.checks()[finding.check] for finding in judged.findings)]
    keys = {key: None for entry in entries for key in entry["sources"]}
    titles = [catalog.sources()[key]["title"] for key in keys]
    as_of = max(entry["as_of"] for entry in entries)
    return f"{' · '.join(titles)} ({catalog.text('label.as_of', language, date=as_of)})"


def result(walk: Walk, evidence: Evidence, language: str, folder: str = "") -> Page:
    """How the walk ended, every cause in one table, and what is missing."""
    verdict = {Outcome.CAUSE_FOUND: Verdict.PROBLEM, Outcome.NO_CAUSE_FOUND: Verdict.OK}.get(
        walk.outcome, Verdict.UNKNOWN
    )
    rows = [[word(each.verdict, language), *_row(each, evidence, language)] for each in walk.steps]
    header = [catalog.text(f"label.{label}", language) for label in ("verdict", "cause", "finding")]
    blocks: list[Block] = [
        Banner(verdict, catalog.text(f"outcome.{walk.outcome}", language), outcome_said(walk, evidence, language)),
        Table(header, rows, [each.verdict for each in walk.steps]),
    ]
    if walk.denied:
        blocks.append(Paragraph(", ".join(walk.denied), catalog.text("label.rights", language) + ":"))
    if walk.next and walk.outcome is not Outcome.NO_CAUSE_FOUND:
        for action in actions(walk.next, evidence, language):
            blocks.append(Paragraph(action, catalog.text("label.next", language)))
    blocks.append(Paragraph(catalog.text("action.retry", language)))
    if folder:
        blocks.append(Paragraph(folder, catalog.text("label.saved", language) + ":"))
    return Page(blocks)


def _row(judged: Step, evidence: Evidence, language: str) -> list[str]:
    title = cause_title(judged.cause, language)
    addition = f" ({catalog.text('label.addition', language)})" if judged.addition else ""
    return [f"{judged.number}. {title}{addition}", sentence(heaviest(judged), evidence, language)]


def outcome_said(walk: Walk, evidence: Evidence, language: str) -> str:
    """The outcome in one sentence."""
    if walk.outcome is Outcome.NO_CAUSE_FOUND and nothing_failed(evidence):
        return catalog.text("outcome.said_nothing_failed", language)
    cause = cause_title(walk.next.cause, language) if walk.next else ""
    count = sum(each.verdict is Verdict.UNKNOWN for each in walk.steps)
    return catalog.text(f"outcome.said_{walk.outcome}", language, cause=cause, count=count)


def sentence(finding: Finding, evidence: Evidence, language: str) -> str:
    """The finding in words; for a fact without an answer the reason is part of the sentence."""
    if finding.reason == "unanswered":
        name = finding.values["fact"]
        return catalog.text("finding.unanswered", language, fact=name, why=why(evidence[name], language))
    if finding.reason == "not_collected":
        name = finding.values["fact"]
        key = "guest_not_examined" if name.startswith("guest.") else "not_collected"
        return catalog.text(f"finding.{key}", language, fact=name)
    if finding.reason in ("other_os", "os_unknown"):
        return catalog.text(f"finding.{finding.reason}", language, os=finding.values["os"].capitalize())
    return catalog.sentence(finding, language)


def why(fact: Fact, language: str) -> str:
    """Why a fact has no answer (or that there is nothing), in words."""
    return catalog.text(f"why.{fact.why}", language, **fact.details) if fact.why else ""


def word(verdict: Verdict, language: str) -> str:
    """The verdict's word."""
    return catalog.text(f"verdict.{verdict}", language)


def section_title(section: str | None, language: str) -> str:
    """The section's title as the article says it; the general walk's own name without one."""
    if section is None:
        return catalog.text("label.general_walk", language)
    return str(catalog.sections()[section]["title"][language])


def cause_title(cause: str, language: str) -> str:
    """The cause's title as the article says it."""
    return str(catalog.causes()[cause]["title"][language])


def duration(seconds: float) -> str:
    """A span in the largest unit that leaves a number of at least two, such as ``45 s``, ``3 min``, ``26 h``, ``9 d``.

    >>> duration(45), duration(190), duration(93600)
    ('45 s', '3 min', '26 h')
    """
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.0f} s"


def explained(name: str, language: str) -> Page:
    """A check or a cause in words. Raises SetupError for a name that is neither."""
    causes, checks = catalog.causes(), catalog.checks()
    if name in causes:
        rows = [[check, checks[check]["title"][language]] for check in causes[name]["checks"]]
        table = Table([catalog.text(f"label.{label}", language) for label in ("check", "finding")], rows)
        return Page([Heading(cause_title(name, language)), Paragraph(causes[name]["what"][language]), table])
    if name not in checks:
        close = difflib.get_close_matches(name, [*causes, *checks], 1)
        hint = f" Did you mean {close[0]}?" if close else " `vmbackup checks list` names them."
        raise SetupError(f"There is no check or cause {name!r}.{hint}")
    entry = checks[name]
    rows = [[reason, words[language]] for reason, words in entry["texts"].items()]
    rows += [
        [f"{catalog.text('label.next', language)} {when}", words[language]] for when, words in entry["next"].items()
    ]
    titles = " · ".join(catalog.sources()[key]["title"] for key in entry["sources"])
    return Page(
        [
            Heading(entry["title"][language]),
            Paragraph(", ".join(load()[name].evidence), catalog.text("label.reads", language)),
            Table([catalog.text(f"label.{label}", language) for label in ("verdict", "finding")], rows),
            Paragraph(titles, catalog.text("label.sources", language)),
        ]
    )


def _facts_table(
    facts: Evidence, language: str, columns: tuple[str, ...] = ("fact", "status", "answer", "how", "when", "took")
) -> Table:
    cells: dict[str, Callable[[str, Fact], str]] = {
        "fact": lambda name, fact: name,
        "status": lambda name, fact: catalog.text(f"status.{fact.status}", language),
        "why": lambda name, fact: why(fact, language),
        "answer": lambda name, fact: _answer(fact, language),
        "how": lambda name, fact: "\n".join(fact.how),
        "when": lambda name, fact: fact.taken_at or "",
        # Of one width, so that the tables of two runs are alike.
        "took": lambda name, fact: f"{fact.took_ms:>6} ms",
    }
    header = [catalog.text(f"label.{column}", language) for column in columns]
    return Table(header, [[cells[column](name, fact) for column in columns] for name, fact in facts.items()])


def _answer(fact: Fact, language: str) -> str:
    if fact.status is not FactStatus.OK:
        return why(fact, language)
    words = json.dumps(fact.data, ensure_ascii=False)
    return words if len(words) <= _LONGEST_ANSWER else f"{words[:_LONGEST_ANSWER]} …"


def _data(evidence: Evidence, name: str) -> Any:
    fact = evidence.get(name)
    return fact.data if fact and fact.answered else None


def _gap(evidence: Evidence, name: str, language: str) -> str:
    fact = evidence.get(name)
    if fact and fact.status is FactStatus.ABSENT:
        return catalog.text("label.none", language)
    return catalog.text("label.unknown", language)
