"""What ``vmbackup fleet`` prints while it runs: a bar in a terminal, else a line now and then; or JSON lines."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Table

from vmbackup import catalog, sanitize
from vmbackup.pages.fleet import gap_reason

if TYPE_CHECKING:
    from vmbackup.fleet.coordinator import FleetRun
    from vmbackup.fleet.execute import RunResult
    from vmbackup.fleet.scope import FleetPlan

LINE_EVERY_S = 30.0


class Progress:
    """The course of one run."""

    def __init__(self, run: FleetRun, language: str, as_json: bool) -> None:
        from tqdm import tqdm

        self._run, self._language, self._json = run, language, as_json
        self._begun = self._said = time.monotonic()
        hidden = as_json or not sys.stderr.isatty()
        self._bar: Any = tqdm(total=run.tally.total, initial=run.earlier, unit="VM", disable=hidden)
        self._event(event="begin", folder=run.ledger.place, total=run.tally.total, earlier=run.earlier)

    def ended(self, ended: RunResult) -> None:
        """One VM came to its end."""
        from vmbackup.fleet.coordinator import as_event

        self._event(**as_event(ended))
        if ended.error and not self._json:
            words = self._text("vm_failed", vm=ended.spec.name, why=ended.error)
            self._bar.write(sanitize.shortened(words), file=sys.stderr)
        self._bar.set_postfix_str(self._counts(), refresh=False)
        self._bar.update()
        if self._bar.disable and not self._json and time.monotonic() - self._said >= LINE_EVERY_S:
            self._said = time.monotonic()
            typer.echo(self._line(), err=True)

    def end(self, content: Mapping[str, Any], not_examined: int) -> None:
        """The run came to its end, or was stopped."""
        self._bar.close()
        self._event(**content)
        if self._json:
            return
        place = content["folder"]
        typer.echo(self._text("ended", done=content["done"], count=content["total"], seconds=content["seconds"],
                              counts=self._counts()))  # fmt: skip
        if not_examined:
            typer.echo(self._text("left_alone", count=not_examined))
        if self._run.ledger.has_gaps:
            typer.echo(self._text("has_gaps"))
        typer.echo(self._text("summary" if content["files"] else "folder", folder=place))
        if content["left_open"]:
            typer.echo(self._text("left_open", count=content["left_open"]), err=True)
        if content["done"] < content["total"] or content["failed"]:
            typer.echo(self._text("go_on", folder=place), err=True)

    def calls(self, rows: Mapping[str, Sequence[int]]) -> None:
        """How many calls were made and saved, by API."""
        self._event(event="calls", **{"by_api": {api: list(counts) for api, counts in rows.items()}})
        table = Table(*(self._text(key) for key in ("calls", "by_lists", "by_vms", "saved")))
        for api, counts in rows.items():
            table.add_row(sanitize.text(api), *map(str, counts))
        Console(highlight=False, stderr=self._json).print(table)

    def _counts(self) -> str:
        tally = self._run.tally
        undecided = tally.undecided + tally.denied
        counts = {"causes": tally.causes, "open": undecided, "nothing": tally.nothing, "failed": tally.failed}
        return self._text("counts", **counts)

    def _line(self) -> str:
        tally = self._run.tally
        each_s = (time.monotonic() - self._begun) / max(1, tally.done - self._run.earlier)
        left = time.strftime("%H:%M:%S", time.gmtime(each_s * (tally.total - tally.done)))
        rate = f"{60 / max(each_s, 0.001):.0f}"
        return self._text("progress", done=tally.done, total=tally.total, counts=self._counts(), rate=rate, left=left)

    def _event(self, **values: Any) -> None:
        if self._json:
            print_event(**values)

    def _text(self, key: str, **values: Any) -> str:
        return catalog.text(f"fleet_run.{key}", self._language, **values)


def print_event(**values: Any) -> None:
    """One line of JSON for machines."""
    typer.echo(json.dumps(sanitize.data(values), ensure_ascii=False))


def say_what_would_run(plan: FleetPlan, language: str, as_json: bool) -> None:
    """The VMs with their runbooks, those that are not examined, and what could not be listed."""
    rows: list[tuple[str, str, str | None]] = [(spec.name, spec.notebook.stem, None) for spec in plan.specs]
    rows += [(vm.name, "", vm.why) for vm in plan.not_examined]
    for name, notebook, why in rows:
        if as_json:
            print_event(event="order", name=name, notebook=notebook or None, why=why)
        else:
            typer.echo(f"{name}\t{notebook or catalog.text(f'fleet_run.left.{why}', language)}")
    for gap in plan.gaps:
        what = ", ".join(filter(None, (gap["what"], gap["scope"])))
        sentence = catalog.text("fleet_run.gap", language, what=what, why=gap_reason(gap, language))
        typer.echo(sanitize.text(sentence), err=True)
