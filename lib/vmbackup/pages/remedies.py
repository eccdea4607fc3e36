"""The views of plans, receipts, the audit, the proof and the rights, as pages. Words are the catalogue's. Pure."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from typing import Any

from vmbackup import catalog, clock
from vmbackup.catalog import remedies as catalogue
from vmbackup.catalog.texts import has_text
from vmbackup.catalog.words import cause_title, explain, word
from vmbackup.model import RunbookError, Verdict
from vmbackup.pages.blocks import Block, Code, Details, Heading, Page, Paragraph, Table, VerdictBanner
from vmbackup.pages.changed import compared
from vmbackup.pages.step import step_word
from vmbackup.remedies.plan import Command, Plan
from vmbackup.remedies.preflight import Refusal
from vmbackup.remedies.receipt import Receipt
from vmbackup.remedies.retry.proof import Proof
from vmbackup.resource_ids import resource_name
from vmbackup.runs.state import Change

_RECEIPT_VERDICTS = {"done": "ok", "already": "ok", "failed": "problem", "unknown": "unknown", "superseded": "unknown"}


def plans(found: Iterable[Plan], language: str) -> Page:
    """All plans for a cause: those offered first, what the article advised once at the end, folded."""
    everything = list(found)
    offered = [each for each in everything if each.offered]
    superseded = [each for each in everything if not each.offered]
    blocks: list[Block] = [block for each in offered for block in _plan(each)]
    if not offered:
        blocks.append(Paragraph(catalog.text("remedy.none", language)))
    if superseded:
        inside: list[Block] = []
        for each in superseded:
            inside.append(Paragraph(each.words["what"], each.words["title"] + ":"))
            inside.append(Paragraph(each.words["superseded"], catalog.text("label.today", language)))
        blocks.append(Details(catalog.text("remedy.superseded", language), inside))
    return Page(blocks)


def interrupted(begun: Iterable[Plan], language: str) -> Page:
    """That an earlier run was interrupted; nothing if none was."""
    sentences = [catalog.text("remedy.interrupted", language, title=each.words["title"]) for each in begun]
    return Page([Paragraph(words) for words in sentences])


def not_covered(
    found: Iterable[Plan], named: Container[str], refusal: Callable[[Plan], Refusal | None], language: str
) -> Page:
    """Why a remedy named in the parameters is not applied: its risk."""
    refused = [(each, refusal(each)) for each in found if each.remedy in named]
    return Page([Paragraph(why.words(language), each.remedy + ":") for each, why in refused if why])


def plan(each: Plan) -> Page:
    """One plan: what, on which resource, at what risk, with which rights, how to undo it, and the exact commands."""
    return Page(_plan(each))


def _plan(each: Plan) -> list[Block]:
    title = catalog.text("remedy.plan", each.language, title=each.words["title"])
    refused = refusals(each) or [Paragraph(catalog.text("remedy.ready", each.language))]
    return [Heading(title), _what(each), _table(each), *_commands(each), *refused, *_sources(each)]


def unfolded(each: Plan) -> Page:
    """The plan as the tool shows it: first what is needed now, then the rest folded. What cannot be applied from here
    begins with its commands."""
    if each.applicable:
        rest = Details(catalog.text("guide.by_hand", each.language), [*_commands(each), *_sources(each)])
        return Page([_what(each), _table(each), rest])
    is_manual = each.entry["kind"] == "manual"
    rest = Details(catalog.text("remedy.more", each.language), [_table(each), *_sources(each)])
    return Page([_what(each), *([] if is_manual else refusals(each)), *_commands(each), rest])


def refusals(each: Plan) -> list[Block]:
    """Why it cannot be applied from here."""
    label = catalog.text("remedy.blocked", each.language)
    return [Paragraph(refusal.words(each.language), label) for refusal in each.refusals]


def _what(each: Plan) -> Paragraph:
    return Paragraph(each.words["what"], catalog.text("remedy.what", each.language))


def _table(each: Plan) -> Table:
    risk = catalog.text(f"risk.{each.entry['risk']}", each.language)
    rows = {
        "resource": resource_name(each.resource) or catalog.text("remedy.no_resource", each.language),
        "risk": f"{risk}: {each.words['risk_note']}",
        "duration": each.words["duration"],
        "undo": each.words["undo"],
    }
    return _named(rows, each.language)


def _commands(each: Plan) -> list[Block]:
    blocks: list[Block] = []
    if each.words.get("portal"):
        blocks.append(Paragraph(each.words["portal"], catalog.text("remedy.portal", each.language)))
    for command in each.commands:
        blocks.append(Paragraph(catalog.text("remedy.commands", each.language, where=place(command, each.language))))
        blocks.append(Code(command.text))
    if each.entry["script"]:
        title = f"{catalog.text('remedy.script', each.language)}: {each.entry['script']}"
        blocks.append(Details(title, [Code(catalogue.script(each.remedy))]))
    return blocks


def place(command: Command, language: str) -> str:
    """Where a command is typed, in words."""
    return catalog.text(f"command_place.{command.where.replace(':', '_')}", language)


def _sources(each: Plan) -> list[Block]:
    titles = " · ".join(catalog.sources()[key]["title"] for key in each.entry["sources"])
    as_of = catalog.text("label.as_of", each.language, date=each.entry["as_of"])
    details = Details(catalog.text("remedy.details", each.language), [_details(each)])
    return [Paragraph(f"{titles} ({as_of})", catalog.text("label.sources", each.language)), details]


def _details(each: Plan) -> Table:
    """What only whoever automates or approves it needs. Commands name the resource in full already."""
    rows = {
        "id": each.remedy,
        "kind": catalog.text(f"remedy_kind.{each.entry['kind']}", each.language),
        "rights": "\n".join(each.entry["actions"]) or catalog.text("label.none", each.language),
    }
    if not any(each.resource in command.text for command in each.commands):
        rows["resource"] = each.resource
    return _named(rows, each.language)


def _named(rows: Mapping[str, str], language: str) -> Table:
    return Table(["", ""], [[catalog.text(f"remedy.{key}", language), value] for key, value in rows.items()])


def receipt(done: Receipt, language: str) -> Page:
    """One receipt: outcome, who, when, request ids, before and after."""
    title = done.remedy
    if done.remedy in catalogue.remedies():
        title = catalogue.words(done.remedy, "title", language)
    sentence = catalog.text(f"receipt.{done.outcome}", language, **_failure(done))
    verdict = _RECEIPT_VERDICTS[done.outcome]
    rows = [
        [catalog.text("remedy.resource", language), done.resource],
        [catalog.text("receipt.who", language), done.who],
        [catalog.text("receipt.when", language), _span(done)],
        [catalog.text("receipt.requests", language), "\n".join(done.request_ids) or "–"],
        *compared(done.before, done.after, language),
    ]
    blocks: list[Block] = [
        Heading(catalog.text("receipt.title", language, title=title)),
        VerdictBanner(verdict, word(Verdict(verdict), language), sentence),
        Table(["", ""], rows),
    ]
    if done.continued:
        blocks.append(Paragraph(catalog.text("receipt.continued", language)))
    return Page(blocks)


def _span(done: Receipt) -> str:
    return " – ".join(clock.local(at) for at in (done.started_at, done.ended_at) if at) or "–"


def change(done: Change, language: str) -> Page:
    """A remedy that was applied: its receipt, and each cause that it concerns or that changed, before and after."""
    rows = [
        [cause_title(now.cause, language), " → ".join(step_word(step, language) for step in (was, now))]
        for was, now in done.steps
    ]
    header = [catalog.text(key, language) for key in ("label.cause", "receipt.before_after")]
    compared = [Table(header, rows, [now.verdict for _, now in done.steps])] if rows else []
    return Page([*receipt(done.receipt, language).blocks, *compared])


def _failure(done: Receipt) -> dict[str, str]:
    return {"code": done.code, "message": done.message} if done.outcome in ("failed", "unknown", "superseded") else {}


def audit(rows: Iterable[Mapping[str, Any]], language: str) -> Page:
    """The audit's rows: every request that changed something, or may have."""
    header = [
        catalog.text(key, language)
        for key in ("label.time", "audit.method", "audit.resource", "audit.outcome", "receipt.who", "audit.correlation")
    ]
    cells = [
        [
            clock.local(row.get("time")),
            *(str(row.get(key) or "–") for key in ("method", "resource")),
            _outcome(row, language),
            *(str(row.get(key) or "–") for key in ("who", "correlation_id")),
        ]
        for row in rows
    ]
    blocks: list[Block] = [Heading(catalog.text("audit.title", language))]
    blocks.append(Table(header, cells) if cells else Paragraph(catalog.text("audit.none", language)))
    return Page(blocks)


