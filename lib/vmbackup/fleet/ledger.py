"""The folder of a fleet as its database: what was asked for, and which runs have come to their end. Its files: folder.

A run is finished when its notebook and its result lie in the VM's folder without an error and without ``begun.json``.
Nothing is noted of a run but what it leaves itself: after a crash at any moment the folder says what is still to do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vmbackup import catalog, sanitize
from vmbackup.fleet.execute import RunResult, RunSpec
from vmbackup.fleet.folder import ERROR, FLEET, INVENTORY, VMS, fleet_json, inventory_line, is_a_name, read_fleet
from vmbackup.fleet.inventory.metrics import METRICS
from vmbackup.fleet.orders import notebook_of
from vmbackup.fleet.scope import FleetPlan
from vmbackup.model import AzureSource, SetupError
from vmbackup.parameters import read, target
from vmbackup.runs import storage
from vmbackup.runs.evidence import read_file, unread
from vmbackup.runs.folder import BEGUN, NOTEBOOK, RESULT, RunFolder
from vmbackup.runs.listing import files_by_folder
from vmbackup.runs.lock import Held, folder_lock

ORDERS = "orders.json"


class Ledger:
    """The folder of a fleet, by path or URL."""

    def __init__(self, place: str) -> None:
        self.place = place if storage.is_url(place) else str(Path(place).resolve())
        try:
            self._storage = storage.at(self.place)
        except (OSError, ImportError, ValueError) as error:
            raise SetupError("error.folder_not_opened", folder=place, message=storage.why(error)) from None

    def folder(self, name: str) -> str:
        """The run folder of one VM."""
        return f"{self.place}/{VMS}/{name}"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Work on it, alone. Raises SetupError that names who else does."""
        try:
            with folder_lock(self._storage):
                yield
        except Held as held:
            holder = held.holder
            who = f"{holder.user}, {holder.host}, PID {holder.pid}, {holder.since}" if holder else "–"
            raise SetupError("error.fleet_held", folder=self.place, who=who) from None
        except OSError as error:
            raise SetupError("error.not_written", file=self.place, message=storage.why(error)) from None

    @property
    def begun(self) -> bool:
        """Whether a fleet was begun here."""
        return self._read(ORDERS) is not None

    def ordered(self) -> list[RunSpec]:
        """The runs that were asked for. Raises SetupError where they cannot be read."""
        content = self._read(ORDERS)
        if content is None:
            raise SetupError("error.nothing_to_resume_here", folder=self.place)
        runbooks = {path.stem: path for path in map(notebook_of, catalog.sections())}
        try:
            return [_spec(order, runbooks) for order in json.loads(content)]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            message = sanitize.shortened(str(content[:80]))
            raise SetupError("error.evidence_damaged", file=ORDERS, message=message) from None

    def begin(self, plan: FleetPlan, about: Mapping[str, Any], language: str) -> None:
        """Note what is asked for. What was finished with other parameters is to be done again. Raises SetupError."""
        for spec in self._ordered_otherwise(plan):
            for file in (BEGUN, NOTEBOOK):
                RunFolder(self.folder(spec.name)).delete(file)
        vms = [
            *({"name": spec.name, "vm_id": vm_id_of(spec), "examine": True, "why": None} for spec in plan.specs),
            *(
                {**asdict(vm), "examine": False, "why": catalog.text(f"fleet_run.left.{vm.why}", language)}
                for vm in plan.not_examined
            ),
        ]
        self.write(FLEET, {**about, **fleet_json(vms, plan.gaps)})
        try:
            self._storage.write_lines(INVENTORY, (inventory_line(vm.target, vm.known) for vm in plan.listed.vms))
        except OSError as error:
            raise SetupError("error.not_written", file=INVENTORY, message=storage.why(error)) from None
        self.order(plan.specs)  # last: with it the run has begun

    def _ordered_otherwise(self, plan: FleetPlan) -> list[RunSpec]:
        """Those that were asked for before, but with other parameters, or with another runbook by name: which one the
        lists choose may change with what the run itself has cured."""
        try:
            before = {order["name"]: order for order in json.loads(self._read(ORDERS) or b"[]")}
            return [spec for spec in plan.specs if _differs(spec, before.get(spec.name), spec.name in plan.unsorted)]
        except (ValueError, KeyError, TypeError, RecursionError):
            return list(plan.specs)

    @property
    def has_gaps(self) -> bool:
        """Whether something could not be listed; then nobody can say that nothing is wrong. Metrics are no such thing:
        what is not known of many VMs at once, each run asks for."""
        try:
            return any(gap["what"] != METRICS for gap in read_fleet(self.place)[1])
        except SetupError:
            return True

    def result(self, spec: RunSpec) -> RunResult:
        """How a run that is finished ended."""
        place = self.folder(spec.name)
        return RunResult(spec, place, RunFolder(place).result(), None)

    def order(self, specs: Sequence[RunSpec]) -> None:
        """Note the runs."""
        self.write(ORDERS, [_content(spec) for spec in specs])

    def write(self, name: str, content: Any) -> None:
        """Replace one of the fleet's own files. Raises SetupError."""
        text = json.dumps(sanitize.data(content, sanitize.without_secrets), ensure_ascii=False, indent=1)
        try:
            self._storage.write(name, text.encode())
        except OSError as error:
            raise SetupError("error.not_written", file=f"{self.place}/{name}", message=storage.why(error)) from None

    def finished(self) -> frozenset[str]:
        """The names of the runs that came to their end without an error, as their folders say. Where it is not known
        how a change ended, the run goes on: what was sent is looked for then, and never sent again."""
        try:
            files = files_by_folder(f"{self.place}/{VMS}")
        except OSError as error:
            raise unread(self.place, error) from None
        ended = (name for name, found in files.items() if {NOTEBOOK, RESULT} <= found)
        return frozenset(name for name in ended if not {ERROR, BEGUN} & files[name])

    def _read(self, name: str) -> bytes | None:
        return read_file(self.place, name)


def _content(spec: RunSpec) -> dict[str, Any]:
    return {"name": spec.name, "notebook": spec.notebook.stem, "parameters": dict(spec.parameters)}


def vm_id_of(spec: RunSpec) -> str:
    """The VM's resource id; "" for a simulated one."""
    parameters = read(spec.parameters)
    return target(parameters).vm_id if parameters.azure == AzureSource.LIVE else ""


def _differs(spec: RunSpec, before: Mapping[str, Any] | None, is_unsorted: bool) -> bool:
    now = sanitize.data(_content(spec), sanitize.without_secrets)
    notebook = {"notebook": now["notebook"]} if is_unsorted else {}
    return before is not None and {**before, **notebook} != now


def _spec(order: Mapping[str, Any], runbooks: Mapping[str, Path]) -> RunSpec:
    name, parameters = str(order["name"]), dict(order["parameters"])
    if not is_a_name(name):
        raise ValueError(name)
    # The folder is not trusted: what it says is checked as a table is, and it may not ask for a change.
    read(parameters)
    spec = RunSpec(name, runbooks[order["notebook"]], parameters)
    if spec.changes:
        raise SetupError("error.resume_changes", vm=name)
    return spec
