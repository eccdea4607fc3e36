"""Recognises the signs of a failure, wherever they show, by the one table ``catalog/data/signatures.yaml``. Pure.

``signs`` reads everything in the evidence that Azure, the agent, the extension and the logs said; ``recognise`` reads
one text. What nobody knows is a sign too: an error text or a status code that is in no list comes back as
``unrecognised``. Whether a sign still stands (newer than the last good backup, or without a time) the diagnosis says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from vmbackup.catalog.signatures import Signature, Strength, signatures
from vmbackup.facts.azure import FailedJob, Job, JobError, ProtectedItem
from vmbackup.failures.jobs import went_wrong
from vmbackup.failures.matching import plain, readable
from vmbackup.model import Evidence, FactStatus

UNRECOGNISED = "unrecognised"

FACTS_OF: Mapping[str, tuple[str, ...]] = {
    "job": ("backup.failed_job", "backup.jobs"),
    "health": ("backup.item",),
    "extension": ("vm.extensions", "vm.handlers", "guest.extension"),
    "agent": ("vm.agent",),
    "platform": ("vm.power",),
    "agent_log": ("guest.logs",),
    "extension_log": ("guest.logs",),
    "serial": ("guest.serial_log",),
    "event": ("guest.crashes", "guest.application_control"),
}
"""Which facts show the signs of a place. An answer of Run Command is no fact of its own."""

# Of a larger text only beginning and end are read for messages; for codes all of it is.
_LONGEST_READ = 1_000_000
_LONGEST_LOG = 200_000
_LONGEST_LINE = 2_000
_LONGEST_QUOTE = 300
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]{7,199}")
_NUMBER = re.compile(r"(?<![\w.,/-])\d{5,10}(?![\w/-])(?![.,]\d)")
_LABEL_BEFORE = re.compile(r"^(?:error|fehler|status)?(?:code|title|titel)", re.IGNORECASE)
_LABEL_AFTER = re.compile(r"(?:error|fehler)?(?:message|meldung|title|titel|details?)$", re.IGNORECASE)
# A code alone in its line, or after a label: "Error code: CODE", {"code":"CODE"}.
_ALONE = re.compile(r"\W*(?:[A-Za-z ]{1,24}\W{1,4})?CODE\W*")
# A word that is written like one of Azure's codes: at least three words in one, as UserErrorSomething.
_LIKE_A_CODE = re.compile(
    r"(?:UserError|BMSUserError|SystemError|Extension|Failed|VM|Vm|BCM|Cloud|Disk|Restore|Snapshot|GuestAgent|Backup|IaasVm)"
    r"(?:[A-Z][A-Za-z0-9]*){2}"
)


@dataclass(frozen=True, slots=True)
class Match:
    """A signature found in a text. ``by``: ``code``, ``integer``, ``status``, ``message``, ``pattern`` or ``guess``;
    ``matched`` is the table's own code, number or message, ``line`` the line of the text where that can be told."""

    signature: Signature
    by: str
    matched: str
    line: str = ""


@dataclass(frozen=True, slots=True)
class Sign:
    """One sign in the evidence. ``id`` is a signature's, or ``unrecognised``; ``where`` is the place, or ``pasted``;
    ``text`` quotes what was said (shortened, untrusted); ``time`` is ISO 8601 UTC, None where nobody said; ``code`` is
    the code by which it was recognised; ``guessed``: only from the words inside a code that nobody knows."""

    id: str
    where: str
    text: str
    time: str | None
    causes: tuple[str, ...]
    strength: Strength
    code: str = ""
    guessed: bool = False


# --- one text ------------------------------------------------------------------------------------------------------


def recognise(said: str | int, where: str | None = None) -> list[Signature]:
    """The signatures that this text, code or number shows at this place (None: anywhere), each once."""
    return list({match.signature.id: match.signature for match in matches(said, where)}.values())


def matches(said: str | int, where: str | None = None) -> list[Match]:
    """Every way in which this text, code or number shows a signature."""
    text = readable(str(said))
    found = [*_by_code(text), *_by_number(text, where), *_by_message(text, where), *_by_pattern(text, where)]
    if all(match.signature.strength is Strength.WRAPPER for match in found):
        found += _by_words_inside(text)
    return found


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
    words = f" {plain(_both_ends(text, _LONGEST_READ))} "
    for form, entries in _messages():
        if f" {form} " in words:
            words = words.replace(f" {form} ", " | ")
            for signature, message in entries:
                if where is None or where in signature.places:
                    yield Match(signature, "message", message)


