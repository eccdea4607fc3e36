"""Many VMs by their causes: the groups, a ticket for each, and the matrix of verdicts. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from vmbackup import catalog, clock
from vmbackup.catalog.words import cause_title, cause_word, duration
from vmbackup.model import Verdict
from vmbackup.pages.blocks import Block, Cell, Code, Details, Heading, Page, Paragraph, Table
from vmbackup.pages.fleet import MOST, WITHOUT_GOOD_BACKUP, Shown, group_title, overdue, trait_text, vm_name
from vmbackup.pages.incident import NOTE_BYTES
from vmbackup.resource_ids import resource_group
from vmbackup.runs.fleet import FleetRow, Group, Kept, Trait, late_h

_SYMPTOM = "symptom"
_FOUND = (str(Verdict.PROBLEM), _SYMPTOM)
_MOST_GROUPS = 30
# How many VMs a ticket names; one that is too long is made again with the next.
_NAMED = (200, 100, 50, 25, 10, 5, 0)


def groups(shown: Shown) -> Page:
    """Each group with what it shares, and the healthy VMs that share it too; below a ticket for each."""
    blocks: list[Block] = [Heading(shown.text("groups"))]
    if not shown.groups:
        return Page([*blocks, Paragraph(shown.text("no_groups"))])
    header = shown.header("cause", "vms", "longest", "failing_since", "set_apart", "healthy_too")
    listed = shown.groups[:_MOST_GROUPS]
    rows = [_row(group, shown) for group in listed]
    return Page([*blocks, Table(header, rows), *(_details(group, shown) for group in listed)])


def _row(group: Group, shown: Shown) -> list[str | Cell]:
    title = group_title(Group(group.cause, group.code, None, (), ()), shown)
    apart = trait_text(group.trait.name, group.trait.value, shown) if group.trait else shown.text("no_trait")
    healthy = _healthy(group.trait, shown) if group.trait else "–"
    return [title, str(len(group.rows)), _longest(group), clock.local(_since(group)), apart, healthy]


def _details(group: Group, shown: Shown) -> Block:
    title = f"{group_title(group, shown)} ({len(group.rows)})"
    shares = [
        [trait_text(each.name, each.value, shown), _members(each, shown), _healthy(each, shown)]
        for each in group.shared
    ]
    table = [Table(shown.header("shares", "members", "healthy_too"), shares)] if shares else []
    return Details(shown.text("ticket", title=title), [*table, Code(ticket(group, shown))])


def ticket(group: Group, shown: Shown) -> str:
    """The text of one ticket for the whole group. It stands alone, and is short enough for every system."""
    texts = ("\n".join(_lines(group, shown, most)) + "\n" for most in _NAMED)
    return next((text for text in texts if len(text.encode()) <= NOTE_BYTES), "")


def _lines(group: Group, shown: Shown, most: int) -> Iterator[str]:
    bad = all(row["kept"] in WITHOUT_GOOD_BACKUP for row in group.rows)
    title = "ticket_title" if bad else "ticket_title_kept"
    yield shown.text(title, count=len(group.rows), group=group_title(group, shown))
    yield shown.text("as_of", at=shown.fleet.at)
    yield shown.text("ticket_since", when=clock.local(_since(group)))
    if group.cause:
        yield str(catalog.causes()[group.cause]["what"][shown.language])
    for each in (each for each in group.shared if each.rarer_among_healthy):
        said = {"members": _members(each, shown), "healthy": _healthy(each, shown)}
        yield shown.text("ticket_share", trait=trait_text(each.name, each.value, shown), **said)
    for row in group.rows[:most]:
        late = overdue(row, shown)
        span = shown.text("ticket_overdue", span=late) if row["kept"] == Kept.LATE else late
        named = {"vm": vm_name(row), "group": resource_group(row["vm_id"]), "when": clock.local(row["last_good"])}
        yield shown.text("ticket_vm", overdue=span, **named)
    if len(group.rows) > most:
        yield shown.text("ticket_more", count=len(group.rows) - most)


def _since(group: Group) -> str | None:
    return min((row["first_failed"] for row in group.rows if row["first_failed"]), default=None)


def _longest(group: Group) -> str:
    hours = max((late_h(row) or 0.0 for row in group.rows if row["kept"] == Kept.LATE), default=0.0)
    return duration(hours * 3600) if hours else "–"


def _members(trait: Trait, shown: Shown) -> str:
    return shown.text("of", count=trait.members, all=trait.known)


def _healthy(trait: Trait, shown: Shown) -> str:
    if trait.name == "first_failed":
        return shown.text("none_fails")
    if not trait.healthy_known:
        return shown.text("no_healthy")
    return shown.text("of", count=trait.healthy, all=trait.healthy_known)


def matrix(shown: Shown) -> Page:
    """VMs and causes: sign, word and colour; what was not found anywhere is left out."""
    rows = [row for row in shown.rows if any(verdict in _FOUND for verdict in row["verdicts"].values())]
    blocks: list[Block] = [Heading(shown.text("matrix"))]
    if not rows:
        return Page([*blocks, Paragraph(shown.text("no_matrix"))])
    causes = _causes(rows)
    rows.sort(key=lambda row: (-(late_h(row) or 0.0), vm_name(row)))
    header = [shown.text("vms"), *(cause_title(cause, shown.language).rstrip(".") for cause in causes)]
    listed = [[shown.vm(row), *(_verdict(row, cause, shown.language) for cause in causes)] for row in rows[:MOST]]
    return Page([*blocks, Paragraph(shown.text("matrix_of")), Table(header, listed), *shown.more(rows, "more")])


def _causes(rows: Sequence[FleetRow]) -> list[str]:
    """The causes found anywhere, the most frequent first."""
    found = Counter(cause for row in rows for cause, verdict in row["verdicts"].items() if verdict in _FOUND)
    return [cause for cause, _ in found.most_common()]


def _verdict(row: FleetRow, cause: str, language: str) -> Cell:
    verdict = row["verdicts"].get(cause)
    if verdict is None:
        return Cell("")
    if verdict == _SYMPTOM:
        return Cell(catalog.text("verdict_of_cause.symptom", language), str(Verdict.UNKNOWN))
    return Cell(cause_word(Verdict(verdict), language), verdict)
