"""One cause as a page: what was done about it, verdict, findings, next action, evidence, sources. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vmbackup import catalog, clock
from vmbackup.catalog.words import cause_title, cause_word, next_action, sentence, word
from vmbackup.diagnosis import Diagnosis, is_symptom
from vmbackup.model import Evidence, FactStatus, Finding, Step, Verdict, by_weight
from vmbackup.pages import links
from vmbackup.pages.blocks import SIGNS, Block, Details, Heading, Page, Paragraph, Table, VerdictBanner
from vmbackup.pages.evidence import table as evidence_table
from vmbackup.runs.state import State


def page(state: State, cause: str) -> Page:
    """One cause: its place, what was found and what to do next, then what that rests on, folded."""
    diagnosis = state.diagnosis()
    place = Paragraph(_place(diagnosis, diagnosis.step(cause), state.language))
    return Page([place, *found(state, cause).blocks, *background(state, cause).blocks])


def found(state: State, cause: str) -> Page:
    """What the operator did about the cause, everything that was found, and the next action."""
    language, judged = state.language, state.diagnosis().step(cause)
    first, *others = by_weight(judged.findings)
    blocks: list[Block] = [*_handled(state, judged), _banner(state, judged)]
    for finding in others:
        if finding.verdict is Verdict.PROBLEM:
            also = catalog.text("label.also_found", language)
            blocks.append(VerdictBanner(finding.verdict, also, sentence(finding, state.evidence, language)))
    undecided = sum(finding.verdict is Verdict.UNKNOWN for finding in others)
    if undecided and not state.is_being_checked(judged):
        blocks.append(Paragraph(catalog.text("label.also_undecided", language, count=undecided)))
    if judged.verdict is not Verdict.NOT_APPLICABLE:
        action = actions(judged, state.evidence, language)[0]
        blocks.append(Paragraph(action, catalog.text("label.next", language)))
    return Page(blocks)


def _banner(state: State, judged: Step) -> VerdictBanner:
    kind, words = standing(state, judged)
    if kind == PENDING:
        return VerdictBanner(kind, words, catalog.text("guide.not_yet", state.language))
    return VerdictBanner(kind, words, sentence(heaviest(judged), state.evidence, state.language))


def background(state: State, cause: str, *, linked: bool = False) -> Page:
    """What the verdict rests on, each part folded: checks, further actions, evidence, the article's words, sources.
    These are linked only where no ticket is made of the page."""
    language, judged = state.language, state.diagnosis().step(cause)
    if judged.verdict is Verdict.NOT_APPLICABLE:
        return Page([])
    blocks: list[Block] = [
        Details(catalog.text("label.checks", language), [_findings_table(judged, state.evidence, language)])
    ]
    if more := actions(judged, state.evidence, language)[1:]:
        blocks.append(Details(catalog.text("label.further", language), [Paragraph(action) for action in more]))
    if table := evidence_table(judged, state.evidence, language):
        blocks.append(Details(catalog.text("label.evidence", language), [table]))
    blocks += _superseded(catalog.causes()[cause], language)
    sources = links.sources(judged, language)
    inside = sources if linked else Paragraph(sources.words, sources.label)
    return Page([*blocks, Details(sources.label.rstrip(":"), [inside])])


def additions(state: State) -> Page:
    """The causes beyond the article's list: those found or undecided in full, the others folded or in one line."""
    language, blocks, elsewhere = state.language, list[Block](), list[str]()
    for judged in (each for each in state.diagnosis().steps if each.addition):
        title = f"{judged.number}. {cause_title(judged.cause, language)}"
        if judged.verdict is Verdict.NOT_APPLICABLE:
            elsewhere.append(title)
        elif judged.verdict is Verdict.OK:
            ruled_out = f"{SIGNS[judged.verdict]} {step_word(judged, language)} · {title}"
            blocks.append(Details(ruled_out, page(state, judged.cause).blocks))
        else:
            blocks += [Heading(title), *page(state, judged.cause).blocks]
    if elsewhere:
        blocks.append(Paragraph(" · ".join(elsewhere), f"{cause_word(Verdict.NOT_APPLICABLE, language)}:"))
    return Page(blocks)


def _handled(state: State, judged: Step) -> list[Block]:
    """Why the operator left the step open, and what a remedy changed."""
    language, blocks = state.language, list[Block]()
    skip, before = state.skipped.get(judged.cause), state.changed.get(judged.cause)
    if skip:
        skipped = catalog.text("guide.skipped_because", language, when=clock.local(skip.at))
        blocks.append(Paragraph(skip.reason, skipped))
    if before:
        signed = [f"{SIGNS[step.verdict]} {step_word(step, language)}" for step in (before, judged)]
        blocks.append(Paragraph(" → ".join(signed), catalog.text("guide.before_after", language)))
    return blocks


def _place(diagnosis: Diagnosis, judged: Step, language: str) -> str:
    if judged.addition:
        return catalog.text("label.added_cause", language)
    count = sum(not each.addition for each in diagnosis.steps)
    return catalog.text("label.article_cause", language, number=judged.number, count=count)


PENDING = "pending"
"""How a step stands whose facts are not all there, instead of a verdict."""


def standing(state: State, judged: Step) -> tuple[str, str]:
    """How a step stands, and the word for it: its verdict, unless that is still awaited. What is found is said at once;
    that something is in order, only when everything was seen."""
    word = step_word(judged, state.language)
    if not state.is_being_checked(judged):
        return judged.verdict, word
    if judged.verdict is Verdict.PROBLEM:
        return judged.verdict, catalog.text("guide.so_far", state.language, word=word)
    return PENDING, catalog.text("guide.checking", state.language)


def step_word(judged: Step, language: str) -> str:
    """The word for a step's verdict. That an agent is silent does not say that it is out of date, as its cause's title
    does: a symptom is not called found."""
    return (
        catalog.text("verdict_of_cause.symptom", language)
        if is_symptom(judged)
        else cause_word(judged.verdict, language)
    )


def heaviest(judged: Step) -> Finding:
    """The finding that gives the step its verdict."""
    return by_weight(judged.findings)[0]


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
    for finding in by_weight(judged.findings):
        if finding.verdict is not judged.verdict or finding.verdict is Verdict.NOT_APPLICABLE:
            continue
        said.update(dict.fromkeys(_finding_actions(finding, evidence, language)))
    return list(said) or [catalog.text("action.nothing", language)]


def _finding_actions(finding: Finding, evidence: Evidence, language: str) -> list[str]:
    if finding.verdict is Verdict.OK:
        return []
    own = next_action(finding, language)
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
    return [Details(catalog.text("label.superseded", language), inside)]