def _outcome(row: Mapping[str, Any], language: str) -> str:
    label = f"audit_outcome.{row.get('outcome')}"
    return catalog.text(label, language) if has_text(label) else str(row.get("outcome") or "–")


def proof_sentence(found: Proof, language: str) -> str:
    """What a retry proved, in one sentence."""
    values = dict(found.values)
    if "wanted" in values:
        values["wanted"] = _wanted(values["wanted"], language)
    return catalog.text(f"proof.{found.reason}", language, **values)


def proof(found: Proof, language: str) -> Page:
    """The end of a retry: fixed or not, why, and the VM's last good point."""
    unknown = catalog.text("proof.unknown", language)
    run = unknown
    if found.next_run:
        run = catalog.text("proof.in_hours", language, when=clock.local(found.next_run), hours=found.next_run_h)
    rows = [
        [catalog.text("proof.job", language), found.job or catalog.text("proof.none", language)],
        [catalog.text("proof.wanted", language), _wanted(found.wanted, language)],
        [catalog.text("proof.point", language), _point(found.point, language)],
        [catalog.text("proof.last_good", language), _point(found.last_good, language)],
        [catalog.text("proof.next_run", language), run],
        [catalog.text("receipt.requests", language), "\n".join(found.request_ids) or "–"],
    ]
    blocks: list[Block] = [
        Heading(catalog.text("proof.title", language)),
        VerdictBanner(
            found.verdict,
            word(found.verdict, language),
            proof_sentence(found, language),
        ),
        Table(["", ""], rows),
    ]
    if found.section and found.verdict is Verdict.PROBLEM:
        entry = catalog.sections()[found.section]
        again = catalog.text("proof.start_over", language, section=entry["title"][language], notebook=entry["notebook"])
        blocks.append(Paragraph(again, catalog.text("label.next", language)))
    return Page(blocks)


