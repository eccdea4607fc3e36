"""The commands that look something up without asking Azure: triage, guest-script and checks."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from vmbackup import catalog, sanitize
from vmbackup.catalog import remedies as catalogue
from vmbackup.catalog.words import cause_title
from vmbackup.cli.options import JsonOption, LanguageOption
from vmbackup.failures.triage import as_json as json_of
from vmbackup.failures.triage import triage
from vmbackup.model import Language, SetupError
from vmbackup.pages.explain import explained
from vmbackup.pages.failure import sorted_into
from vmbackup.parameters import no_such

app = typer.Typer()
checks_app = typer.Typer(help="What the runbooks check, and why.", no_args_is_help=True)
app.add_typer(checks_app, name="checks")


@app.command("triage")
def sort_failure(
    failure: Annotated[str, typer.Argument(help="Integer code, string code or message; - reads standard input.")],
    language: LanguageOption = Language.EN,
    as_json: JsonOption = False,
) -> None:
    """Say which runbook an error code or message belongs to."""
    triaged = triage(sys.stdin.read() if failure == "-" else failure)
    if as_json:
        typer.echo(json.dumps(json_of(triaged), ensure_ascii=False))
        return
    typer.echo(sorted_into(triaged, language))
    for candidate in triaged.candidates:
        section = catalog.sections()[candidate.section] if candidate.section else None
        place = f"{section['notebook']}: {section['title'][language]}" if section else "-"
        cause = f" → {cause_title(candidate.cause, language)}" if candidate.cause else ""
        typer.echo(
            f"  {candidate.score:.2f}  {place}{cause}  ({candidate.matched_by}: {sanitize.text(candidate.matched)})"
        )


@app.command("guest-script")
def guest_script(
    name: Annotated[str, typer.Argument(help="windows, linux, linux-logs, or a remedy that is a script.")],
    as_short: Annotated[
        bool, typer.Option("--short", help="Linux: packed into few lines, to paste into a serial console.")
    ] = False,
    language: LanguageOption = Language.EN,
) -> None:
    """Print a script for the guest: windows and linux only read, for a dead agent; linux-logs packs its logs;
    a remedy's script is what its plan names."""
    from vmbackup.collectors.guest import SCRIPTS, script
    from vmbackup.guest.short import has_short_form, short

    repairing = [remedy for remedy, entry in catalogue.remedies().items() if entry["script"]]
    if name not in (*SCRIPTS, *repairing):
        raise no_such("unknown_guest_script", name, [*SCRIPTS, *repairing])
    found = script(name) if name in SCRIPTS else catalogue.script(name)
    if as_short and not has_short_form(found):
        raise SetupError("error.no_short_form", name=name)
    typer.echo(short(found) if as_short else found, nl=False)


@checks_app.command("list")
def list_checks(language: LanguageOption = Language.EN, as_json: JsonOption = False) -> None:
    """List every cause with its checks, in order."""
    rows = [
        {
            "cause": cause,
            "check": check,
            "title": catalog.checks()[check]["title"][language],
            "addition": entry["addition"],
        }
        for cause, entry in catalog.causes().items()
        for check in entry["checks"]
    ]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    table = Table(*(catalog.text(f"label.{key}", language) for key in ("cause", "check")), "")
    for row in rows:
        table.add_row(row["cause"], row["check"], row["title"])
    Console(highlight=False).print(table)


@checks_app.command("explain")
def explain_check(
    check: Annotated[str, typer.Argument(help="Name of a check or of a cause.")], language: LanguageOption = Language.EN
) -> None:
    """Explain one check or cause: what it means, what it reads, its possible results, its sources."""
    typer.echo(explained(check, language).text())
