"""Two processes on one run folder, or with two folders on one VM, change it once: the other is told who is at it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from remedy_worlds import Case, opened
from vmbackup.model import RemedyRefused
from vmbackup.parameters import Parameters
from vmbackup.remedies.apply import Consent
from vmbackup.runs.run import Run

# Both look first, then change at a word from here, as two operators would that saw the same problem.
CHILD = """
    import json, sys
    from azure.identity import DefaultAzureCredential
    from vmbackup.arm.connection import Azure, Connection
    from vmbackup.model import RemedyRefused, Target
    from vmbackup.parameters import Parameters
    from vmbackup.remedies.apply import Consent
    from vmbackup.runs.run import Run
    endpoint, subscription, group, name, folder, remedy = sys.argv[1:]
    target = Target(subscription, group, name)
    azure = Azure(DefaultAzureCredential(), subscription, Connection(endpoint, polling_interval_s=0.05))
    given = Parameters(azure="live", run_folder=folder, probe="never", deadline_s=60)
    run = Run(given, None, target, azure=azure)
    run.collect()
    print("looked", flush=True)
    sys.stdin.readline()
    try:
        if remedy == "back_up":
            said = run.back_up().reason
        else:
            plan = next(each for each in run.plans() if each.remedy == remedy)
            said = run.apply(plan, Consent.for_plan(plan)).receipt.outcome
    except RemedyRefused as refused:
        said = str(refused)
    print(json.dumps({"said": said, "receipts": len(run.receipts)}), flush=True)
"""


def child(case: Case, folder: Path, remedy: str) -> subprocess.Popen[str]:
    target = case.target
    where = [
        case.simulator.endpoint,
        target.subscription_id,
        target.resource_group,
        target.vm_name,
        str(folder),
        remedy,
    ]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(CHILD), *where],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def race(case: Case, folders: list[Path], remedy: str) -> list[dict[str, Any]]:
    """What the processes say that change the same VM at the same time."""
    children = [child(case, folder, remedy) for folder in folders]
    for each in children:
        assert each.stdout is not None
        assert each.stdout.readline() == "looked\n"
    for each in children:
        assert each.stdin is not None
        each.stdin.write("\n")
        each.stdin.flush()
    said = [json.loads(each.communicate(timeout=120)[0]) for each in children]
    assert [each.returncode for each in children] == [0] * len(children)
    return said


@pytest.mark.parametrize(
    ("world", "remedy", "folders"),
    [
        ("agent_stopped_linux", "restart_vm", 1),
        ("agent_stopped_linux", "restart_vm", 2),
        ("vss_writer_windows", "restart_vss", 2),
        ("healthy_linux", "back_up", 2),
    ],
)
def test_two_processes_change_a_vm_once(world: str, remedy: str, folders: int, tmp_path: Path) -> None:
    with opened(world, tmp_path, operation_polls=15) as case:
        said = race(case, [tmp_path / "a", tmp_path / ("a" if folders == 1 else "b")], remedy)
        assert len(case.changing()) == 1
        assert sum(each["receipts"] for each in said) <= 1
        refused = [each["said"] for each in said if "Another run is changing" in each["said"]]
        refused += [each["said"] for each in said if "has changed this VM since" in each["said"]]
        assert len(refused) == 1
        assert [each["said"] for each in said if each["said"] in ("done", "fixed", "unknown")]


@pytest.mark.parametrize("folders", [1, 2])
def test_whoever_looked_before_another_changed_the_vm_must_look_again(folders: int, tmp_path: Path) -> None:
    """The scripts' problem is not seen from outside: only that somebody was there tells that it is done."""
    with opened("vss_writer_windows", tmp_path) as case:
        runs = []
        for name in ("a", "a" if folders == 1 else "b"):
            given = Parameters(azure="live", run_folder=str(tmp_path / name), probe="never", deadline_s=60)
            runs.append(Run(given, None, case.target, azure=case.azure))
            runs[-1].collect()
        plans = [next(each for each in run.plans() if each.remedy == "restart_vss") for run in runs]
        first = runs[0].apply(plans[0], Consent.for_plan(plans[0]))
        assert first.receipt.outcome == "done"
        with pytest.raises(RemedyRefused, match="has changed this VM since"):
            runs[1].apply(plans[1], Consent.for_plan(plans[1]))
        assert len(case.changing()) == 1
        runs[1].collect()
        assert runs[1].apply(plans[1], Consent.for_plan(plans[1])).receipt.cured


def test_a_run_is_kept_and_changes_something_in_an_object_store(tmp_path: Path) -> None:
    given = Parameters(azure="live", run_folder=f"memory://{tmp_path.name}/vm", probe="never", deadline_s=60)
    with opened("vm_provisioning_failed_linux", tmp_path) as case:
        run = Run(given, None, case.target, azure=case.azure)
        run.collect()
        plan = next(each for each in run.plans() if each.remedy == "reapply_vm")
        assert run.apply(plan, Consent.for_plan(plan)).receipt.cured
        assert [row["outcome"] for row in run.audit()] == ["succeeded"]
        run.skip("agent_linux", "later")
        resumed = Run(given, None, case.target, azure=case.azure)
        resumed.resume()
        assert resumed.receipts == run.receipts
        assert resumed.skipped == run.skipped
        assert resumed.files.notices == []
