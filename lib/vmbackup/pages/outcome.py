"""The result of a run: the outcome, every cause, what was changed, what was left open and why, and the proof. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vmbackup import catalog, clock
from vmbackup.catalog.signatures import Strength
from vmbackup.catalog.words import cause_title, sentence
from vmbackup.diagnosis import Diagnosis, Outcome
from vmbackup.failures.signatures import Sign
from vmbackup.model import Evidence, Step, Verdict, data_of
from vmbackup.pages import load, overview, remedies, timeline
from vmbackup.pages.blocks import Block, Heading, Page, Paragraph, Table, VerdictBanner
from vmbackup.pages.step import PENDING, actions, heaviest, step_word
from vmbackup.remedies.plan import Plan
from vmbackup.runs.state import State

_VERDICTS = {Outcome.CAUSE_FOUND: Verdict.PROBLEM, Outcome.NO_CAUSE_FOUND: Verdict.OK}


def outcome(state: State) -> VerdictBanner:
    """The outcome as one line."""
    diagnosis = state.diagnosis()
    if state.awaited:
        return _outcome_so_far(state, diagnosis)
    title = catalog.text(f"outcome.{diagnosis.outcome}", state.language)
    words = outcome_sentence(diagnosis, state.evidence, state.language)
    if diagnosis.probable is None:
        words = _with_sign(words, diagnosis, state.language)
    return VerdictBanner(_VERDICTS.get(diagnosis.outcome, Verdict.UNKNOWN), title, words)


def _outcome_so_far(state: State, diagnosis: Diagnosis) -> VerdictBanner:
    language, words = state.language, catalog.text("guide.not_yet", state.language)
    if seen := next((step for step in diagnosis.steps if step.verdict is Verdict.PROBLEM), None):
        finding = sentence(heaviest(diagnosis.probable or seen), state.evidence, language)
        words = catalog.text("guide.found_so_far", language, finding=finding)
    return VerdictBanner(PENDING, catalog.text("guide.checking", language), words)


def outcome_sentence(diagnosis: Diagnosis, evidence: Evidence, language: str) -> str:
    """The outcome in words: the finding first, for a cause's title may say more than was seen."""
    cause = cause_title(diagnosis.next.cause, language) if diagnosis.next else ""
    if diagnosis.probable and diagnosis.weight:
        finding = sentence(heaviest(diagnosis.probable), evidence, language).rstrip(".")
        weight = catalog.text(f"outcome.weight.{diagnosis.weight}", language)
        return catalog.text("outcome.said_cause_found", language, finding=finding, weight=weight, cause=cause)
    symptom = next((step for step in diagnosis.steps if step.verdict is Verdict.PROBLEM), None)
    if symptom:
        finding = sentence(heaviest(symptom), evidence, language)
        return catalog.text("outcome.said_symptom", language, finding=finding, cause=cause)
    count = sum(step.verdict is Verdict.UNKNOWN for step in diagnosis.steps)
    return catalog.text(f"outcome.said_{diagnosis.outcome}", language, cause=cause, count=count)


def _with_sign(said: str, diagnosis: Diagnosis, language: str) -> str:
    """The sentence, and after it what Azure or a log said that no cause explains."""
    quoted = min((sign for sign in diagnosis.signs if sign.text), key=_by_strength, default=None)
    if quoted is None:
        return said
    where = catalog.text(f"sign.place.{quoted.where}", language)
    return catalog.text("outcome.said_sign", language, sentence=said.rstrip("."), where=where, text=quoted.text)


def _by_strength(sign: Sign) -> int:
    return list(Strength).index(sign.strength)


def next_actions(state: State) -> list[str]:
    """What to do next, with Azure's own recommendation where the cause is open; nothing where nothing failed."""
    diagnosis, language = state.diagnosis(), state.language
    if diagnosis.next is None or diagnosis.outcome is Outcome.NO_CAUSE_FOUND:
        return []
    own = actions(diagnosis.next, state.evidence, language)
    return own if diagnosis.probable else [*own, *_recommended(state)]


def _recommended(state: State) -> list[str]:
    job = data_of(state.evidence, "backup.failed_job")
    texts = dict.fromkeys(text for error in (job or {}).get("errors") or [] for text in error["recommendations"])
    return [catalog.text("action.azure_recommends", state.language, text=text) for text in texts]


def headline(state: State, begun: Iterable[Plan] = (), notices: Iterable[str] = ()) -> Page:
    """The outcome; above it notices about the run folder, what an earlier run did not finish, and what a backup
    proved."""
    proof = remedies.proof(state.proof, state.language).blocks if state.proof else []
    proved = [block for block in proof if isinstance(block, VerdictBanner)]
    interrupted = remedies.interrupted(begun, state.language).blocks
    return Page([*map(Paragraph, notices), *interrupted, *proved, outcome(state)])


def summary(state: State) -> Page:
    """What was done: steps left open with their reasons, receipts, the proof of a backup; empty where nothing was."""
    language, blocks = state.language, list[Block]()
    if state.skipped:
        header = [catalog.text(f"guide.{key}", language) for key in ("left_open", "reason", "when")]
        rows = [
            [cause_title(name, language), skip.reason, clock.local(skip.at)] for name, skip in state.skipped.items()
        ]
        blocks.append(Table(header, rows))
    if state.pasted_at:
        blocks.append(Paragraph(catalog.text("guide.was_pasted", language, when=clock.local(state.pasted_at))))
    for receipt in state.receipts:
        blocks += remedies.receipt(receipt, language).blocks
    if state.proof is not None:
        blocks += remedies.proof(state.proof, language).blocks
    return Page([Heading(catalog.text("guide.summary", language)), *blocks] if blocks else [])


def whole(state: State) -> Page:
    """The guided tool as one page, for every viewer without buttons: VM, causes, what changed, load, summary."""
    language = state.language
    if state.awaited or not state.evidence:
        key = "waits" if state.awaited else "nothing_collected"
        return Page([Paragraph(catalog.text(f"guide.{key}", language))])
    return Page(
        [
            outcome(state),
            *overview.page(state.target, state.evidence, language).blocks,
            causes(state, state.diagnosis().steps),
            *timeline.page(state.evidence, language).blocks,
            *load.page(state.evidence, language).blocks,
            *summary(state).blocks,
        ]
    )


def result(state: State) -> Page:
    """How the run ended, every cause in one table, what is missing, and where everything is saved."""
    language, denied = state.language, state.diagnosis().denied
    blocks: list[Block] = [outcome(state), causes(state, state.diagnosis().steps)]
    if denied:
        blocks.append(Paragraph(", ".join(denied), catalog.text("label.rights", language) + ":"))
    blocks += [Paragraph(action, catalog.text("label.next", language)) for action in next_actions(state)]
    blocks.append(Paragraph(catalog.text("action.retry", language)))
    blocks.append(Paragraph(state.folder, catalog.text("label.saved", language) + ":"))
    return Page(blocks)


def causes(state: State, steps: Sequence[Step]) -> Table:
    """These causes, each with its verdict and the finding that decided it."""
    language = state.language
    header = [catalog.text(f"label.{label}", language) for label in ("verdict", "cause", "finding")]
    added = f" ({catalog.text('label.addition', language)})"
    rows = [
        [
            step_word(step, language),
            f"{step.number}. {cause_title(step.cause, language)}{added if step.addition else ''}",
            sentence(heaviest(step), state.evidence, language),
        ]
        for step in steps
    ]
    return Table(header, rows, [step.verdict for step in steps])
