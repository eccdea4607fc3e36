"""The command line.

Exit codes: 0 no cause found, 1 cause found, 2 tool or usage error, 3 undecided, 4 missing rights.
"""

from __future__ import annotations

import json
import os
import sys
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vmbackup import catalog, sanitize
from vmbackup.catalog.words import cause_title, section_title, sentence, word
from vmbackup.cli import demo as cli_demo
from vmbackup.cli import knowledge as cli_knowledge
from vmbackup.cli import remedies as cli_remedies
from vmbackup.cli import ticket as cli_ticket
from vmbackup.cli.options import (
    FailureOption,
    GroupOption,
    Language,
    LanguageOption,
    NameOption,
    ScenarioOption,
    SubscriptionOption,
    VaultOption,
    VmOption,
    examined,
    named,
)
from vmbackup.diagnosis import Outcome
from vmbackup.model import RunbookError, SetupError, Verdict
from vmbackup.pages.blocks import SIGNS
from vmbackup.pages.explain import explained
from vmbackup.pages.failure import sorted_into
from vmbackup.pages.outcome import next_actions, outcome
from vmbackup.pages.step import heaviest
from vmbackup.runs.result import result_of
from vmbackup.runs.state import State
from vmbackup.ticket.reading import is_bundle

app = typer.Typer(
    help="Runbooks for failed Azure VM backups.\n\nExit codes: 0 no cause found, 1 cause found, 2 tool or usage error, "
    "3 undecided, 4 undecided because rights are missing.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
checks_app = typer.Typer(help="What the runbooks check, and why.", no_args_is_help=True)
app.add_typer(checks_app, name="checks")
app.add_typer(cli_remedies.app)
app.add_typer(cli_demo.app)
app.add_typer(cli_ticket.app)
app.add_typer(cli_knowledge.app)

EXIT_CODES = {
    Outcome.NO_CAUSE_FOUND: 0,
    Outcome.CAUSE_FOUND: 1,
    Outcome.UNDECIDED: 3,
    Outcome.MISSING_RIGHTS: 4,
}
TOOL_ERROR = 2


class Probe(str, Enum):
    """When to run the guest script through Run Command."""

    AUTO = "auto"
    NEVER = "never"
    FORCE = "force"


JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of a table.")]
SectionOption = Annotated[
    str, typer.Option(help="Runbook section; empty = sorted by the failed job's code or message.")
]


def main() -> None:
    """Run the command line; whatever goes wrong ends with exit code 2 and one clear line."""
    try:
        app(standalone_mode=True)
    except RunbookError as error:
        typer.echo(sanitize.text(f"vmbackup: {error}"), err=True)
        sys.exit(TOOL_ERROR)
    except Exception as error:  # exit code 1 means "cause found", so nothing else may end with it
        if os.environ.get("VMBACKUP_DEBUG"):
            raise
        words = sanitize.text(f"vmbackup: unexpected {type(error).__name__}: {error} (VMBACKUP_DEBUG=1 shows where)")
        typer.echo(words, err=True)
        sys.exit(TOOL_ERROR)


@app.command()
def diagnose(
    vm_id: VmOption = "",
    subscription_id: SubscriptionOption = "",
    resource_group: GroupOption = "",
    vm_name: NameOption = "",
    vault_id: VaultOption = "",
    scenario: ScenarioOption = "",
    failure: FailureOption = "",
    section: SectionOption = "",
    guest_output: Annotated[str, typer.Option(help="File with the pasted output of the guest script.")] = "",
    probe: Annotated[Probe, typer.Option(help="Examine the guest through Run Command.")] = Probe.AUTO,
    deadline_s: Annotated[int, typer.Option(help="Seconds until what is not answered counts as unknown.")] = 120,
    language: LanguageOption = Language.EN,
    save: Annotated[Path | None, typer.Option(help="Folder for evidence.json and result.json.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Examine one VM and say which of the article's causes explains its failed backup."""
    given = {
        **named(scenario, vm_id, subscription_id, resource_group, vm_name, vault_id),
        "failure": failure,
        "guest_output": guest_output,
        "probe": probe.value,
        "deadline_s": deadline_s,
        "language": language.value,
        "run_folder": str(save or ""),
    }
    _examine(given, section, save is not None, as_json)


@app.command()
def replay(
    evidence_file: Annotated[Path, typer.Argument(help="The evidence.json of an earlier run, or a bundle.")],
    section: SectionOption = "",
    failure: Annotated[str, typer.Option(help="Code or message; empty = the newest failed job in the evidence.")] = "",
    language: LanguageOption = Language.EN,
    changed_anyway: Annotated[bool, typer.Option(help="Judge a bundle that was changed after it was made.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Walk again over saved evidence or a bundle, with no credentials and no Azure."""
    if is_bundle(str(evidence_file)):
        state = cli_ticket.replayed(str(evidence_file), language.value, changed_anyway)
        state.section = section or state.section
        _show(state, as_json)
    given = {
        "azure": "replay",
        "evidence_file": str(evidence_file),
        "failure": failure,
        "language": language.value,
    }
    _examine(given, section, False, as_json)


def _examine(given: dict[str, Any], section: str, save: bool, as_json: bool) -> None:
    _show(examined(given, section, None, kept=save, quiet=as_json), as_json)


def _show(state: State, as_json: bool) -> NoReturn:
    if as_json:
        typer.echo(json.dumps(result_of(state), ensure_ascii=False, indent=1))
    else:
        _print(state)
    raise typer.Exit(EXIT_CODES[state.diagnosis().outcome])


def _print(state: State) -> None:
    language, console = state.language, Console(highlight=False)
    title = f"{sanitize.text(state.target.vm_name)} · {section_title(state.section, language)}"
    table = Table(
        "", *(catalog.text(f"label.{label}", language) for label in ("cause", "verdict", "finding")), title=Text(title)
    )
    for step in state.diagnosis().steps:
        table.add_row(
            str(step.number),
            Text(cause_title(step.cause, language)),
            _verdict(step.verdict, language),
            Text(sanitize.text(sentence(heaviest(step), state.evidence, language))),
        )
    console.print(table)
    ended = outcome(state)
    console.print(Text(sanitize.text(f"{ended.word}: {ended.text}")))
    for action in next_actions(state):
        console.print(Text(sanitize.text(f"{catalog.text('label.next', language)} {action}")))


def _verdict(verdict: Verdict, language: str) -> Text:
    return Text(f"{SIGNS[verdict]} {word(verdict, language)}", cli_demo.COLOURS[verdict])


@app.command("triage")
def sort_failure(
    failure: Annotated[str, typer.Argument(help="Integer code, string code or message; - reads standard input.")],
    language: LanguageOption = Language.EN,
    as_json: JsonOption = False,
) -> None:
    """Say which runbook an error code or message belongs to."""
    from vmbackup.failures.triage import as_json as json_of
    from vmbackup.failures.triage import triage

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
) -> None:
    """Print a script for the guest: windows and linux only read, for a dead agent; linux-logs packs its logs;
    a remedy's script is what its plan names."""
    from vmbackup.catalog import remedies as catalogue
    from vmbackup.collectors.guest import SCRIPTS, script

    repairing = [remedy for remedy, entry in catalogue.remedies().items() if entry["script"]]
    if name not in (*SCRIPTS, *repairing):
        raise SetupError(f"There is no guest script for {name!r}; there are {', '.join((*SCRIPTS, *repairing))}.")
    typer.echo(script(name) if name in SCRIPTS else catalogue.script(name), nl=False)


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
    table = Table("cause", "check", "")
    for row in rows:
        table.add_row(row["cause"], row["check"], row["title"])
    Console(highlight=False).print(table)


@checks_app.command("explain")
def explain_check(
    check: Annotated[str, typer.Argument(help="Name of a check or of a cause.")], language: LanguageOption = Language.EN
) -> None:
    """Explain one check or cause: what it means, what it reads, what it can say, where it comes from."""
    typer.echo(explained(check, language).text())


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(
    context: typer.Context,
    incident: Annotated[str, typer.Option(help="Name of the incident; one that is there goes on.")] = "",
    folder: Annotated[Path, typer.Option(help="Where the incidents' folders are.")] = Path("runs/incidents"),
    language: LanguageOption = Language.EN,
) -> None:
    """Open JupyterLab on the start notebook, in a copy of the notebooks for this incident.

    What else is given goes to JupyterLab: vmbackup lab --no-browser --port 8890
    """
    from vmbackup.cli.lab import going_on, incident_name, open_incident, start

    name = incident or incident_name()
    if Path(name).name != name or name.startswith("."):
        raise SetupError(f"{name!r} is no name for an incident: give one that can name a folder.")
    place = folder / name
    open_incident(cli_demo.project() / "notebooks", place, language.value)
    typer.echo(f"Incident folder: {place}\nTo go on later: {going_on(folder, name)}")
    start(place, context.args)
