"""A run that was interrupted goes on with what it changed and proved; another run begins anew."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from vmbackup.model import Target, Verdict
from vmbackup.parameters import Parameters
from vmbackup.remedies.receipt import BACKUP, Receipt
from vmbackup.remedies.retry.proof import Proof
from vmbackup.runs import begun
from vmbackup.runs.folder import RunFolder
from vmbackup.runs.run import Run
from vmbackup.runs.saved_run import SavedRun
from withholding import UNANSWERED

VM = Target("s", "g", "v")
EVIDENCE = {"vm.model": UNANSWERED}
RESTARTED = Receipt("restart_vm", VM.vm_id, "done", "me", None, None, (), {}, {})
BACKED_UP = replace(RESTARTED, remedy=BACKUP, after={"job": "ours"})
CLOSED = replace(RESTARTED, outcome="superseded")
OURS, OTHER = Proof(Verdict.OK, "fixed", job="ours"), Proof(Verdict.OK, "fixed", job="other")


def folder(tmp_path: Path, proof: Proof | None, *receipts: Receipt) -> RunFolder:
    """A run folder after these receipts, with the proof of the run that is saved there."""
    files = RunFolder(tmp_path)
    for each in receipts:
        files.journal.close("x", each)
    files.save_run(SavedRun(VM.vm_id, None, None, proof=proof), VM, EVIDENCE)
    return files


def taken_over(tmp_path: Path) -> Run:
    run = Run(Parameters(run_folder=str(tmp_path)), None, VM, dict(EVIDENCE))
    begun.take_over(run)
    return run


@pytest.mark.parametrize(
    ("own", "saved", "proven"),
    [
        ((RESTARTED, BACKED_UP), OURS, True),
        ((RESTARTED, BACKED_UP, CLOSED), OURS, True),
        # The backup was before the change, nobody could save its proof, or there was none.
        ((BACKED_UP, RESTARTED), OURS, False),
        ((RESTARTED, BACKED_UP), OTHER, False),
        ((RESTARTED, BACKED_UP), None, False),
        ((RESTARTED,), None, False),
        ((), OURS, False),
    ],
)
def test_what_a_run_did_before_it_was_interrupted_is_its_own(
    tmp_path: Path, own: tuple[Receipt, ...], saved: Proof | None, proven: bool
) -> None:
    begun.begin(folder(tmp_path, None, RESTARTED, BACKED_UP))
    begun.begin(folder(tmp_path, saved, *own))  # it goes on: what was before it stays before it
    run = taken_over(tmp_path)
    assert run.receipts == [each for each in own if each.remedy != BACKUP]
    assert begun.is_proven(run) is proven
    assert (run.proof == OURS) is proven


def test_what_a_run_did_that_came_to_its_end_is_no_other_runs(tmp_path: Path) -> None:
    files = folder(tmp_path, None)
    begun.begin(files)
    folder(tmp_path, OURS, RESTARTED, BACKED_UP)
    begun.end(files)
    for _ in range(2):
        run = taken_over(tmp_path)
        assert (run.receipts, run.proof, begun.is_proven(run)) == ([], None, False)
        begun.begin(files)


@pytest.mark.parametrize("content", ["", "[", "[]", "{}", '{"receipts": -1}', '{"receipts": "1"}', "[" * 100_000])
def test_a_note_that_cannot_be_read_is_none(tmp_path: Path, content: str) -> None:
    files = folder(tmp_path, OURS, RESTARTED, BACKED_UP)
    (tmp_path / "begun.json").write_text(content)
    assert taken_over(tmp_path).receipts == []
    begun.begin(files)
    assert (tmp_path / "begun.json").read_text() == '{"receipts": 2}'
