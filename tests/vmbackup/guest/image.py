"""A Debian root directory with the real ``waagent`` package, built once with debootstrap and kept as a tar archive.

``waagent`` is only ever installed inside that directory: its package starts a service that talks to the Azure host.
The archive lies in ``$VMBACKUP_CACHE`` or ``~/.cache/vmbackup-tests``; a lock lets parallel test workers share it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from programs import lacking

PACKAGES = (
    "python3,python3-distro,python3-pkg-resources,python3-distutils,"
    "openssl,ca-certificates,busybox-static,curl,iproute2"
)
TOOLS = ("debootstrap", "busybox", "ip", "mkfs.ext4", "nft", "unshare")
NAME = "debian-bookworm-waagent-4"

INSTALL_AGENT = """
set -e
printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d; chmod +x /usr/sbin/policy-rc.d
dpkg -i /waagent.deb >/dev/null
rm -f /waagent.deb /dev/console; : > /dev/console
# The agent's entry alone: reading the whole index takes every apt-cache seconds.
for list in /var/lib/apt/lists/*_Packages; do
  awk -v RS= -v ORS='\\n\\n' '/^Package: waagent\\n/' "$list" > /tmp/entry && cat /tmp/entry > "$list"
done
rm -f /tmp/entry
rm -rf /usr/share/doc /usr/share/man /usr/share/locale /var/cache/apt/archives/*.deb
"""


class ImageUnavailable(Exception):
    """The root directory cannot be built on this machine; the text says why."""


def cache() -> Path:
    """The folder that keeps the archive."""
    return Path(os.environ.get("VMBACKUP_CACHE") or Path.home() / ".cache" / "vmbackup-tests")


def prepared_root() -> Path:
    """The unpacked root directory, for reading only: every run puts a layer of its own over it.

    Raises ImageUnavailable without root rights or when packages cannot be had.
    """
    if os.geteuid() != 0:
        raise ImageUnavailable("needs root: debootstrap, chroot and namespaces")
    folder = cache()
    folder.mkdir(parents=True, exist_ok=True)
    with _locked(folder / "lock"):
        if missing := [why for tool in TOOLS if (why := lacking(tool))]:
            raise ImageUnavailable("; ".join(missing))
        archive, root = folder / f"{NAME}.tar", folder / NAME
        if not archive.exists():
            _build(archive)
        if not (root / "complete").exists():
            shutil.rmtree(root, ignore_errors=True)
            root.mkdir()
            _run("tar", "-C", str(root), "-xpf", str(archive))
            (root / "complete").touch()
    return root


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _build(archive: Path) -> None:
    with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
        root = Path(folder) / "root"
        _run("apt-get", "update", "-qq")
        _run("apt-get", "download", "waagent", cwd=folder)
        _run("debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(root), _mirror())
        package = next(Path(folder).glob("waagent_*.deb"))
        shutil.move(package, root / "waagent.deb")
        _run("unshare", "-n", "-m", "-p", "-f", "--kill-child", "chroot", str(root), "sh", "-c", INSTALL_AGENT)
        part = archive.with_suffix(".part")
        _run("tar", "-C", str(root), "-cpf", str(part), ".")
        part.rename(archive)


def _mirror() -> str:
    """The mirror that this machine's own apt uses for Debian."""
    answer = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Codename: bookworm", "Component: main"],
        capture_output=True,
        text=True,
        check=False,
    )
    for line in answer.stdout.split():
        if "security" not in line:
            return line.rstrip("/")
    raise ImageUnavailable("apt names no Debian bookworm mirror")


def _run(*command: str, cwd: str | None = None) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode:
        raise ImageUnavailable(f"{' '.join(command[:2])} failed: {(done.stderr or done.stdout).strip()[-300:]}")
