"""Many VMs with the same fault behind one simulator, and the run folder of a fleet that examined them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

from azure.identity import DefaultAzureCredential

from azuresim.loading import SCENARIOS, make_world, parse
from azuresim.serve import Simulator
from azuresim.world import World
from fleets import run_of
from vmbackup.arm.audit import changes
from vmbackup.arm.connection import Azure, Connection
from vmbackup.fleet.ledger import Ledger
from vmbackup.fleet.orders import orders
from vmbackup.fleet.rollout.coordinator import RolloutRun
from vmbackup.fleet.rollout.planning import Proposal, Wanted, propose
from vmbackup.fleet.rollout.record import Record
from vmbackup.fleet.rollout.vm import Patience, RolloutContext
from vmbackup.parameters import read, target
from vmbackup.runs.evidence import evidence_json
from vmbackup.runs.folder import EVIDENCE, NOTEBOOK, RESULT
from vmbackup.runs.rollout import End, Planned
from vmbackup.runs.run import Run
from worlds import serving

SCENARIO, REMEDY, RISK = "extension_failed_linux", "remove_backup_extension", "medium"
HARM = {"event": "extension_deleted", "match": "VMSnapshotLinux", "set": {"agent.state": "not_ready"}}
"""What the remedy does to a VM that it makes worse: the agent is silent afterwards."""
SPOILT = {"effects": [HARM]}
AT_ONCE = Patience(looks=3, wait_s=0.01)


@dataclass
class FaultyFleet:
    """The simulator, its worlds, and the folder."""

    simulator: Simulator
    worlds: list[World]
    ledger: Ledger

    def __post_init__(self) -> None:
        connection = Connection(self.simulator.endpoint, polling_interval_s=0.02, retry_backoff_s=0.01)
        self.azure = Azure(DefaultAzureCredential(), self.worlds[0].subscription, connection)

    def propose(self, language: str = "en", **wanted: Any) -> Proposal:
        """The plan of the remedy for all of them."""
        return propose(self.ledger, Wanted(**{"remedy": REMEDY, "max_risk": RISK, "width": 10, **wanted}), language)

    def begin(self, proposal: Proposal) -> Record:
        """The plan on file, as a run begins it."""
        record = Record(self.ledger.place, proposal.agreement.digest)
        record.begin(proposal.agreement, proposal.left)
        return record

    def run_of(self, proposal: Proposal, record: Record | None = None, **options: Any) -> RolloutRun:
        """A run of this plan."""
        record = record or self.begin(proposal)
        given = {"patience": AT_ONCE, "no_waiting": Meanwhile(self), **options}
        return RolloutRun(RolloutContext(proposal.agreement, record, self.opened, "en", **given))

    def carried_out(self, **wanted: Any) -> dict[str, End]:
        """How each VM ended, after the plan was carried out."""
        run = self.run_of(self.propose(**wanted))
        return {end["name"]: end for end in run.run()}

    def opened(self, vm: Planned) -> Run:
        """The run of one VM, over the connection of all."""
        parameters = read({**vm["parameters"], "run_folder": self.ledger.folder(vm["name"])})
        return Run(parameters, vm["section"], target(parameters), azure=self.azure)

    @property
    def deleted(self) -> list[str]:
        """The VMs whose extension was deleted, in this order, one name for each request."""
        paths = [path.lower() for method, path in self.simulator.requests if method == "DELETE"]
        return [path.partition("/virtualmachines/")[2].partition("/")[0] for path in paths]

    def go_on(self) -> None:
        """Azure goes on while nobody of us looks: operations end, and agents report again."""
        for operation in list(self.simulator.azure.operations.known.values()) * 20:
            operation.poll()
        for world in self.worlds:
            world.advance(minutes=1)

    def sent_twice(self) -> list[str]:
        """What is wrong where a request for a change was sent more than once."""
        changing = ((method, path) for method, path in self.simulator.requests if changes(method, f"https://x{path}"))
        sent = Counter(each for each in changing if not each[1].endswith("/runCommand"))
        return [f"{count} times: {each}" for each, count in sent.items() if count > 1]

    def world(self, name: str) -> World:
        """The world of this VM."""
        return next(each for each in self.worlds if each.machines[0]["name"] == name)

    def harmed(self) -> set[str]:
        """The VMs whose agent does not report any more."""
        machines = (machine for world in self.worlds for machine in world.machines)
        return {machine["name"] for machine in machines if machine["agent"]["state"] != "ready"}


class Meanwhile(Event):
    """A pause in which Azure goes on."""

    def __init__(self, vms: FaultyFleet) -> None:
        super().__init__()
        self.vms = vms

    def wait(self, timeout: float | None = None) -> bool:
        self.vms.go_on()
        return super().wait(timeout)


@contextmanager
def faulty_fleet(
    folder: Path, count: int, different: Mapping[int, Mapping[str, Any]] = {}, scenario: str = SCENARIO, **common: Any
) -> Iterator[FaultyFleet]:
    """So many VMs, ``vm-00`` and so on; some are ``different``, by keys of their world."""
    given = parse((SCENARIOS / f"{scenario}.yaml").read_text("utf-8")) or {}
    each = ({**given, **common, **different.get(number, {})} for number in range(count))
    worlds = [make_world(f"{number:02}", spec) for number, spec in enumerate(each)]
    with serving(*worlds) as simulator:
        yield FaultyFleet(simulator, worlds, examined(folder, worlds, scenario))


def examined(folder: Path, worlds: list[World], scenario: str = SCENARIO) -> Ledger:
    """The folder of a fleet that examined these: what was found on one VM, under the name of each."""
    ledger, run = Ledger(str(folder)), run_of(scenario)
    content = {EVIDENCE: json.dumps(evidence_json(run.target, run.evidence)), RESULT: json.dumps(run.result())}
    rows = [{"vm_id": world.vm_id(world.machines[0])} for world in worlds]
    ledger.order(orders(rows, {"language": "en"}).specs)
    for number, world in enumerate(worlds):
        place = folder / "vms" / world.machines[0]["name"]
        place.mkdir(parents=True)
        for name, text in content.items():
            text = text.replace(scenario.replace("_", "-"), f"{number:02}").replace(scenario, f"{number:02}")
            (place / name).write_text(text, "utf-8")
        (place / NOTEBOOK).write_text("{}", "utf-8")
    return ledger
