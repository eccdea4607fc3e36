"""What the workers of a fleet share: one sign-in, and Azure's limits."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from vmbackup.arm.connection import RATE_FILE, RATE_SHARE
from vmbackup.fleet.sign_in import shared_sign_in
from vmbackup.runs.open import endpoint

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential


@contextmanager
def shared_by_workers() -> Iterator[Mapping[str, str]]:
    """Share both among the workers of this machine as long as the block runs; yields what goes into the environment of
    each."""
    with shared_limits() as file, shared_sign_in(_credential, (endpoint(),)) as environment:
        yield {**environment, RATE_FILE: file}


@contextmanager
def shared_limits() -> Iterator[str]:
    """The file in which Azure's limits are shared as long as the block runs."""
    with tempfile.TemporaryDirectory(prefix="vmbackup-rates-", ignore_cleanup_errors=True) as folder:
        yield str(Path(folder) / "rates.sqlite")


def share_of(machines: int, fleet: str) -> Mapping[str, str]:
    """What goes into the environment of the workers on one of so many machines that share nothing but Azure: its part
    of the limits. ``fleet`` names this run of a fleet, and no other."""
    file = Path(tempfile.gettempdir()) / f"vmbackup-rates-{fleet}.sqlite"
    return {RATE_FILE: str(file), RATE_SHARE: f"{1 / max(1, machines):.6f}"}


def _credential() -> TokenCredential:
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential()
