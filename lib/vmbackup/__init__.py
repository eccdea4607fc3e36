"""Runbooks for failed Azure VM backups: the public names, nothing else."""
