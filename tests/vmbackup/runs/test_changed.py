"""After a change, through either door, nothing is answered from what was known before it, nor about another job."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from vmbackup.model import Verdict
from vmbackup.notebook.runbook import Runbook
from vmbackup.remedies.apply import Consent
from vmbackup.remedies.plan import Plan
from vmbackup.runs.run import Run
from walking import guest_output, run_over

Apply = Callable[[Run, Plan], object]
BackUp = Callable[[Run], object]


def agreed(run: Run, plan: Plan) -> None:
    run.apply(plan, Consent.for_plan(plan))


def headless(run: Run, plan: Plan) -> None:
    run.parameters = replace(run.parameters, remedies=plan.remedy, max_risk="high")
    Runbook(run).remedies()
    assert [receipt.remedy for receipt in run.receipts] == [plan.remedy]


def back_up_headless(run: Run) -> None:
    Runbook(run).retry()


def plan_of(run: Run, remedy: str) -> Plan:
    return next(each for each in run.plans() if each.remedy == remedy)


def older_failure(scenario: str, folder: Path) -> str:
    with run_over(scenario, folder) as run:
        run.collect()
        failed = [each["name"] for each in run.evidence["backup.jobs"].data if each["status"] == "Failed"]
        assert run.evidence["backup.failed_job"].data["name"] == failed[0] != failed[-1]
        return str(failed[-1])


@pytest.mark.parametrize("apply", [headless, agreed])
@pytest.mark.parametrize("probe", ["auto", "never"])
def test_old_words_of_the_guest_do_not_outlive_a_change(apply: Apply, probe: str, tmp_path: Path) -> None:
    with run_over("guest_disk_full_linux", tmp_path, "internal_error") as run:
        run.collect()
        old = {name: fact for name, fact in run.evidence.items() if name.startswith("guest.")}
        assert old["guest.probe"].answered
        assert run.diagnosis().step("agent_linux").verdict is Verdict.PROBLEM
        plan = plan_of(run, "restart_guest_agent_linux")
        run.parameters = replace(run.parameters, probe=probe)
        apply(run, plan)
        assert not [name for name, fact in old.items() if run.evidence.get(name) is fact]
        asked = run.evidence["guest.probe"].answered
        assert asked is (probe == "auto")
        assert run.diagnosis().step("agent_linux").verdict is (Verdict.PROBLEM if asked else Verdict.UNKNOWN)


@pytest.mark.parametrize("apply", [headless, agreed])
def test_what_was_pasted_before_a_change_does_not_outlive_it(apply: Apply, tmp_path: Path) -> None:
    with run_over("agent_stopped_linux", tmp_path) as run:
        file = tmp_path / "pasted.txt"
        file.write_text(guest_output(run, "agent_stopped"), "utf-8")
        run.parameters = replace(run.parameters, guest_output=str(file), probe="never")
        run.collect()
        assert run.evidence["guest.probe"].answered
        apply(run, plan_of(run, "restart_vm"))
        assert run.evidence["guest.probe"].why == "probe_off"
        assert [name for name in run.evidence if name.startswith("guest.")] == ["guest.probe"]


@pytest.mark.parametrize(("apply", "back_up"), [(headless, back_up_headless), (agreed, Run.back_up)])
def test_the_job_that_was_named_stays_the_one_in_question(apply: Apply, back_up: BackUp, tmp_path: Path) -> None:
    scenario = "secure_channel_windows"
    named = older_failure(scenario, tmp_path / "listed")
    with run_over(scenario, tmp_path / "named", failure=named, retry=True) as run:
        run.collect()
        apply(run, plan_of(run, "enable_strong_crypto"))
        assert run.evidence["backup.failed_job"].data["name"] == named
        back_up(run)
        assert run.proof
        assert run.evidence["backup.failed_job"].data["name"] == named
