"""The demo: every runbook headless over a simulated fleet, and one table of what each found."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from rich.console import Console
from rich.table import Table
from rich.text import Text

from vmbackup import catalog, sanitize
from vmbackup.catalog.words import cause_word
from vmbackup.cli.diagnose import COLOURS
from vmbackup.cli.options import TOOL_ERROR, LanguageOption
from vmbackup.failures.triage import GENERAL_SECTION
from vmbackup.model import AzureSource, Language, SetupError, Verdict
from vmbackup.pages.blocks import SIGNS
from vmbackup.runs.notebooks import project

app = typer.Typer()

_WIDE = 170


@app.command()
def demo(
    scenarios: Annotated[list[str] | None, typer.Argument(help="Worlds to run; none = the demo fleet.")] = None,
    list_only: Annotated[bool, typer.Option("--list", help="List the worlds and exit.")] = False,
    folder: Annotated[Path, typer.Option(help="Where the executed notebooks go.")] = Path("runs/demo"),
    workers: Annotated[int, typer.Option(min=1, help="Notebooks at the same time.")] = os.cpu_count() or 2,
    language: LanguageOption = Language.EN,
) -> None:
    """Run every runbook headless over a simulated fleet and print what each found."""
    from tqdm import tqdm

    from azuresim.loading import scenario_names
    from vmbackup.fleet.pool import execute_all

    if list_only:
        typer.echo("\n".join(scenario_names()))
        return
    specs = _demo_runs(scenarios or [], language)
    done = list(tqdm(execute_all(specs, folder, workers), total=len(specs), unit="runbook", desc="runbooks"))
    done.sort(key=lambda run: specs.index(run.spec))
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)
    console.print(_fleet_table(done, language))
    legend = (f"{SIGNS[verdict]} {cause_word(verdict, language)}" for verdict in Verdict)
    console.print(Text("   ".join(legend)))
    console.print(Text(f"Executed notebooks: {folder}/*/runbook.ipynb"))
    if any(executed.result is None for executed in done):
        raise typer.Exit(TOOL_ERROR)


def _demo_runs(scenarios: list[str], language: str) -> list[Any]:
    from azuresim.loading import scenario_names
    from vmbackup.fleet.execute import RunSpec
    from vmbackup.fleet.orders import notebook_of

    fleet = yaml.safe_load((project() / "parameters" / "demo_fleet.yaml").read_text("utf-8"))
    chosen = [row for row in fleet if row["scenario"] in scenarios] if scenarios else fleet
    missing = set(scenarios) - {row["scenario"] for row in chosen}
    if missing - set(scenario_names()):
        raise SetupError("error.unknown_scenario", value=sorted(missing)[0])
    chosen += [{"section": GENERAL_SECTION, "scenario": name} for name in sorted(missing)]
    return [
        RunSpec(
            f"{row['scenario']}-{row['section']}",
            notebook_of(row["section"]),
            {"azure": str(AzureSource.SIMULATOR), "scenario": row["scenario"], "language": str(language)},
        )
        for row in chosen
    ]


def _fleet_table(done: list[Any], language: str) -> Table:
    causes = [cause for cause, entry in catalog.causes().items() if not entry["addition"]]
    labels = [catalog.text(f"label.{label}", language) for label in ("vm", "section", "probable_cause")]
    table = Table()
    for label in labels:
        table.add_column(label, no_wrap=True)
    for cause in causes:
        table.add_column(cause.replace("_", "\n"), justify="center")
    table.add_column(catalog.text("label.addition", language))
    for executed in done:
        if executed.result is None:
            table.add_row(executed.spec.name, "", Text(f"error: {sanitize.text(executed.error)}", "bold red"))
            continue
        steps = {step["cause"]: Verdict(step["verdict"]) for step in executed.result["steps"]}
        added = [step for step in executed.result["steps"] if step["addition"]]
        problems = [step["cause"] for step in added if step["verdict"] == "problem"]
        table.add_row(
            sanitize.text(executed.result["target"]["vm_name"]),
            executed.result["section"],
            executed.result["probable_cause"] or catalog.text(f"outcome.{executed.result['outcome']}", language),
            *(Text(SIGNS[steps[cause]], COLOURS[steps[cause]]) if cause in steps else "" for cause in causes),
            ", ".join(problems),
        )
    return table