def rights(found: Any, language: str) -> Page:
    """What the identity lacks for each capability (``roles.missing_rights``), and what follows from that."""
    heading = Heading(catalog.text("rights.title", language))
    if isinstance(found, RunbookError):
        return Page([heading, Paragraph(catalog.text("rights.unreadable", language, message=explain(found, language)))])
    header = [catalog.text(f"rights.{key}", language) for key in ("capability", "missing", "consequence")]
    rows = [[row.capability, "\n".join(row.missing) or "–", _consequence(row, language)] for row in found]
    return Page([heading, Table(header, rows, ["unknown" if row.missing or row.unreadable else "ok" for row in found])])


def _consequence(row: Any, language: str) -> str:
    if not row.missing and row.unreadable:
        return catalog.text("rights.unread", language, actions=", ".join(row.unreadable))
    if not row.missing:
        return catalog.text("rights.complete", language)
    if row.unknown:
        causes = ", ".join(cause_title(cause, language) for cause in row.unknown)
        return catalog.text("rights.unknown_causes", language, causes=causes)
    if row.capability in ("diagnose", "diagnose_guest"):
        return catalog.text("rights.asked_otherwise", language)
    causes = ", ".join(cause_title(cause, language) for cause in row.refused)
    return catalog.text(
        "rights.refused_for" if causes else "rights.refused", language, **({"causes": causes} if causes else {})
    )


def _wanted(want: str, language: str) -> str:
    return catalog.text(f"proof.{want}", language)


def _point(point: Mapping[str, Any] | None, language: str) -> str:
    if point is None:
        return catalog.text("proof.none", language)
    return f"{clock.local(point['time'])}, {point['type']}"
