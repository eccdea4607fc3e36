"""A run folder that is stale, another VM's, tampered with or spoilt changes nothing beyond what the plan says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from attacks.attack import Attack, Case
from attacks.children import change, run_of
from cures import ALONE
from remedy_worlds import Case as World
from remedy_worlds import opened
from vmbackup.catalog import remedies as catalogue
from vmbackup.remedies.plan import Plan
from vmbackup.remedies.scope import permitted
from vmbackup.runs.folder import OPERATIONS, RECEIPTS, RUN, RUN_EVIDENCE
from vmbackup.runs.run import Run

IDS = re.compile(
    r"/(networkSecurityGroups|routeTables|subnets|vaults|restorePointCollections|locks|virtualMachines|extensions"
    r"|protectedItems|protectionContainers|networkInterfaces)/[^/\"]+"
)


def beyond(case: World, allowed: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """The requests that no plan allows: changes of something else, and anything about the victim."""
    wrong = [each for each in case.changing() if (each[0], each[1].partition("?")[0]) not in allowed]
    return wrong + [each for each in case.simulator.requests if "victim" in each[1].lower()]


def operations(case: World, remedy: str, resource: str, *changed: Mapping[str, object]) -> bytes:
    """A journal of operations that were sent, each changed in its way, with everything in it aimed at a victim."""
    victim = re.sub(r"[^/]+$", "victim", resource)
    ids = ("nsg_id", "subnet_id", "route_table_id", "vault_id", "item_id", "lock_id", "collection_id", "lock_scope")
    values = {**dict.fromkeys(ids, victim), "extension": "../victim", "failed_extension": "victim", "job": "victim"}
    begun = {"event": "begun", "remedy": remedy, "resource": resource, "vm_id": case.target.vm_id,
             "at": "2026-11-23T03:00:00Z", "before": {"victim": victim}, "values": values,
             "cures": [name.partition(":")[0] for name in catalogue.remedies()[remedy]["checks"]]}  # fmt: skip
    url = f"{case.simulator.endpoint}{victim}?api-version=2024-07-01"
    accepted = {"event": "accepted", "step": 0, "url": url, "at": "2026-11-23T03:00:00Z"}
    events = [
        {"operation": f"{number}", **event}
        for number, each in enumerate(changed)
        for event in ({**begun, **each}, {"event": "sending", "step": 0}, accepted)
    ]
    return "\n".join(map(json.dumps, events)).encode()


STRANGE: dict[str, dict[str, object]] = {
    "as it was": {},
    "another VM's": {"vm_id": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/victim"},
    "another resource": {"resource": "/subscriptions/s/resourceGroups/victim/providers/Microsoft.Compute/disks/victim"},
    "another remedy's": {"remedy": "delete_restore_point_collection"},
    "of no remedy": {"remedy": "victim"},
    "old": {"at": "2026-11-01T03:00:00Z"},
    "of the future": {"at": "2027-11-01T03:00:00Z"},
    "without a time": {"at": {"victim": 1}},
    "of other checks": {"cures": ["victim", 7, None]},
    "of no list": {"cures": "victim", "values": 5},
}


SPOILT: dict[str, Callable[[bytes], bytes]] = {
    "cut off": lambda content: content[: len(content) // 2],
    "empty": lambda content: b"",
    "deep": lambda content: b"[" * 200_000,
    "bytes": lambda content: bytes(range(256)) * 20,
    "a list": lambda content: b"[1, 2]",
    "lines": lambda content: content.replace(b":", b"\n"),
}

TAMPERED: dict[str, Callable[[str], str]] = {
    "led elsewhere": lambda saved: IDS.sub(lambda found: f"/{found[1]}/../victim", saved),
    "another group": lambda saved: re.sub(r"/(subscriptions|resourceGroups)/[^/\"]+", r"/\1/victim", saved),
    "other names": lambda saved: re.sub(
        r'"(item|container|name)": "[^"]+"', r'"\1": "victim"', IDS.sub(r"/\1/victim", saved)
    ),
    "another VM's": lambda saved: re.sub(r"/virtualMachines/[^/\"]+", "/virtualMachines/victim", saved),
}


def cases() -> list[Case]:
    """Every remedy over every folder."""
    ways = [("journal", way) for way in STRANGE]
    ways += [("spoilt", way) for way in SPOILT]
    ways += [("evidence", way) for way in TAMPERED]
    return [(remedy, world, kind, way) for remedy, world in ALONE.items() for kind, way in ways]


def attempt(remedy: str, world: str, kind: str, way: str) -> list[str]:
    """Apply the remedy over such a folder, as often as it is proposed."""
    with TemporaryDirectory() as folder, opened(world, Path(folder)) as case:
        plan = case.plan(remedy)
        run = run_of(case, folder)
        run.evidence = dict(case.evidence)
        run.save()
        unread = _LAID[kind](case, run, plan, way)
        again = run_of(case, folder)
        if kind == "evidence" and again.earlier:
            again.resume()
        else:
            again.collect()
        change(again, remedy)
        found = [f"sent {each}" for each in beyond(case, set(permitted(plan)))]
        return found + ([] if unread <= len(again.files.notices) else [f"only said {again.files.notices}"])


def _tampered_journal(case: World, run: Run, plan: Plan, way: str) -> int:
    run.files.write(OPERATIONS, operations(case, plan.remedy, plan.resource, STRANGE[way]))
    return 0


def _spoilt_files(case: World, run: Run, plan: Plan, way: str) -> int:
    run.files.write(OPERATIONS, operations(case, plan.remedy, plan.resource, STRANGE["old"]))
    run.files.write(RECEIPTS, b'{"remedy": "x"}\n')
    for name in (OPERATIONS, RECEIPTS, RUN, RUN_EVIDENCE):
        run.files.write(name, SPOILT[way](run.files.read(name) or b""))
    return 2


def _tampered_evidence(case: World, run: Run, plan: Plan, way: str) -> int:
    saved = (run.files.read(RUN_EVIDENCE) or b"").decode()
    run.files.write(RUN_EVIDENCE, TAMPERED[way](saved).encode())
    return 0


_LAID = {"journal": _tampered_journal, "spoilt": _spoilt_files, "evidence": _tampered_evidence}

ATTACK = Attack("no run folder leads to a request outside the plan", cases, attempt)
