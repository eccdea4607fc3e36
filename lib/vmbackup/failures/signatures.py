"""Recognises the signs of a failure, wherever they show, by the one table ``catalog/data/signatures.yaml``. Pure.

``signs`` reads everything in the evidence that Azure, the agent, the extension and the logs said (``recognition`` reads
one text). What nobody knows is a sign too: an error text or a status code that is in no list comes back as
``unrecognised``. Whether a sign still stands (newer than the last good backup, or without a time) the diagnosis says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from vmbackup import clock
from vmbackup.catalog.signatures import Strength, signatures
from vmbackup.facts.backup import FailedJob, Job, JobError, ProtectedItem
from vmbackup.facts.guest import GuestExtension
from vmbackup.facts.vm import Extension, Handler
from vmbackup.failures.jobs import went_wrong
from vmbackup.failures.matching import normalize
from vmbackup.failures.recognition import Match, matches
from vmbackup.model import Evidence, FactStatus, data_of

UNRECOGNISED = "unrecognised"

PASTED = "backup.pasted"
"""The fact that holds what the operator pasted of the failure: ``{"text": …}``."""

_LONGEST_QUOTE = 300
# So many words make a statement; fewer are a label.
_FEWEST_WORDS = 4


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


# --- the evidence --------------------------------------------------------------------------------------------------


def signs(evidence: Evidence) -> list[Sign]:
    """Every sign of a failure that the evidence shows, and every failure's text that no signature knows."""
    found = signs_of_failure(*(data_of(evidence, f"backup.{name}") for name in ("failed_job", "jobs", "item")))
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
        for error in job["errors"] or []:
            found += _in_error(error, job["start"])
        found += said(job["dynamic_message"], "job", job["start"])
    for each in jobs or []:
        if went_wrong(each) and (job is None or each["name"] != job["name"]):
            found += said(_joined(each["error_title"], each["error_text"]), "job", each["start"], each["error_code"])
    for detail in (item["health_details"] if item is not None else None) or []:
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
    if _only_wraps(found, text or ""):
        return [*(_sign(match, where, quoted, time) for match in found), _unrecognised(where, quoted, time)]
    known: dict[str, Match] = {}
    for match in found:
        if match.signature.strength is not Strength.HARMLESS:
            known.setdefault(match.signature.id, match)
    return [_sign(match, where, quoted, time) for match in known.values()]


def _only_wraps(found: list[Match], text: str) -> bool:
    """Whether these are codes that say nothing by themselves, and words beside them that nobody knows."""
    if any(match.signature.strength is not Strength.WRAPPER or match.by not in ("code", "integer") for match in found):
        return False
    codes = {match.matched for match in found}
    normal = {normalize(code) for code in codes}
    beside = [word for word in normalize(text).split() if word.isalpha() and word not in normal]
    return len(beside) >= _FEWEST_WORDS


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
    pasted, protection = data_of(evidence, PASTED), evidence.get("backup.protection")
    found = _anywhere(pasted["text"]) if pasted else []
    if protection is not None and protection.answered:
        answer, aside = protection.data or {}, protection.details
        codes = answer.get("error_code") or aside.get("errorCode")
        found += said(_joined(codes, answer.get("error_message") or aside.get("errorMessage")), "job")
    for name, fact in evidence.items():
        if name.startswith("guest.") and fact.status is FactStatus.FAILED:
            text = _joined(*fact.details.values())
            found += [each for each in said(text, "run_command") if _is_of_run_command(each)]
    return found


def _is_of_run_command(sign: Sign) -> bool:
    """A code of another place means something else here: what a 404 does not find is not the VM."""
    return sign.id != UNRECOGNISED and "run_command" in signatures()[sign.id].places


def _anywhere(text: str) -> list[Sign]:
    """Whatever a pasted text shows: it may be a message, a status or a piece of a log."""
    found = {match.signature.id: match for match in reversed(matches(text))}
    harmful = [match for match in found.values() if match.signature.strength is not Strength.HARMLESS]
    if not found and text.strip():
        return [_unrecognised("pasted", _quote(text))]
    return [
        _sign(match, "pasted", _quote(match.line or text), clock.of_log(match.line) if match.by == "pattern" else None)
        for match in reversed(harmful)
    ]


def _of_platform(evidence: Evidence) -> list[Sign]:
    """The state of the agent and of the VM: only what is known, or what is marked as an error."""
    found: list[Sign] = []
    agent, power = data_of(evidence, "vm.agent"), data_of(evidence, "vm.power")
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
    for each in data_of(evidence, "vm.extensions") or []:
        if is_backup_extension(full_type(each)):
            found += _status(full_type(each), _last_number(each["code"]), each["message"], _is_bad(each))
    for each in data_of(evidence, "vm.handlers") or []:
        if is_backup_extension(each["type"] or ""):
            # The number in a handler's code is the agent's, not the extension's.
            found += _status(each["type"], None, each["message"], _is_bad(each))
    return found + signs_of_status(data_of(evidence, "guest.extension"))


