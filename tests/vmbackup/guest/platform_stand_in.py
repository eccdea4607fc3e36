"""Answers like the Azure host inside a network namespace: WireServer, HostGAPlugin, IMDS and one storage account.

Usage: ``python platform_stand_in.py FOLDER VM_ID CLOCK_OFFSET_S``. FOLDER gets ``ready`` when all ports listen, and the
certificate authority ``ca.pem`` that signs for the storage account. Addresses 168.63.129.16, 169.254.169.254 and
10.99.0.9 must be this namespace's own.
"""

from __future__ import annotations

import email.utils
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path

import trustme

STORAGE_HOST = "md-hdd-demo1.z1.blob.storage.azure.net"
PLATFORM_HOSTS = ("zrdfepirv2cbz06prdstr01a.blob.core.windows.net", "management.azure.com")
WIRE, IMDS, STORAGE = "168.63.129.16", "169.254.169.254", "10.99.0.9"

VERSIONS = """<?xml version="1.0" encoding="utf-8"?>
<Versions><Preferred><Version>2015-04-05</Version></Preferred>
<Supported><Version>2015-04-05</Version><Version>2012-11-30</Version></Supported></Versions>"""

GOAL_STATE = """<?xml version="1.0" encoding="utf-8"?>
<GoalState><Version>2012-11-30</Version><Incarnation>1</Incarnation><Machine><ExpectedState>Started</ExpectedState>
<LBProbePorts><Port>16001</Port></LBProbePorts></Machine><Container>
<ContainerId>c6d5526c-5ac2-4200-b6e2-56f2b70c5ab2</ContainerId>
<RoleInstanceList><RoleInstance><InstanceId>b61f93d0-e1ed-40b2-b067-22c243233448.vm</InstanceId>
<State>Started</State><Configuration>
<HostingEnvironmentConfig>{base}hostingEnvironmentConfig</HostingEnvironmentConfig>
<SharedConfig>{base}sharedConfig</SharedConfig><ExtensionsConfig>{base}extensionsConfig</ExtensionsConfig>
<ConfigName>b61f93d0.0.b61f93d0.0._vm.1.xml</ConfigName></Configuration></RoleInstance></RoleInstanceList></Container>
</GoalState>""".format(base="http://168.63.129.16/machine/c/b?comp=config&amp;type=")

HOSTING = """<?xml version="1.0" encoding="utf-8"?>
<HostingEnvironmentConfig version="1.0.0.0" goalStateIncarnation="1"><StoredCertificates/>
<Deployment name="db00a" guid="{db00a}" incarnation="0" isNonCancellableTopologyChangeEnabled="false">
<Service name="s" guid="{0}"/><ServiceInstance name="db.0" guid="{1}"/></Deployment>
<Incarnation number="1" instance="vm" guid="{2}"/><Role guid="{3}" name="vm" settleTimeSeconds="0"/>
</HostingEnvironmentConfig>"""

SHARED = """<?xml version="1.0" encoding="utf-8"?>
<SharedConfig version="1.0.0.0" goalStateIncarnation="1"><Deployment name="db00a" guid="{db00a}" incarnation="0"/>
<Incarnation number="1" instance="vm" guid="{2}"/><Role guid="{3}" name="vm" settleTimeSeconds="0"/>
</SharedConfig>"""

EXTENSIONS = f"""<?xml version="1.0" encoding="utf-8"?>
<Extensions version="1.0.0.0" goalStateIncarnation="1"><GuestAgentExtension/><Plugins/><PluginSettings/>
<StatusUploadBlob statusBlobType="BlockBlob">https://{STORAGE_HOST}/$system/vm.status?sv=2018&amp;sig=demo</StatusUploadBlob>
</Extensions>"""


class QuickServer(ThreadingHTTPServer):
    """An HTTP server that does not look its own name up: there is no name server in the namespace."""

    daemon_threads = True

    def server_bind(self) -> None:
        self.socket.setsockopt(1, 2, 1)
        HTTPServer.server_bind.__globals__["socketserver"].TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])


class Platform(BaseHTTPRequestHandler):
    """Every answer of every address."""

    vm_id = ""
    clock_offset_s = 0

    def log_message(self, format: str, *args: object) -> None:
        pass

    def date_time_string(self, timestamp: float | None = None) -> str:
        return email.utils.formatdate(time.time() + self.clock_offset_s, usegmt=True)

    def do_GET(self) -> None:
        if self.path.startswith("/metadata/instance/compute/vmId"):
            return self._answer(200, self.vm_id, "text/plain")
        for part, text in (
            ("comp=versions", VERSIONS),
            ("comp=goalstate", GOAL_STATE),
            ("type=hostingEnvironmentConfig", HOSTING),
            ("type=sharedConfig", SHARED),
            ("type=extensionsConfig", EXTENSIONS),
        ):
            if part in self.path:
                return self._answer(200, text, "text/xml; charset=utf-8")
        return self._answer(404, "", "text/plain")

    do_HEAD = do_GET

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._answer(200, "", "text/plain")

    do_PUT = do_POST

    def _answer(self, status: int, text: str, kind: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def main(folder: Path, vm_id: str, clock_offset_s: int) -> None:
    """Listen until killed."""
    Platform.vm_id, Platform.clock_offset_s = vm_id, clock_offset_s
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(STORAGE_HOST, *PLATFORM_HOSTS).configure_cert(secure)
    servers = [QuickServer(address, Platform) for address in ((WIRE, 80), (WIRE, 32526), (IMDS, 80), (STORAGE, 443))]
    servers[-1].socket = secure.wrap_socket(servers[-1].socket, server_side=True)
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    (folder / "ready").touch()
    threading.Event().wait()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
