"""Many VMs over time: silent downgrades, tonight, what changed since last time, and charts. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from vmbackup import catalog, clock
from vmbackup.catalog import texts
from vmbackup.catalog.words import cause_title, duration
from vmbackup.model import Finding, Verdict
from vmbackup.pages.bars import Bars
from vmbackup.pages.blocks import Block, Cell, Heading, Page, Paragraph, Table
from vmbackup.pages.fleet import MOST, Shown, cause_text, overdue, vm_name
from vmbackup.runs.fleet import Change, FleetRow, Kept, NextFailure, Standing

_SILENT = {False: "silent_yes", True: "silent_no", None: "silent_unknown"}
_SHOWN = (Standing.NEW, Standing.WORSE, Standing.CAUSE_CHANGED, Standing.CURED, Standing.BETTER, Standing.GONE,
          Standing.UNSEEN)  # fmt: skip
_VERDICTS = {Standing.NEW: "problem", Standing.WORSE: "problem", Standing.CAUSE_CHANGED: "problem",
          Standing.CURED: "ok", Standing.UNSEEN: "unknown"}  # fmt: skip
_MOST_BARS = 14


def downgrades(shown: Shown) -> Page:
    """VMs whose newest point is less consistent than their policy wants, the longest first."""
    rows = [row for row in shown.rows if row["consistency"] == Verdict.PROBLEM]
    rows.sort(key=lambda row: (row["downgraded_since"] or "", vm_name(row)))
    unknown = sum(row["consistency"] == Verdict.UNKNOWN for row in shown.rows)
    blocks: list[Block] = [Heading(shown.text("downgrades"))]
    if rows:
        header = shown.header("vms", "since", "type", "silent", "cause")
        listed: list[list[str | Cell]] = [
            [shown.vm(row, "problem"), _since(row, shown), row["downgraded_type"] or "–",
             shown.text(_SILENT[row["failing"]]), _cause(row, shown)]
            for row in rows[:MOST]
        ]  # fmt: skip
        blocks += [Paragraph(shown.text("downgrades_of")), Table(header, listed), *shown.more(rows, "more")]
    else:
        blocks.append(Paragraph(shown.text("no_downgrades")))
    return Page([*blocks, Paragraph(shown.text("downgrades_unknown", count=unknown))] if unknown else blocks)


def _since(row: FleetRow, shown: Shown) -> str:
    when = clock.local(row["downgraded_since"])
    return shown.text("or_before", when=when) if row["downgraded_before"] else when


def _cause(row: FleetRow, shown: Shown) -> str:
    return cause_text(row, shown) if row["probable_cause"] or row["failing"] else "–"


def tonight(shown: Shown) -> Page:
    """VMs whose backups work and whose next one is at risk, soonest first; how many were looked at, for each sign."""
    risks = [(row, risk) for row in shown.rows if not row["failing"] for risk in row["next_failures"]]
    risks.sort(key=lambda each: (each[1]["from_time"] or "9", vm_name(each[0])))
    blocks: list[Block] = [Heading(shown.text("tonight"))]
    if risks:
        listed: list[list[str | Cell]] = [
            [shown.vm(row, "problem"), shown.text(f"signal.{risk['signal']}"), _lead(row, risk, shown),
             _reason(risk, shown.language)]
            for row, risk in risks[:MOST]
        ]  # fmt: skip
        header = shown.header("vms", "risk", "from", "why")
        blocks += [Paragraph(shown.text("tonight_of")), Table(header, listed), *shown.more(risks)]
    else:
        blocks.append(Paragraph(shown.text("no_tonight")))
    return Page([*blocks, _looked_at(shown)])


def _lead(row: FleetRow, risk: NextFailure, shown: Shown) -> str:
    if risk["signal"] == "protection":
        return shown.text("no_backup")
    ahead_s = clock.seconds_between(row["at"], risk["from_time"])
    if ahead_s is None:
        return shown.text("from_unknown")
    return shown.text("lead", when=clock.local(risk["from_time"]), span=duration(ahead_s))


def _reason(risk: NextFailure, language: str) -> str:
    cause = next(cause for cause, entry in catalog.causes().items() if risk["check"] in entry["checks"])
    finding = Finding(risk["check"], cause, Verdict.PROBLEM, risk["reason"], risk["values"])
    return texts.sentence(finding, language)


def _looked_at(shown: Shown) -> Table:
    """How many VMs show each sign, do not, or could not be looked at; a row adds up to all VMs."""
    verdicts = (Verdict.PROBLEM, Verdict.OK, Verdict.NOT_APPLICABLE, Verdict.UNKNOWN)
    header = shown.header("signs_looked", "at_risk", "not_at_risk", "not_applicable", "could_not", "together")
    counted: Mapping[str, Counter[str]] = {
        signal: Counter(row["outlook"][signal] for row in shown.rows)
        for signal in (shown.rows[0]["outlook"] if shown.rows else ())
    }
    return Table(
        header,
        [
            [shown.text(f"signal.{signal}"), *(str(count[each]) for each in verdicts), str(sum(count.values()))]
            for signal, count in counted.items()
        ],
    )


def changes(found: Sequence[Change] | None, shown: Shown) -> Page:
    """What is new, worse, cured or gone since an earlier run; None where none was named."""
    blocks: list[Block] = [Heading(shown.text("changes"))]
    if found is None:
        return Page([*blocks, Paragraph(shown.text("no_earlier"))])
    counted = Counter(change.standing for change in found)
    seen = [each for each in Standing if counted[each]]
    header = [shown.text("change"), *(shown.text(f"standing.{each}") for each in seen), shown.text("together")]
    numbers = [str(counted[each]) for each in seen]
    blocks.append(Table(header, [[shown.text("vms"), *numbers, str(len(found))]]))
    listed = sorted((each for each in found if each.standing in _SHOWN), key=_order)
    if not listed:
        return Page([*blocks, Paragraph(shown.text("no_changes"))])
    rows = [_changed(change, shown) for change in listed[:MOST]]
    return Page([*blocks, Table(shown.header("vms", "change", "before", "now"), rows), *shown.more(listed)])


def _order(change: Change) -> tuple[int, str]:
    row = change.now or change.before
    return _SHOWN.index(change.standing), vm_name(row) if row else ""


def _changed(change: Change, shown: Shown) -> list[str | Cell]:
    verdict = _VERDICTS.get(change.standing, "")
    before = shown.name(change.before) if change.before else ""
    name = shown.vm(change.now, verdict) if change.now else Cell(before, verdict)
    return [
        name,
        shown.text(f"standing.{change.standing}"),
        _state(change.before, shown),
        _state(change.now, shown),
    ]


def _state(row: FleetRow | None, shown: Shown) -> str:
    if row is None:
        return "–"
    late = overdue(row, shown)
    kept = f"{shown.text('overdue')} {late}" if row["kept"] == Kept.LATE else late
    return f"{kept}; {_cause(row, shown)}" if _cause(row, shown) != "–" else kept


def plots(shown: Shown) -> Page:
    """VMs by cause, and by the day of their first failure."""
    blocks: list[Block] = [Heading(shown.text("plots"))]
    causes = Counter(row["probable_cause"] or "" for row in shown.rows if row["probable_cause"] or row["failing"])
    if not causes:
        return Page([*blocks, Paragraph(shown.text("plot_none"))])
    named = [
        (cause_title(cause, shown.language).rstrip(".") if cause else shown.text("cause_open"), count)
        for cause, count in causes.most_common()
    ]
    days = Counter(row["first_failed"][:10] for row in shown.rows if row["first_failed"])
    blocks += _drawn("plot_causes", "cause", named, shown)
    return Page(blocks + (_drawn("plot_days", "failing_since", sorted(days.items()), shown) if days else []))


def _drawn(key: str, label: str, bars: Sequence[tuple[str, int]], shown: Shown) -> list[Block]:
    """The bars, and the same as a table."""
    title, chosen = shown.text(key), bars[-_MOST_BARS:] if key == "plot_days" else bars[:_MOST_BARS]
    said = shown.text("plot_summary", title=title, bars="; ".join(f"{name} {count}" for name, count in chosen))
    table = Table(shown.header(label, "vms"), [[name, str(count)] for name, count in bars])
    return [Paragraph("", title), Bars(title, said, chosen), table]
