"""What a cloud has besides its Azure Resource Manager: its portal, and Azure Monitor for the metrics of many resources.

For metrics each region has a host of its own, and all of a cloud have one audience of tokens. Sources: the samples of
azure-monitor-querymetrics for national clouds, and "How to migrate from the metrics API to the getBatch API".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from vmbackup.arm.audience import Audience
from vmbackup.arm.errors import ResponseLost


@dataclass(frozen=True, slots=True)
class _Cloud:
    """Its host of the portal, and for metrics the host without the region."""

    portal: str
    metrics: str


_PUBLIC = _Cloud("portal.azure.com", "metrics.monitor.azure.com")
_CLOUDS = {
    "https://management.azure.com": _PUBLIC,
    "https://management.usgovcloudapi.net": _Cloud("portal.azure.us", "metrics.monitor.azure.us"),
    "https://management.chinacloudapi.cn": _Cloud("portal.azure.cn", "metrics.monitor.azure.cn"),
}
"""By the address of Azure Resource Manager."""
_REGION = re.compile(r"[a-z0-9]{2,40}")


def portal_host(endpoint: str) -> str:
    """The portal of the cloud with this Azure Resource Manager, the public one's where the cloud is not known."""
    return (_known(endpoint) or _PUBLIC).portal


def metrics_audience(endpoint: str, region: str, given: str = "") -> Audience:
    """The service for the metrics of a region in the cloud with this Azure Resource Manager; ``given`` is its address
    where the cloud is none of these, with ``{region}`` in it. Raises ResponseLost where there is none."""
    # The region becomes a part of the address that gets a token.
    name = region.lower().replace(" ", "")
    cloud = _known(endpoint)
    if not _REGION.fullmatch(name) or not (cloud or given):
        raise ResponseLost("why.no_metrics_host", region=region)
    host = (cloud or _PUBLIC).metrics
    address = given or f"https://{{region}}.{host}"
    return Audience(address.replace("{region}", name), f"https://{host}")


def _known(endpoint: str) -> _Cloud | None:
    return _CLOUDS.get(endpoint.rstrip("/").lower())
