"""The first screen: the incident in every rendering, and as a text that fits into a ticket's note. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from vmbackup import catalog, clock
from vmbackup.catalog import remedies as catalogue
from vmbackup.catalog.words import cause_title, duration, sentence, why
from vmbackup.failures.signatures import Sign
from vmbackup.model import Verdict
from vmbackup.pages.blocks import Block, Heading, Page, Paragraph, Table, VerdictBanner
from vmbackup.pages.outcome import outcome_sentence
from vmbackup.pages.remedies import proof_sentence
from vmbackup.pages.step import actions, heaviest
from vmbackup.remedies.receipt import Receipt
from vmbackup.runs.incident import Incident, Standing

# With the mark that recognises it on the ticket, a note has at most 8,000 bytes, or 2,000.
NOTE_BYTES, SHORT_NOTE_BYTES = 7970, 1970
_VERDICTS = {
    Standing.FIXED: Verdict.OK,
    Standing.NOTHING_FAILED: Verdict.OK,
    Standing.NOT_FIXED: Verdict.PROBLEM,
    Standing.CAUSE_FOUND: Verdict.PROBLEM,
}
_MOST, _MOST_CAUSES = 5, 3
_LONGEST_QUOTE = 300
# The length of each field; a note that is too long is made again with the next.
_LONGEST_FIELDS = (4000, 2000, 1000, 600, 400, 250, 150, 100, 60, 30)
_Row = tuple[str, str]


def page(incident: Incident, language: str) -> Page:
    """What a reader needs first."""
    return _page(incident, language, _LONGEST_FIELDS[1])


def note(incident: Incident, language: str, most_bytes: int = NOTE_BYTES) -> str:
    """The same as a text that stands alone, of at most so many bytes in UTF-8: some systems reject longer notes."""
    text = ""
    for longest in _LONGEST_FIELDS:
        text = _plain(incident, language, longest)
        if len(text.encode()) <= most_bytes:
            return text
    return text.encode()[: most_bytes - 1].decode(errors="ignore") + "\n"


def _page(incident: Incident, language: str, longest: int) -> Page:
    blocks: list[Block] = [Heading(_title(incident, language), 2)]
    if incident.simulated is not None:
        blocks.append(Paragraph("", catalog.text("incident.simulated", language, scenario=incident.simulated)))
    if incident.replayed:
        blocks.append(Paragraph(catalog.text("incident.replayed", language)))
    rows = [[label, words] for label, words in _rows(incident, language, longest)]
    return Page([*blocks, _banner(incident, language, longest), Table(["", ""], rows)])


def _plain(incident: Incident, language: str, longest: int) -> str:
    """One line a field: a table of columns would be torn apart by the fonts of ticket systems."""
    rows = [Paragraph(words, f"{label}:") for label, words in _rows(incident, language, longest)]
    blocks = [block for block in _page(incident, language, longest).blocks if not isinstance(block, Table)]
    return Page([*blocks, *rows]).text()


def _title(incident: Incident, language: str) -> str:
    return catalog.text("incident.title", language, vm=incident.target.vm_name)


def _banner(incident: Incident, language: str, longest: int) -> VerdictBanner:
    title = catalog.text(f"incident.{incident.standing}", language)
    if incident.diagnosis.probable:
        found = sentence(heaviest(incident.diagnosis.probable), incident.evidence, language)
        words = catalog.text("incident.was", language, finding=found) if incident.standing is Standing.FIXED else found
    elif incident.proof:
        words = proof_sentence(incident.proof, language)
    elif incident.standing is Standing.NOTHING_FAILED:
        words = catalog.text("incident.said_nothing_failed", language)
    else:
        words = outcome_sentence(incident.today, incident.now, language)
    return VerdictBanner(_VERDICTS.get(incident.standing, Verdict.UNKNOWN), title, cut(words, longest))


def _rows(incident: Incident, language: str, longest: int) -> Iterator[_Row]:
    """Each field with its label. A command that was cut would be another: it is whole."""

    def row(key: str, words: str) -> _Row:
        return catalog.text(f"incident.{key}", language), words if key == "command" else cut(words, longest)

    yield from (row(key, words) for key, words in _failure(incident, language))
    yield row("last_good", _last_good(incident, language))
    yield row("cause", _cause(incident, language))
    if signs := _signs(incident, language):
        yield row("signs", signs)
    yield row("done", _done(incident, language))
    yield row("proved", _proved(incident, language))
    yield row("next", _next(incident, language))
    if incident.command:
        yield row("command", incident.command)
    yield row("unknown", _unknown(incident, language))
    vault = (incident.vault or "").rpartition("/")[2] or catalog.text("label.unknown", language)
    yield row("vm", incident.target.vm_name)
    yield row("resource_group", incident.target.resource_group)
    yield row("subscription", incident.target.subscription_id)
    yield row("vault", vault)
    yield row("as_of", clock.local(incident.at))


def _failure(incident: Incident, language: str) -> Iterator[_Row]:
    job = incident.failure
    if job is None:
        unanswered = incident.failure_fact is not None and not incident.failure_fact.answered
        reason = why(incident.failure_fact, language) if incident.failure_fact and unanswered else ""
        key = "no_failure" if incident.failure_fact is None else "none_failed"
        yield "failed", reason or catalog.text(f"incident.{key}", language)
        return
    yield "failed", catalog.text("incident.job", language, when=clock.local(job["start"]), job=job["name"])
    codes = [" ".join(filter(None, (str(error["code"] or ""), error["title"] or ""))) for error in job["errors"]]
    yield "code", "\n".join(dict.fromkeys(filter(None, codes))) or catalog.text("label.unknown", language)
    words = [error["text"] for error in job["errors"]]
    yield "azure_says", "\n".join(filter(None, [*words, job["dynamic_message"]])) or "–"


def _last_good(incident: Incident, language: str) -> str:
    if incident.last_good is None or incident.age_s is None:
        return catalog.text(f"incident.{'no_point' if incident.points_known else 'points_unknown'}", language)
    values = {"when": clock.local(incident.last_good["time"]), "age": duration(incident.age_s)}
    if incident.late_s is None:
        return catalog.text("incident.age", language, **values)
    if incident.late_s <= 0:
        return catalog.text("incident.kept", language, **values)
    return catalog.text("incident.late", language, late=duration(incident.late_s), **values)


def _cause(incident: Incident, language: str) -> str:
    step = incident.diagnosis.probable
    if step is None:
        return catalog.text("incident.no_cause", language)
    return catalog.text(
        "incident.finding",
        language,
        sentence=sentence(heaviest(step), incident.evidence, language),
        weight=catalog.text(f"outcome.weight.{incident.diagnosis.weight}", language),
        cause=cause_title(step.cause, language).rstrip("."),
    )


def _signs(incident: Incident, language: str) -> str:
    """What tells of a failure and is not said yet: the job's words often stand elsewhere too."""
    errors = incident.failure["errors"] if incident.failure else []
    said = [error["text"] for error in errors if error["text"]]
    lines = []
    for sign in sorted(incident.diagnosis.signs, key=lambda each: -len(each.text)):
        words = sign.text or sign.code or sign.id
        if sign.where != "job" and not any(each in words or words in each for each in said):
            said.append(words)
            lines.append(_sign(sign, language))
    return _some(lines, _MOST, language)


