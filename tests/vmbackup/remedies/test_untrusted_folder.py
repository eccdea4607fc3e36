"""A run folder that is stale, another VM's, tampered with or spoilt changes nothing beyond what the plan says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import pytest

from remedy_worlds import Case, opened
from test_cures import CURES
from vmbackup.catalog import remedies as catalogue
from vmbackup.model import RemedyRefused
from vmbackup.parameters import Parameters
from vmbackup.remedies.apply import Consent
from vmbackup.remedies.scope import permitted
from vmbackup.runs.folder import OPERATIONS, RECEIPTS, RUN, RUN_EVIDENCE
from vmbackup.runs.run import Run

WORLDS = {remedies[0]: world for world, remedies in CURES.items() if len(remedies) == 1}
IDS = re.compile(
    r"/(networkSecurityGroups|routeTables|subnets|vaults|restorePointCollections|locks|virtualMachines|extensions"
    r"|protectedItems|protectionContainers|networkInterfaces)/[^/\"]+"
)


def run_of(case: Case, folder: Path) -> Run:
    parameters = Parameters(azure="live", run_folder=str(folder), deadline_s=20, probe="never")
    return Run(parameters, None, case.target, azure=case.azure)


def beyond(case: Case, allowed: set[tuple[str, str]]) -> list[tuple[str, str]]:
    """The requests that no plan allows: changes of something else, and anything about the victim."""
    wrong = [each for each in case.changing() if (each[0], each[1].partition("?")[0]) not in allowed]
    return wrong + [each for each in case.simulator.requests if "victim" in each[1].lower()]


def operations(case: Case, remedy: str, resource: str, changed: Iterable[dict[str, object]]) -> bytes:
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


@pytest.mark.parametrize("remedy", WORLDS)
def test_a_journal_that_was_tampered_with_leads_to_no_other_request(remedy: str, tmp_path: Path) -> None:
    with opened(WORLDS[remedy], tmp_path) as case:
        plan = case.plan(remedy)
        run = run_of(case, tmp_path)
        run.files.write(OPERATIONS, operations(case, remedy, plan.resource, STRANGE.values()))
        run.collect()
        for each in [plan for plan in run.plans() if plan.remedy == remedy]:
            with suppress(RemedyRefused):
                run.apply(each, Consent.for_plan(each))
        assert beyond(case, set(permitted(plan))) == []


def spoil(content: bytes, kind: str) -> bytes:
    return {
        "cut off": content[: len(content) // 2],
        "empty": b"",
        "deep": b"[" * 200_000,
        "bytes": bytes(range(256)) * 20,
        "list": b"[1, 2]",
        "lines": content.replace(b":", b"\n"),
    }[kind]


@pytest.mark.parametrize("kind", ["cut off", "empty", "deep", "bytes", "list", "lines"])
def test_spoilt_files_end_nothing_and_change_nothing(kind: str, tmp_path: Path) -> None:
    remedy = "remove_backup_extension"
    with opened(WORLDS[remedy], tmp_path) as case:
        run = run_of(case, tmp_path)
        run.collect()
        plan = next(each for each in run.plans() if each.remedy == remedy)
        run.files.write(OPERATIONS, operations(case, remedy, plan.resource, [STRANGE["old"]]))
        run.files.write(RECEIPTS, b'{"remedy": "x"}\n')
        for name in (OPERATIONS, RECEIPTS, RUN, RUN_EVIDENCE):
            run.files.write(name, spoil(run.files.read(name) or b"", kind))
        again = run_of(case, tmp_path)
        again.collect()
        chosen = next(each for each in again.plans() if each.remedy == remedy)
        assert again.apply(chosen, Consent.for_plan(chosen)).receipt.cured
        assert beyond(case, set(permitted(plan))) == []
        assert len(again.files.notices) >= 2


BY_REQUEST = [name for name in WORLDS if not catalogue.remedies()[name]["script"]] + ["restart_vss"]


@pytest.mark.parametrize("remedy", BY_REQUEST)
def test_evidence_that_was_tampered_with_leads_to_no_other_request(remedy: str, tmp_path: Path) -> None:
    with opened(WORLDS[remedy], tmp_path) as case:
        plan = case.plan(remedy)
        run = run_of(case, tmp_path)
        run.evidence = dict(case.evidence)
        run.save()
        saved = (run.files.read(RUN_EVIDENCE) or b"").decode()
        for tampered in (
            IDS.sub(lambda found: f"/{found[1]}/../victim", saved),
            re.sub(r"/(subscriptions|resourceGroups)/[^/\"]+", r"/\1/victim", saved),
            re.sub(r'"(item|container|name)": "[^"]+"', r'"\1": "victim"', IDS.sub(r"/\1/victim", saved)),
        ):
            run.files.write(RUN_EVIDENCE, tampered.encode())
            again = run_of(case, tmp_path)
            if again.earlier:
                again.resume()
            for each in [plan for plan in again.plans() if plan.remedy == remedy]:
                with suppress(RemedyRefused):
                    again.apply(each, Consent.for_plan(each))
        assert beyond(case, set(permitted(plan))) == []
