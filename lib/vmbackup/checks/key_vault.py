"""Addition: Azure Backup may not read the key vault of a VM that is encrypted in the guest."""

from __future__ import annotations

from vmbackup.checks.base import Judgement, check, not_applicable, ok, problem, unknown
from vmbackup.checks.shared.named_fault import Named, said_of
from vmbackup.facts.backup import FailedJob, Job, ProtectedItem
from vmbackup.facts.vm import Disk


@check(optional=("backup.failed_job", "backup.jobs", "backup.item", "vm.disks"))
def backup_may_read_the_key_vault(
    job: FailedJob | None, jobs: list[Job] | None, item: ProtectedItem | None, disks: list[Disk] | None
) -> Judgement:
    """Azure Backup may read the keys of a VM with Azure Disk Encryption.

    How it is measured: Azure names this fault by a code of its own; the key vault itself is not asked.
    """
    said = said_of("key_vault", job, jobs, item)
    if said.named is Named.IT:
        return problem(code=said.code, message=said.text)
    encryptions = [disk["encryption"] for disk in disks or []]
    if encryptions and all(each is not None and each != "ade" for each in encryptions):
        return not_applicable()
    if "ade" not in encryptions:
        return unknown()
    if said.named is Named.ANOTHER:
        return ok("another_fault", code=said.code)
    if said.named is Named.NO_FAILURE:
        return ok("nothing_failed")
    return unknown("encrypted")
