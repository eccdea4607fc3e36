"""One remedy for many VMs: the plan, and what became of it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from vmbackup import catalog
from vmbackup.catalog import remedies as catalogue
from vmbackup.model import Verdict
from vmbackup.pages.blocks import Block, Cell, Heading, Page, Paragraph, Table, VerdictBanner
from vmbackup.pages.fleet import MOST, Shown, vm_name
from vmbackup.resource_ids import resource_group
from vmbackup.runs.fleet import FleetRow
from vmbackup.runs.rollout import Ending, LeftOut, Planned, Rollout

_VERDICTS = {Ending.HELPED: "ok", Ending.NOT_HELPED: "unknown", Ending.UNCLEAR: "unknown", Ending.WORSE: "problem"}
_OPEN = "open"


_Waves = Sequence[Sequence[Planned]]


def plan(
    proposed: Rollout, waves: _Waves, words: Mapping[str, str], unaffected: int, retry: bool, language: str
) -> Page:
    """What would be done, to whom and in which waves; ``words`` say it for each VM. Nobody is cut off here: it is what
    an operator agrees to."""
    entry = catalogue.remedies()[proposed.remedy]
    count, sizes = len(proposed.vms), " + ".join(str(len(wave)) for wave in waves)
    risk = catalog.text(f"risk.{entry['risk']}", language)
    about = [
        [catalog.text("remedy.risk", language), f"{risk}: {catalogue.words(proposed.remedy, 'risk_note', language)}"],
        [catalog.text("remedy.duration", language), catalogue.words(proposed.remedy, "duration", language)],
        [_text("retry", language), _text("retry_yes" if retry else "retry_no", language)],
        [_text("waves", language), _text("sizes", language, sizes=sizes or "0")],
        [_text("digest", language), proposed.digest],
    ]
    blocks: list[Block] = [
        Heading(_text("plan", language, count=count, title=_title(proposed, language))),
        Table(["", ""], about),
    ]
    if count:
        header = [_text(key, language) for key in ("wave", "vm", "group", "change")]
        rows = [
            [str(number), vm["name"], resource_group(vm["vm_id"]) or "–", words[vm["name"]]]
            for number, wave in enumerate(waves, 1)
            for vm in wave
        ]
        blocks += [Table(header, rows), Paragraph(_text("checked", language))]
    blocks += _left(proposed.left, _text("left", language), language)
    if unaffected:
        blocks.append(Paragraph(_text("unaffected", language, count=unaffected)))
    return Page(blocks)


def remedies(rollouts: Sequence[Rollout], shown: Shown) -> Page:
    """What was applied, where it helped, who was left out and why, and where it stopped."""
    blocks: list[Block] = [Heading(_text("page", shown.language))]
    if not rollouts:
        blocks.append(Paragraph(_text("none", shown.language)))
    return Page([*blocks, *(block for each in rollouts for block in _rollout(each, shown))])


def counts(rollout: Rollout) -> Counter[str]:
    """How many VMs of the plan ended how; ``open`` are those that were not begun, or not ended."""
    counted = Counter(end["ending"] for end in rollout.ends.values())
    counted[_OPEN] = len(rollout.vms) - len(rollout.ends)
    return counted


def sentence(rollout: Rollout, language: str) -> str:
    """How it ended, in words."""
    counted = counts(rollout)
    numbers = _text("counts", language, **{str(each): counted[each] for each in (*Ending, _OPEN)})
    said = [_text("sum", language, title=_title(rollout, language), count=len(rollout.vms), counts=numbers)]
    fixed = sum(end["fixed"] is True for end in rollout.ends.values())
    said += [_text("fixed", language, count=fixed)] if fixed else []
    for end in rollout.worse[:1]:
        said.append(_text("stopped", language, vm=end["name"], open=counted[_OPEN], why=end["why"]))
    return " ".join(said)


def _rollout(rollout: Rollout, shown: Shown) -> list[Block]:
    language = shown.language
    counted = counts(rollout)
    all_well = counted[Ending.HELPED] == len(rollout.vms)
    verdict = Verdict.PROBLEM if rollout.worse else Verdict.OK if all_well else Verdict.UNKNOWN
    began = _text("began", language, at=rollout.at or "–", digest=rollout.digest)
    known = {row["name"]: row for row in shown.rows}
    rows = [_row(vm, known.get(vm["name"]), rollout, shown) for vm in rollout.vms]
    # What a person looks for stands before what went well.
    rows.sort(key=lambda row: _URGENCY.index(row[0].verdict if isinstance(row[0], Cell) else ""))
    header = [_text(key, language) for key in ("vm", "wave", "how", "backup", "why")]
    return [
        VerdictBanner(str(verdict), _text(f"banner.{verdict}", language), f"{sentence(rollout, language)} {began}"),
        Table(header, rows[:MOST]),
        *shown.more(rows),
        *_left(rollout.left[:MOST], _text("unplanned", language), language),
        *shown.more(rollout.left),
    ]


_URGENCY = ("problem", "unknown", "", "ok")


def _row(vm: Planned, known: FleetRow | None, rollout: Rollout, shown: Shown) -> list[str | Cell]:
    language = shown.language
    end = rollout.ends.get(vm["name"])
    if end is None:
        return [vm_name(vm), "–", _text(f"ending.{_OPEN}", language), "–", "–"]
    verdict = _VERDICTS.get(Ending(end["ending"]), "")
    name = shown.vm(known, verdict) if known else Cell(vm_name(vm), verdict)
    backup = {True: "backup_yes", False: "backup_no"}.get(end["fixed"]) if end["fixed"] is not None else None
    return [
        name,
        str(end["wave"]),
        _text(f"ending.{end['ending']}", language),
        _text(backup, language) if backup else "–",
        end["why"] or "–",
    ]


def _left(left: Sequence[LeftOut], title: str, language: str) -> list[Block]:
    if not left:
        return []
    rows = [[vm_name(each), each["why"]] for each in left]
    return [Paragraph("", title), Table([_text("vm", language), _text("why", language)], rows)]


def _title(rollout: Rollout, language: str) -> str:
    return catalogue.words(rollout.remedy, "title", language)


def _text(key: str, language: str, **values: object) -> str:
    return catalog.text(f"rollout.{key}", language, **values)
