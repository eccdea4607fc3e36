"""The commands that examine and judge: diagnose, and replay of what was saved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vmbackup import catalog, sanitize
from vmbackup.catalog.words import cause_title, section_title, sentence
from vmbackup.cli.options import JsonOption, LanguageOption, SectionOption, examined, examining
from vmbackup.cli.ticket import replayed
from vmbackup.diagnosis import Outcome
from vmbackup.model import AzureSource, Language, Verdict
from vmbackup.pages.blocks import SIGNS
from vmbackup.pages.outcome import next_actions, outcome
from vmbackup.pages.step import heaviest, step_word
from vmbackup.runs.result import result_of
from vmbackup.runs.state import State

app = typer.Typer()

EXIT_CODES = {
    Outcome.NO_CAUSE_FOUND: 0,
    Outcome.CAUSE_FOUND: 1,
    Outcome.UNDECIDED: 3,
    Outcome.MISSING_RIGHTS: 4,
}
COLOURS = {
    Verdict.OK: "green",
    Verdict.PROBLEM: "bold red",
    Verdict.UNKNOWN: "yellow",
    Verdict.NOT_APPLICABLE: "dim",
}


@app.command()
@examining
def diagnose(
    given: dict[str, Any],
    section: SectionOption = "",
    save: Annotated[str, typer.Option(help="Run folder for evidence.json and result.json, a path or URL.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Examine one VM and say which of the article's causes explains its failed backup."""
    _examine({**given, "run_folder": save}, section, bool(save), as_json)


@app.command()
def replay(
    evidence_file: Annotated[str, typer.Argument(help="The evidence.json of an earlier run, or a bundle.")],
    section: SectionOption = "",
    failure: Annotated[str, typer.Option(help="Code or message; empty = the newest failed job in the evidence.")] = "",
    language: LanguageOption = Language.EN,
    changed_anyway: Annotated[bool, typer.Option(help="Judge a bundle that was changed after it was made.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Judge saved evidence or a bundle again, with no credentials and no Azure."""
    from vmbackup.ticket.reading import is_bundle

    if is_bundle(evidence_file):
        state = replayed(evidence_file, language, changed_anyway)
        state.section = section or state.section
        _show(state, as_json)
    given = {"evidence_file": evidence_file, "failure": failure, "language": language}
    _examine({"azure": AzureSource.REPLAY, **given}, section, False, as_json)


def _examine(given: Mapping[str, Any], section: str, save: bool, as_json: bool) -> None:
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
    labels = (catalog.text(f"label.{label}", language) for label in ("cause", "verdict", "finding"))
    table = Table("", *labels, title=Text(title))
    for step in state.diagnosis().steps:
        table.add_row(
            str(step.number),
            Text(cause_title(step.cause, language)),
            Text(f"{SIGNS[step.verdict]} {step_word(step, language)}", COLOURS[step.verdict]),
            Text(sanitize.text(sentence(heaviest(step), state.evidence, language))),
        )
    console.print(table)
    ended = outcome(state)
    console.print(Text(sanitize.text(f"{ended.word}: {ended.text}")))
    for action in next_actions(state):
        console.print(Text(sanitize.text(f"{catalog.text('label.next', language)} {action}")))
