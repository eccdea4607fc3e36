"""Where to begin: the failed backup jobs of a vault or subscription, each with its runbook and ready parameters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vmbackup import catalog
from vmbackup.arm.connection import Azure
from vmbackup.catalog.words import cause_title, why
from vmbackup.collectors import failed_jobs
from vmbackup.failures.triage import triage
from vmbackup.pages.blocks import Block, Code, Details, Page, Paragraph, Table
from vmbackup.pages.failure import sorted_into
from vmbackup.parameters import Parameters, from_notebook
from vmbackup.runs.open import connect_azure, connect_simulator

GENERAL_SECTION = "internal_error"
DEMO_WORLDS = (
    "agent_stopped_linux",
    "no_internet_windows",
    "extension_failed_windows",
    "snapshot_rdp_shutdown_windows",
    "disk_too_large_linux",
    "key_vault_denied_windows",
)


@dataclass(frozen=True, slots=True)
class Start:
    """The start notebook's state: its parameters, the Azure it asks, and in the demo the world of each VM."""

    parameters: Parameters
    azure: Azure
    worlds: Mapping[str, str]

    def failed_jobs(self) -> Page:
        """A table of failed jobs, newest first, and under it the parameters block of each; or why there is none."""
        language = self.parameters.language
        fact = failed_jobs(self.azure, self.parameters.vault_id or None)
        if not fact.answered:
            return Page([Paragraph(why(fact, language), catalog.text("triage.jobs_unread", language))])
        jobs = fact.data
        if not jobs:
            return Page([Paragraph(catalog.text("triage.no_jobs", language))])
        labels = ("vm", "time", "code", "message", "runbook")
        header = [catalog.text(f"label.{label}", language) for label in labels]
        blocks: list[Block] = [Table(header, [_row(job) for job in jobs])]
        blocks += [self._parameters(job, language) for job in jobs]
        return Page(blocks)

    def triage(self, failure: str) -> Page:
        """Where a pasted code or message belongs."""
        language = self.parameters.language
        triaged = triage(failure)
        rows = [
            [
                _notebook(candidate.section),
                cause_title(candidate.cause, language) if candidate.cause else "",
                f"{candidate.matched_by}: {candidate.matched}",
            ]
            for candidate in triaged.candidates
        ]
        header = [catalog.text(f"label.{label}", language) for label in ("runbook", "cause", "finding")]
        blocks: list[Block] = [Paragraph(sorted_into(triaged, language))]
        return Page([*blocks, Table(header, rows)] if rows else blocks)

    def _parameters(self, job: Mapping[str, Any], language: str) -> Details:
        values = {"azure": self.parameters.azure, "language": language, "failure": job["name"]}
        if self.parameters.azure == "live":
            values |= {"scenario": "", "vm_id": job["vm_id"] or "", "vault_id": job["vault_id"]}
        else:
            values["scenario"] = self.worlds.get(job["vm_name"].lower(), "")
        lines = "\n".join(f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items())
        title = f"{catalog.text('label.parameters', language)} {_notebook(_section(job))}: {job['vm_name']}"
        return Details(title, [Code(lines)])


def open_start(namespace: Mapping[str, Any]) -> Start:
    """Open the start notebook from its variables (``globals()``). Raises SetupError that says what to do."""
    parameters = from_notebook(namespace, about="vault")
    if parameters.azure == "live":
        return Start(parameters, connect_azure(parameters.subscription_id), {})
    scenarios = [parameters.scenario] if parameters.scenario else list(DEMO_WORLDS)
    azure, worlds = connect_simulator(scenarios)
    names = [world.vms[0]["vm_name"].lower() for world in worlds]
    return Start(parameters, azure, dict(zip(names, scenarios, strict=True)))


def _row(job: Mapping[str, Any]) -> list[str]:
    code = " ".join(str(word) for word in (job["code"], job["title"]) if word)
    return [job["vm_name"], job["time"] or "", code, job["text"] or "", _notebook(_section(job))]


def _section(job: Mapping[str, Any]) -> str:
    for word in (job["title"], job["code"], job["text"]):
        triaged = triage(word) if word else None
        if triaged and triaged.section:
            return triaged.section
    return GENERAL_SECTION


def _notebook(section: str | None) -> str:
    return str(catalog.sections()[section or GENERAL_SECTION]["notebook"])
