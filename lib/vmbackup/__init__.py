"""Runbooks for failed Azure VM backups: the public names, nothing else."""

from vmbackup.model import CatalogError, RemedyRefused, RunbookError, SetupError
from vmbackup.notebook.runbook import Run, open_run

__all__ = ["CatalogError", "RemedyRefused", "Run", "RunbookError", "SetupError", "open_run"]