def _by_pattern(text: str, where: str | None) -> Iterator[Match]:
    read = _both_ends(text, _LONGEST_LOG)
    for signature, patterns in _patterns():
        if where is not None and where not in signature.places:
            continue
        hit = next(_hits(patterns, read), None)
        if hit is not None:
            yield Match(signature, "pattern", signature.id, hit)


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
        if known_code(word) or not _LIKE_A_CODE.match(word):
            continue
        inside = next((pair for pair in _inside() if pair[0].search(word)), None)
        if inside is not None:
            yield Match(inside[1], "guess", inside[0].pattern.partition("(")[0], _line_of(word, text))


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
            by_form.setdefault(plain(message.distinguishing), []).append((signature, message.text))
    return sorted(by_form.items(), key=lambda each: -len(each[0]))


@cache
def _patterns() -> list[tuple[Signature, tuple[re.Pattern[str], ...]]]:
    return [(each, tuple(map(re.compile, each.patterns))) for each in signatures().values() if each.patterns]


@cache
def _inside() -> list[tuple[re.Pattern[str], Signature]]:
    words = [(word, signature) for signature in signatures().values() for word in signature.inside]
    return [(re.compile(f"{word}(?![a-z])"), each) for word, each in sorted(words, key=lambda pair: -len(pair[0]))]


# --- the evidence --------------------------------------------------------------------------------------------------


def signs(evidence: Evidence) -> list[Sign]:
    """Every sign of a failure that the evidence shows, and every failure's text that no signature knows."""
    found = signs_of_failure(*(_data(evidence, f"backup.{name}") for name in ("failed_job", "jobs", "item")))
    found += _of_other_words(evidence)
    found += _of_platform(evidence)
    found += _of_extensions(evidence)
    found += _of_logs(evidence)
    found += _of_events(evidence)
    return list(dict.fromkeys(found))


def signs_of_failure(job: FailedJob | None, jobs: list[Job] | None, item: ProtectedItem | None) -> list[Sign]:
    """What Azure says of the failed backup itself: its job, the vault's other failed jobs, the item's health."""
    found: list[Sign] = []
    if job is not None:
        for error in job["errors"]:
            found += _in_error(error, job["start"])
        found += said(job["dynamic_message"], "job", job["start"])
    for each in jobs or []:
        if went_wrong(each) and (job is None or each["name"] != job["name"]):
            found += said(each["error_title"], "job", each["start"], each["error_code"])
    for detail in item["health_details"] if item is not None else []:
        found += said(_joined(detail["title"], detail["message"]), "health", None, detail["code"])
    return found


def said(text: str | None, where: str, time: str | None = None, number: int | None = None) -> list[Sign]:
    """The signs in one thing that was said, with the number beside it; ``unrecognised`` where nobody knows it."""
    found = matches(text, where) if text and text.strip() else []
    if number is not None:
        found += matches(number, where)
    quoted = _quote(text or "")
    if not found:
        empty = not quoted and number is None
        return [] if empty else [_unrecognised(where, quoted if number is None else f"{number} {quoted}".strip(), time)]
    known: dict[str, Match] = {}
    for match in found:
        if match.signature.strength is not Strength.HARMLESS:
            known.setdefault(match.signature.id, match)
    return [_sign(match, where, quoted, time) for match in known.values()]


def _sign(match: Match, where: str, quoted: str, time: str | None) -> Sign:
    signature, guessed = match.signature, match.by == "guess"
    strength = Strength.POINTS if guessed else signature.strength
    code = match.matched if match.by == "code" else next(iter(signature.codes), "")
    text = _quote(match.line) if len(quoted) == _LONGEST_QUOTE and match.line else quoted
    return Sign(signature.id, where, text, time, signature.causes, strength, "" if guessed else code, guessed)


