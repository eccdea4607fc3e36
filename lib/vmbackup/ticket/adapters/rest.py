"""One request to a ticket system, and the credential for it, which comes from the environment alone.

Plain REST: jira's client sends every file as octet-stream, pysnc and PyGithub hide the refusals that decide about a
fallback, and Azure DevOps has no living client.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from typing import Any

import requests

from vmbackup import sanitize
from vmbackup.model import SetupError
from vmbackup.ticket.adapters.base import NotNow, Refused

_TIMEOUT_S = 60


def request(method: str, url: str, headers: Mapping[str, str], **body: Any) -> dict[str, Any]:
    """One request. Success is 2xx with JSON. A redirect is not followed: it could take the credential elsewhere."""
    try:
        response = requests.request(
            method, url, headers=dict(headers), timeout=_TIMEOUT_S, allow_redirects=False, **body
        )
    except requests.RequestException as error:
        raise NotNow(f"no answer ({type(error).__name__})") from None
    message = sanitize.shortened(response.text, 200)
    if response.status_code in (401, 408, 429) or response.status_code >= 500 or response.is_redirect:
        raise NotNow(f"{response.status_code}: {message}")
    if not response.ok:
        raise Refused(f"{response.status_code}: {message}")
    try:
        content = response.json() if response.content else {}
    except ValueError:
        raise NotNow(f"the response is not JSON: {message}") from None
    return content if isinstance(content, dict) else {"list": content}


def from_environment(name: str) -> str:
    """An address or a credential. Raises SetupError where the variable is not set."""
    value = os.environ.get(name)
    if not value:
        raise SetupError("error.no_credential", name=name)
    return value


def basic(user: str, secret: str) -> dict[str, str]:
    """The header of basic authentication."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()}


def bearer(token: str) -> dict[str, str]:
    """The header that carries a token."""
    return {"Authorization": f"Bearer {token}"}
