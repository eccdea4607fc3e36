"""Which host a token may be sent to.

A token is made for one service of one cloud: its Azure Resource Manager, or Azure Monitor for the metrics of many
resources. Whatever a response names (the next page, an operation, a redirect), a request goes there only if it is the
same host.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from vmbackup.model import RunbookError
from vmbackup.sanitize import shortened

_HTTPS = 443


class ForeignHost(RunbookError):
    """A response pointed to a host that is not Azure's; nothing was sent there."""

    def __init__(self, host: str) -> None:
        super().__init__("error.foreign_host", host=host)
        self.host = host


@dataclass(frozen=True, slots=True)
class Audience:
    """Who a token is for: the service at this address, such as ``https://management.azure.com``. Tokens are asked for
    under this address too, unless ``resource`` names another one."""

    endpoint: str
    resource: str = ""

    @property
    def scope(self) -> str:
        """What a token is asked for."""
        return f"{self.resource or self.endpoint}/.default"

    def require(self, url: str) -> None:
        """Raises ForeignHost for a URL that does not belong to this audience."""
        host = _host(url)
        if host is None or host != _host(self.endpoint):
            raise ForeignHost(shortened(urlsplit(url).netloc.rpartition("@")[2] or url, 100))


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
