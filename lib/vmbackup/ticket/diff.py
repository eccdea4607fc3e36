"""Two runs of a VM side by side: verdicts and facts that differ."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vmbackup import catalog
from vmbackup.catalog.words import cause_title, sentence
from vmbackup.model import AzureSource, Fact, Language, Step
from vmbackup.pages.blocks import Block, Heading, Page, Paragraph, Table
from vmbackup.pages.step import heaviest, step_word
from vmbackup.parameters import Parameters
from vmbackup.runs.evidence import load_evidence
from vmbackup.runs.reopen import reopened
from vmbackup.runs.state import State
from vmbackup.ticket import reading

_LONGEST = 300


def opened(place: str, language: str) -> State:
    """The run in a run folder, a bundle or an evidence file. Raises SetupError."""
    if Path(place).is_dir():
        return reopened(place, language)
    if reading.is_bundle(place):
        return reading.read(place, language).state
    target, evidence = load_evidence(place)
    return State(Parameters(azure=AzureSource.REPLAY, language=Language(language)), None, target, evidence)


def page(first: State, second: State, language: str) -> Page:
    """What differs between two runs, in the first one's order of causes."""
    blocks: list[Block] = []
    if first.target.vm_id.lower() != second.target.vm_id.lower():
        vms = {"first": first.target.vm_id, "second": second.target.vm_id}
        blocks.append(Paragraph(catalog.text("ticket.other_vms", language, **vms)))
    verdicts, facts = _verdicts(first, second, language), _facts(first, second, language)
    for key, label, rows in (("verdicts_differ", "label.cause", verdicts), ("facts_differ", "ticket.fact", facts)):
        if rows:
            header = [catalog.text(each, language) for each in (label, "ticket.first", "ticket.second")]
            blocks += [Heading(catalog.text(f"ticket.{key}", language)), Table(header, rows)]
    if not verdicts and not facts:
        blocks.append(Paragraph(catalog.text("ticket.nothing_differs", language)))
    return Page(blocks)


def _verdicts(first: State, second: State, language: str) -> list[list[str]]:
    before = {step.cause: step for step in first.diagnosis_of(first.evidence).steps}
    after = {step.cause: step for step in second.diagnosis().steps}
    return [
        [cause_title(cause, language), _said(before[cause], first, language), _said(after[cause], second, language)]
        for cause in before
        if cause in after and before[cause].verdict is not after[cause].verdict
    ]


def _said(step: Step, state: State, language: str) -> str:
    return f"{step_word(step, language)}: {sentence(heaviest(step), state.evidence, language)}"


def _facts(first: State, second: State, language: str) -> list[list[str]]:
    """Times and requests differ in every run; only the data count."""
    names = sorted({*first.evidence, *second.evidence})
    pairs = [(name, first.evidence.get(name), second.evidence.get(name)) for name in names]
    rows = []
    for name, old, new in pairs:
        for part, before, after in _parts(name, old, new):
            rows.append([part, before, after])
    return rows


def _parts(name: str, old: Fact | None, new: Fact | None) -> list[tuple[str, str, str]]:
    """The fields of a fact that differ; the whole fact where it has none on both sides."""
    before, after = old.data if old else None, new.data if new else None
    if isinstance(before, dict) and isinstance(after, dict):
        keys = [key for key in {**before, **after} if before.get(key) != after.get(key)]
        return [(f"{name}.{key}", _short(before.get(key)), _short(after.get(key))) for key in keys if key != "age_s"]
    same = before == after and (old.status if old else None) == (new.status if new else None)
    return [] if same else [(name, _whole(old), _whole(new))]


def _whole(fact: Fact | None) -> str:
    return "–" if fact is None else _short(fact.data) if fact.data is not None else str(fact.status)


def _short(value: Any) -> str:
    words = json.dumps(value, ensure_ascii=False)
    return words if len(words) <= _LONGEST else f"{words[:_LONGEST]}…"
