"""The connection to Azure: unmodified SDK clients that share one sign-in, one transport and one set of policies.

Safe to share by any number of threads and VMs: what belongs to one call is kept in ``call`` and ``audit``.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from azure.core.exceptions import AzureError
from azure.core.pipeline import Pipeline, PipelineResponse
from azure.core.pipeline.policies import RequestIdPolicy, UserAgentPolicy
from azure.core.rest import HttpRequest

from vmbackup.arm.audience import Audience
from vmbackup.arm.audit import AuditPolicy, signed_in
from vmbackup.arm.call import current
from vmbackup.arm.clouds import metrics_audience
from vmbackup.arm.errors import ResponseLost, words
from vmbackup.arm.loading import loading
from vmbackup.arm.pipeline import AudiencePolicy, PatientRetryPolicy, RecordingPolicy
from vmbackup.arm.transport import Transport

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.mgmt.compute import ComputeManagementClient
    from azure.mgmt.recoveryservicesbackup import RecoveryServicesBackupClient
    from azure.mgmt.resource.locks import ManagementLockClient
    from azure.mgmt.resourcegraph import ResourceGraphClient
    from azure.mgmt.resourcehealth import ResourceHealthMgmtClient
    from azure.monitor.querymetrics import MetricsClient
    from requests import Session

    from vmbackup.arm.rate_limit import RateLimiter

_Client = TypeVar("_Client")
RATE_FILE, RATE_SHARE = "VMBACKUP_RATE_FILE", "VMBACKUP_RATE_SHARE"
"""The environment variables that name a fleet's ``rate_file``, and the ``rate_share`` of this machine, 0 to 1."""
_MOST_RETRIES = 10
"""Of a fleet's request that Azure throttles: that slows the run, and fails no VM."""
SUBSCRIPTIONS = "2022-12-01"
"""The api-version of subscriptions themselves."""

# The SDK logs each failed try as a warning; here every failure becomes a fact, so keep it off the terminal.
logging.getLogger("azure").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class Connection:
    """Where Azure is. ``polling_interval_s`` is used only where Azure gives no Retry-After; ``ca_file`` are the
    certificates to trust for this connection alone, None for those of this machine. ``rate_file`` is what all workers
    of a fleet keep their limits in (see ``rate_limit``), None for a single run; ``rate_share`` the part of the limits
    that is theirs. ``metrics`` is where the metrics of many VMs are in a cloud that is not known (see ``clouds``)."""

    endpoint: str
    polling_interval_s: float = 2.0
    retry_total: int = 3
    retry_backoff_s: float = 0.8
    ca_file: str | None = None
    rate_file: str | None = None
    rate_share: float = 1.0
    metrics: str = ""


def _limiter(connection: Connection) -> RateLimiter | None:
    if connection.rate_file is None:
        return None
    # Only a fleet needs it.
    from vmbackup.arm.rate_limit import RateLimiter

    return RateLimiter(connection.rate_file, connection.rate_share)


