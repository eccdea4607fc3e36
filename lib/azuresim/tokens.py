"""Tokens of the managed identity: unsigned for a stranger's eyes, but only this simulator's own are let in."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass, field

from azuresim.answer import Json, Refused
from azuresim.ids import client_id, tenant_id

METRICS = "https://metrics.monitor.azure.com"
"""Who tokens for the metrics of many VMs are for; whatever else a token is for, Azure Resource Manager takes it."""
_LIFE_S = 86_400


def _part(data: Json) -> str:
    return base64.urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")


@dataclass(slots=True)
class Tokens:
    """Issues and recognises access tokens. ``header`` is the secret of the identity endpoint."""

    key: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    header: str = field(default_factory=lambda: secrets.token_hex(8))

    def issue(self, resource: str, seed: int) -> Json:
        """The identity endpoint's answer. Expiry is by the real clock: the SDK compares it with its own."""
        expires = int(time.time()) + _LIFE_S
        claims = {
            "aud": resource,
            "iss": f"https://sts.windows.net/{tenant_id(seed)}/",
            "tid": tenant_id(seed),
            "oid": client_id(seed),
            "appid": client_id(seed),
            "sub": client_id(seed),
            "iat": expires - _LIFE_S,
            "nbf": expires - _LIFE_S,
            "exp": expires,
            "ver": "1.0",
        }
        text = f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part(claims)}"
        return {
            "access_token": f"{text}.{self._mark(text)}",
            "expires_on": str(expires),
            "resource": resource,
            "token_type": "Bearer",
            "client_id": client_id(seed),
        }

    def demand(self, authorization: str, seed: int, metrics: bool = False) -> None:
        """Raise 401 unless this is a token issued here, for the metrics of many VMs or for everything else."""
        scheme, _, token = authorization.partition(" ")
        if not token or scheme.lower() != "bearer":
            raise _unauthorized(
                seed, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing."
            )
        text, _, mark = token.rpartition(".")
        if not hmac.compare_digest(mark, self._mark(text)):
            raise _unauthorized(seed, "InvalidAuthenticationToken", "The access token is invalid.")
        if (_audience(text) == METRICS) is not metrics:
            message = "The access token has been obtained for wrong audience or resource."
            raise _unauthorized(seed, "InvalidAuthenticationTokenAudience", message)

    def _mark(self, text: str) -> str:
        return hmac.new(self.key, text.encode(), hashlib.sha256).hexdigest()[:32]


def _audience(text: str) -> str:
    claims = text.rpartition(".")[2]
    return str(json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["aud"]).rstrip("/")


def _unauthorized(seed: int, code: str, message: str) -> Refused:
    challenge = (
        f'Bearer authorization_uri="https://login.windows.net/{tenant_id(seed)}", '
        f'error="invalid_token", error_description="{message}"'
    )
    return Refused(401, code, message, {"WWW-Authenticate": challenge})
