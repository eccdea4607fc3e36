"""One sign-in for a whole fleet: the coordinator fetches tokens, renews them, and hands them to its workers.

It speaks the protocol of App Service's managed identity on this machine's loopback address, so that the credential in a
worker stays as it is. A token is never written anywhere; the header that unlocks it is random, stands only in the
environment of the workers, and dies with the coordinator.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from vmbackup.arm.errors import words

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken, TokenCredential

_PATH = "/token"
_RENEW_BEFORE_S = 600
_LOOPBACK = "127.0.0.1"


class Tokens:
    """Tokens for these audiences alone, such as ``https://management.azure.com``; each is fetched once and renewed in
    time. The credential is made when the first token is asked for."""

    def __init__(self, credential: Callable[[], TokenCredential], audiences: tuple[str, ...]) -> None:
        self._credential, self._audiences = cache(credential), audiences
        self._lock = threading.Lock()
        self._known: dict[str, AccessToken] = {}

    def get(self, audience: str) -> AccessToken:
        """A token. Raises KeyError for another audience, and what the credential raises where there is none."""
        if audience.rstrip("/") not in self._audiences:
            raise KeyError(audience)
        with self._lock:
            known = self._known.get(audience)
            if known is None or known.expires_on - time.time() < _RENEW_BEFORE_S:
                try:
                    known = self._known[audience] = self._credential().get_token(f"{audience.rstrip('/')}/.default")
                except Exception:
                    if known is None or known.expires_on <= time.time():
                        raise
            return known


@contextmanager
def shared_sign_in(
    credential: Callable[[], TokenCredential], audiences: tuple[str, ...]
) -> Iterator[Mapping[str, str]]:
    """Serve tokens as long as the block runs; yields what the environment of a worker needs for it."""
    header = secrets.token_hex(32)
    server = _Server(Tokens(credential, audiences), header)
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="sign-in", daemon=True)
    thread.start()
    try:
        yield {
            "IDENTITY_ENDPOINT": f"http://{server.authority}{_PATH}",
            "IDENTITY_HEADER": header,
            "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
            # A proxy must never see it.
            **{name: _with_loopback(os.environ.get(name, "")) for name in ("NO_PROXY", "no_proxy")},
        }
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _with_loopback(hosts: str) -> str:
    return ",".join(filter(None, (hosts, _LOOPBACK)))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, tokens: Tokens, header: str) -> None:
        self.tokens, self.header = tokens, header
        super().__init__((_LOOPBACK, 0), _Handler)

    @property
    def authority(self) -> str:
        """Address and port."""
        return f"{_LOOPBACK}:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing: a worker may hang up at any time, and a traceback could show a token."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 30

    def do_GET(self) -> None:
        """Answer as App Service does."""
        parts = urlsplit(self.path)
        given = self.headers.get("X-IDENTITY-HEADER") or ""
        is_worker = hmac.compare_digest(given.encode(), self.server.header.encode())
        # A page in a browser can reach this address, but only under another name, and without the header.
        if not is_worker or self.headers.get("Host") != self.server.authority or parts.path != _PATH:
            self._send(401, {"message": "unauthorized"})
            return
        audience = (parse_qs(parts.query).get("resource") or [""])[0]
        try:
            token = self.server.tokens.get(audience)
        except KeyError:
            self._refuse("no such audience")
        except Exception as error:
            self._refuse(f"the fleet cannot sign in: {words(error)}")
        else:
            expires = str(token.expires_on)
            body = {"access_token": token.token, "expires_on": expires, "resource": audience, "token_type": "Bearer"}
            self._send(200, body)

    def _refuse(self, message: str) -> None:
        # No 5xx: a worker's credential would ask again and again.
        self._send(400, {"statusCode": "400", "message": message})

    def _send(self, status: int, body: Mapping[str, str]) -> None:
        data = json.dumps(body).encode()
        self.send_response_only(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged here."""
