"""The guest script's readers of network configuration: does a file say that the interface uses DHCP?"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from programs import installed

PROBE = Path(__file__).parents[3] / "lib" / "vmbackup" / "guest" / "scripts" / "collect_linux.sh"
MAC = "00:0d:3a:f9:b7:61"


def said(kind: str, text: str, tmp_path: Path, awk: str) -> str:
    """The answer of the reader: y, n or nothing."""
    installed(awk.split()[0])
    (tmp_path / "file one").write_text(text)
    functions = PROBE.read_text("utf-8").rsplit("(main <", 1)[0]
    program = f'{functions}\n{awk} -v want=eth0 -v mac={MAC} "$READ_{kind}" "{tmp_path}/file one" | tail -n 1'
    done = subprocess.run(["sh", "-c", program], capture_output=True, text=True, check=True, timeout=30)
    answer = done.stdout.strip()
    assert not answer or answer[1:] == f" {tmp_path}/file one"
    return answer[:1]


NETPLAN = """\
# written by cloud-init
network:
    version: 2
    ethernets:
        eth0:
            {body}
            match:
                macaddress: {mac}
            nameservers:
                addresses: [168.63.129.16]
            set-name: {name}
        eth1:
            dhcp4: {other}
"""


def netplan(body: str, mac: str = MAC, name: str = "eth0", other: str = "false") -> str:
    return NETPLAN.format(body=body, mac=mac, name=name, other=other)


@pytest.mark.parametrize("awk", ["mawk", "gawk", "busybox awk"])
@pytest.mark.parametrize(
    ("kind", "text", "answer"),
    [
        ("NETPLAN", netplan("dhcp4: true"), "y"),
        ("NETPLAN", netplan('dhcp4: "yes" # by hand'), "y"),
        ("NETPLAN", netplan("dhcp4: false", other="true"), "n"),
        ("NETPLAN", netplan("addresses: [10.0.0.4/24]", other="true"), "n"),
        ("NETPLAN", netplan("dhcp6: true", other="true"), ""),
        ("NETPLAN", netplan("dhcp4: true").replace("eth0:", "primary:"), "y"),
        ("NETPLAN", netplan("dhcp4: true", mac="00:00:00:00:00:01", name="eth9").replace("eth0:", "primary:"), ""),
        ("NETPLAN", "network: {version: 2}\n", ""),
        ("NETPLAN", "network:\n  ethernets:\n    eth0: {dhcp4: true}\n    eth1: {dhcp4: false}\n", "y"),
        ("NETPLAN", "network:\n  ethernets:\n    eth0:\n      dhcp4: no\n  renderer: networkd\n", "n"),
        ("KEY_FILES", "[connection]\nid=System eth0\ninterface-name=eth0\n[ipv4]\nmethod=auto\n", "y"),
        ("KEY_FILES", "[connection]\ninterface-name=eth0\n[ipv4]\naddress1=10.0.0.4/24\nmethod=manual\n", "n"),
        ("KEY_FILES", f"[ethernet]\nmac-address={MAC.upper()}\n[ipv4]\nmethod=manual\n[ipv6]\nmethod=auto\n", "n"),
        ("KEY_FILES", "[connection]\ninterface-name=eth1\n[ipv4]\nmethod=manual\n", ""),
        ("KEY_FILES", "[connection]\ninterface-name=eth0\n[ipv4]\nmethod=disabled\n", ""),
        ("KEY_FILES", "[Match]\nName=eth0\n\n[Network]\nDHCP=ipv4\n", "y"),
        ("KEY_FILES", f"[Match]\nMACAddress={MAC}\n[Network]\n# DHCP=yes\nAddress=10.0.0.4/24\n", "n"),
        ("KEY_FILES", "[Match]\nName=eth0\n[Network]\nAddress=fd00::4/64\n", ""),
        ("IFCFG", "DEVICE=eth0\nBOOTPROTO=dhcp\n", "y"),
        ("IFCFG", "DEVICE=eth0\nBOOTPROTO='static'\nIPADDR=10.0.0.4\n", "n"),
        ("IFCFG", "DEVICE=eth0\nIPADDR=10.0.0.4\nBOOTPROTO=\"none\"\r\n", "n"),
        ("IFCFG", "IPADDR0=10.0.0.4\n", "n"),
        ("IFCFG", "DEVICE=eth0\nBOOTPROTO=dhcp\nIPADDR=10.0.0.4\n", "y"),
        ("IFCFG", "DEVICE=eth0\n", ""),
        ("INTERFACES", "auto eth0\niface eth0 inet dhcp\niface eth1 inet static\n", "y"),
        ("INTERFACES", "iface eth0 inet static\n  address 10.0.0.4\n", "n"),
        ("INTERFACES", "iface eth0 inet6 auto\n", ""),
    ],
)  # fmt: skip
def test_a_file_says_whether_the_interface_uses_dhcp(
    kind: str, text: str, answer: str, tmp_path: Path, awk: str
) -> None:
    assert said(kind, text, tmp_path, awk) == answer