def _unrecognised(where: str, text: str, time: str | None = None, causes: tuple[str, ...] = ()) -> Sign:
    return Sign(UNRECOGNISED, where, text, time, causes, Strength.POINTS if causes else Strength.WRAPPER)


def _in_error(error: JobError, time: str | None) -> list[Sign]:
    return said(_joined(error["title"], error["text"]), "job", time, error["code"])


def _of_other_words(evidence: Evidence) -> list[Sign]:
    """What the operator pasted, what ``backupStatus`` answered, and why Run Command did not."""
    found: list[Sign] = []
    for name, where in (("backup.pasted", "pasted"), ("backup.protection", "job")):
        words = _data(evidence, name)
        if isinstance(words, Mapping):
            text = _joined(*(words.get(key) for key in ("text", "error_code", "error_message")))
            found += _anywhere(text) if where == "pasted" else said(text, where)
    for name, fact in evidence.items():
        if name.startswith("guest.") and fact.status is FactStatus.FAILED:
            text = _joined(*fact.details.values())
            found += [each for each in said(text, "run_command") if each.id != UNRECOGNISED]
    return found


def _anywhere(text: str) -> list[Sign]:
    """Whatever a pasted text shows: it may be a message, a status or a piece of a log."""
    found = {match.signature.id: match for match in reversed(matches(text))}
    harmful = [match for match in found.values() if match.signature.strength is not Strength.HARMLESS]
    if not found and text.strip():
        return [_unrecognised("pasted", _quote(text))]
    return [_sign(match, "pasted", _quote(match.line or text), None) for match in reversed(harmful)]


def _of_platform(evidence: Evidence) -> list[Sign]:
    """The state of the agent and of the VM: only what is known, or what is marked as an error."""
    found: list[Sign] = []
    agent, power = _data(evidence, "vm.agent"), _data(evidence, "vm.power")
    if agent is not None and agent["message"]:
        bad = (agent["level"] or "").lower() in ("warning", "error")
        found += _known_or_bad(said(agent["message"], "agent"), bad)
    if power is not None and power["provisioning"]:
        bad = "/failed" in power["provisioning"].lower()
        text = _joined(power["provisioning"], power["provisioning_message"])
        found += _known_or_bad(said(text, "platform"), bad)
    return found


def _known_or_bad(found: list[Sign], bad: bool) -> list[Sign]:
    return [each for each in found if bad or each.id != UNRECOGNISED]


def _of_extensions(evidence: Evidence) -> list[Sign]:
    """The backup extension's status, as Azure lists it and as its file in the guest has it."""
    found: list[Sign] = []
    for name in ("vm.extensions", "vm.handlers"):
        for each in _data(evidence, name) or []:
            full_type = each["type"] if name == "vm.handlers" else f"{each['publisher'] or ''}.{each['type'] or ''}"
            if is_backup_extension(full_type or ""):
                number = _last_number(each["code"])
                bad = (each["level"] or "").lower() == "error" or "/failed" in (each["code"] or "").lower()
                found += _status(number, each["message"], bad)
    guest = _data(evidence, "guest.extension")
    if guest is not None:
        found += _status(guest["code"], guest["message"], (guest["status"] or "").lower() == "error")
    return found


def is_backup_extension(full_type: str) -> bool:
    """Whether this is the type of the extension that Azure Backup uses, for Windows or Linux."""
    return full_type.lower().startswith("microsoft.azure.recoveryservices.vmsnapshot")


def _status(number: int | None, message: str | None, bad: bool) -> list[Sign]:
    """A status that is in no list speaks against the extension, whatever its message says."""
    found = [each for each in said(message, "extension") if each.id != UNRECOGNISED]
    if number is not None:
        by_number = said(None, "extension", None, number)
        known = [each for each in by_number if each.id != UNRECOGNISED]
        quoted = _quote(_joined(number, message))
        if by_number and not known:
            found.append(_unrecognised("extension", quoted, None, ("extension",)))
        found += [_quoting(each, quoted) for each in known if each.id not in {sign.id for sign in found}]
    if bad and not found:
        found.append(_unrecognised("extension", _quote(message or ""), None, ("extension",)))
    return found


def _quoting(sign: Sign, text: str) -> Sign:
    return Sign(sign.id, sign.where, text, sign.time, sign.causes, sign.strength, sign.code, sign.guessed)


