"""The command line.

Exit codes: 0 no cause found, 1 cause found, 2 tool or usage error, 3 undecided, 4 missing rights.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer

from vmbackup import catalog, sanitize
from vmbackup.catalog.words import explain
from vmbackup.cli import demo, diagnose, fleet, knowledge, lab, lookup, remedies, ticket
from vmbackup.cli.options import TOOL_ERROR, spoken
from vmbackup.model import RunbookError

app = typer.Typer(
    help="Runbooks for failed Azure VM backups.\n\nExit codes: 0 no cause found, 1 cause found, 2 tool or usage error, "
    "3 undecided, 4 undecided because rights are missing.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for group in (diagnose.app, remedies.app, ticket.app, lookup.app, knowledge.app, demo.app, fleet.app, lab.app):
    app.add_typer(group)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line, with the process's own arguments by default; whatever goes wrong ends with exit code 2 and
    one clear line."""
    try:
        app(arguments, standalone_mode=True)
    except RunbookError as error:
        _fail(explain(error, spoken()))
    except Exception as error:  # exit code 1 means "cause found" and nothing else
        if os.environ.get("VMBACKUP_DEBUG"):
            raise
        _fail(catalog.text("error.unexpected", spoken(), kind=type(error).__name__, message=str(error)))


def _fail(sentence: str) -> None:
    typer.echo(sanitize.text(f"vmbackup: {sentence}"), err=True)
    sys.exit(TOOL_ERROR)
