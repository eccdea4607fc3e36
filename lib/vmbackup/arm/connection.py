"""The connection to Azure: unmodified SDK clients that share one pipeline, one clock and one deadline.

Nothing here judges or changes anything.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TypeVar

from azure.core.pipeline import Pipeline, PipelineResponse
from azure.core.pipeline.policies import RequestIdPolicy, RetryPolicy, UserAgentPolicy

from vmbackup.arm.audit import AuditPolicy, Gate, signed_in
from vmbackup.arm.pipeline import Asking, Notary, Transport, asking, current

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.mgmt.compute import ComputeManagementClient
    from azure.mgmt.monitor import MonitorManagementClient
    from azure.mgmt.network import NetworkManagementClient
    from azure.mgmt.recoveryservicesbackup import RecoveryServicesBackupClient
    from azure.mgmt.resource.locks import ManagementLockClient
    from azure.mgmt.resourcegraph import ResourceGraphClient
    from azure.mgmt.resourcehealth import ResourceHealthMgmtClient

_Answer = TypeVar("_Answer")

# The SDK logs each failed try as a warning; here every failure becomes a fact, and a terminal is no place for it.
logging.getLogger("azure").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class Connection:
    """Where Azure is. ``polling_interval_s`` is used only where Azure gives no Retry-After."""

    endpoint: str
    polling_interval_s: float = 2.0
    retry_total: int = 3
    retry_backoff_s: float = 0.8


class Azure:
    """The SDK's clients for one subscription, built when first used and shared by all threads.

    ``calls`` counts the requests sent; ``clock`` is Azure's time in its last answer; ``deadline`` is a monotonic time;
    ``gate`` lets changing requests through only while an audit is open.
    """

    def __init__(self, credential: TokenCredential, subscription_id: str, connection: Connection) -> None:
        self.subscription_id = subscription_id
        self.connection = connection
        self.calls = 0
        self.clock: datetime | None = None
        self.deadline: float | None = None
        self.gate = Gate()
        self._credential = credential
        self._lock = threading.RLock()
        self._transport = Transport(self.remaining_s)

    def now(self) -> datetime:
        """Azure's time as last heard, else this machine's."""
        return self.clock or datetime.now(timezone.utc)

    def remaining_s(self) -> float:
        """Seconds until the run's deadline or that of the current asking; an hour while there is none."""
        notes = current()
        ends = [end for end in (self.deadline, notes.until if notes else None) if end is not None]
        return min(ends) - time.monotonic() if ends else 3600.0

    def count(self) -> None:
        """Count one request."""
        with self._lock:
            self.calls += 1

    def together(self, works: Sequence[Callable[[], _Answer]], width: int = 8) -> list[_Answer]:
        """Do these works at the same time, as parts of one asking; the first error among them is raised.

        Raises TimeoutError when they are not all done by the deadline.
        """
        if len(works) < 2:
            return [work() for work in works]
        futures: list[Future[_Answer]] = [Future() for _ in works]
        waiting = deque(zip(works, futures, strict=True))
        for _ in range(min(width, len(works))):
            # Daemons: a thread that hangs in a request must not keep the process alive, as a pool's would.
            threading.Thread(target=_work_off, args=(waiting, current()), daemon=True).start()
        if wait(futures, max(0.0, self.remaining_s())).not_done:
            raise TimeoutError
        return [future.result() for future in futures]

    def finished(self, poller: Any) -> Any:
        """The result of a long-running operation. Raises TimeoutError when it is not done by the deadline."""
        poller.wait(max(0.0, self.remaining_s()))
        if not poller.done():
            raise TimeoutError
        return poller.result()

    def _options(self) -> dict[str, Any]:
        connection = self.connection
        return {
            "base_url": connection.endpoint,
            "credential_scopes": [f"{connection.endpoint}/.default"],
            "per_retry_policies": [Notary(self), AuditPolicy(self.gate)],
            "transport": self._transport,
            "polling_interval": connection.polling_interval_s,
            "retry_total": connection.retry_total,
            "retry_backoff_factor": connection.retry_backoff_s,
        }

    def send(self, request: Any, options: Mapping[str, Any]) -> PipelineResponse[Any, Any]:
        """Send one request of our own through the same sign-in and the same gate as the clients'."""
        return self._client("own requests", self._pipeline).run(request, **options)

    def _pipeline(self) -> Pipeline[Any, Any]:
        from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy

        connection = self.connection
        policies: list[Any] = [
            RequestIdPolicy(),
            UserAgentPolicy("vmbackup"),
            RetryPolicy(retry_total=connection.retry_total, retry_backoff_factor=connection.retry_backoff_s),
            ARMChallengeAuthenticationPolicy(self._credential, f"{connection.endpoint}/.default"),
            Notary(self),
            AuditPolicy(self.gate),
        ]
        return Pipeline(self._transport, policies)

    def who(self) -> str:
        """Who is signed in, by the token's own claims; the token itself is not kept."""
        return signed_in(self._credential, f"{self.connection.endpoint}/.default")

    def _client(self, name: str, build: Callable[[], _Answer]) -> _Answer:
        with self._lock:
            clients: dict[str, Any] = self.__dict__.setdefault("_clients", {})
            if name not in clients:
                clients[name] = build()
            client: _Answer = clients[name]
            return client

    @property
    def compute(self) -> ComputeManagementClient:
        """Microsoft.Compute."""
        from azure.mgmt.compute import ComputeManagementClient as Client

        return self._client("compute", lambda: Client(self._credential, self.subscription_id, **self._options()))

    @property
    def network(self) -> NetworkManagementClient:
        """Microsoft.Network."""
        from azure.mgmt.network import NetworkManagementClient as Client

        return self._client("network", lambda: Client(self._credential, self.subscription_id, **self._options()))

    def backup(self, subscription_id: str = "") -> RecoveryServicesBackupClient:
        """Microsoft.RecoveryServices; a vault may be in another subscription than the VM."""
        from azure.mgmt.recoveryservicesbackup import RecoveryServicesBackupClient as Client

        subscription = subscription_id or self.subscription_id
        return self._client(f"backup {subscription}", lambda: Client(self._credential, subscription, **self._options()))

    @property
    def monitor(self) -> MonitorManagementClient:
        """Microsoft.Insights."""
        from azure.mgmt.monitor import MonitorManagementClient as Client

        return self._client("monitor", lambda: Client(self._credential, self.subscription_id, **self._options()))

    @property
    def locks(self) -> ManagementLockClient:
        """Management locks."""
        from azure.mgmt.resource.locks import ManagementLockClient as Client

        return self._client("locks", lambda: Client(self._credential, self.subscription_id, **self._options()))

    @property
    def graph(self) -> ResourceGraphClient:
        """Azure Resource Graph."""
        from azure.mgmt.resourcegraph import ResourceGraphClient as Client

        return self._client("graph", lambda: Client(self._credential, **self._options()))

    @property
    def health(self) -> ResourceHealthMgmtClient:
        """Microsoft.ResourceHealth."""
        from azure.mgmt.resourcehealth import ResourceHealthMgmtClient as Client

        return self._client("health", lambda: Client(self._credential, self.subscription_id, **self._options()))


def _work_off(waiting: deque[tuple[Callable[[], Any], Future[Any]]], notes: Asking | None) -> None:
    with asking(notes=notes):
        while waiting:
            try:
                work, future = waiting.popleft()
            except IndexError:
                return
            try:
                future.set_result(work())
            except BaseException as error:
                future.set_exception(error)
