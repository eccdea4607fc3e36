"""A throw-away certificate authority for loopback."""

from __future__ import annotations

import ssl
from pathlib import Path

import trustme

_SERVER = "server.pem"


def server_context(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server context for 127.0.0.1 and the file of the CA that clients must trust; both are kept in the folder, and
    made where they are not there."""
    server, path = folder / _SERVER, folder / "ca.pem"
    if not server.exists():
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(path))
        issued = authority.issue_cert("127.0.0.1", "localhost")
        issued.private_key_and_cert_chain_pem.write_to_path(str(server))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(server)
    return context, path