def _sign(sign: Sign, language: str) -> str:
    place = catalog.text(f"sign.place.{sign.where}", language)
    where = f"{place}, {clock.local(sign.time)}" if sign.time else place
    return f"{where}: {cut(sign.text or sign.code or sign.id, _LONGEST_QUOTE)}"


def _done(incident: Incident, language: str) -> str:
    receipts = [_receipt(each, language) for each in incident.receipts]
    return "\n".join(receipts) or catalog.text("incident.nothing_done", language)


def _receipt(done: Receipt, language: str) -> str:
    known = done.remedy in catalogue.remedies()
    title = catalogue.words(done.remedy, "title", language) if known else done.remedy
    outcome = catalog.text(f"incident.outcome_{done.outcome}", language)
    when = clock.local(done.ended_at or done.started_at)
    return catalog.text("incident.receipt", language, when=when, title=title, who=done.who, outcome=outcome)


def _proved(incident: Incident, language: str) -> str:
    if incident.proof is None:
        return catalog.text("incident.not_tried", language)
    sentence = proof_sentence(incident.proof, language)
    if not incident.proof.fixed:
        return catalog.text("incident.not_proved_by", language, sentence=sentence)
    point = incident.proof.point
    when = f"{clock.local(point['time'])}, {point['type']}" if point else "–"
    return catalog.text("incident.proved_by", language, sentence=sentence, point=when, job=incident.proof.job or "–")


def _next(incident: Incident, language: str) -> str:
    if incident.standing is Standing.FIXED:
        return catalog.text("incident.next_none", language)
    if incident.standing is Standing.NOTHING_FAILED:
        return catalog.text("incident.next_watch", language)
    if incident.standing is Standing.UNPROVED:
        return catalog.text("incident.next_prove", language)
    if incident.remedy is not None:
        return f"{incident.remedy.words['title']}: {incident.remedy.words['what']}"
    steps = actions(incident.today.next, incident.now, language) if incident.today.next else []
    return "\n".join(steps[:2]) or catalog.text("incident.next_diagnose", language)


def _unknown(incident: Incident, language: str) -> str:
    gaps = [
        catalog.text("incident.gap", language, fact=name, why=why(fact, language))
        for name, fact in incident.gaps.items()
    ]
    lines = [_some(gaps, _MOST, language)] if gaps else []
    open_causes = [each.cause for each in incident.today.steps if each.verdict is Verdict.UNKNOWN]
    if open_causes:
        titles = _some([cause_title(each, language).rstrip(".") for each in open_causes], _MOST_CAUSES, language, "; ")
        lines.append(catalog.text("incident.open_causes", language, causes=titles))
    return "\n".join(lines) or catalog.text("incident.no_gap", language)


def _some(lines: list[str], most: int, language: str, between: str = "\n") -> str:
    """The first lines, and how many more there are."""
    more = [catalog.text("incident.more", language, count=len(lines) - most)] if len(lines) > most else []
    return between.join([*lines[:most], *more])


def cut(words: str, longest: int) -> str:
    """The words, at most so many characters; a mark at their end says that they were cut."""
    return words if len(words) <= longest else f"{words[: longest - 1].rstrip()}…"
