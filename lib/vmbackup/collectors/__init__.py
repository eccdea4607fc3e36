"""Collectors ask Azure and the guest, and turn every answer or failure into a fact. They judge nothing."""

from vmbackup.collectors import (
    activity,
    backup_policy,
    disks,
    extensions,
    failed_job,
    jobs,
    metrics,
    neighbours,
    network,
    protected_item,
    protection,
    recovery_points,
    restore_points,
    routes,
    rules,
    running_job,
    vault,
    vm,
)
from vmbackup.collectors.base import COLLECTORS, actions
from vmbackup.collectors.collection import collect, slowest_chain_ms
from vmbackup.collectors.recent_failures import failed_jobs, last_backups

# Importing a module registers its collectors.
MODULES = (
    vm,
    extensions,
    disks,
    network,
    rules,
    routes,
    metrics,
    restore_points,
    activity,
    protection,
    vault,
    protected_item,
    backup_policy,
    recovery_points,
    neighbours,
    jobs,
    failed_job,
    running_job,
)

__all__ = ["COLLECTORS", "MODULES", "actions", "collect", "failed_jobs", "last_backups", "slowest_chain_ms"]
