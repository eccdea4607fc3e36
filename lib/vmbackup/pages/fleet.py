"""Many VMs: what a manager needs in one sentence, the work in its order, and what is not covered. Pure.

The lists are cut where a person stops reading; every count is of all VMs, and every VM is in ``summary.csv``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from vmbackup import catalog, clock
from vmbackup.catalog.words import cause_title, duration
from vmbackup.model import CatalogError, Verdict
from vmbackup.pages.blocks import Block, Cell, Heading, Page, Paragraph, Table, VerdictBanner
from vmbackup.pages.incident import cut
from vmbackup.resource_ids import resource_group, resource_name
from vmbackup.runs.fleet import Fleet, FleetRow, Gap, Group, Kept, VmState, late_h
from vmbackup.runs.rollout import LeftOut, Planned

MOST = 100
"""Rows of a list."""
WITHOUT_GOOD_BACKUP = (Kept.NEVER, Kept.UNPROTECTED, Kept.LATE)
"""The most urgent first."""
_LONGEST = 90


@dataclass(frozen=True, slots=True)
class Shown:
    """A fleet as a page shows it: its groups, the language, the path from the page to the fleet's folder, and the name
    of the executed notebook in the folder of a VM."""

    fleet: Fleet
    groups: Sequence[Group]
    language: str
    path: str
    notebook: str
    namesakes: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        counted = Counter(vm_name(row).lower() for row in self.fleet.rows)
        object.__setattr__(self, "namesakes", frozenset(name for name, count in counted.items() if count > 1))

    @property
    def rows(self) -> Sequence[FleetRow]:
        """All VMs."""
        return self.fleet.rows

    def text(self, key: str, **values: object) -> str:
        """Words about the fleet."""
        return catalog.text(f"fleet.{key}", self.language, **values)

    def header(self, *keys: str) -> list[str]:
        """The titles of columns."""
        return [self.text(key) for key in keys]

    def name(self, row: FleetRow) -> str:
        """The VM's name, with its resource group where another VM has the same name."""
        name, group = vm_name(row), resource_group(row["vm_id"])
        return f"{name} ({group})" if name.lower() in self.namesakes and group else name

    def vm(self, row: FleetRow, verdict: str = "") -> Cell:
        """The VM by its name, leading to its executed notebook."""
        ran = row["state"] == VmState.EXAMINED and row["folder"]
        return Cell(self.name(row), verdict, f"{self.path}{row['folder']}/{self.notebook}" if ran else "")

    def more(self, rows: Sequence[object], key: str = "more_rows") -> list[Block]:
        """How many rows the list leaves out; with the key ``more`` they are VMs, and ``summary.csv`` has them."""
        return [Paragraph(self.text(key, count=len(rows) - MOST))] if len(rows) > MOST else []


def vm_name(vm: FleetRow | Planned | LeftOut) -> str:
    """The VM's own name; that of its folder where it is not known."""
    return resource_name(vm["vm_id"]) or vm["name"]


def overview(shown: Shown) -> Page:
    """The sentence a manager needs, and the counts behind it."""
    kept = Counter(row["kept"] for row in shown.rows)
    states = Counter(row["state"] for row in shown.rows)
    verdict = _verdict(kept)
    at = shown.text("as_of", at=shown.fleet.at)
    return Page(
        [
            Heading(shown.text("title", count=len(shown.rows)), 2),
            VerdictBanner(verdict, shown.text(f"banner.{verdict}"), f"{_sentence(shown, kept)} {at}"),
            _counts(shown, "last_good", "kept", Kept, kept),
            _counts(shown, "looked", "state", VmState, states),
        ]
    )


def _verdict(kept: Counter[str]) -> str:
    if any(kept[each] for each in WITHOUT_GOOD_BACKUP):
        return str(Verdict.PROBLEM)
    return str(Verdict.UNKNOWN if kept[Kept.UNKNOWN] else Verdict.OK)


def _sentence(shown: Shown, kept: Counter[str]) -> str:
    bad, unknown, outside = kept[Kept.LATE] + kept[Kept.NEVER], kept[Kept.UNKNOWN], kept[Kept.UNPROTECTED]
    if not (bad or unknown or outside):
        return shown.text("all_kept", count=len(shown.rows))
    said = [shown.text("some_bad", bad=bad)]
    said += [shown.text("some_unprotected", count=outside)] if outside else []
    said += [shown.text("some_unknown", count=unknown)] if unknown else []
    if shown.groups:
        biggest = shown.groups[0]
        said.append(shown.text("biggest", count=len(biggest.rows), group=group_title(biggest, shown)))
    return " ".join(said)


