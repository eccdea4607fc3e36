"""Two runs of one VM, in one folder or two, change it one at a time; tests/attacks/races.py lets processes race."""

from __future__ import annotations

from pathlib import Path

import pytest

from remedy_worlds import opened
from vmbackup.model import RemedyRefused
from vmbackup.parameters import Parameters
from vmbackup.remedies.apply import Consent
from vmbackup.runs.run import Run


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
