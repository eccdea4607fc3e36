"""The start notebook's blocks of parameters open a runbook as they are, and what could not be read is said."""

from __future__ import annotations

from pathlib import Path

from vmbackup.notebook.start import Start
from vmbackup.parameters import from_notebook, target
from worlds import world


def start(azure: object, subscription: str) -> Start:
    given = {"azure": "live", "subscription_id": subscription}
    return Start(from_notebook(given, about="vault"), azure, {})  # type: ignore[arg-type]


def test_a_block_of_parameters_opens_the_runbook_also_below_the_parameters_of_the_demo() -> None:
    with world("agent_stopped_linux") as (_, azure, subject):
        page = start(azure, subject.subscription_id).failed_jobs()
    block = page.blocks[1].blocks[0].text  # type: ignore[union-attr]
    notebook: dict[str, object] = {"azure": "simulator", "scenario": "agent_stopped_linux", "subscription_id": ""}
    exec(block, {}, notebook)
    assert target(from_notebook(notebook)).vm_id.lower() == subject.vm_id.lower()


def test_jobs_that_cannot_be_read_leave_their_reason_and_end_nothing(tmp_path: Path) -> None:
    (tmp_path / "denied.yaml").write_text(
        "os: linux\nfaults: [{match: resourceGraph, status: 403, code: AuthorizationFailed}]\n", "utf-8"
    )
    with world(tmp_path / "denied.yaml") as (_, azure, subject):
        page = start(azure, subject.subscription_id).failed_jobs()
    assert "Microsoft.RecoveryServices/Vaults/backupJobs/read" in page.text()
