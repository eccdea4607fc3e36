"""Recognises the signatures in one text, code or number. Pure, and linear in the length of the text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from vmbackup.catalog.signatures import PLACES, Signature, Strength, signatures
from vmbackup.failures.matching import normalize, unescape

# Of a larger text only beginning and end are read for messages; for codes all of it is.
_LONGEST_READ = 1_000_000
_LONGEST_LOG = 200_000
_LONGEST_LINE = 2_000
# A diagnosis reads each message and status for several causes.
_REMEMBERED = 256
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]{7,199}")
_NUMBER = re.compile(r"(?<![\w.,/-])\d{5,10}(?![\w/-])(?![.,]\d)")
_LABEL_BEFORE = re.compile(r"^(?:error|fehler|status)?(?:code|title|titel)", re.IGNORECASE)
_LABEL_AFTER = re.compile(r"(?:error|fehler)?(?:message|meldung|title|titel|details?)$", re.IGNORECASE)
# A code alone in its line, or after a label: "Error code: CODE", {"code":"CODE"}.
_ALONE = re.compile(r"\W*(?:[A-Za-z ]{1,24}\W{1,4})?CODE\W*")
_OF_AZURE_BACKUP = re.compile(r"(?:BMS)?(?:User|System)Error|Extension|Failed")
_OF_A_FAILURE = re.compile(
    r"Error|Fail|Not[A-Z]|Unsupported|Invalid|Limit|Exceeded|Denied|Disallowed|Time(?:d)?[Oo]ut|Missing|Conflict|Locked"
)
_CAPITAL = re.compile(r"[A-Z]")


@dataclass(frozen=True, slots=True)
class Match:
    """A signature found in a text. ``by``: ``code``, ``integer``, ``status``, ``message``, ``pattern`` or ``guess``;
    ``matched`` is the table's own code, number or message, ``line`` the line of the text where that can be told."""

    signature: Signature
    by: str
    matched: str
    line: str = ""


def recognise(said: str | int, where: str | None = None) -> list[Signature]:
    """The signatures that this text, code or number shows at this place (None: anywhere), each once."""
    return list({match.signature.id: match.signature for match in matches(said, where)}.values())


def matches(said: str | int, where: str | None = None) -> list[Match]:
    """Every way in which this text, code or number shows a signature."""
    return list(_matches(str(said), where))


@lru_cache(_REMEMBERED)
def _matches(said: str, where: str | None) -> tuple[Match, ...]:
    text = unescape(said)
    found = [*_by_code(text), *_by_number(text, where), *_by_message(text, where), *_by_pattern(text, where)]
    if all(match.signature.strength is Strength.WRAPPER for match in found):
        found += _by_words_inside(text)
    return tuple(found)


def code_words(text: str) -> list[str]:
    """The different words of a text that are long enough for a code, in their order."""
    return list(dict.fromkeys(_WORD.findall(text)))


def known_code(word: str) -> Signature | None:
    """The signature whose code this word is, also where a label was copied along without a space."""
    bare = _LABEL_BEFORE.sub("", word)
    candidates = (word, bare, _LABEL_AFTER.sub("", bare))
    return next((found for each in candidates if (found := _codes().get(each.lower()))), None)


def spelling(signature: Signature, word: str) -> str:
    """The signature's own spelling of a code that occurs in this word."""
    lowered = word.lower()
    return next((code for code in signature.codes if code.lower() in lowered), "")


def _by_code(text: str) -> Iterator[Match]:
    for word in code_words(text):
        signature = known_code(word)
        if signature is None:
            continue
        line = _line_of(word, text)
        if not signature.ordinary or _ALONE.fullmatch(line.replace(word, "CODE", 1)):
            yield Match(signature, "code", spelling(signature, word), line)


def _by_number(text: str, where: str | None) -> Iterator[Match]:
    whole = text.strip()
    alone = whole.isdecimal() and len(whole) <= 10
    numbers = dict.fromkeys(int(number) for number in ([whole] if alone else _NUMBER.findall(text)))
    for number in numbers:
        if where != "extension" and number in _integers():
            yield Match(_integers()[number], "integer", str(number))
        elif alone and where in ("extension", None) and number in _statuses():
            yield Match(_statuses()[number], "status", str(number))


