"""The options that commands about a VM share, the language they speak, and the examination with progress."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import wraps
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vmbackup import sanitize
from vmbackup.model import AzureSource, Language, Probe
from vmbackup.parameters import read

if TYPE_CHECKING:
    from vmbackup.runs.run import Run

TOOL_ERROR = 2
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for machines; all else goes to stderr.")]
SectionOption = Annotated[str, typer.Option("--section", help="Runbook section; empty = sorted by the failed job.")]

# An error is worded after its command has ended, when the command's options are gone.
_spoken: ContextVar[Language] = ContextVar("vmbackup_language", default=Language.EN)


def spoken() -> Language:
    """The language of the command that runs, or ran last."""
    return _spoken.get()


def _speak(language: Language) -> Language:
    _spoken.set(language)
    return language


LanguageOption = Annotated[
    Language, typer.Option("--language", help="Language of the output.", callback=_speak, is_eager=True)
]


def _vm(
    vm_id: Annotated[str, typer.Option("--vm-id", help="Azure resource id of the VM.")] = "",
    subscription_id: Annotated[str, typer.Option("--subscription-id", "-s", help="Instead of --vm-id.")] = "",
    resource_group: Annotated[str, typer.Option("--resource-group", "-g", help="Instead of --vm-id.")] = "",
    vm_name: Annotated[str, typer.Option("--vm-name", "-n", help="Instead of --vm-id.")] = "",
    vault_id: Annotated[str, typer.Option("--vault-id", help="Vault, where backupStatus may not be asked.")] = "",
    scenario: Annotated[str, typer.Option("--scenario", help="A simulated VM instead: name, or YAML file.")] = "",
    language: LanguageOption = Language.EN,
) -> None:
    """The VM, and the language of the output."""


def _examination(
    failure: Annotated[
        str, typer.Option("--failure", help="Code, message or job name; empty = the newest failed job.")
    ] = "",
    guest_output: Annotated[str, typer.Option(help="File with the pasted output of the guest script.")] = "",
    probe: Annotated[Probe, typer.Option(help="Examine the guest through Run Command.")] = Probe.AUTO,
    deadline_s: Annotated[int, typer.Option(help="Seconds until what is not answered counts as unknown.")] = 120,
) -> None:
    """What is asked, and for how long."""


def about_a_vm(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that name a VM; it takes them as ``given``, which are parameters."""
    return _with(command, _vm)


def examining(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options that name a VM and say how it is examined."""
    return _with(command, _vm, _examination)


def _with(command: Callable[..., Any], *groups: Callable[..., None]) -> Callable[..., Any]:
    shared = [option for group in groups for option in inspect.signature(group, eval_str=True).parameters.values()]
    own = [each for each in inspect.signature(command, eval_str=True).parameters.values() if each.name != "given"]

    @wraps(command)
    def called(**options: Any) -> Any:
        given = {option.name: options.pop(option.name) for option in shared}
        given["azure"] = AzureSource.SIMULATOR if given["scenario"] else AzureSource.LIVE
        return command(given=given, **options)

    # Arguments stand before options; the rest is in the order of the help.
    arguments = [each for each in own if each.default is inspect.Parameter.empty]
    options = [*shared, *(each for each in own if each not in arguments)]
    keywords = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in [*arguments, *options]]
    called.__signature__ = inspect.Signature(keywords)  # type: ignore[attr-defined]
    called.__annotations__ = {each.name: each.annotation for each in keywords}
    return called


def examined(given: Mapping[str, Any], section: str, otherwise: str | None, *, kept: bool, quiet: bool = False) -> Run:
    """The run with everything collected: of this section, else of the one that the failed job belongs to, else
    ``otherwise``. ``kept`` is whether it is saved in the run folder. A terminal shows progress, unless ``quiet``.
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
