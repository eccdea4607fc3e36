"""``vmbackup fleet``: the runbooks of many VMs, headless and in parallel, with one summary."""

from __future__ import annotations

import json
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vmbackup import catalog, clock, sanitize
from vmbackup.cli.options import JsonOption, LanguageOption
from vmbackup.model import AzureSource, Language, SetupError

if TYPE_CHECKING:
    from vmbackup.fleet.coordinator import FleetRun, Tally
    from vmbackup.fleet.execute import RunSpec
    from vmbackup.fleet.orders import Fault

app = typer.Typer()

FOUND, REFUSED, UNDECIDED, FAILED, TOO_MANY, INTERRUPTED = 1, 2, 3, 5, 6, 130
_SAY_EVERY_S = 30.0
_LONGEST_REQUEST_S = 10


@app.command(name="batch", hidden=True)
@app.command()
def fleet(
    table: Annotated[str, typer.Option("--from", help="CSV or YAML file: one VM's parameters in each row.")] = "",
    vault: Annotated[str, typer.Option(help="All VMs of this vault whose backup failed (resource id).")] = "",
    subscription: Annotated[str, typer.Option(help="The same for a whole subscription.")] = "",
    failed_since: Annotated[str, typer.Option(help="Only failures since this time, such as 2026-11-23.")] = "",
    folder: Annotated[str, typer.Option(help="Run folder, a path or URL; empty = runs/fleet-<now>.")] = "",
    resume: Annotated[bool, typer.Option("--resume", help="Go on in this folder with what is not finished.")] = False,
    workers: Annotated[int, typer.Option(min=0, help="Notebooks at the same time; 0 = one for each core.")] = 0,
    scheduler: Annotated[str, typer.Option(help="Dask scheduler, tcp://…: run on its workers instead.")] = "",
    max_errors: Annotated[int, typer.Option(help="Stop when more VMs than this failed to run; -1 = never.")] = -1,
    timeout: Annotated[int, typer.Option(min=1, help="Seconds that one cell of a runbook may take.")] = 900,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Run the good rows although others are bad.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would run, and stop.")] = False,
    notify: Annotated[str, typer.Option(help="https address that gets the result as JSON at the end.")] = "",
    language: LanguageOption = Language.EN,
    as_json: JsonOption = False,
) -> None:
    """Run the runbooks of many VMs through papermill, in parallel, and sum up what they found.

    The folder can be resumed after any interruption. Exit codes: 0 nothing found, 1 causes found, 2 refused,
    3 undecided, 5 VMs failed to run, 6 stopped by --max-errors, 130 interrupted.
    """
    from vmbackup.fleet.ledger import Ledger

    _check_address(notify)
    ledger = Ledger(folder or f"runs/fleet-{datetime.now(timezone.utc):%Y-%m-%d-%H%MZ}")
    specs, faults = _ordered(ledger, table, vault, subscription, failed_since, language, resume)
    _report(faults, language, skip_bad or resume)
    specs = [replace(spec, cell_s=timeout) for spec in specs]
    if dry_run:
        _show_orders(specs, as_json)
        return
    begun = time.monotonic()
    with ledger.held():
        run = _begun(ledger, specs, resume, max_errors, language)
        with _workers(scheduler, workers) as pool, _stoppable(run), _telling(run, as_json) as tell:
            for ended in run.run(pool):
                tell(ended)
        files = _summarised(ledger.place, language)
    _end(run, files, begun, as_json, notify)


def _ordered(
    ledger: Any, table: str, vault: str, subscription: str, since: str, language: str, resume: bool
) -> tuple[list[RunSpec], Sequence[Fault]]:
    from vmbackup.fleet.orders import orders, read_table

    given = [name for name, value in (("--from", table), ("--vault", vault), ("--subscription", subscription)) if value]
    if resume and not given:
        return ledger.ordered(), ()
    if len(given) != 1:
        raise SetupError("error.fleet_needs_one_source", given=given or "–")
    rows = read_table(table) if table else _failed(vault, subscription, since)
    found = orders(rows, {"language": str(language)}, language)
    return list(found.specs), found.faults


def _failed(vault: str, subscription: str, since: str) -> list[Mapping[str, Any]]:
    """The VMs of a vault or subscription whose newest backup failed, as rows of a table."""
    from vmbackup.catalog.words import why
    from vmbackup.collectors import failed_jobs
    from vmbackup.collectors.recent_failures import last_backups
    from vmbackup.failures.failed_vms import failed_vms
    from vmbackup.fleet.orders import SECTION
    from vmbackup.parameters import read
    from vmbackup.resource_ids import part_after
    from vmbackup.runs.open import connect_azure

    begin = clock.stamp(since) if since else ""
    if begin is None:
        raise SetupError("error.no_time", value=since)
    given = {"azure": AzureSource.LIVE, "vault_id": vault, "subscription_id": subscription}
    asked = read(given, about="vault")
    azure = connect_azure(asked.subscription_id or part_after(asked.vault_id, "subscriptions"))
    jobs, backups = (ask(azure, asked.vault_id or None) for ask in (failed_jobs, last_backups))
    for fact in (jobs, backups):
        if not fact.answered:
            raise SetupError("error.fleet_unlisted", why=why(fact, Language.EN))
    rows = [row for row in failed_vms(jobs.data, backups.data) if row.vm_id and not row.recovered_at]
    return [
        {"azure": "live", "vm_id": row.vm_id, "vault_id": row.vault_id, SECTION: row.section}
        for row in rows
        if (row.failed_since or "9") >= begin
    ]


