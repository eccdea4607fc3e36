"""The commands for a ticket: bundle a run, put it there, judge a bundle again, compare two runs.

Exit codes of ``replay``: as of ``diagnose``. Of ``diff``: 0 nothing differs, 1 something does.
"""

from __future__ import annotations

from typing import Annotated

import typer

from vmbackup import catalog, sanitize
from vmbackup.catalog.words import cause_title, cause_word, explain
from vmbackup.cli.options import LanguageOption
from vmbackup.model import Language, Verdict
from vmbackup.runs.state import State
from vmbackup.ticket.aliases import Level

app = typer.Typer(help="What goes to a ticket.", no_args_is_help=True)

RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="A run folder, such as runs/<VM>, or its URL.")]
LevelOption = Annotated[
    Level, typer.Option("--mask", help="none: secrets only; standard: names, people, addresses too; strict: every id.")
]


@app.command("bundle")
def bundle_run(
    run: RunArgument,
    notebook: Annotated[str, typer.Option(help="The executed notebook; empty = the run folder's.")] = "",
    to: Annotated[str, typer.Option(help="Folder or URL for ticket.zip and the single files; empty = RUN.")] = "",
    mask: LevelOption = Level.NONE,
    language: Annotated[Language | None, typer.Option(help="Language; empty = the run's own.")] = None,
    pdf: Annotated[bool, typer.Option(help="With a PDF, where Chromium is installed.")] = True,
) -> None:
    """Turn a run into what a ticket needs: notes, document, result, evidence, notebook, manifest; single and zipped."""
    from vmbackup.runs import storage
    from vmbackup.ticket import bundle

    words = language if language else ""
    path, _ = bundle.write(run, to or run, mask, notebook, words, pdf)
    typer.echo(catalog.text("ticket.written", words or "en", place=path))
    if pdf and storage.at(f"{to or run}/{bundle.FOLDER}").read(bundle.PDF) is None:
        typer.echo(catalog.text("ticket.no_pdf", words or "en"), err=True)


_TO = "jira:OPS-12, servicenow:INC0012345, github:owner/repo#7, azuredevops:org/project/123 or folder:PATH."


@app.command("attach")
def attach_bundle(
    run: RunArgument,
    to: Annotated[
        str,
        typer.Option(help=_TO),
    ] = "",
    retry: Annotated[bool, typer.Option("--retry", help="Retry what is pending in the run folder's outbox.")] = False,
    in_public: Annotated[bool, typer.Option(help="Allow real names in a public ticket.")] = False,
    language: LanguageOption = Language.EN,
) -> None:
    """Put the bundle of a run on a ticket: the text, then the zip, or whatever the system accepts instead.

    Exit codes: 0 everything is attached; 1 something was refused; 3 something is pending for `attach RUN --retry`.
    Credentials come from the environment, or from the keyring (`keyring set vmbackup JIRA_TOKEN`): JIRA_USER,
    JIRA_TOKEN, SERVICENOW_USER, SERVICENOW_PASSWORD, GITHUB_TOKEN, AZURE_DEVOPS_TOKEN. Addresses are in JIRA_URL,
    SERVICENOW_URL and, where they are not the public ones, GITHUB_API_URL and AZURE_DEVOPS_URL.
    """
    from vmbackup.ticket import attaching

    ended = attaching.retry(run, in_public=in_public) if retry else {to: attaching.attach(run, to, in_public=in_public)}
    for place, each in ended.items():
        for name in each.done:
            typer.echo(sanitize.text(catalog.text("ticket.is_there", language, name=name, place=place)))
        for name, error in each.refused:
            _say("refused", language, name=name, why=explain(error, language))
        if each.waits:
            _say("waits", language, why=explain(each.waits, language), run=run)
    waits, refused = any(each.waits for each in ended.values()), any(each.refused for each in ended.values())
    raise typer.Exit(3 if waits else 1 if refused else 0)


@app.command("diff")
def diff_runs(
    first: Annotated[
        str, typer.Argument(metavar="A", help="A run folder (of a VM or a fleet), a bundle or an evidence.json.")
    ],
    second: Annotated[str, typer.Argument(metavar="B", help="Another one.")],
    language: LanguageOption = Language.EN,
) -> None:
    """Compare two runs of a VM: the verdicts and the facts that differ; or of a fleet: what is new, worse, cured."""
    from vmbackup.fleet.folder import is_fleet
    from vmbackup.ticket import diff

    words = language
    if is_fleet(first) and is_fleet(second):
        from vmbackup.many_vms import fleet_of

        fleets = fleet_of(second, words, first)
        typer.echo(fleets.changes().text())
        raise typer.Exit(1 if fleets.has_changed else 0)
    page = diff.page(diff.opened(first, words), diff.opened(second, words), words)
    typer.echo(page.text())
    raise typer.Exit(0 if len(page.blocks) == 1 else 1)


def replayed(place: str, language: str, changed_anyway: bool) -> State:
    """The run in a bundle, judged again; says what made it and where today's checks differ."""
    from vmbackup.ticket import reading

    received = reading.read(place, language, changed_anyway=changed_anyway)
    manifest = received.manifest
    made_by = manifest.get("made_by")
    values = {
        "when": manifest.get("made_at"),
        "version": made_by.get("vmbackup") if isinstance(made_by, dict) else "?",
        "source": manifest["azure"],
        "level": manifest.get("level"),
    }
    _say("made_by", language, **values)
    if received.changed:
        _say("was_changed", language, names=", ".join(received.changed))
    for cause, then, now in received.differs:
        before = cause_word(Verdict(then), language) if then in set(Verdict) else "–"
        values = {"cause": cause_title(cause, language), "then": before, "now": cause_word(Verdict(now), language)}
        _say("differs", language, **values)
    if not received.differs:
        _say("same", language)
    return received.state


def _say(key: str, language: str, **values: object) -> None:
    typer.echo(sanitize.text(catalog.text(f"ticket.{key}", language, **values)), err=True)
