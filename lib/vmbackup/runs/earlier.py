"""An earlier run of the same VM in the run folder, which the operator may resume."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from vmbackup.model import Fact, SetupError, Target
from vmbackup.remedies.receipt import Receipt
from vmbackup.runs.folder import RunFolder
from vmbackup.runs.guest_evidence import keep_guest
from vmbackup.runs.saved_run import SavedRun


@dataclass(frozen=True, slots=True)
class Earlier:
    """An earlier run of this VM: what its operator did, its evidence, and what it changed. ``before`` is its evidence
    from before the first change."""

    saved: SavedRun
    evidence: dict[str, Fact]
    receipts: list[Receipt]
    before: dict[str, Fact] = field(default_factory=dict)

    @property
    def worth(self) -> bool:
        """Whether it holds more than facts that can be collected again."""
        return bool(self.saved.skipped or self.saved.pasted_at or self.saved.proof or self.receipts)

    def joined(
        self, evidence: dict[str, Fact], ours: SavedRun, *, is_changed: bool
    ) -> tuple[dict[str, Fact], SavedRun]:
        """This run's evidence and what its operator did, completed from the earlier one.

        Beside new evidence only the guest's answers are taken from there, and none when ``is_changed``: what the guest
        said before a change may no longer be true.
        """
        known = self.evidence
        if evidence:
            known = evidence if is_changed else keep_guest(self.evidence, evidence)
        return known, replace(
            ours,
            skipped={**self.saved.skipped, **ours.skipped},
            pasted_at=ours.pasted_at or self.saved.pasted_at,
            proof=ours.proof or self.saved.proof,
        )


def find_earlier(files: RunFolder, target: Target) -> Earlier | None:
    """The run that is saved in the folder. Raises SetupError when it is another VM's."""
    found = files.saved_run()
    if found is None:
        return None
    saved, known = found
    if saved.vm_id.lower() != target.vm_id.lower():
        raise SetupError("error.other_vm", folder=str(files), vm=saved.vm_id)
    return Earlier(saved, known, files.journal.applied(), files.evidence_before())
