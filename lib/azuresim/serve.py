"""The wire: real HTTPS on loopback, keep-alive, one thread per connection."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import tempfile
import time
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import azuresim.handlers  # noqa: F401 - importing the handlers registers their routes
from azuresim.answer import Answer, Cut, error
from azuresim.core import handle
from azuresim.kept import Kept, Sent
from azuresim.state import Azure
from azuresim.storm import Storm
from azuresim.tls import server_context
from azuresim.world import World

IDENTITY_PATH = "/msi/token"


class Simulator:
    """Azure Resource Manager on a free port of 127.0.0.1, for the time of a ``with`` block.

    ``latency_ms`` is added to every answer but the token's; ``storm`` is what goes wrong with answers. With a folder in
    ``kept`` it goes on as whoever was there before, see :mod:`~azuresim.kept`.
    """

    def __init__(
        self,
        worlds: World | Iterable[World],
        latency_ms: int = 0,
        port: int = 0,
        storm: Storm | None = None,
        kept: Path | None = None,
    ) -> None:
        self.azure = Azure([worlds] if isinstance(worlds, World) else list(worlds), storm=storm)
        self.latency_ms = latency_ms
        self.requests: list[tuple[str, str]] = []
        self.crashes: list[Exception] = []
        self._port = port
        self._server: _Server | None = None
        self._ca = ""
        self._kept = Kept(kept) if kept else None

    @property
    def endpoint(self) -> str:
        """``https://127.0.0.1:<port>``, no slash at the end."""
        assert self._server is not None, "the simulator is not running"
        return f"https://127.0.0.1:{self._server.server_address[1]}"

    @property
    def metrics_endpoint(self) -> str:
        """Where the metrics of many VMs are: a region is the first part of the path, for want of hosts."""
        return f"{self.endpoint}/{{region}}"

    @property
    def ca_file(self) -> str:
        """The certificate of whoever signed the simulator's."""
        return self._ca

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which DefaultAzureCredential, requests, az and the metrics' client find and trust the
        simulator."""
        return {
            "IDENTITY_ENDPOINT": self.endpoint + IDENTITY_PATH,
            "IDENTITY_HEADER": self.azure.tokens.header,
            "AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential",
            "REQUESTS_CA_BUNDLE": self._ca,
            "VMBACKUP_METRICS_ENDPOINT": self.metrics_endpoint,
        }

    def start(self) -> None:
        """Begin to answer."""
        if self._kept:
            self._go_on(self._kept)
        folder = self._kept.folder if self._kept else Path(tempfile.mkdtemp(prefix="azuresim-"))
        context, path = server_context(folder)
        self._ca = str(path)
        self._server = _Server(("127.0.0.1", self._port), self, context)
        if self._kept:
            self._kept.keep_door(self._server.server_address[1], self.azure.tokens)
        Thread(target=self._server.serve_forever, args=(0.05,), name="azuresim", daemon=True).start()

    def _go_on(self, kept: Kept) -> None:
        """Take the place of whoever was there before."""
        if door := kept.door():
            self._port, self.azure.tokens = door
        for each in kept.requests:
            self.answer(each)

    def stop(self) -> None:
        """End; open connections are dropped."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
            if self._kept is None:
                shutil.rmtree(os.path.dirname(self._ca), ignore_errors=True)

    def note(self, sent: Sent) -> None:
        """Keep a request, before it is answered."""
        if self._kept:
            self._kept.add(sent)

    def answer(self, sent: Sent) -> Answer:
        """The answer to a request; a fault of the simulator itself looks like one, or tests would hunt it in the
        product."""
        parts = urlsplit(sent.target)
        if parts.path != IDENTITY_PATH:
            self.requests.append((sent.method, parts.path))
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        try:
            return handle(self.azure, sent.method, parts.path, query, sent.headers, sent.body)
        except Exception as exc:
            self.crashes.append(exc)
            return error(500, "SimulatorCrashed", f"{type(exc).__name__}: {exc}")

    def __enter__(self) -> Simulator:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], simulator: Simulator, context: ssl.SSLContext) -> None:
        self.simulator = simulator
        self.context = context
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # HTTPServer.server_bind asks DNS for the host's name, which can take seconds.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])

    def finish_request(self, request: Any, client_address: Any) -> None:
        # The handshake belongs to the connection's own thread, or one slow client would stop all others.
        try:
            request.settimeout(120)
            secure = self.context.wrap_socket(request, server_side=True)
        except OSError:
            return
        try:
            super().finish_request(secure, client_address)
        finally:
            secure.close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    def _serve(self) -> None:
        simulator = self.server.simulator
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        sent = Sent(self.command, self.path, dict(self.headers.items()), body)
        token = urlsplit(self.path).path == IDENTITY_PATH
        if not token:
            simulator.note(sent)
        answer = simulator.answer(sent)
        delay = answer.delay_s + (0 if token else simulator.latency_ms / 1000)
        if delay:
            time.sleep(delay)
        self._send(answer)

    def _send(self, answer: Answer) -> None:
        data, promised = encoded(answer)
        self.send_response_only(answer.status)
        headers = {"Server": "Microsoft-HTTPAPI/2.0", "Content-Length": str(promised)} | answer.headers
        if data and "Content-Type" not in headers:
            headers["Content-Type"] = "application/json; charset=utf-8"
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()
        if promised != len(data):
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _serve

    def log_message(self, format: str, *args: Any) -> None:
        """Silence: :attr:`Simulator.requests` is the log."""


def encoded(answer: Answer) -> tuple[bytes, int]:
    """The bytes to send and the length to promise."""
    if isinstance(answer.body, Cut):
        return answer.body.data, answer.body.promised
    if answer.body is None:
        return b"", 0
    data = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body, ensure_ascii=False).encode()
    return data, len(data)