def _report(faults: Sequence[Fault], language: str, may_go_on: bool) -> None:
    for fault in faults:
        line = catalog.text("error.bad_row", language, number=fault.number, message=fault.message)
        typer.echo(sanitize.text(line), err=True)
    if faults and not may_go_on:
        raise SetupError("error.bad_rows", count=len(faults))


def _begun(ledger: Any, specs: list[RunSpec], resume: bool, max_errors: int, language: str) -> FleetRun:
    from vmbackup.fleet.coordinator import FleetRun
    from vmbackup.fleet.execute import refuse_unknown_parameters
    from vmbackup.fleet.folder import FLEET, FLEET_SCHEMA

    if ledger.begun and not resume:
        raise SetupError("error.fleet_there", folder=ledger.place)
    for spec in specs:
        refuse_unknown_parameters(spec)
    ledger.order(specs)
    vms = [
        {"name": each.name, "vm_id": str(each.parameters.get("vm_id") or ""), "examine": True, "why": None}
        for each in specs
    ]
    at = datetime.now(timezone.utc).isoformat(timespec="seconds")
    ledger.write(FLEET, {"schema": FLEET_SCHEMA, "at": at, "language": str(language), "vms": vms, "gaps": []})
    return FleetRun(ledger, specs, max_errors if max_errors >= 0 else None)


def _workers(scheduler: str, workers: int) -> Any:
    import os

    from vmbackup.fleet import pool

    return pool.cluster(scheduler) if scheduler else pool.local(workers or os.cpu_count() or 2)


@contextmanager
def _stoppable(run: FleetRun) -> Iterator[None]:
    """Ctrl-C and SIGTERM begin nothing more; a second one ends at once."""

    def stop(number: int, frame: object) -> None:
        if run.stopped.is_set():
            raise KeyboardInterrupt
        run.stop()
        run_interrupted.append(number)

    run_interrupted: list[int] = []
    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if run_interrupted:
        run.interrupted = True


@contextmanager
def _telling(run: FleetRun, as_json: bool) -> Iterator[Callable[[Any], None]]:
    """What is told as each VM ends: a bar on a terminal, else a line every half minute; JSON lines where asked for."""
    from tqdm import tqdm

    from vmbackup.fleet.coordinator import as_event

    on_terminal, said = sys.stderr.isatty(), [time.monotonic()]
    total, earlier = run.tally.total, run.tally.earlier
    with tqdm(total=total, initial=earlier, unit="VM", disable=not on_terminal) as bar:

        def tell(ended: Any) -> None:
            if as_json:
                typer.echo(json.dumps(sanitize.data(as_event(ended)), ensure_ascii=False))
            bar.set_postfix_str(_counts(run.tally), refresh=False)
            bar.update()
            if not on_terminal and time.monotonic() - said[0] >= _SAY_EVERY_S:
                said[0] = time.monotonic()
                typer.echo(f"{run.tally.done}/{total} VMs: {_counts(run.tally)}", err=True)

        yield tell


def _counts(tally: Tally) -> str:
    counts = {"cause found": tally.causes, "undecided": tally.undecided, "nothing found": tally.nothing}
    return ", ".join(f"{word}: {count}" for word, count in {**counts, "failed to run": tally.failed}.items())


def _summarised(place: str, language: str) -> list[str]:
    from vmbackup.many_vms import summarise

    return summarise(place, language)


def _show_orders(specs: Sequence[RunSpec], as_json: bool) -> None:
    if as_json:
        for spec in specs:
            row = {"event": "order", "name": spec.name, "notebook": spec.notebook.stem}
            typer.echo(json.dumps({**row, "parameters": spec.parameters}, ensure_ascii=False))
        return
    table = Table("VM", "runbook", title=f"{len(specs)} VMs")
    for spec in specs:
        table.add_row(Text(sanitize.text(spec.name)), Text(spec.notebook.stem))
    Console(highlight=False).print(table)


def _end(run: FleetRun, files: Sequence[str], begun: float, as_json: bool, notify: str) -> None:
    code = exit_code(run)
    seconds = round(time.monotonic() - begun, 1)
    ended = {"event": "end", "exit_code": code, "seconds": seconds, **asdict(run.tally), "done": run.tally.done}
    ended |= {"folder": run.ledger.place, "files": list(files)}
    if as_json:
        typer.echo(json.dumps(ended, ensure_ascii=False))
    else:
        typer.echo(f"{run.tally.done} of {run.tally.total} VMs in {seconds} s: {_counts(run.tally)}")
        typer.echo(f"Summary: {run.ledger.place}/summary.html" if files else f"Folder: {run.ledger.place}")
    if run.tally.done < run.tally.total or run.tally.failed:
        typer.echo(f"To go on: vmbackup fleet --resume --folder {run.ledger.place}", err=True)
    if notify:
        _notified(notify, ended)
    raise typer.Exit(code)


def exit_code(run: FleetRun) -> int:
    """What the run's end says to a script."""
    tally = run.tally
    reasons = [
        (run.interrupted, INTERRUPTED),
        (run.too_many_errors, TOO_MANY),
        (tally.failed, FAILED),
        (tally.causes, FOUND),
        (tally.undecided, UNDECIDED),
    ]
    return next((code for holds, code in reasons if holds), 0)


def _check_address(address: str) -> None:
    if address and not address.startswith("https://"):
        raise SetupError("error.no_https", address=address)


def _notified(address: str, content: Mapping[str, Any]) -> None:
    """Tell whoever waits for the end; that it cannot be told changes nothing of the result."""
    import requests

    try:
        answer = requests.post(address, json=content, timeout=_LONGEST_REQUEST_S, allow_redirects=False)
        answer.raise_for_status()
    except requests.RequestException as error:
        host = address.split("/")[2]
        typer.echo(sanitize.text(f"vmbackup: {host} was not notified: {type(error).__name__}"), err=True)
