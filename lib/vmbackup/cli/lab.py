"""JupyterLab for one incident: a folder with copies of the notebooks to work in, and launcher tiles that open them.

The folder is the whole incident: notebooks as executed and, under ``runs/``, what was found and changed. It can be
copied to another machine and continued there.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from vmbackup import catalog
from vmbackup.catalog.words import section_title
from vmbackup.cli.options import LanguageOption
from vmbackup.model import AzureSource, Language, SetupError
from vmbackup.parameters import read
from vmbackup.runs.notebooks import START, filled, project, text

app = typer.Typer()

# Tiles of jupyter-app-launcher; it finds the folder by the variable, and the file by the beginning of its name.
_TILES_FOLDER = ".lab"
_TILES_FILE = "jp_app_launcher.yaml"
_TILES_VARIABLE = "JUPYTER_APP_LAUNCHER_PATH"
# JupyterLab's launcher shows this section first.
_SECTION = "Notebook"
_MANY = "90_many_vms"
# What opens a VM's runbook from the start notebook.
EXTENSIONS = Path(__file__).parents[1] / "notebook" / "labextensions"


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(
    context: typer.Context,
    incident: Annotated[str, typer.Option(help="Name of the incident; an existing one is continued.")] = "",
    folder: Annotated[Path, typer.Option(help="Where the incidents' folders are.")] = Path("runs/incidents"),
    vm_id: Annotated[
        str, typer.Option(help="The VM whose backup failed: resource id, or its address in the portal.")
    ] = "",
    subscription: Annotated[str, typer.Option(help="List what failed in this subscription.")] = "",
    vault: Annotated[str, typer.Option(help="List what failed in this vault: resource id, or address.")] = "",
    language: LanguageOption = Language.EN,
) -> None:
    """Open JupyterLab on the start notebook, in a copy of the notebooks for this incident.

    Without a VM, subscription or vault it lists a simulated fleet, from where one gets to one's own Azure.

    What else is given goes to JupyterLab: vmbackup lab --no-browser --port 8890
    """
    name = incident or incident_name()
    if Path(name).name != name or name.startswith("."):
        raise SetupError("error.no_incident_name", name=name)
    place = folder / name
    open_incident(project() / "notebooks", place, language, where(vm_id, subscription, vault))
    typer.echo(catalog.text("lab.folder", language, folder=str(place), command=going_on(folder, name)))
    start(place, context.args)


def incident_name(now: datetime | None = None) -> str:
    """The default name of an incident: when it was opened, in UTC.

    >>> incident_name(datetime(2026, 11, 23, 2, 14, tzinfo=timezone.utc))
    '2026-11-23-0214Z'
    """
    return f"{now or datetime.now(timezone.utc):%Y-%m-%d-%H%MZ}"


def going_on(folder: Path, name: str) -> str:
    """The command that opens the incident again, wherever its folder is.

    >>> going_on(Path("/srv/on call"), "sql-02")
    "vmbackup lab --folder '/srv/on call' --incident sql-02"
    """
    return shlex.join(["vmbackup", "lab", "--folder", str(folder), "--incident", name])


def where(vm_id: str, subscription: str, vault: str) -> dict[str, str]:
    """The parameters of the start notebook that lists the failed VMs there; none for the simulated ones. Raises
    SetupError for an id that is none."""
    given = {"vm_id": vm_id, "subscription_id": subscription, "vault_id": vault}
    if not any(given.values()):
        return {}
    parameters = read({"azure": AzureSource.LIVE, **given}, about="vault")
    return {"azure": AzureSource.LIVE, **{name: getattr(parameters, name) for name in given}}


def open_incident(notebooks: Path, folder: Path, language: str, place: Mapping[str, str]) -> None:
    """Copy the notebooks into the incident's folder, and write its launcher tiles; ``place`` are the parameters that
    say where the start notebook looks.

    A notebook that is already there is an operator's work and is left alone, but for a start notebook that is to look
    elsewhere. Raises SetupError where the folder cannot be written.
    """
    try:
        (folder / _TILES_FOLDER).mkdir(parents=True, exist_ok=True)
        for source in sorted(notebooks.glob("*.ipynb")):
            copy, values = folder / source.name, place if source.stem == START else {}
            if values or not copy.exists():
                values = {"language": language, **values}
                copy.write_text(text(filled(copy if copy.exists() else source, values)), "utf-8")
        listed = yaml.safe_dump(tiles(language), allow_unicode=True)
        (folder / _TILES_FOLDER / _TILES_FILE).write_text(listed, "utf-8")
    except OSError as error:
        raise SetupError("error.incident_not_written", folder=str(folder), message=error.strerror) from None


def tiles(language: str) -> list[dict[str, Any]]:
    """The launcher tiles, as jupyter-app-launcher reads them: the start, then each runbook by its section's title, then
    the page for many VMs."""
    titles = {START: catalog.text("lab.start", language)}
    titles |= {entry["notebook"]: section_title(key, language) for key, entry in catalog.sections().items()}
    titles[_MANY] = catalog.text("lab.many", language)
    return [_tile(f"{notebook}.ipynb", title) for notebook, title in titles.items()]


def _tile(path: str, title: str) -> dict[str, Any]:
    opened = {"label": title, "id": "docmanager:open", "args": {"path": path, "factory": "Notebook"}}
    return {"title": title, "type": "jupyterlab-commands", "source": [opened], "catalog": _SECTION}


def start(folder: Path, options: list[str]) -> None:
    """Replace this process with JupyterLab on the incident's folder; ``options`` are JupyterLab's. Does not return."""
    os.environ[_TILES_VARIABLE] = str((folder / _TILES_FOLDER).resolve())
    os.chdir(folder)
    command = [sys.executable, "-m", "jupyterlab", f"--LabApp.default_url=/lab/tree/{START}.ipynb"]
    command.append(f"--LabApp.extra_labextensions_path={EXTENSIONS}")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # Containers run as root. JupyterLab still listens on this machine only and asks for its token.
        command.append("--allow-root")
    os.execv(sys.executable, [*command, *options])
