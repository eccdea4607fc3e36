"""One cause as a page: verdict, findings, next action, evidence, what the article said, sources. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vmbackup import catalog
from vmbackup.catalog.words import cause_title, sentence, word
from vmbackup.diagnosis import Walk
from vmbackup.model import Evidence, FactStatus, Finding, Step, Verdict
from vmbackup.pages.blocks import Banner, Block, Folded, Page, Paragraph, Table
from vmbackup.pages.facts import table as facts_table

# The whole answer is in evidence.json; a page shows enough to recognise it.


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
        blocks.append(Folded(catalog.text("label.evidence", language), [facts_table(facts, language)]))
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
