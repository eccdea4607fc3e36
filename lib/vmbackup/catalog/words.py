"""The catalogue's words for what was found: a finding, a reason, a verdict, a title, a span of time. Pure."""

from __future__ import annotations

from dataclasses import replace

from vmbackup.catalog import entries, texts
from vmbackup.catalog.signatures import signatures
from vmbackup.model import Evidence, Fact, Finding, Key, RunbookError, Verdict


def sentence(finding: Finding, evidence: Evidence, language: str) -> str:
    """The finding in words; for a fact without an answer the reason is part of the sentence."""
    if finding.reason == "unanswered":
        name = finding.values["fact"]
        return texts.text("finding.unanswered", language, fact=name, why=why(evidence[name], language))
    if finding.reason == "not_collected":
        name = finding.values["fact"]
        key = "guest_not_examined" if name.startswith("guest.") else "not_collected"
        return texts.text(f"finding.{key}", language, fact=name)
    if finding.reason in ("other_os", "os_unknown"):
        return texts.text(f"finding.{finding.reason}", language, os=finding.values["os"].capitalize())
    more = _of_sign(finding, language) if "sign" in finding.values else {}
    if "guest.probe" in evidence and evidence["guest.probe"].answered:
        more["so_far"] = texts.text("finding.not_found_inside", language)
    return texts.sentence(replace(finding, values={**finding.values, **more}) if more else finding, language)


def _of_sign(finding: Finding, language: str) -> dict[str, str]:
    """Where the sign stands and what it means, in words."""
    where = texts.text(f"sign.place.{finding.values['where']}", language)
    signature = signatures().get(finding.values["sign"])
    means = signature.means[language] if signature else texts.text("sign.unrecognised", language)
    return {"where": where, "means": means}


def next_action(finding: Finding, language: str) -> str | None:
    """What to do about this finding; for a sign how to check it by hand. None where there is nothing to do."""
    signature = signatures().get(finding.values.get("sign", ""))
    if signature is not None and signature.check is not None:
        return signature.check[language]
    return texts.next_action(finding, language)


def why(fact: Fact, language: str) -> str:
    """Why a fact has no answer (or that there is nothing), in words."""
    return texts.text(f"why.{fact.why}", language, **fact.details) if fact.why else ""


def explain(error: RunbookError, language: str) -> str:
    """The error as a sentence; one that already holds a sentence says just that."""
    if not texts.has_text(error.key):
        return error.key
    worded = {name: texts.text(value, language) for name, value in error.values.items() if _is_key(value)}
    return texts.text(error.key, language, **{**error.values, **worded})


def put_into_words(error: RunbookError, language: str) -> RunbookError:
    """The same error with its sentence as its message, for whatever prints it."""
    error.key, error.values = explain(error, language), {}
    error.args = (error.key,)
    return error


def _is_key(value: object) -> bool:
    return isinstance(value, Key) and texts.has_text(value)


def word(verdict: Verdict, language: str) -> str:
    """The word for the verdict of a check."""
    return texts.text(f"verdict.{verdict}", language)


def cause_word(verdict: Verdict, language: str) -> str:
    """The word for the verdict of a cause: "OK" beside the name of a fault would read as its opposite."""
    return texts.text(f"verdict_of_cause.{verdict}", language)


def section_title(section: str | None, language: str) -> str:
    """The section's title as the article says it; the general walk's own name without one."""
    if section is None:
        return texts.text("label.general_walk", language)
    return str(entries.sections()[section]["title"][language])


def cause_title(cause: str, language: str) -> str:
    """The cause's title as the article says it."""
    return str(entries.causes()[cause]["title"][language])


def duration(seconds: float) -> str:
    """A span in the largest unit that leaves a number of at least two, in days only from three on.

    >>> duration(45), duration(190), duration(51 * 3600), duration(72 * 3600)
    ('45 s', '3 min', '51 h', '3 d')
    """
    for size, least, unit in ((86400, 3, "d"), (3600, 2, "h"), (60, 2, "min")):
        if seconds >= least * size:
            return f"{seconds // size:.0f} {unit}"
    return f"{seconds:.0f} s"
