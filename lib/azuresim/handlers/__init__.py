"""The answers, one module per provider. Importing this package registers every route."""

from azuresim.handlers import (
    authorization,
    backup_items,
    backup_jobs,
    backup_policies,
    compute,
    compute_actions,
    compute_extensions,
    compute_storage,
    graph,
    health,
    metadata,
    monitor,
    network,
    network_effective,
    resources,
    run_command,
)

__all__ = [
    "authorization",
    "backup_items",
    "backup_jobs",
    "backup_policies",
    "compute",
    "compute_actions",
    "compute_extensions",
    "compute_storage",
    "graph",
    "health",
    "metadata",
    "monitor",
    "network",
    "network_effective",
    "resources",
    "run_command",
]