def _is_bad(reported: Extension | Handler) -> bool:
    return (reported["level"] or "").lower() == "error" or "/failed" in (reported["code"] or "").lower()


def signs_of_status(extension: GuestExtension | None) -> list[Sign]:
    """What the extension's newest status file in the guest says."""
    if extension is None:
        return []
    bad = (extension["status"] or "").lower() == "error"
    found = _status(extension["name"] or "", extension["code"], extension["message"], bad)
    return [replace(each, time=clock.stamp(extension["at"])) for each in found]


def full_type(extension: Extension) -> str:
    """Publisher and type, as a handler's type has them."""
    return f"{extension['publisher'] or ''}.{extension['type'] or ''}"


def is_backup_extension(kind: str) -> bool:
    """Whether this full type is that of the extension that Azure Backup uses, for Windows or Linux."""
    return kind.lower().startswith("microsoft.azure.recoveryservices.vmsnapshot")


def _status(kind: str, number: int | None, message: str | None, bad: bool) -> list[Sign]:
    """A status that is in no list speaks against the extension, whatever its message says."""
    quoted = _quote(_joined(number, message))
    found = [each for each in said(message, "extension") if each.id != UNRECOGNISED]
    by_number = said(None, "extension", None, number)
    # The table has the numbers of the Linux extension; of those of Windows only success is known.
    known = [each for each in by_number if each.id != UNRECOGNISED and not kind.lower().endswith("vmsnapshot")]
    if by_number and not known:
        found.append(_unrecognised("extension", quoted, None, ("extension",)))
    found += [replace(each, text=quoted) for each in known if each.id not in {sign.id for sign in found}]
    if bad and not found:
        found.append(_unrecognised("extension", quoted, None, ("extension",)))
    return found


def _last_number(code: str | None) -> int | None:
    """The status at the end of ``ProvisioningState/failed/121``."""
    last = (code or "").rpartition("/")[2]
    return int(last) if last.isdecimal() and len(last) <= 6 else None


def _of_logs(evidence: Evidence) -> list[Sign]:
    """The known lines that the guest script and the reader of the serial log counted, and the last ones unknown."""
    found: list[Sign] = []
    for name in ("guest.logs", "guest.serial_log"):
        log = data_of(evidence, name)
        patterns: Mapping[str, Mapping[str, Any]] = (log or {}).get("patterns") or {}
        for id, seen in patterns.items():
            found += _counted(id, seen, "serial" if name == "guest.serial_log" else None)
    for line in (data_of(evidence, "guest.log_lines") or {}).get("lines") or []:
        place = "agent_log" if "waagent" in line["log"] else "extension_log"
        found += _known_or_bad(said(line["text"], place, clock.of_log(line["at"])), bad=False)
    serial = data_of(evidence, "guest.serial_log")
    for signature in signatures().values():
        if signature.flag and serial is not None and serial.get(signature.flag) is True:
            found.append(_sign(Match(signature, "flag", signature.id), "serial", "", None))
    return found


def _counted(id: str, seen: Mapping[str, Any], where: str | None) -> list[Sign]:
    signature = signatures().get(id)
    time, text = clock.of_log(seen.get("last")), _quote(seen.get("line") or "")
    if signature is None:
        return [_unrecognised(where or "agent_log", text or id, time)]
    if signature.strength is Strength.HARMLESS:
        return []
    places = [place for place in ("agent_log", "extension_log", "windows_log") if place in signature.places]
    return [_sign(Match(signature, "pattern", id), where or next(iter(places), "agent_log"), text, time)]


def _of_events(evidence: Evidence) -> list[Sign]:
    """Programs of the agent, the extension or VSS that crashed, and the extension's programs that were blocked."""
    found: list[Sign] = []
    crashes, control = data_of(evidence, "guest.crashes"), data_of(evidence, "guest.application_control")
    for each in (crashes or {}).get("events") or []:
        text = " ".join(str(each[key] or "") for key in ("kind", "name", "detail"))
        found += _known_or_bad(said(text, "event", clock.of_log(each["last"])), bad=True)
    for each in (control or {}).get("blocked") or []:
        text = " ".join(str(each[key] or "") for key in ("source", "event_id", "program"))
        found += _known_or_bad(said(text, "event", clock.of_log(each["last"])), bad=True)
    return found


# --- small parts ---------------------------------------------------------------------------------------------------


def _quote(text: str) -> str:
    return " ".join(text[: 4 * _LONGEST_QUOTE].split())[:_LONGEST_QUOTE]


def _joined(*parts: object) -> str:
    """What was said in one, a line each: a code that stands alone is told from one inside a text."""
    return "\n".join(str(part) for part in parts if part not in (None, ""))
