"""The commands that change something, and those that prepare it: plan, apply, retry, role, preflight.

Exit codes: 0 done, fixed, nothing missing; 1 failed or not fixed; 2 refused or a usage error; 3 unknown; 4 rights are
missing.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vmbackup import catalog, sanitize
from vmbackup.catalog.words import explain
from vmbackup.cli.options import JsonOption, SectionOption, about_a_vm, examined, examining
from vmbackup.failures.triage import GENERAL_SECTION
from vmbackup.model import RemedyRefused, Risk, RunbookError, SetupError, Verdict
from vmbackup.pages.blocks import Page
from vmbackup.parameters import read
from vmbackup.runs.state import BACKUP_S

if TYPE_CHECKING:
    from vmbackup.remedies.apply import Consent
    from vmbackup.remedies.plan import Plan
    from vmbackup.runs.run import Run

app = typer.Typer(help="Remedies, the retry and the rights.", no_args_is_help=True)

FAILED, UNDECIDED, RIGHTS_MISSING = 1, 3, 4
IN_PROGRESS = "InProgress"


class Format(str, Enum):
    """How a role definition is written."""

    JSON = "json"
    BICEP = "bicep"


FolderOption = Annotated[
    str, typer.Option("--folder", help="Run folder: audit, receipts, open operations; a path or URL.")
]


@app.command("plan")
@examining
def show_plan(
    given: dict[str, Any],
    section: SectionOption = "",
    cause: Annotated[str, typer.Option(help="Cause to plan for; empty = every cause with a problem.")] = "",
    folder: FolderOption = "",
    as_json: JsonOption = False,
) -> None:
    """Show the remedies for what was found: what, on which resource, risk, rights, commands, undo. Changes nothing."""
    from vmbackup.pages import remedies as pages

    run = examined({**given, "run_folder": folder}, section, GENERAL_SECTION, kept=False)
    found = _plans(run, cause)
    if as_json:
        _print_json([each.as_json() for each in found])
        return
    begun = pages.interrupted(run.interrupted(), run.language).blocks
    typer.echo(Page([*begun, *pages.plans(found, run.language).blocks]).text())


@app.command("apply")
@examining
def apply_remedy(
    given: dict[str, Any],
    remedy: Annotated[str, typer.Argument(help="Name of the remedy, as `plan` shows it.")],
    section: SectionOption = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask; the risk must then be within --max-risk.")] = False,
    max_risk: Annotated[Risk, typer.Option(help="With --yes: the highest risk allowed.")] = Risk.LOW,
    then_retry: Annotated[bool, typer.Option("--retry", help="Back up afterwards and prove it.")] = False,
    folder: FolderOption = "",
    as_json: JsonOption = False,
) -> None:
    """Apply one remedy, after its plan was shown and confirmed, and look again at what it should cure.

    An interrupted remedy of an earlier run in the same folder is continued.
    """
    from vmbackup.pages import remedies as pages
    from vmbackup.remedies.apply import Consent
    from vmbackup.runs.open import refuse_unknown_remedies

    refuse_unknown_remedies(remedy)
    run = examined({**given, "run_folder": folder}, section, GENERAL_SECTION, kept=True)
    chosen = next((each for each in run.plans() if each.remedy == remedy), None)
    if chosen is None:
        raise SetupError("error.nothing_to_cure", remedy=remedy)
    typer.echo(pages.plan(chosen).text(), err=as_json)
    confirm = Consent.from_parameters(remedy, max_risk) if yes else _confirmed(chosen)
    changed = run.apply(chosen, confirm)
    done = changed.receipt
    if not as_json:
        typer.echo(pages.change(changed, run.language).text())
    code = 0 if done.cured else UNDECIDED if done.outcome == "unknown" else FAILED
    if then_retry and done.cured:
        code = _retry(run, BACKUP_S, as_json)
    _print_audit(run, as_json)
    raise typer.Exit(code)


@app.command("retry")
@examining
def retry_backup(
    given: dict[str, Any],
    timeout_s: Annotated[int, typer.Option(min=1, help="Seconds to follow the job; it continues in Azure.")] = BACKUP_S,
    folder: FolderOption = "",
    as_json: JsonOption = False,
) -> None:
    """Start an on-demand backup, follow it to its end, and say whether it proves the fault fixed."""
    run = examined({**given, "run_folder": folder}, "", GENERAL_SECTION, kept=True)
    code = _retry(run, timeout_s, as_json)
    _print_audit(run, as_json)
    raise typer.Exit(code)


@app.command("role")
def print_role(
    capabilities: Annotated[
        list[str] | None, typer.Argument(help="diagnose, diagnose_guest, retry or remedies; none = list them.")
    ] = None,
    subscription_id: Annotated[str, typer.Option(help="For the JSON's assignable scope.")] = "<subscription>",
    form: Annotated[
        Format, typer.Option("--format", help="json for az role definition create, or bicep.")
    ] = Format.JSON,
) -> None:
    """Print the custom role with the rights that the capabilities need, and no others.

    `apply` and the runbooks diagnose first: `vmbackup role diagnose remove_backup_extension retry` is one role for all.
    """
    from vmbackup.remedies import roles

    capability = "+".join(capabilities or [])
    if not capability:
        typer.echo("\n".join(roles.actions()))
    elif form is Format.JSON:
        typer.echo(roles.as_json(capability, subscription_id))
    else:
        typer.echo(roles.as_bicep(capability))


@app.command("preflight")
@about_a_vm
def check_rights(
    given: dict[str, Any],
    as_json: JsonOption = False,
) -> None:
    """Compare what each capability needs with what the signed-in identity may do."""
    from vmbackup.arm.client import Arm
    from vmbackup.collectors import collect
    from vmbackup.pages import remedies as pages
    from vmbackup.remedies import roles
    from vmbackup.runs.open import open_run

    run = open_run(read(given), GENERAL_SECTION, kept=False)
    assert run.azure is not None
    target = run.target
    facts = collect(run.azure, target, only=["backup.protection", "network.nics", "network.subnets", "vm.disks"])
    vault = target.vault_id or (facts["backup.protection"].data or {}).get("vault_id")
    found = roles.missing_rights(Arm.on(run.azure), target, vault, facts)
    if as_json:
        _print_json(
            {"unreadable": explain(found, run.language)}
            if isinstance(found, RunbookError)
            else [asdict(row) for row in found]
        )
    else:
        typer.echo(pages.rights(found, run.language).text())
    if isinstance(found, RunbookError):
        raise typer.Exit(UNDECIDED)
    if any(row.missing for row in found):
        raise typer.Exit(RIGHTS_MISSING)
    raise typer.Exit(UNDECIDED if any(row.unreadable for row in found) else 0)


def _plans(run: Run, cause: str) -> list[Plan]:
    if cause and cause not in {step.cause for step in run.diagnosis().steps}:
        raise SetupError("error.no_cause_in_section", section=run.section, cause=cause)
    return run.plans(cause or None)


def _confirmed(chosen: Plan) -> Consent:
    from vmbackup.remedies.apply import Consent

    if not chosen.applicable:
        raise RemedyRefused(" ".join(refusal.words(chosen.language) for refusal in chosen.refusals))
    try:
        agreed = typer.confirm(f"{chosen.words['title']}?", err=True)
    except typer.Abort:  # nobody is there to answer
        typer.echo(err=True)
        agreed = False
    if not agreed:
        raise RemedyRefused(catalog.text("refused.not_confirmed", chosen.language))
    return Consent.for_plan(chosen)


def _retry(run: Run, timeout_s: int, as_json: bool) -> int:
    from tqdm import tqdm

    from vmbackup.pages import remedies as pages
    from vmbackup.remedies.retry.progress import Progress

    with tqdm(total=100, unit="%", leave=False, disable=not sys.stderr.isatty()) as bar:

        def show(progress: Progress) -> None:
            bar.set_description(
                f"{progress.status} {next((task for task, how in progress.tasks if how == IN_PROGRESS), '')}"
            )
            bar.update((progress.percent or bar.n) - bar.n)

        proof = run.back_up(on_progress=show, deadline_s=timeout_s)
    if not as_json:
        typer.echo(pages.proof(proof, run.language).text())
    return {Verdict.OK: 0, Verdict.PROBLEM: FAILED}.get(proof.verdict, UNDECIDED)


def _print_audit(run: Run, as_json: bool) -> None:
    """The end of a command that changes something: every changing request, or all in one JSON document."""
    from vmbackup.pages import remedies as pages

    audited = run.audit()
    if not as_json:
        typer.echo(pages.audit(audited, run.language).text())
        return
    receipts = [receipt.as_json() for receipt in run.receipts]
    proof = run.proof.as_json() if run.proof else None
    _print_json({"receipts": receipts, "proof": proof, "audit": audited})


def _print_json(content: object) -> None:
    typer.echo(json.dumps(sanitize.data(content), ensure_ascii=False, indent=1))
