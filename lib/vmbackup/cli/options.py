"""The VM of a command: how it is named, in which language it is told about, and its examination with progress."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vmbackup import sanitize
from vmbackup.parameters import read

if TYPE_CHECKING:
    from vmbackup.runs.run import Run


class Language(str, Enum):
    """The language of the output."""

    EN = "en"
    DE = "de"


VmOption = Annotated[str, typer.Option("--vm-id", help="Azure resource id of the VM.")]
SubscriptionOption = Annotated[str, typer.Option("--subscription-id", "-s", help="Instead of --vm-id.")]
GroupOption = Annotated[str, typer.Option("--resource-group", "-g", help="Instead of --vm-id.")]
NameOption = Annotated[str, typer.Option("--vm-name", "-n", help="Instead of --vm-id.")]
VaultOption = Annotated[str, typer.Option("--vault-id", help="Vault, where backupStatus may not be asked.")]
ScenarioOption = Annotated[
    str,
    typer.Option("--scenario", help="The VM of a simulated world (name or YAML file) instead of a real one."),
]
FailureOption = Annotated[
    str, typer.Option("--failure", help="Code, message or job name; empty = the newest failed job.")
]
LanguageOption = Annotated[Language, typer.Option("--language", help="Language of the output.")]


def named(scenario: str, vm_id: str, subscription: str, group: str, name: str, vault_id: str) -> dict[str, Any]:
    """The parameters that the options stand for."""
    return {
        "azure": "simulator" if scenario else "live",
        "scenario": scenario,
        "vm_id": vm_id,
        "subscription_id": subscription,
        "resource_group": group,
        "vm_name": name,
        "vault_id": vault_id,
    }


def examined(given: Mapping[str, Any], section: str, otherwise: str | None, *, kept: bool, quiet: bool = False) -> Run:
    """The run, everything asked: of this section, else of the one that the failed job belongs to, else ``otherwise``.

    ``kept`` is whether the run folder follows it. Somebody who watches the terminal sees how many facts are in, unless
    ``quiet``.
    """
    from tqdm import tqdm

    from vmbackup.facts.azure import FACTS
    from vmbackup.runs.open import open_run

    run = open_run(read(given), section or otherwise, kept)
    if run.live:
        with tqdm(total=len(FACTS), unit="fact", leave=False, disable=not sys.stderr.isatty() or quiet) as bar:
            run.collect(on_fact=lambda name, fact: bar.update())
    triaged = run.triage()
    if not section and triaged and triaged.section:
        run.section = triaged.section
        run.save()
    for notice in run.files.notices:
        typer.echo(sanitize.text(notice), err=True)
    return run
