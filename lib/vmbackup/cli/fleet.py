"""``vmbackup fleet``: the runbooks of many VMs, headless and in parallel, with one summary."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vmbackup import catalog, sanitize
from vmbackup.cli.ending import INTERRUPTED, check_address, interruptible, post_result, stoppable, summarised
from vmbackup.cli.fleet_options import FleetOptions, Selection
from vmbackup.cli.fleet_progress import Progress, say_what_would_run
from vmbackup.cli.options import JsonOption, LanguageOption
from vmbackup.cli.rollout import WIDTH, ApplyOptions, apply, show
from vmbackup.model import Language, Risk, SetupError

if TYPE_CHECKING:
    from vmbackup.fleet.coordinator import FleetRun
    from vmbackup.fleet.ledger import Ledger
    from vmbackup.fleet.orders import Orders
    from vmbackup.fleet.pool import Workers
    from vmbackup.fleet.scope import FleetPlan

app = typer.Typer()

FOUND, REFUSED, UNDECIDED, DENIED, FAILED, TOO_MANY = 1, 2, 3, 4, 5, 6


@app.command(name="batch", hidden=True)
@app.command()
def fleet(
    table: Annotated[str, typer.Option("--from", help="CSV or YAML file: one VM's parameters in each row.")] = "",
    vault: Annotated[list[str] | None, typer.Option(help="All VMs of this vault (resource id); repeatable.")] = None,
    subscription: Annotated[list[str] | None, typer.Option(help="All VMs of it (GUID); repeatable.")] = None,
    management_group: Annotated[str, typer.Option(help="All VMs of the subscriptions below it (name).")] = "",
    failed_since: Annotated[
        str, typer.Option(help="Of those, VMs that failed or were downgraded since: 24h, 2d, or a time.")
    ] = "",
    examine_all: Annotated[
        bool, typer.Option("--examine-all", help="Also VMs of which the lists show no sign of a problem.")
    ] = False,
    without_points: Annotated[
        bool, typer.Option("--without-points", help="Save a call for each healthy VM; silent downgrades stay unseen.")
    ] = False,
    folder: Annotated[str, typer.Option(help="Run folder, a path or URL; empty = runs/fleet-<now>.")] = "",
    earlier: Annotated[
        str, typer.Option(help="Run folder of an earlier run: the summary says what changed since.")
    ] = "",
    resume: Annotated[bool, typer.Option("--resume", help="Continue what is not finished in this folder.")] = False,
    workers: Annotated[int, typer.Option(min=0, help="Notebooks at the same time; 0 = one for each core.")] = 0,
    scheduler: Annotated[str, typer.Option(help="Dask scheduler, tcp://…: run on its workers.")] = "",
    max_errors: Annotated[int, typer.Option(help="Stop after more failed examinations than this; -1 = never.")] = -1,
    timeout: Annotated[int, typer.Option(min=0, help="Seconds that one VM's runbook may take; 0 = no limit.")] = 900,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Run the good rows even if others are bad.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would run, and stop.")] = False,
    explain_calls: Annotated[
        bool, typer.Option("--explain-calls", help="Say how many calls to Azure were made and saved.")
    ] = False,
    notify: Annotated[str, typer.Option(help="https address that receives the result as JSON at the end.")] = "",
    remedy: Annotated[
        str, typer.Option("--apply", help="Remedy for all VMs of the folder that need it: shows the plan and its hash.")
    ] = "",
    max_risk: Annotated[Risk, typer.Option(help="With --apply: the highest risk allowed.")] = Risk.LOW,
    confirm_plan: Annotated[
        str | None, typer.Option(help="With --apply: carry out exactly the plan with this hash.")
    ] = None,
    at_once: Annotated[int, typer.Option(min=1, help="With --apply: VMs changed at a time, at most.")] = WIDTH,
    retry: Annotated[bool, typer.Option("--retry", help="With --apply: back up each VM afterwards.")] = False,
    without: Annotated[list[str] | None, typer.Option(help="With --apply: leave this VM out; repeatable.")] = None,
    language: LanguageOption = Language.EN,
    as_json: JsonOption = False,
) -> None:
    """Run the runbooks of many VMs through papermill, in parallel, and sum up what they found.

    The folder can be resumed after any interruption. Exit codes: 0 nothing found wrong, 1 causes found, 2 refused or a
    usage error, 3 undecided, 4 undecided because rights are missing, 5 examinations failed, 6 stopped by --max-errors,
    130 interrupted. With --apply: 0 the plan was shown or it helped everywhere, 1 a VM failed or got worse, 3 not every
    VM was helped.
    """
    selection = Selection(
        table, vault or [], subscription or [], management_group, failed_since, examine_all, without_points
    )
    change = ApplyOptions(
        remedy, max_risk, confirm_plan, retry, without or [], at_once, resume, dry_run, notify, str(language), as_json
    )
    change.refuse_contradictions(selection.sources, folder, scheduler)
    if remedy and not selection.sources:
        _apply(folder, change)
        return
    options = FleetOptions(
        selection, folder=folder, earlier=earlier, resume=resume, workers=workers, scheduler=scheduler,
        max_errors=max_errors, timeout_s=timeout, skip_bad=skip_bad, dry_run=dry_run, explain_calls=explain_calls,
        notify=notify, language=str(language), as_json=as_json,
    )  # fmt: skip
    options.refuse_contradictions()
    _check_earlier(earlier)
    check_address(notify)
    _examine(options, change)


def _apply(folder: str, change: ApplyOptions) -> None:
    """Show the plan of a remedy, or carry it out where it was confirmed."""
    from vmbackup.fleet.ledger import Ledger

    ledger = Ledger(folder)
    check_address(change.notify)
    if change.confirmed is not None and not change.dry_run:
        apply(ledger, change)
    elif not show(ledger, change):
        raise SetupError("error.no_vm_to_apply", remedy=change.remedy, folder=ledger.place)


def _check_earlier(folder: str) -> None:
    """Raises SetupError where there is no fleet to compare with: said now, not when all VMs are examined."""
    from vmbackup.fleet.folder import is_fleet

    if folder and not is_fleet(folder):
        raise SetupError("error.no_fleet", folder=folder)


def _examine(options: FleetOptions, change: ApplyOptions) -> None:
    """Examine the VMs, or say which ones would be. Ends with the exit code. A remedy's plan is shown last."""
    from vmbackup.fleet.ledger import Ledger

    orders = _read_table(options) if options.selection.table else None
    ledger = Ledger(options.folder or f"runs/fleet-{datetime.now(timezone.utc):%Y-%m-%d-%H%M%SZ}")
    started = time.monotonic()
    with interruptible():
        if options.dry_run:
            say_what_would_run(_plan(ledger, orders, options), options.language, options.as_json)
            return
        with ledger.held():
            if ledger.begun and not options.resume:
                raise SetupError("error.fleet_there", folder=ledger.place)
            plan = _plan(ledger, orders, options)
            run = _begin(ledger, plan, orders, options)
            progress = Progress(run, options.language, options.as_json)
            files = _run(run, progress, options)
    content = _content(run, files, round(time.monotonic() - started, 1))
    progress.end(content, len(plan.not_examined))
    if options.explain_calls:
        from vmbackup.fleet.calls import calls

        progress.calls(calls(plan, ledger.folder))
    if options.notify:
        post_result(options.notify, content, options.language)
    if change.remedy and not run.interrupted:
        show(ledger, change)
    raise typer.Exit(content["exit_code"])