def _by_message(text: str, where: str | None) -> Iterator[Match]:
    """The longest words first: words that are part of longer ones do not count beside them."""
    words = f" {normalize(_both_ends(text, _LONGEST_READ))} "
    for form, entries in _messages():
        if f" {form} " in words:
            words = words.replace(f" {form} ", " | ")
            for signature, message in entries:
                if where is None or where in signature.places:
                    yield Match(signature, "message", message)


def _by_pattern(text: str, where: str | None) -> Iterator[Match]:
    read = _both_ends(text, _LONGEST_LOG)
    for id, patterns in patterns_at(*((where,) if where else PLACES)).items():
        hit = next(_hits(patterns, read), None)
        if hit is not None:
            yield Match(signatures()[id], "pattern", id, hit)


def lines_at(text: str, *places: str) -> Iterator[tuple[str, str]]:
    """``(id, line)`` of every line of a log in which a signature of one of these places shows."""
    for id, patterns in patterns_at(*places).items():
        for line in _hits(patterns, text):
            yield id, line


def _hits(patterns: Sequence[re.Pattern[str]], text: str) -> Iterator[str]:
    """The lines in which all patterns match."""
    found = patterns[0].search(text)
    while found:
        start, end = _line_around(found.start(), text)
        line = text[start:end]
        if all(pattern.search(line) for pattern in patterns):
            yield line.strip()
        found = patterns[0].search(text, max(end, found.end()))


def _by_words_inside(text: str) -> Iterator[Match]:
    """Guesses what a code that nobody knows is about, by the longest known word inside it."""
    for word in code_words(text):
        if known_code(word) or not _is_like_a_code(word):
            continue
        inside = next((pair for pair in _inside() if pair[0].search(word)), None)
        if inside is not None:
            yield Match(inside[1], "guess", inside[0].pattern.partition("(")[0], _line_of(word, text))


def _is_like_a_code(word: str) -> bool:
    """Whether this is written like one of Azure's codes: at least three words in one, and about a failure."""
    if not (_OF_AZURE_BACKUP.match(word) or _OF_A_FAILURE.search(word)):
        return False
    return word[0].isupper() and len(_CAPITAL.findall(word)) >= 3


def _both_ends(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest // 2]}\n{text[-longest // 2 :]}"


def _line_of(word: str, text: str) -> str:
    start, end = _line_around(text.find(word), text)
    return text[start:end].strip()


def _line_around(place: int, text: str) -> tuple[int, int]:
    """Beginning and end of the line at this place; of a line without end only what is near."""
    near, far = max(0, place - _LONGEST_LINE), place + _LONGEST_LINE
    start = max(text.rfind("\n", near, place) + 1, near)
    end = text.find("\n", place, far)
    return start, min(far, len(text)) if end < 0 else end


# --- the table, by what is looked for ------------------------------------------------------------------------------


@cache
def _codes() -> dict[str, Signature]:
    return {code.lower(): signature for signature in signatures().values() for code in signature.codes}


@cache
def _integers() -> dict[int, Signature]:
    return {integer: signature for signature in signatures().values() for integer in signature.integers}


@cache
def _statuses() -> dict[int, Signature]:
    return {status: signature for signature in signatures().values() for status in signature.statuses}


@cache
def _messages() -> list[tuple[str, list[tuple[Signature, str]]]]:
    by_form: dict[str, list[tuple[Signature, str]]] = {}
    for signature in signatures().values():
        for message in signature.messages:
            by_form.setdefault(normalize(message.distinguishing), []).append((signature, message.text))
    return sorted(by_form.items(), key=lambda each: -len(each[0]))


@cache
def patterns_at(*places: str) -> Mapping[str, tuple[re.Pattern[str], ...]]:
    """The patterns of the signatures that are looked for at one of these places, by id; all of one id must match."""
    wanted = [each for each in signatures().values() if each.patterns and each.places.intersection(places)]
    return {each.id: tuple(map(re.compile, each.patterns)) for each in wanted}


@cache
def _inside() -> list[tuple[re.Pattern[str], Signature]]:
    words = [(word, signature) for signature in signatures().values() for word in signature.inside]
    return [(re.compile(f"{word}(?![a-z])"), each) for word, each in sorted(words, key=lambda pair: -len(pair[0]))]
