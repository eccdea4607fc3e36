"""Addition: Azure Backup may not read the key vault of a VM that is encrypted in the guest."""

from __future__ import annotations

from vmbackup.checks.base import Judgement, check, not_applicable, or_works, unknown
from vmbackup.facts.vm import Disk


@check("vm.disks")
def backup_may_read_the_key_vault(disks: list[Disk] | None) -> Judgement:
    """Azure Backup may read the keys of a VM with Azure Disk Encryption.

    How it is measured: Azure names this fault by a code of its own; the key vault itself is not asked.
    """
    encryptions = [disk["encryption"] for disk in disks or []]
    if "ade" in encryptions:
        return or_works(unknown("encrypted"))
    return not_applicable() if encryptions and None not in encryptions else unknown()
