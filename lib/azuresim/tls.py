"""A throw-away certificate authority for loopback."""

from __future__ import annotations

import ssl
from pathlib import Path
from tempfile import mkdtemp

import trustme


def server_context() -> tuple[ssl.SSLContext, Path]:
    """A server context for 127.0.0.1 and the file of the CA that clients must trust (in a new temporary folder)."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    path = Path(mkdtemp(prefix="azuresim-")) / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return context, path
