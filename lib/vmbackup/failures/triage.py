"""Where a failure belongs: from an integer code, a string code or a message to the section and its runbook. Pure.

A code weighs more than an integer, an integer more than a whole message, a whole message more than a part of one, and
all of them more than a guess from the words inside a code that nobody knows. When two sections are as likely as each
other, no section is named and the candidates say which they are.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from vmbackup import catalog
from vmbackup.catalog.signatures import Signature, Strength, signatures
from vmbackup.facts.backup import FailedJob
from vmbackup.failures.matching import contains, normalize, similarity, unescape
from vmbackup.failures.recognition import code_words, matches

GENERAL_SECTION = "internal_error"

_SCORE = {"code": 1.0, "integer": 0.95, "status": 0.95, "message": 0.9, "pattern": 0.8, "guess": 0.6}
_PART, _ALIKE = 0.75, 0.85
# What only says that something failed: any other sign beside it says more.
_WRAPPER_LOSES = 0.02
_ALSO_LOSES = 0.1
_CLEARLY = 0.015
_CLEARLY_ALIKE = 0.05
_LEAST_LIKENESS = 0.86
_LEAST_CODE_LIKENESS = 0.94
_MOST_LINES, _LONGEST_LINE, _LONGEST_COMPARED = 60, 600, 50_000
_MOST_CANDIDATES = 8


@dataclass(frozen=True, slots=True)
class Candidate:
    """One place where a failure may belong. ``section`` None: a code that is none of the runbooks' own.

    ``matched_by`` is ``code``, ``integer``, ``message``, ``pattern``, ``partial`` or ``guess``; ``matched`` what the
    catalogue has of it (a code, a message, a word inside a code), never the text that was given; ``score`` 0 to 1.
    """

    section: str | None
    cause: str | None
    score: float
    matched_by: str
    matched: str


@dataclass(frozen=True, slots=True)
class Triage:
    """The section where a failure clearly belongs, else None; candidates best first, none when nothing is known."""

    section: str | None
    candidates: tuple[Candidate, ...] = ()


def section_of(*failures: str | int | None) -> str:
    """The section that the first of these codes and messages belongs to that belongs to one; else the general one."""
    triaged = (triage(failure).section for failure in failures if failure)
    return next(filter(None, triaged), GENERAL_SECTION)


def triage(failure: str | int) -> Triage:
    """Sort a failure given as an integer code, a string code, a message or a whole pasted page."""
    text = unescape(str(failure))
    found = list(_recognised(text))
    if len(text) <= _LONGEST_COMPARED and not any(each.matched_by == "code" for each in found):
        found += _damaged_codes(text)
    return _decided(found or list(_by_likeness(text)))


def triage_job(job: FailedJob) -> Triage:
    """Sort a failed job by everything it says about its errors."""
    said: list[str] = []
    for error in job["errors"]:
        said += [str(word) for word in (error["title"], error["code"], error["text"]) if word is not None]
    return triage("\n".join([*said, job["dynamic_message"] or ""]))


def as_json(triaged: Triage) -> dict[str, Any]:
    """``{"section", "candidates": [{section, cause, score, matched_by, matched, notebook}]}``; where a candidate has no
    section, ``notebook`` is the one of the general walk."""
    sections = catalog.sections()
    rows = [
        {
            "section": candidate.section,
            "cause": candidate.cause,
            "score": candidate.score,
            "matched_by": candidate.matched_by,
            "matched": candidate.matched,
            "notebook": sections[candidate.section or GENERAL_SECTION]["notebook"],
        }
        for candidate in triaged.candidates
    ]
    return {"section": triaged.section, "candidates": rows}


def _decided(found: Iterable[Candidate]) -> Triage:
    best: dict[tuple[str | None, str | None], Candidate] = {}
    for candidate in found:
        place = (candidate.section, candidate.cause)
        if place not in best or candidate.score > best[place].score:
            best[place] = candidate
    ranked = sorted(best.values(), key=lambda each: -each.score)[:_MOST_CANDIDATES]
    if not ranked:
        return Triage(None)
    first = ranked[0]
    clearly = _CLEARLY_ALIKE if first.matched_by == "partial" else _CLEARLY
    rivals = [each for each in ranked if each.section != first.section and first.score - each.score < clearly]
    return Triage(None if rivals else first.section, tuple(ranked))


# --- what the table recognises -------------------------------------------------------------------------------------


def _recognised(text: str) -> Iterator[Candidate]:
    for match in matches(text):
        # A small number alone may be anything: only a status that belongs to a runbook counts.
        if match.by != "status" or match.signature.sections:
            by = "integer" if match.by == "status" else match.by
            yield from _candidates(match.signature, _SCORE[match.by], by, match.matched)


def _candidates(signature: Signature, score: float, matched_by: str, matched: str) -> Iterator[Candidate]:
    """Its sections, and behind them those that it fits too."""
    score -= _WRAPPER_LOSES if signature.strength is Strength.WRAPPER else 0.0
    for section in signature.sections or (None,):
        yield Candidate(section, signature.cause, round(score, 3), matched_by, matched)
    for section in signature.also:
        yield Candidate(section, signature.cause, round(score - _ALSO_LOSES, 3), matched_by, matched)


# --- what was cut off, mistyped or torn apart ----------------------------------------------------------------------


@cache
def _codes() -> dict[str, tuple[str, Signature]]:
    return {code.lower(): (code, signature) for signature in signatures().values() for code in signature.codes}


def _damaged_codes(text: str) -> Iterator[Candidate]:
    """Long codes that a line end, a space or a quote mark has cut in two, else codes with a letter wrong."""
    broken = _broken_codes(text)
    for code, signature in broken:
        yield from _candidates(signature, _SCORE["code"], "code", code)
    for word in [] if broken else code_words(text)[:500]:
        close = difflib.get_close_matches(word.lower(), _codes(), 1, _LEAST_CODE_LIKENESS) if len(word) >= 16 else []
        if close:
            code, signature = _codes()[close[0]]
            yield from _candidates(signature, _ALIKE, "partial", code)


def _broken_codes(text: str) -> list[tuple[str, Signature]]:
    joined = re.sub(r"[^A-Za-z0-9]+", "", text)
    long = [(code, signature) for code, signature in _codes().values() if len(code) >= 20 and code in joined]
    return [each for each in long if not any(each[0] != other and each[0] in other for other, _ in long)]


def _by_likeness(text: str) -> Iterator[Candidate]:
    """A message that was cut off, or mistyped."""
    short = text[:_LONGEST_COMPARED]
    lines = [line for line in short.splitlines() if len(line) <= _LONGEST_LINE][:_MOST_LINES]
    if len(short) <= _LONGEST_LINE:
        lines.append(short)
    for line in dict.fromkeys(line.strip() for line in lines):
        words = normalize(line)
        if len(words) < 12:
            continue
        cut = line.rstrip(' "“”»«)').endswith(("…", "..."))
        for signature, message, form in _forms():
            score = _part(words, form, cut)
            if score:
                yield from _candidates(signature, score, "partial", message)


@cache
def _forms() -> list[tuple[Signature, str, str]]:
    """Every message as a whole, with its plain form."""
    return [
        (each, message.text, normalize(message.text)) for each in signatures().values() for message in each.messages
    ]


def _part(words: str, form: str, cut: bool) -> float:
    count = len(words.split())
    if cut and count >= 3 and form.startswith(words):
        return _PART
    if count >= 4 and contains(form, words) and len(words) >= 20:
        return _PART
    alike = similarity(words, form)
    return _ALIKE * alike if alike >= _LEAST_LIKENESS else 0.0
