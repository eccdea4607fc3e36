"""``vmbackup fleet``: the runbooks of many VMs, headless and in parallel, with one summary."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vmbackup import catalog, clock, sanitize
from vmbackup.cli.ending import INTERRUPTED, check_address, interruptible, post_result, stoppable, summarised
from vmbackup.cli.fleet_progress import Progress, say_what_would_run
from vmbackup.cli.options import JsonOption, LanguageOption
from vmbackup.cli.rollout import WIDTH, ApplyOptions, apply, show
from vmbackup.model import Language, Risk, SetupError
from vmbackup.parameters import VAULT_ID, VAULT_ID_EXAMPLE, check_subscription

if TYPE_CHECKING:
    from vmbackup.fleet.coordinator import FleetRun
    from vmbackup.fleet.ledger import Ledger
    from vmbackup.fleet.orders import Fault, Orders
    from vmbackup.fleet.pool import Workers
    from vmbackup.fleet.scope import Plan

app = typer.Typer()

FOUND, REFUSED, UNDECIDED, DENIED, FAILED, TOO_MANY = 1, 2, 3, 4, 5, 6
_GROUP = re.compile(r"(?!\.+\Z)[\w.()-]{1,90}")
_AGO = re.compile(r"(\d{1,4})([dhm])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes"}


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
    from vmbackup.fleet.ledger import Ledger

    asked = {
        "from": table, "vault": vault or [], "subscription": subscription or [],
        "management_group": management_group, "failed_since": _time(failed_since), "examine_all": examine_all,
        "without_points": without_points,
    }  # fmt: skip
    options = ApplyOptions(
        remedy, max_risk, confirm_plan, retry, without or [], at_once, resume, dry_run, notify, str(language), as_json
    )
    options.refuse_contradictions(bool(table) + _has_scope(asked), folder, scheduler)
    if remedy and not (table or _has_scope(asked)):
        _change(Ledger(folder), options)
        return
    _refuse_contradictions(asked, resume, folder)
    check_address(notify)
    orders = _read_table(table, skip_bad, language) if table else None
    ledger = Ledger(folder or f"runs/fleet-{datetime.now(timezone.utc):%Y-%m-%d-%H%M%SZ}")
    begun = time.monotonic()
    with interruptible():
        if dry_run:
            say_what_would_run(_planned(ledger, orders, asked, language), language, as_json)
            return
        with ledger.held():
            if ledger.begun and not resume:
                raise SetupError("error.fleet_there", folder=ledger.place)
            plan = _planned(ledger, orders, asked, language)
            run = _begun(ledger, plan, orders, asked, timeout, max_errors, language)
            shown = Progress(run, language, as_json)
            with _workers(scheduler, workers) as pool:
                with stoppable(run):
                    for ended in run.run(pool):
                        shown.ended(ended)
                files = [] if run.interrupted else pool.do(summarised, ledger.place, language)
    content = _content(run, files, round(time.monotonic() - begun, 1))
    shown.end(content, len(plan.left))
    if explain_calls:
        from vmbackup.fleet.calls import calls

        shown.calls(calls(plan, ledger.folder))
    if notify:
        post_result(notify, content, language)
    if remedy and not run.interrupted:
        show(ledger, options)
    raise typer.Exit(content["exit_code"])


def _change(ledger: Ledger, options: ApplyOptions) -> None:
    """Show the plan of a remedy, or carry it out where it was confirmed."""
    check_address(options.notify)
    if options.confirmed is not None and not options.dry_run:
        apply(ledger, options)
    elif not show(ledger, options):
        raise SetupError("error.nothing_for_group", remedy=options.remedy, folder=ledger.place)


def _read_table(table: str, skip_bad: bool, language: str) -> Orders:
    """The VMs of a table. All that is wrong with it is said at once, before anything is asked or run."""
    from vmbackup.fleet.orders import orders, read_table

    found = orders(read_table(table), {"language": str(language)}, language)
    for fault in found.faults:
        typer.echo(sanitize.text(catalog.text("error.bad_row", language, **asdict(fault))), err=True)
    if found.faults and not (skip_bad and found.specs):
        raise SetupError("error.bad_rows", count=len(found.faults))
    return found


def _planned(ledger: Ledger, orders: Orders | None, asked: Mapping[str, Any], language: str) -> Plan:
    """What is run: the VMs of a table or a scope, else those that the folder names."""
    from vmbackup.fleet import scope
    from vmbackup.fleet.inventory import Scope
    from vmbackup.fleet.orders import Orders

    if orders is not None:
        return scope.of_table(orders)
    if not _has_scope(asked):
        return scope.of_table(Orders(ledger.ordered()))
    vms = Scope(tuple(each.rstrip("/") for each in asked["vault"]), tuple(asked["subscription"]))
    how = {"every": asked["examine_all"], "points": not asked["without_points"]}
    return scope.of_scope(vms, asked["management_group"], asked["failed_since"], {"language": str(language)}, **how)


def _begun(
    ledger: Ledger, plan: Plan, orders: Orders | None, asked: Mapping[str, Any], timeout: int, most: int, language: str
) -> FleetRun:
    from vmbackup.fleet.coordinator import FleetRun
    from vmbackup.fleet.execute import refuse_unknown_parameters

    for spec in plan.specs:
        refuse_unknown_parameters(spec)
    if orders is not None or _has_scope(asked):
        left_out: Sequence[Fault] = orders.faults if orders else ()
        at = datetime.now(timezone.utc).isoformat(timespec="seconds")
        about = {"at": at, "language": str(language), "asked": asked, "left_out": [asdict(each) for each in left_out]}
        ledger.begin(plan, about, language)
    specs = [replace(spec, timeout_s=timeout) for spec in plan.specs]
    return FleetRun(ledger, specs, most if most >= 0 else None)


def _workers(scheduler: str, workers: int) -> AbstractContextManager[Workers]:
    from vmbackup.fleet import pool

    return pool.cluster(scheduler) if scheduler else pool.local(workers or os.cpu_count() or 2)


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


# --- what was asked for --------------------------------------------------------------------------------------------


def _has_scope(asked: Mapping[str, Any]) -> bool:
    return any(asked[name] for name in ("vault", "subscription", "management_group"))


def _refuse_contradictions(asked: Mapping[str, Any], resume: bool, folder: str) -> None:
    sources = bool(asked["from"]) + _has_scope(asked)
    if sources > 1 or not (sources or resume):
        raise SetupError("error.fleet_needs_one_source")
    if resume and not folder:
        raise SetupError("error.resume_needs_folder")
    for option in ("failed_since", "without_points"):
        if asked[option] and not _has_scope(asked):
            raise SetupError("error.option_needs_scope", option=f"--{option.replace('_', '-')}")
    group = asked["management_group"]
    if group and not _GROUP.fullmatch(group):
        raise SetupError("error.no_name", name="--management-group", value=group)
    for vault in asked["vault"]:
        if not VAULT_ID.fullmatch(vault.rstrip("/")):
            raise SetupError("error.no_vault_id", value=vault, example=VAULT_ID_EXAMPLE)
    for subscription in asked["subscription"]:
        check_subscription(subscription)


def _time(words: str) -> str:
    """A time, or so long ago, as a time in UTC."""
    ago = _AGO.fullmatch(words)
    when = datetime.now(timezone.utc) - timedelta(**{_UNITS[ago[2]]: int(ago[1])}) if ago else clock.parse(words)
    if words and when is None:
        raise SetupError("error.no_time", value=words)
    return clock.stamp(when) or ""