class Azure:
    """The SDK's clients for one subscription, built when first used and shared by all threads, calls and VMs.

    ``calls`` counts the requests sent; ``clock`` is Azure's time in its last answer.
    """

    def __init__(
        self,
        credential: TokenCredential,
        subscription_id: str,
        connection: Connection,
        transport: Transport | None = None,
        limiter: RateLimiter | None = None,
    ) -> None:
        self.subscription_id = subscription_id
        self.connection = connection
        self.calls = 0
        self.clock: datetime | None = None
        self._credential = credential
        self._lock = threading.RLock()
        self._transport = transport or Transport(ca_file=connection.ca_file)
        self._audience = Audience(connection.endpoint)
        self._limiter = limiter or _limiter(connection)

    def beside(self, subscription_id: str) -> Azure:
        """The connection to another subscription, with the same sign-in, transport and limits."""
        if subscription_id.lower() == self.subscription_id.lower():
            return self
        return Azure(self._credential, subscription_id, self.connection, self._transport, self._limiter)

    def within_limits(self, rate_file: str) -> Azure:
        """The same connection, kept within Azure's limits by this file; itself where it has one already."""
        if self.connection.rate_file:
            return self
        connection = replace(self.connection, rate_file=rate_file)
        limited = Azure(self._credential, self.subscription_id, connection, self._transport)
        limited.clock = self.clock
        return limited

    def heard(self) -> datetime | None:
        """Azure's time in the last response to the current call, else to this connection; None before the first."""
        begun = current()
        heard = next((each.azure_time for each in begun.lineage() if each.azure_time), None) if begun else None
        return heard or self.clock

    def now(self) -> datetime:
        """Azure's time as last heard, asked for if need be. Raises ResponseLost where Azure does not say. This
        machine's clock may be wrong, and with it every verdict that depends on an age.
        """
        if self.heard() is None:
            path = f"/subscriptions/{self.subscription_id}?api-version={SUBSCRIPTIONS}"
            try:
                self.send(HttpRequest("GET", self.connection.endpoint + path), {})
            except AzureError as error:
                raise ResponseLost("error.no_azure_time", message=words(error)) from error
        heard = self.heard()
        if heard is None:
            raise ResponseLost("why.no_date")
        return heard

    def on_request(self) -> None:
        """Count one request."""
        with self._lock:
            self.calls += 1

    def on_answer(self, azure_time: datetime | None) -> datetime | None:
        """Note Azure's clock; returns the latest."""
        self.clock = azure_time or self.clock
        return self.clock

    def send(self, request: Any, options: Mapping[str, Any]) -> PipelineResponse[Any, Any]:
        """Send one request through the same policies as the SDK's clients."""
        return self._client("own requests", self._pipeline).run(request, **options)

    def alone(self, vm_id: str) -> AbstractContextManager[None]:
        """No other worker of the fleet has a Run Command on this VM as long as this lasts."""
        return self._limiter.alone(vm_id) if self._limiter else nullcontext()

    def who(self) -> str:
        """Who is signed in, by the token's own claims; the token itself is not kept."""
        return signed_in(self._credential, self._audience.scope)

    @property
    def session(self) -> Session:
        """What its requests go out with, for addresses that need no sign-in: tokens are added by the pipelines only."""
        session: Session = self._transport.session
        return session

    def _policies(self) -> list[Any]:
        """The policies that every try of a request passes."""
        limits = [self._limiter.policy()] if self._limiter else []
        return [*limits, RecordingPolicy(self), AuditPolicy()]

    def _retry(self) -> PatientRetryPolicy:
        connection, many = self.connection, self._limiter is not None
        most = {"retry_total": _MOST_RETRIES, "retry_status": _MOST_RETRIES} if many else {}
        options = {"retry_total": connection.retry_total, "retry_backoff_factor": connection.retry_backoff_s, **most}
        return PatientRetryPolicy(in_turn=many, **options)

    def _options(self) -> dict[str, Any]:
        return {"base_url": self.connection.endpoint, **self._options_for(self._audience)}

    def _options_for(self, audience: Audience) -> dict[str, Any]:
        return {
            "credential_scopes": [audience.scope],
            "retry_policy": self._retry(),
            "per_retry_policies": [AudiencePolicy(audience), *self._policies()],
            "transport": self._transport,
        }

    def _pipeline(self) -> Pipeline[Any, Any]:
        with loading:
            from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy

        sign_in = ARMChallengeAuthenticationPolicy(self._credential, self._audience.scope)
        begin: list[Any] = [RequestIdPolicy(), UserAgentPolicy("vmbackup"), self._retry()]
        return Pipeline(self._transport, [*begin, AudiencePolicy(self._audience), sign_in, *self._policies()])

    def _client(self, name: str, build: Callable[[], _Client]) -> _Client:
        with self._lock:
            clients: dict[str, Any] = self.__dict__.setdefault("_clients", {})
            if name not in clients:
                clients[name] = build()
            client: _Client = clients[name]
            return client

    @property
    def compute(self) -> ComputeManagementClient:
        """Microsoft.Compute."""
        with loading:
            from azure.mgmt.compute import ComputeManagementClient as Client

        return self._client("compute", lambda: Client(self._credential, self.subscription_id, **self._options()))

    def backup(self, subscription_id: str = "") -> RecoveryServicesBackupClient:
        """Microsoft.RecoveryServices; a vault may be in another subscription than the VM."""
        with loading:
            from azure.mgmt.recoveryservicesbackup import RecoveryServicesBackupClient as Client

        subscription = subscription_id or self.subscription_id
        return self._client(f"backup {subscription}", lambda: Client(self._credential, subscription, **self._options()))

    @property
    def locks(self) -> ManagementLockClient:
        """Management locks."""
        with loading:
            from azure.mgmt.resource.locks import ManagementLockClient as Client

        return self._client("locks", lambda: Client(self._credential, self.subscription_id, **self._options()))

    @property
    def graph(self) -> ResourceGraphClient:
        """Azure Resource Graph."""
        with loading:
            from azure.mgmt.resourcegraph import ResourceGraphClient as Client

        return self._client("graph", lambda: Client(self._credential, **self._options()))

    @property
    def health(self) -> ResourceHealthMgmtClient:
        """Microsoft.ResourceHealth."""
        with loading:
            from azure.mgmt.resourcehealth import ResourceHealthMgmtClient as Client

        return self._client("health", lambda: Client(self._credential, self.subscription_id, **self._options()))

    def metrics(self, region: str) -> MetricsClient:
        """Azure Monitor for the metrics of many VMs of a region: another host, with tokens of its own. Raises
        ResponseLost where its address is not known."""
        with loading:
            from azure.monitor.querymetrics import MetricsClient as Client

        audience = metrics_audience(self.connection.endpoint, region, self.connection.metrics)
        options = self._options_for(audience)
        return self._client(f"metrics {region}", lambda: Client(audience.endpoint, self._credential, **options))
