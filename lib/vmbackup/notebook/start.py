"""Where to begin: the VMs whose backup failed, each with what opens its runbook."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from vmbackup import catalog
from vmbackup.arm.connection import Azure
from vmbackup.catalog.words import cause_title, explain, put_into_words
from vmbackup.failures.triage import GENERAL_SECTION, triage
from vmbackup.model import AzureSource, Language, RunbookError, SetupError, Target
from vmbackup.notebook import frontend, parameters_cell
from vmbackup.notebook.failures import Failures
from vmbackup.pages.blocks import Block, Page, Paragraph, Table
from vmbackup.pages.failure import sorted_into
from vmbackup.pages.start import runbook
from vmbackup.parameters import Parameters, from_notebook, language_in
from vmbackup.resource_ids import part_after
from vmbackup.runs import notebooks
from vmbackup.runs.open import connect_azure, connect_simulator
from vmbackup.widgets.start import StartTool

DEMO_WORLDS = (
    "agent_stopped_linux",
    "no_internet_windows",
    "extension_failed_windows",
    "snapshot_rdp_shutdown_windows",
    "disk_too_large_linux",
    "key_vault_denied_windows",
)


class Start:
    """The start notebook, as its cells go through it."""

    def __init__(self, parameters: Parameters, azure: Azure | None, worlds: Mapping[str, str]) -> None:
        self.failures = Failures(parameters, azure, worlds)
        self._tool: StartTool | None = None

    @property
    def language(self) -> Language:
        """The language of all that is shown."""
        return self.failures.language

    def failed_jobs(self) -> Page | StartTool:
        """The VMs whose backup failed, each with a button that opens its runbook; without buttons the page that says
        the same, with the parameters for each runbook. Where nothing names a subscription, those there are.
        """
        if frontend.watched():
            self._tool = StartTool(self._chosen, self.language)
            self._show(self.failures.look)
            return self._tool
        try:
            self.failures.look()
        except RunbookError as error:
            raise put_into_words(error, self.language) from None
        return self.failures.page()

    def triage(self, failure: str) -> Page:
        """Where a pasted code or message belongs."""
        triaged = triage(failure)
        rows = [
            [
                runbook(candidate.section or GENERAL_SECTION),
                cause_title(candidate.cause, self.language) if candidate.cause else "",
                f"{candidate.matched_by}: {candidate.matched}",
            ]
            for candidate in triaged.candidates
        ]
        header = [catalog.text(f"label.{label}", self.language) for label in ("runbook", "cause", "finding")]
        blocks: list[Block] = [Paragraph(sorted_into(triaged, self.language))]
        return Page([*blocks, Table(header, rows)] if rows else blocks)

    # --- what the operator chooses in the tool ---

    def _chosen(self, choice: Mapping[str, Any]) -> None:
        if "open" in choice:
            self._try(lambda: self._open(str(choice["open"])))
        else:
            self._show(lambda: self._look_elsewhere(choice))

    def _look_elsewhere(self, choice: Mapping[str, Any]) -> None:
        if "own" in choice:
            self.failures = Failures(Parameters(azure=AzureSource.LIVE, language=self.language), None, {})
        elif choice.get("subscription"):
            self.failures.choose_subscription(str(choice["subscription"]))
        elif "vault" in choice:
            self.failures.choose_vault(str(choice["vault"]))
        self.failures.look()

    def _show(self, look: Callable[[], object]) -> None:
        error = self._try(look)
        if self._tool is not None:
            self._tool.show(self.failures.view(), self.failures.page())
            if not error:
                self._tool.say(self._word("asked", count=len(self.failures.vms)) if self.failures.azure else "")

    def _try(self, do: Callable[[], object]) -> bool:
        """Do it; an error is said in the tool. Returns whether there was one."""
        try:
            do()
            return False
        except RunbookError as error:
            words = explain(error, self.language)
        except Exception as error:
            words = self._word("unexpected", error=f"{type(error).__name__}: {error}")
        if self._tool is not None:
            self._tool.say(words)
        return True

    def _open(self, key: str) -> None:
        """Write the VM's runbook, unless it is there, and have the frontend open it; one that was left as it was
        written is run as well."""
        vm = next(each for each in self.failures.vms if each.key == key)
        values = {field.name: field.default for field in fields(Parameters)} | self.failures.values(vm)
        names = (vm.name, vm.group) if vm.group else (vm.name,)
        try:
            copy = notebooks.write_runbook(notebooks.template(runbook(vm.section)), Path.cwd(), key, names, values)
        except OSError as error:
            raise SetupError("error.incident_not_written", folder=str(Path.cwd()), message=error.strerror) from None
        again = "" if copy.untouched else "_again"
        words = {
            "opened": self._word(f"opened{again}", file=copy.path.name),
            "otherwise": self._word(f"open_yourself{again}", file=copy.path.name),
        }
        if self._tool is not None:
            self._tool.send({"open": {"name": copy.path.name, "run": copy.untouched, **words}})

    def _word(self, key: str, **values: Any) -> str:
        return catalog.text(f"start.{key}", self.language, **values)


def open_start(namespace: Mapping[str, Any]) -> Start:
    """Open the start notebook from its variables (``globals()``). Raises SetupError that says what to do."""
    try:
        parameters_cell.cell.require()
        return _opened(from_notebook(namespace, about="vault"))
    except RunbookError as error:
        raise put_into_words(error, language_in(namespace)) from None


def _opened(parameters: Parameters) -> Start:
    if parameters.azure == AzureSource.LIVE:
        named = (parameters.vault_id, parameters.vm_id, f"/subscriptions/{parameters.subscription_id}")
        subscription = next(filter(None, (part_after(each, "subscriptions") for each in named)), "")
        return Start(parameters, connect_azure(subscription) if subscription else None, {})
    scenarios = [parameters.scenario] if parameters.scenario else list(DEMO_WORLDS)
    azure, worlds = connect_simulator(scenarios)
    vms = [world.vms[0] for world in worlds]
    ids = [Target(vm["subscription_id"], vm["resource_group"], vm["vm_name"]).vm_id.lower() for vm in vms]
    return Start(parameters, azure, dict(zip(ids, scenarios, strict=True)))
