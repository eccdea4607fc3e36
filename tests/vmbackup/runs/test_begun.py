"""A run that was interrupted goes on with what it changed and proved; another run begins anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from vmbackup.model import Fact, Target, Verdict
from vmbackup.parameters import Parameters
from vmbackup.remedies.receipt import BACKUP, Receipt
from vmbackup.remedies.retry.proof import Proof
from vmbackup.runs import begun
from vmbackup.runs.folder import RunFolder
from vmbackup.runs.run import Run
from vmbackup.runs.saved_run import SavedRun
from withholding import UNANSWERED

VM = Target("s", "g", "v")
EVIDENCE = {"vm.model": replace(UNANSWERED, taken_at="2026-11-23T04:00:00Z")}
RESTARTED = Receipt("restart_vm", VM.vm_id, "done", "me", None, None, (), {}, {})
CLOSED = replace(RESTARTED, outcome="superseded")
OURS = Proof(Verdict.OK, "fixed", job="ours")
BACKED_UP = replace(RESTARTED, remedy=BACKUP, after=OURS.as_json(), ended_at="2026-11-23T03:00:00Z")


def folder(tmp_path: Path, proof: Proof | None, *receipts: Receipt) -> RunFolder:
    """A run folder after these receipts, with the proof of the run that is saved there."""
    files = RunFolder(tmp_path)
    for each in receipts:
        files.journal.close("x", each)
    files.save_run(SavedRun(VM.vm_id, None, None, proof=proof), VM, EVIDENCE)
    return files


def taken_over(tmp_path: Path, evidence: dict[str, Fact] = EVIDENCE) -> tuple[Run, bool]:
    run = Run(Parameters(run_folder=str(tmp_path)), None, VM, dict(evidence))
    before = begun.begin(run.files)
    begun.take_over(run, before)
    return run, begun.is_proven(run, before)


@pytest.mark.parametrize(
    ("own", "proven"),
    [
        ((RESTARTED, BACKED_UP), True),
        ((RESTARTED, BACKED_UP, CLOSED), True),
        # The backup was before the change, is older than a day, or its proof cannot be read.
        ((BACKED_UP, RESTARTED), False),
        ((RESTARTED, replace(BACKED_UP, ended_at="2026-11-22T03:00:00Z")), False),
        ((RESTARTED, replace(BACKED_UP, ended_at=None)), False),
        ((RESTARTED, replace(BACKED_UP, after={"job": "ours"})), False),
        ((RESTARTED,), False),
        ((), False),
    ],
)
def test_what_a_run_did_before_it_was_interrupted_is_its_own(
    tmp_path: Path, own: tuple[Receipt, ...], proven: bool
) -> None:
    begun.begin(folder(tmp_path, None, RESTARTED, BACKED_UP))
    folder(tmp_path, None, *own)  # the proof itself was not saved: it is in the receipt
    run, is_proven = taken_over(tmp_path)  # it goes on: what was before it stays before it
    assert run.receipts == [each for each in own if each.remedy != BACKUP]
    assert is_proven is proven
    assert (run.proof == OURS) is proven


@pytest.mark.parametrize("by_fleet", [False, True])
def test_what_a_run_did_that_came_to_its_end_is_no_other_runs(tmp_path: Path, by_fleet: bool) -> None:
    files = folder(tmp_path, None)
    begun.begin(files, fleet=by_fleet)
    folder(tmp_path, None, RESTARTED, BACKED_UP)
    begun.end(files)
    assert (tmp_path / "begun.json").exists() is by_fleet  # the fleet has still to write the notebook
    begun.end(files, fleet=by_fleet)
    run, is_proven = taken_over(tmp_path)
    assert (run.receipts, run.proof, is_proven) == ([], None, False)


@pytest.mark.parametrize("content", ["", "[", "[]", "{}", '{"receipts": -1}', '{"receipts": "1"}', "[" * 100_000])
def test_a_note_that_cannot_be_read_is_none(tmp_path: Path, content: str) -> None:
    files = folder(tmp_path, OURS, RESTARTED, BACKED_UP)
    (tmp_path / "begun.json").write_text(content)
    assert taken_over(tmp_path)[0].receipts == []
    assert begun.begin(files) == 2