def _last_number(code: str | None) -> int | None:
    """The status at the end of ``ProvisioningState/failed/121``."""
    last = (code or "").rpartition("/")[2]
    return int(last) if last.isdecimal() and len(last) <= 6 else None


def _of_logs(evidence: Evidence) -> list[Sign]:
    """The known lines that the guest script and the reader of the serial log counted, and the last ones unknown."""
    found: list[Sign] = []
    for name in ("guest.logs", "guest.serial_log"):
        log = _data(evidence, name)
        patterns: Mapping[str, Mapping[str, Any]] = (log or {}).get("patterns") or {}
        for id, seen in patterns.items():
            found += _counted(id, seen, "serial" if name == "guest.serial_log" else None)
    serial = _data(evidence, "guest.serial_log")
    for signature in signatures().values():
        if signature.flag and serial is not None and serial.get(signature.flag) is True:
            found.append(_sign(Match(signature, "flag", signature.id), "serial", "", None))
    return found


def _counted(id: str, seen: Mapping[str, Any], where: str | None) -> list[Sign]:
    signature = signatures().get(id)
    time, text = iso(seen.get("last")), _quote(seen.get("line") or "")
    if signature is None:
        return [_unrecognised(where or "agent_log", text or id, time)]
    if signature.strength is Strength.HARMLESS:
        return []
    places = [place for place in ("agent_log", "extension_log") if place in signature.places]
    return [_sign(Match(signature, "pattern", id), where or next(iter(places), "agent_log"), text, time)]


def _of_events(evidence: Evidence) -> list[Sign]:
    """Programs of the agent, the extension or VSS that crashed, and the extension's programs that were blocked."""
    found: list[Sign] = []
    crashes, control = _data(evidence, "guest.crashes"), _data(evidence, "guest.application_control")
    for each in (crashes or {}).get("events") or []:
        text = " ".join(str(each[key] or "") for key in ("kind", "name", "detail"))
        found += _known_or_bad(said(text, "event", iso(each["last"])), bad=True)
    for each in (control or {}).get("blocked") or []:
        text = " ".join(str(each[key] or "") for key in ("source", "event_id", "program"))
        found += _known_or_bad(said(text, "event", iso(each["last"])), bad=True)
    return found


def places(cause: str) -> frozenset[str]:
    """Where a sign against this cause can stand."""
    return frozenset(place for each in signatures().values() if cause in each.causes for place in each.places)


def unread(cause: str, evidence: Evidence) -> tuple[str, ...]:
    """The facts that could show a sign against this cause and were not answered, in the order of ``FACTS_OF``."""
    wanted = places(cause)
    names = dict.fromkeys(name for place, facts in FACTS_OF.items() if place in wanted for name in facts)
    return tuple(name for name in names if name not in evidence or not evidence[name].answered)


# --- small parts ---------------------------------------------------------------------------------------------------


def iso(last: str | None) -> str | None:
    """A log's own time as ISO 8601, None where it cannot be read: ``2026-11-22 23:00:00``, ``11/22/2026 23:00:00``.

    >>> iso("11/22/2026 23:00:00"), iso("2026/11/22 23:00:00"), iso("[   12.3]")
    ('2026-11-22T23:00:00Z', '2026-11-22T23:00:00Z', None)
    """
    found = re.search(r"(\d{2,4})[-/.](\d\d)[-/.](\d{2,4})[T ](\d\d:\d\d:\d\d)", last or "")
    if found is None:
        return None
    first, second, third, clock = found.groups()
    if len(first) == 4 and len(third) == 2:
        return f"{first}-{second}-{third}T{clock}Z"
    return f"{third}-{first}-{second}T{clock}Z" if len(first) == 2 and len(third) == 4 else None


def _quote(text: str) -> str:
    return " ".join(text[: 4 * _LONGEST_QUOTE].split())[:_LONGEST_QUOTE]


def _joined(*parts: object) -> str:
    """What was said in one, a line each: a code that stands alone is told from one inside a text."""
    return "\n".join(str(part) for part in parts if part not in (None, ""))


def _data(evidence: Evidence, name: str) -> Any:
    fact = evidence.get(name)
    return fact.data if fact is not None and fact.answered else None
