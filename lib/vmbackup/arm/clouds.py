"""Which hosts a token may be sent to: one table per cloud.

A token is made for one audience. Whatever an answer names (the next page, an operation, a redirect), the request goes
there only if the host belongs to the audience; else nothing is sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from vmbackup.model import RunbookError

_HTTPS = 443


class ForeignHost(RunbookError):
    """An answer led to a host that is not Azure's; nothing was sent there."""

    def __init__(self, host: str) -> None:
        super().__init__("error.foreign_host", host=host)
        self.host = host


@dataclass(frozen=True, slots=True)
class Audience:
    """Who a token is for. ``host`` is the host itself, with a port where it is not 443, or, where it begins with a dot,
    the end of the names of all its hosts."""

    scope: str
    host: str

    def require(self, url: str) -> None:
        """Raises ForeignHost for a URL that does not belong to this audience."""
        host = _host(url)
        if host is None or not (host == self.host or (self.host.startswith(".") and host.endswith(self.host))):
            raise ForeignHost(urlsplit(url).netloc.rpartition("@")[2][:100] or url[:100])


@dataclass(frozen=True, slots=True)
class Cloud:
    """The audiences of one cloud: Azure Resource Manager, and the metrics of many resources at once."""

    arm: Audience
    metrics: Audience


def _known(arm: str, metrics: str) -> Cloud:
    return Cloud(
        Audience(f"https://{arm}/.default", arm),
        Audience(f"https://{metrics}/.default", f".{metrics}"),
    )


CLOUDS = (
    _known("management.azure.com", "metrics.monitor.azure.com"),
    _known("management.chinacloudapi.cn", "metrics.monitor.azure.cn"),
    _known("management.usgovcloudapi.net", "metrics.monitor.azure.us"),
)


def cloud_of(endpoint: str) -> Cloud:
    """The cloud with this address of Azure Resource Manager; another one is a cloud of its own with this one host."""
    host = _host(endpoint) or ""
    own = Audience(f"{endpoint}/.default", host)
    return next((each for each in CLOUDS if each.arm.host == host), Cloud(own, own))


def _host(url: str) -> str | None:
    """Host and port of an https URL as they are compared; None for any other URL."""
    parts = urlsplit(url)
    try:
        port = parts.port or _HTTPS
    except ValueError:
        return None
    if parts.scheme != "https" or not parts.hostname:
        return None
    return parts.hostname if port == _HTTPS else f"{parts.hostname}:{port}"
