"""A receiver of notices over https, friendly or not."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

from azuresim.tls import server_context


class Webhook(ThreadingHTTPServer):
    """What came in, and how it answers: with a status, or with ``mood`` ``hangs``, ``trickles`` or ``floods``."""

    daemon_threads, block_on_close = True, False

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self._context, self.ca_file = server_context(folder)
        self.status, self.mood = 200, ""
        self.received: list[tuple[str, str, Any]] = []

    @property
    def address(self) -> str:
        return f"https://127.0.0.1:{self.server_address[1]}/hook?key=c2VjcmV0"

    def finish_request(self, request: Any, client_address: Any) -> None:
        # In the connection's own thread: who connects and then says nothing would hold up all others, and the end.
        with self._context.wrap_socket(request, server_side=True) as secure:
            super().finish_request(secure, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who goes away is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.received.append((self.path, self.headers["Content-Type"], content))
        if self.server.mood == "hangs":
            time.sleep(3600)
        self.send_response(self.server.status)
        self.send_header("Location", f"{self.server.address}&elsewhere")
        if self.server.mood == "trickles":
            self.flush_headers()
        while self.server.mood == "trickles":
            self.wfile.write(b"X-More: yes\r\n")
            time.sleep(0.2)
        self.end_headers()
        while self.server.mood == "floods":
            self.wfile.write(b"x" * 2**20)

    def do_GET(self) -> None:
        raise AssertionError("nobody is to follow a redirect")

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged."""


@contextmanager
def listening() -> Iterator[Webhook]:
    """A receiver for the time of the block."""
    with TemporaryDirectory() as folder, Webhook(Path(folder)) as found:
        Thread(target=found.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield found
        finally:
            found.shutdown()
