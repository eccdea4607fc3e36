"""What came of a walk: outcome, what was changed, what was left open and why, and the proof. Pure."""

from __future__ import annotations

from vmbackup import catalog, clock
from vmbackup.catalog.words import cause_title, sentence, word
from vmbackup.diagnosis import Outcome, Walk, nothing_failed
from vmbackup.model import Evidence, Step, Verdict
from vmbackup.pages import load as plot
from vmbackup.pages import overview as card
from vmbackup.pages import timeline
from vmbackup.pages.blocks import Banner, Block, Heading, Page, Paragraph, Table
from vmbackup.pages.step import actions, heaviest
from vmbackup.remedies.retry.proof import Proof
from vmbackup.runs.run import Walkthrough

_VERDICTS = {Outcome.CAUSE_FOUND: Verdict.PROBLEM, Outcome.NO_CAUSE_FOUND: Verdict.OK}


def outcome(way: Walkthrough, language: str) -> Banner:
    """The outcome as one line."""
    walked = way.walk()
    verdict = _VERDICTS.get(walked.outcome, Verdict.UNKNOWN)
    said = outcome_said(walked, way.run.evidence, language)
    return Banner(verdict, catalog.text(f"outcome.{walked.outcome}", language), said)


def headline(way: Walkthrough, busy: bool, language: str) -> Page:
    """The outcome, and above it what the retry proved and what an earlier run began and did not end."""
    from vmbackup.pages import remedies as pages

    begun = () if busy else pages.interrupted(way.run.interrupted(), language).blocks
    proved = [proof_banner(way.run.proof, language)] if way.run.proof else []
    return Page([*begun, *proved, outcome(way, language)])


def proof_banner(proof: Proof, language: str) -> Banner:
    """What the retry proved, as one line."""
    from vmbackup.pages import remedies as pages

    [banner] = [block for block in pages.proof(proof, language).blocks if isinstance(block, Banner)]
    return banner


def page(way: Walkthrough, language: str) -> Page:
    """The outcome, steps left open with their reasons, receipts, and the proof of a retry."""
    from vmbackup.pages import remedies as pages

    blocks: list[Block] = [Heading(catalog.text("guide.summary", language)), outcome(way, language)]
    if way.skipped:
        header = [catalog.text(f"guide.{key}", language) for key in ("left_open", "reason", "when")]
        rows = [
            [cause_title(cause, language), skip.reason, clock.local(skip.at)] for cause, skip in way.skipped.items()
        ]
        blocks.append(Table(header, rows))
    if way.pasted_at:
        blocks.append(Paragraph(catalog.text("guide.was_pasted", language, when=clock.local(way.pasted_at))))
    for receipt in way.run.receipts:
        blocks += pages.receipt(receipt, language).blocks
    if way.run.proof is not None:
        blocks += pages.proof(way.run.proof, language).blocks
    if way.went_on:
        blocks.append(Paragraph(catalog.text("guide.cells_are_older", language)))
    return Page(blocks)


def whole(way: Walkthrough, language: str) -> Page:
    """The tool as one page, for every viewer without buttons: card, causes, what changed, load, summary."""
    evidence = way.run.evidence
    if not evidence:
        return Page([Paragraph(catalog.text("guide.nothing_collected", language))])
    walked = way.walk()
    rows = [
        [
            word(step.verdict, language),
            f"{step.number}. {cause_title(step.cause, language)}",
            sentence(heaviest(step), evidence, language),
        ]
        for step in walked.steps
    ]
    header = [catalog.text(f"label.{key}", language) for key in ("verdict", "cause", "finding")]
    return Page(
        [
            *card.page(way.run.target, evidence, language).blocks,
            Table(header, rows, [step.verdict for step in walked.steps]),
            *timeline.page(evidence, language).blocks,
            *plot.page(evidence, language).blocks,
            *page(way, language).blocks,
        ]
    )


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
