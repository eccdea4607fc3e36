"""Where a failure belongs: from an integer code, a string code or a message to the section and its runbook. Pure.

A code weighs more than an integer, an integer more than a whole message, a whole message more than a part of one. When
two sections are as likely as each other, no section is named and the candidates say which they are.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from vmbackup import catalog
from vmbackup.facts.azure import FailedJob
from vmbackup.failures.matching import holds, likeness, plain, readable

GENERAL_SECTION = "internal_error"

_CODE, _INTEGER, _MESSAGE, _PART, _ALIKE = 1.0, 0.95, 0.9, 0.75, 0.85
_GENERAL_LOSES = 0.02
_ALSO_LOSES = 0.1
_CLEARLY = 0.015
_CLEARLY_ALIKE = 0.05
# These say only that something failed: any other code beside them says more.
_GENERAL_CODES = {"usererrorcrpreportedusererror", "usererrorcrpreportedusererrorforvmsnapshot"}
_LEAST_LIKENESS = 0.86
_LEAST_CODE_LIKENESS = 0.94
_MOST_LINES, _LONGEST_LINE, _LONGEST_COMPARED = 60, 600, 50_000
# Of a larger text only beginning and end are read for messages; for codes all of it is.
_LONGEST_READ = 1_000_000
_MOST_CANDIDATES = 8

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]{7,199}")
_NUMBER = re.compile(r"(?<![\w.,/-])\d{5,10}(?![\w/-])(?![.,]\d)")
_LABEL_BEFORE = re.compile(r"^(?:error|fehler|status)?(?:code|title|titel)", re.IGNORECASE)
_LABEL_AFTER = re.compile(r"(?:error|fehler)?(?:message|meldung|title|titel|details?)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One place where a failure may belong. ``section`` None: a code that is none of the runbooks' own.

    ``matched_by`` is ``code``, ``integer``, ``message`` or ``partial``; ``matched`` the code or message of the
    catalogue that was recognised, never the text that was given; ``score`` 0 to 1.
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


@dataclass(frozen=True, slots=True)
class _Known:
    """One code of the catalogue and all that names it. ``messages`` are pairs of the message and its plain form."""

    code: str
    section: str | None
    cause: str | None
    integers: tuple[int, ...]
    messages: tuple[tuple[str, str], ...]
    also: str | None = None

    @property
    def general(self) -> bool:
        return self.section == GENERAL_SECTION and self.cause is None or self.code.lower() in _GENERAL_CODES

    def candidates(self, score: float, matched_by: str, matched: str) -> Iterator[Candidate]:
        """Its section, and behind it the other one that the code fits too."""
        score -= _GENERAL_LOSES if self.general else 0.0
        yield Candidate(self.section, self.cause, round(score, 3), matched_by, matched)
        if self.also:
            yield Candidate(self.also, self.cause, round(score - _ALSO_LOSES, 3), matched_by, matched)


def triage(failure: str | int) -> Triage:
    """Sort a failure given as an integer code, a string code, a message or a whole pasted page."""
    text = readable(str(failure))
    found = [*_by_code(text), *_by_integer(text), *_by_message(text)]
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


# --- what the catalogue knows --------------------------------------------------------------------------------------


@cache
def _known() -> tuple[_Known, ...]:
    entries: list[_Known] = []
    for section, entry in catalog.sections().items():
        codes, integers, messages = entry["codes"], tuple(entry["integers"]), _messages(entry)
        entries.append(_Known(codes[0], section, None, integers, messages))
        entries += [_Known(code, section, None, (), ()) for code in codes[1:]]
    for code, entry in catalog.codes().items():
        where = entry["section"], entry["cause"], tuple(entry["integers"]), _messages(entry)
        entries.append(_Known(code, *where, entry.get("also")))
    return tuple(entries)


def _messages(entry: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    titles = [entry["title"][language] for language in catalog.LANGUAGES] if "title" in entry else []
    every = [*titles, *(message for language in catalog.LANGUAGES for message in entry["messages"][language])]
    return tuple((message, plain(message)) for message in dict.fromkeys(every))


@cache
def _codes() -> dict[str, _Known]:
    return {known.code.lower(): known for known in _known()}


@cache
def _integers() -> dict[int, _Known]:
    return {integer: known for known in _known() for integer in known.integers}


# --- four ways to recognise ----------------------------------------------------------------------------------------


def _by_code(text: str) -> Iterator[Candidate]:
    words = dict.fromkeys(word.lower() for word in _WORD.findall(text))
    named = [known for word in words for known in [_code(word)] if known]
    if not named and len(text) <= _LONGEST_COMPARED:
        named = _broken_codes(text)
    for known in named:
        yield from known.candidates(_CODE, "code", known.code)
    if not named and len(text) <= _LONGEST_COMPARED:
        for word in list(words)[:500]:
            close = difflib.get_close_matches(word, _codes(), 1, _LEAST_CODE_LIKENESS) if len(word) >= 16 else []
            if close:
                yield from _codes()[close[0]].candidates(_ALIKE, "partial", _codes()[close[0]].code)


def _code(word: str) -> _Known | None:
    """The code that this word is, also where the label before or after it was copied along without a space."""
    codes = _codes()
    bare = _LABEL_BEFORE.sub("", word)
    return codes.get(word) or codes.get(bare) or codes.get(_LABEL_AFTER.sub("", bare))


def _broken_codes(text: str) -> list[_Known]:
    """Long codes that a line end, a space or a quote mark has cut in two."""
    joined = re.sub(r"[^A-Za-z0-9]+", "", text)
    long = [known for known in _known() if len(known.code) >= 20 and known.code in joined and not known.general]
    return [each for each in long if not any(each.code != other.code and each.code in other.code for other in long)]


def _by_integer(text: str) -> Iterator[Candidate]:
    known_integers = _integers()
    whole = text.strip()
    numbers = [whole] if whole.isdecimal() and len(whole) <= 10 else _NUMBER.findall(text)
    for number in dict.fromkeys(numbers):
        known = known_integers.get(int(number))
        if known:
            yield from known.candidates(_INTEGER, "integer", str(int(number)))


def _by_message(text: str) -> Iterator[Candidate]:
    """Whole messages, the longest first: a message that is part of a longer one does not count beside it."""
    words = plain(text if len(text) <= _LONGEST_READ else text[: _LONGEST_READ // 2] + text[-_LONGEST_READ // 2 :])
    by_form: dict[str, list[Candidate]] = {}
    for known in _known():
        for message, form in known.messages:
            by_form.setdefault(form, []).extend(known.candidates(_MESSAGE, "message", message))
    for form in sorted(by_form, key=len, reverse=True):
        if holds(words, form):
            words = f" {words} ".replace(f" {form} ", " | ")
            yield from by_form[form]


def _by_likeness(text: str) -> Iterator[Candidate]:
    """A message that was cut off, or mistyped."""
    short = text[:_LONGEST_COMPARED]
    lines = [line for line in short.splitlines() if len(line) <= _LONGEST_LINE][:_MOST_LINES]
    if len(short) <= _LONGEST_LINE:
        lines.append(short)
    for line in dict.fromkeys(line.strip() for line in lines):
        words = plain(line)
        if len(words) < 12:
            continue
        cut = line.rstrip(' "“”»«)').endswith(("…", "..."))
        for known in _known():
            for message, form in known.messages:
                score = _part(words, form, cut)
                if score:
                    yield from known.candidates(score, "partial", message)


def _part(words: str, form: str, cut: bool) -> float:
    count = len(words.split())
    if cut and count >= 3 and form.startswith(words):
        return _PART
    if count >= 4 and holds(form, words) and len(words) >= 20:
        return _PART
    alike = likeness(words, form)
    return _ALIKE * alike if alike >= _LEAST_LIKENESS else 0.0
