"""Collectors ask Azure and the guest, and turn every answer or failure into a fact. They judge nothing."""

from vmbackup.collectors import (
    activity,
    backup_policy,
    disks,
    extensions,
    jobs,
    metrics,
    network,
    protection,
    restore_points,
    routes,
    rules,
    vm,
)
from vmbackup.collectors.base import COLLECTORS, actions, collect, slowest_chain_ms
from vmbackup.collectors.jobs import failed_jobs

# Importing a module registers its collectors.
MODULES = (
    vm,
    extensions,
    disks,
    network,
    rules,
    routes,
    protection,
    backup_policy,
    jobs,
    metrics,
    restore_points,
    activity,
)

__all__ = ["COLLECTORS", "MODULES", "actions", "collect", "failed_jobs", "slowest_chain_ms"]
