"""Which VMs failed, in the place where one looks: a vault, a subscription, one VM, or the simulated fleet."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from vmbackup import catalog, sanitize
from vmbackup.arm.connection import Azure
from vmbackup.catalog.words import why
from vmbackup.collectors import failed_jobs, last_backups
from vmbackup.collectors.places import subscriptions, vaults
from vmbackup.failures.failed_vms import FailedVm, failed_vms, vm_without_jobs
from vmbackup.model import AzureSource, Fact, Language
from vmbackup.pages import start as page
from vmbackup.pages.blocks import SIGNS, Block, Code, Details, Page, Paragraph, Table
from vmbackup.parameters import Parameters
from vmbackup.runs.folder import RunFolder
from vmbackup.runs.open import connect_azure


class Failures:
    """``vms`` are those found, ``notes`` what could not be read, ``worlds`` in the demo the world of each VM by its id.

    ``azure`` is None until it is known which subscription to ask.
    """

    def __init__(self, parameters: Parameters, azure: Azure | None, worlds: Mapping[str, str]) -> None:
        self.parameters, self.azure, self.worlds = parameters, azure, worlds
        self.vms: list[FailedVm] = []
        self.notes: list[str] = []
        self._subscriptions: list[dict[str, str]] = []
        self._vaults: list[dict[str, str]] = []

    @property
    def language(self) -> Language:
        """The language of all that is shown."""
        return self.parameters.language

    @property
    def live(self) -> bool:
        """Whether the real Azure is asked."""
        return self.parameters.azure == AzureSource.LIVE

    # --- looking ---

    def look(self) -> None:
        """Ask anew. Which subscriptions there are is asked once, and only where none is named; a single one is taken.

        Raises SetupError when nobody is signed in, or what is named does not exist.
        """
        self.notes, self.vms = [], []
        if self.azure is None and not self._subscriptions:
            self._list_subscriptions()
        if self.azure is not None:
            self._list_vms(self.azure)

    def choose_subscription(self, subscription_id: str) -> None:
        """Look there from now on."""
        self._vaults = []
        self.parameters = replace(self.parameters, subscription_id=subscription_id, vault_id="")
        self.azure = connect_azure(subscription_id)

    def choose_vault(self, vault_id: str) -> None:
        """Look there from now on; "" stands for all vaults of the subscription."""
        self.parameters = replace(self.parameters, vault_id=vault_id)

    def _list_subscriptions(self) -> None:
        self._subscriptions = self._answer(subscriptions(connect_azure("")), "start.subscriptions_unread") or []
        if len(self._subscriptions) == 1:
            self.choose_subscription(self._subscriptions[0]["id"])
        elif not self._subscriptions and not self.notes:
            self.notes = [self._word("no_subscriptions")]

    def _list_vms(self, azure: Azure) -> None:
        vault_id, vm_id = (getattr(self.parameters, name).rstrip("/") or None for name in ("vault_id", "vm_id"))
        if self.live and not (self._vaults or vm_id or vault_id):
            self._vaults = self._answer(vaults(azure), "start.vaults_unread") or []
        jobs = self._answer(failed_jobs(azure, vault_id, vm_id), "triage.jobs_unread")
        backups = self._answer(last_backups(azure, vault_id, vm_id), "start.backups_unread") or []
        found = failed_vms(jobs or [], backups)
        if self.live:
            self.vms = found or ([vm_without_jobs(vm_id, backups)] if vm_id else [])
        else:
            self.vms = [self._as_proved(vm) for vm in found if self._scenario(vm)]
        if jobs == [] and not self.vms:
            self.notes.append(catalog.text("triage.no_jobs", self.language))

    def _answer(self, fact: Fact, unread: str) -> Any:
        """The fact's data; None, and a note why, where there is none."""
        if not fact.answered:
            self.notes.append(f"{catalog.text(unread, self.language)} {why(fact, self.language)}")
            return None
        if fact.is_cut:
            self.notes.append(self._word("list_cut"))
        return fact.data

    def _scenario(self, vm: FailedVm) -> str:
        return self.worlds.get((vm.vm_id or "").lower(), "")

    def _as_proved(self, vm: FailedVm) -> FailedVm:
        """Each runbook has a simulated Azure of its own: what was repaired there shows in its run folder only."""
        result = RunFolder(Parameters(scenario=self._scenario(vm)).folder, self.language).result() or {}
        proof = result.get("proof") or {}
        good = (proof.get("point") or {}).get("time") if proof.get("fixed") else None
        return replace(vm, recovered_at=good, last_good=good) if good else vm

    def values(self, vm: FailedVm) -> dict[str, str]:
        """The parameters of a VM's runbook. A job is named only where a good backup has followed it: else the newest
        failed job is meant, whichever that is then."""
        values = {"azure": str(self.parameters.azure), "language": str(self.language), "failure": ""}
        if not self.live:
            return values | {"scenario": self._scenario(vm)}
        if vm.job and vm.recovered_at:
            values["failure"] = vm.job["name"]
        return values | {"scenario": "", "vm_id": vm.vm_id or "", "vault_id": vm.vault_id}

    # --- showing ---

    def _word(self, key: str, **values: Any) -> str:
        return catalog.text(f"start.{key}", self.language, **values)

    def page(self) -> Page:
        """The VMs as a page, with the parameters of each runbook; or the subscriptions to choose from."""
        blocks: list[Block] = [Paragraph(text) for text in self._notices()]
        if self._subscriptions and self.azure is None:
            rows = [[each["id"], each["name"]] for each in self._subscriptions]
            blocks += [Paragraph(self._word("which")), Table(["subscription_id", self._word("subscription")], rows)]
        if self.vms:
            blocks += [Paragraph(self._word("how_headless")), page.table(self.vms, self.language)]
            blocks += [self._parameters(vm) for vm in self.vms]
        return Page(blocks)

    def _notices(self) -> list[str]:
        return [*([] if self.live else [self._word("simulated")]), *self.notes]

    def _parameters(self, vm: FailedVm) -> Details:
        values = self.values(vm)
        lines = "\n".join(f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items())
        title = f"{catalog.text('label.parameters', self.language)} {page.runbook(vm.section)}: {vm.name}"
        return Details(title, [Code(lines)])

    def view(self) -> dict[str, Any]:
        """The same for the tool; see start.js."""
        title = self._word("title")
        return {
            "title": title,
            "notices": self._notices(),
            "how": self._word("how") if self.vms else "",
            "choices": self._choices(),
            "buttons": [[name, self._word(name)] for name in (("again",) if self.live else ("again", "own"))],
            "list": {"title": title, "header": page.header(self.language), "rows": self._rows()} if self.vms else None,
        }

    def _choices(self) -> list[dict[str, Any]]:
        kinds = (
            ("subscription", "choose", self._subscriptions, self.parameters.subscription_id),
            ("vault", "all_vaults", self._vaults, self.parameters.vault_id),
        )
        return [
            {
                "name": name,
                "label": self._word(name),
                "options": [["", self._word(none)], *([each["id"], sanitize.text(each["name"])] for each in places)],
                "chosen": chosen,
            }
            for name, none, places, chosen in kinds
            if len(places) > 1
        ]

    def _rows(self) -> list[dict[str, Any]]:
        rows = []
        for vm in self.vms:
            verdict, cells = page.verdict(vm), [*map(sanitize.text, page.cells(vm, self.vms, self.language))]
            label = self._word("open_of", vm=cells[0], runbook=page.runbook(vm.section))
            row = {"key": vm.key, "sign": SIGNS[verdict], "verdict": verdict, "cells": cells}
            rows.append({**row, "button": self._word("open"), "label": label})
        return rows
