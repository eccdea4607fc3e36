"""Runbooks for failed Azure VM backups: the public names, nothing else."""

from typing import TYPE_CHECKING, Any

from vmbackup.model import CatalogError, RemedyRefused, RunbookError, SetupError

if TYPE_CHECKING:
    from vmbackup.notebook.runbook import open_run

__all__ = ["CatalogError", "RemedyRefused", "RunbookError", "SetupError", "open_run"]


def __getattr__(name: str) -> Any:
    """Loaded on first use: the Azure SDK and the widgets take time, and not every importer needs them."""
    if name == "open_run":
        from vmbackup.notebook.runbook import open_run

        return open_run
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