def _run(run: FleetRun, progress: Progress, options: FleetOptions) -> list[str]:
    """Run the notebooks, then write the summary; returns the names of its files, none where it was interrupted."""
    with _workers(options) as workers:
        with stoppable(run):
            for ended in run.run(workers):
                progress.ended(ended)
        return [] if run.interrupted else workers.do(summarised, run.ledger.place, options.language, options.earlier)


def _read_table(options: FleetOptions) -> Orders:
    """The VMs of a table. All that is wrong with it is said at once, before anything is asked or run."""
    from vmbackup.fleet.orders import orders, read_table

    found = orders(read_table(options.selection.table), {"language": options.language}, options.language)
    for fault in found.faults:
        typer.echo(sanitize.text(catalog.text("error.bad_row", options.language, **asdict(fault))), err=True)
    if found.faults and not (options.skip_bad and found.specs):
        raise SetupError("error.bad_rows", count=len(found.faults))
    return found


def _plan(ledger: Ledger, orders: Orders | None, options: FleetOptions) -> FleetPlan:
    """What is run: the VMs of a table or a scope, else those that the folder names."""
    from vmbackup.fleet import scope
    from vmbackup.fleet.inventory.model import Scope
    from vmbackup.fleet.orders import Orders

    selection = options.selection
    if orders is not None:
        return scope.of_table(orders)
    if not selection.has_scope:
        return scope.of_table(Orders(ledger.ordered()))
    return scope.of_scope(
        Scope(tuple(vault.rstrip("/") for vault in selection.vaults), tuple(selection.subscriptions)),
        selection.management_group,
        selection.since(),
        {"language": options.language},
        every=selection.examine_all,
        points=not selection.without_points,
    )


def _begin(ledger: Ledger, plan: FleetPlan, orders: Orders | None, options: FleetOptions) -> FleetRun:
    """The run of this plan, which the folder notes unless it names the VMs itself."""
    from vmbackup.fleet.coordinator import FleetRun
    from vmbackup.fleet.execute import refuse_unknown_parameters

    for spec in plan.specs:
        refuse_unknown_parameters(spec)
    if options.selection.sources:
        about = {
            "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "language": options.language,
            "asked": options.selection.as_json(),
            "left_out": [asdict(fault) for fault in (orders.faults if orders else ())],
        }
        ledger.begin(plan, about, options.language)
    specs = [replace(spec, timeout_s=options.timeout_s) for spec in plan.specs]
    return FleetRun(ledger, specs, options.max_errors if options.max_errors >= 0 else None)


def _workers(options: FleetOptions) -> AbstractContextManager[Workers]:
    from vmbackup.fleet import pool

    return pool.cluster(options.scheduler) if options.scheduler else pool.local(options.workers or os.cpu_count() or 2)


def _content(run: FleetRun, files: Sequence[str], seconds: float) -> dict[str, Any]:
    return {
        "event": "end",
        "exit_code": exit_code(run),
        "seconds": seconds,
        **asdict(run.tally),
        "done": run.tally.done,
        "left_open": run.left_open,
        "folder": run.ledger.place,
        "files": list(files),
    }


def exit_code(run: FleetRun) -> int:
    """What the run's end says to a script."""
    tally = run.tally
    reasons = [
        (run.interrupted, INTERRUPTED),
        (run.too_many_errors, TOO_MANY),
        (tally.failed, FAILED),
        (tally.causes, FOUND),
        (tally.undecided or run.ledger.has_gaps, UNDECIDED),
        (tally.denied, DENIED),
    ]
    return next((code for holds, code in reasons if holds), 0)