def _counts(shown: Shown, title: str, key: str, words: Iterable[str], counted: Counter[str]) -> Table:
    """One row of numbers, which add up to all VMs."""
    names = [str(word) for word in words]
    header = [shown.text(title), *(shown.text(f"{key}.{name}") for name in names), shown.text("together")]
    numbers = [str(counted[name]) for name in names]
    return Table(header, [[shown.text("vms"), *numbers, str(sum(counted.values()))]])


def group_title(group: Group, shown: Shown) -> str:
    """The group's cause, or what failed where none was found, and what sets it apart."""
    if group.cause:
        title = cause_title(group.cause, shown.language).rstrip(".")
    elif group.code:
        title = shown.text("code_of", code=cut(group.code, _LONGEST))
    else:
        title = shown.text("cause_open")
    return f"{title}, {trait_text(group.trait.name, group.trait.value, shown)}" if group.trait else title


def trait_text(name: str, value: str, shown: Shown) -> str:
    """A trait in words; a resource by its name alone."""
    known = resource_name(value) if name in ("subnet", "nsg", "vault") else value
    return shown.text(f"trait.{name}", value=known)


def cause_text(row: FleetRow, shown: Shown) -> str:
    """The VM's cause, or what failed where none was found."""
    if row["probable_cause"]:
        return cause_title(row["probable_cause"], shown.language).rstrip(".")
    if row["state"] != VmState.EXAMINED:
        return row["why"] or shown.text("not_looked")
    code = row["failed_title"] or row["failed_code"]
    return shown.text("code_of", code=cut(code, _LONGEST)) if code else shown.text("cause_open")


def overdue(row: FleetRow, shown: Shown) -> str:
    """By how much the last good backup is too old, or that there is none."""
    hours = late_h(row)
    return duration(hours * 3600) if row["kept"] == Kept.LATE and hours else shown.text(f"kept.{row['kept']}")


def work(shown: Shown) -> Page:
    """The VMs without a good backup, the most overdue first; those without any before them."""
    rows = sorted((row for row in shown.rows if row["kept"] in WITHOUT_GOOD_BACKUP), key=_urgency)
    blocks: list[Block] = [Heading(shown.text("work"))]
    if not rows:
        return Page([*blocks, Paragraph(shown.text("no_work"))])
    header = shown.header("vms", "overdue", "last_good", "failing_since", "cause")
    listed: list[list[str | Cell]] = [
        [
            shown.vm(row, str(Verdict.PROBLEM)),
            overdue(row, shown),
            clock.local(row["last_good"]),
            clock.local(row["first_failed"]),
            cause_text(row, shown),
        ]
        for row in rows[:MOST]
    ]
    return Page([*blocks, Table(header, listed), *shown.more(rows, "more")])


def _urgency(row: FleetRow) -> tuple[int, float, str]:
    return WITHOUT_GOOD_BACKUP.index(Kept(row["kept"])), -(late_h(row) or 0.0), vm_name(row)


def not_covered(shown: Shown) -> Page:
    """VMs without a result, and lists that could not be read."""
    rows = [row for row in shown.rows if row["state"] in (VmState.FAILED, VmState.PENDING)]
    skipped = Counter(row["why"] or "–" for row in shown.rows if row["state"] == VmState.NOT_EXAMINED)
    blocks: list[Block] = [Heading(shown.text("not_covered"))]
    if shown.fleet.gaps:
        gaps = [[gap["scope"], gap["what"] or "–", gap_reason(gap, shown.language)] for gap in shown.fleet.gaps]
        blocks += [Paragraph("", shown.text("gaps")), Table(shown.header("scope", "list", "why_not"), gaps[:MOST])]
        blocks += shown.more(gaps)
    if rows:
        listed = [[shown.name(row), shown.text(f"state.{row['state']}"), row["why"] or "–"] for row in rows[:MOST]]
        blocks += [Paragraph("", shown.text("uncovered")), Table(shown.header("vms", "looked", "why_not"), listed)]
        blocks += shown.more(rows, "more")
    if skipped:
        reasons = [[why, str(count)] for why, count in skipped.most_common(MOST)]
        blocks += [Paragraph(shown.text("not_examined_is")), Table(shown.header("why_not_examined", "vms"), reasons)]
    if len(blocks) == 1:
        blocks.append(Paragraph(shown.text("all_covered")))
    return Page([*blocks, Paragraph(shown.text("files"))])


def gap_reason(gap: Gap, language: str) -> str:
    """Why something could not be listed, in words; a reason that this version does not know as it stands."""
    try:
        return catalog.text(f"why.{gap['why']}", language, **(gap["details"] or {}))
    except (CatalogError, TypeError):
        return gap["why"]
