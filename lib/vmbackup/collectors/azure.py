"""The connection to Azure: unmodified SDK clients, with a pipeline policy that notes what is asked and when.

Nothing here judges or changes anything. Every request of a collector's thread is noted as ``METHOD path?query``;
Azure's ``Date`` header is the clock; no wait outlives the run's deadline.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

import requests
from azure.core.exceptions import AzureError
from azure.core.pipeline import Pipeline, PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import RequestIdPolicy, RetryPolicy, SansIOHTTPPolicy, UserAgentPolicy
from azure.core.pipeline.transport import RequestsTransport
from requests.adapters import HTTPAdapter

from vmbackup.audit import AuditPolicy, Gate, signed_in

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.mgmt.compute import ComputeManagementClient
    from azure.mgmt.monitor import MonitorManagementClient
    from azure.mgmt.network import NetworkManagementClient
    from azure.mgmt.recoveryservicesbackup import RecoveryServicesBackupClient
    from azure.mgmt.resource.locks import ManagementLockClient
    from azure.mgmt.resourcegraph import ResourceGraphClient
    from azure.mgmt.resourcehealth import ResourceHealthMgmtClient

LARGEST_ANSWER_MB = 20
_Answer = TypeVar("_Answer")
_PARALLEL = 48
# A query holds filters worth showing, and may hold a signature, which is never shown.
_SHOWN_QUERY = ("$expand", "$filter", "metricnames", "timespan", "statusOnly")


class AnswerTooLarge(AzureError):
    """An answer larger than any real one; ``mb`` is its size."""

    def __init__(self, mb: int) -> None:
        super().__init__(f"answer of {mb} MB")
        self.mb = mb


class WaitTooLong(AzureError):
    """Azure asked for a wait that would outlive the deadline; ``status`` is the answer that asked for it."""

    def __init__(self, seconds: float, status: int | None) -> None:
        super().__init__(f"asked to wait {seconds:.0f} s")
        self.seconds = seconds
        self.status = status


@dataclass(frozen=True, slots=True)
class Connection:
    """Where Azure is. ``polling_interval_s`` is used only where Azure gives no Retry-After."""

    endpoint: str
    polling_interval_s: float = 2.0
    retry_total: int = 3
    retry_backoff_s: float = 0.8


@dataclass(slots=True)
class Asking:
    """What the current thread has asked so far."""

    how: list[str] = field(default_factory=list)
    taken_at: datetime | None = None
    status: int | None = None


_current = threading.local()

# The SDK logs each failed try as a warning; here every failure becomes a fact, and a terminal is no place for it.
logging.getLogger("azure").addHandler(logging.NullHandler())


class asking:  # noqa: N801 - reads as a verb: ``with asking() as notes``
    """Note the requests that this thread sends inside the block."""

    def __enter__(self) -> Asking:
        _current.notes = Asking()
        notes: Asking = _current.notes
        return notes

    def __exit__(self, *_: object) -> None:
        _current.notes = None


def _notes() -> Asking | None:
    return getattr(_current, "notes", None)


class _Notary(SansIOHTTPPolicy[Any, Any]):
    """Notes each request and Azure's clock, counts calls, and refuses an answer of absurd size."""

    def __init__(self, azure: Azure) -> None:
        self._azure = azure

    def on_request(self, request: PipelineRequest[Any]) -> None:
        request.http_request.headers.setdefault("Accept-Language", "en-US")
        self._azure.count()
        notes = _notes()
        if notes is not None:
            line = shown(request.http_request.method, request.http_request.url)
            if line not in notes.how:
                notes.how.append(line)

    def on_response(self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]) -> None:
        answer = response.http_response
        said = answer.headers.get("Date")
        notes = _notes()
        if said:
            self._azure.clock = parsedate_to_datetime(said).astimezone(timezone.utc)
        if notes is not None:
            notes.status = answer.status_code
            notes.taken_at = self._azure.clock
        megabytes = int(answer.headers.get("Content-Length") or 0) // 1024**2
        if megabytes > LARGEST_ANSWER_MB:
            raise AnswerTooLarge(megabytes)


class _Transport(RequestsTransport):  # type: ignore[misc]  # the SDK's base is untyped
    """The SDK's own transport, except that a wait past the deadline fails at once instead of sleeping through it."""

    def __init__(self, remaining_s: Callable[[], float]) -> None:
        session = requests.Session()
        session.mount("https://", HTTPAdapter(pool_connections=_PARALLEL, pool_maxsize=_PARALLEL, max_retries=0))
        super().__init__(session=session, session_owner=False)
        self._remaining_s = remaining_s

    def sleep(self, duration: float) -> None:
        if duration > self._remaining_s():
            notes = _notes()
            raise WaitTooLong(duration, notes.status if notes else None)
        super().sleep(duration)


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
        self._transport = _Transport(self.remaining_s)

    def now(self) -> datetime:
        """Azure's time as last heard, else this machine's."""
        return self.clock or datetime.now(timezone.utc)

    def remaining_s(self) -> float:
        """Seconds until the deadline; an hour while none is set."""
        return 3600.0 if self.deadline is None else self.deadline - time.monotonic()

    def count(self) -> None:
        """Count one request."""
        with self._lock:
            self.calls += 1

    def together(self, works: Sequence[Callable[[], _Answer]], width: int = 8) -> list[_Answer]:
        """Do these works at the same time, as parts of one asking; the first error among them is raised."""
        notes = _notes()

        def noted(work: Callable[[], _Answer]) -> _Answer:
            _current.notes = notes
            return work()

        if len(works) < 2:
            return [work() for work in works]
        with ThreadPoolExecutor(min(width, len(works))) as pool:
            return list(pool.map(noted, works))

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
            "per_retry_policies": [_Notary(self), AuditPolicy(self.gate)],
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
            _Notary(self),
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


def shown(method: str, url: str) -> str:
    """A request as the reader sees it: no host, no api-version, no signature.

    >>> shown("GET", "https://x/subscriptions/s/vm?api-version=2026-04-01&$expand=instanceView&sig=hush")
    'GET /subscriptions/s/vm?$expand=instanceView'
    """
    parts = urlsplit(url)
    query = "&".join(f"{name}={value}" for name, value in parse_qsl(parts.query) if name in _SHOWN_QUERY)
    return f"{method} {unquote(parts.path)}{'?' + query if query else ''}"
