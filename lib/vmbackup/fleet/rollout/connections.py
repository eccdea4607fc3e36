"""One sign-in, one transport and Azure's limits, shared by all VMs of a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from vmbackup.arm.connection import Azure
from vmbackup.fleet.sharing import shared_limits
from vmbackup.model import AzureSource
from vmbackup.parameters import read, target
from vmbackup.runs.open import connect_azure, open_run
from vmbackup.runs.rollout import Planned
from vmbackup.runs.run import Run


@contextmanager
def run_opener(folder: Callable[[str], str], language: str) -> Iterator[Callable[[Planned], Run]]:
    """A function that opens the run of a VM in its run folder, which ``folder`` names."""
    with shared_limits() as file:
        shared = _Shared(file)

        def open_run_of(vm: Planned) -> Run:
            place = {"run_folder": folder(vm["name"]), "language": language}
            parameters = read({**vm["parameters"], **place})
            if parameters.azure != AzureSource.LIVE:
                return open_run(parameters, vm["section"])
            subject = target(parameters)
            return Run(parameters, vm["section"], subject, azure=shared.azure(subject.subscription_id))

        yield open_run_of


class _Shared:
    """The connections to each subscription."""

    def __init__(self, rates: str) -> None:
        self._rates, self._lock = rates, Lock()
        self._by_subscription: dict[str, Azure] = {}

    def azure(self, subscription_id: str) -> Azure:
        """The connection to this subscription."""
        key = subscription_id.lower()
        with self._lock:
            if key not in self._by_subscription:
                first = next(iter(self._by_subscription.values()), None)
                found = first.beside(subscription_id) if first else connect_azure(subscription_id)
                self._by_subscription[key] = found.within_limits(self._rates)
            return self._by_subscription[key]
