"""One request to a ticket system, and the credential for it, from the environment or the keyring, never from a file.

Plain REST: jira's client sends every file as octet-stream, pysnc and PyGithub hide the refusals that decide about a
fallback, and Azure DevOps has no maintained client.
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
        raise NotNow("ticket.no_answer", kind=type(error).__name__) from None
    message = sanitize.shortened(response.text, 200)
    if response.status_code in (401, 408, 429) or response.status_code >= 500 or response.is_redirect:
        raise NotNow("ticket.answered", status=response.status_code, message=message)
    if not response.ok:
        # GitHub says 403 where others say 429.
        later = "Retry-After" in response.headers or response.headers.get("X-RateLimit-Remaining") == "0"
        raise (NotNow if later else Refused)("ticket.answered", status=response.status_code, message=message)
    try:
        content = response.json() if response.content else {}
    except ValueError:
        raise NotNow("ticket.not_json", message=message) from None
    return content if isinstance(content, dict) else {"list": content}


def address(name: str) -> str:
    """The address of a system. Raises SetupError where the variable is not set."""
    value = os.environ.get(name)
    if not value:
        raise SetupError("error.no_address", name=name)
    return value.rstrip("/")


def credential(name: str) -> str:
    """A credential: the variable of this name, or else what the keyring has under it. Raises SetupError."""
    value = os.environ.get(name) or _in_keyring(name)
    if not value:
        raise SetupError("error.no_credential", name=name)
    return value


def _in_keyring(name: str) -> str | None:
    """What the operating system keeps for this user under ``vmbackup``; None where there is none, or it is locked."""
    import keyring
    from keyring.errors import KeyringError

    try:
        return keyring.get_password("vmbackup", name)
    except (KeyringError, OSError):
        return None


def basic(user: str, secret: str) -> dict[str, str]:
    """The header of basic authentication."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()}


def bearer(token: str) -> dict[str, str]:
    """The header that carries a token."""
    return {"Authorization": f"Bearer {token}"}
