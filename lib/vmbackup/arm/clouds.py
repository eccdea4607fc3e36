"""What a cloud has besides its Azure Resource Manager: its portal, and Azure Monitor for the metrics of many resources.

For metrics each region has a host of its own, and all of a cloud have one audience of tokens. Sources: the samples of
azure-monitor-querymetrics for national clouds, and "How to migrate from the metrics API to the getBatch API".
"""

from __future__ import annotations

import re

from vmbackup.arm.audience import Audience
from vmbackup.arm.errors import ResponseLost

_METRICS = {
    "https://management.azure.com": "metrics.monitor.azure.com",
    "https://management.usgovcloudapi.net": "metrics.monitor.azure.us",
    "https://management.chinacloudapi.cn": "metrics.monitor.azure.cn",
}
"""By the address of Azure Resource Manager."""
_PORTALS = {
    "https://management.usgovcloudapi.net": "portal.azure.us",
    "https://management.chinacloudapi.cn": "portal.azure.cn",
}
"""By the same address, where it is not that of the public cloud."""
_PUBLIC = "metrics.monitor.azure.com"
_REGION = re.compile(r"[a-z0-9]{2,40}")


def portal_host(endpoint: str) -> str:
    """The portal of the cloud with this Azure Resource Manager, the public one's where the cloud is not known."""
    return _PORTALS.get(endpoint.rstrip("/").lower(), "portal.azure.com")


def metrics_audience(endpoint: str, region: str, given: str = "") -> Audience:
    """The service for the metrics of a region in the cloud with this Azure Resource Manager; ``given`` is its address
    where the cloud is none of these, with ``{region}`` in it. Raises ResponseLost where there is none."""
    # The region becomes a part of the address that gets a token.
    name = region.lower().replace(" ", "")
    host = _METRICS.get(endpoint.rstrip("/").lower())
    if not _REGION.fullmatch(name) or not (host or given):
        raise ResponseLost("why.no_metrics_host", region=region)
    address = given or f"https://{{region}}.{host}"
    return Audience(address.replace("{region}", name), f"https://{host or _PUBLIC}")
