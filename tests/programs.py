"""Programs of Debian that tests run: installed where that may be done; else the test is skipped and says why."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

# Of programs that are not called like their package.
PACKAGES = {"ip": "iproute2", "mkfs.ext4": "e2fsprogs", "nft": "nftables", "unshare": "util-linux"}


def installed(name: str) -> str:
    """The path of this program."""
    if why := lacking(name):
        pytest.skip(why)
    return str(shutil.which(name))


@cache
def lacking(name: str) -> str:
    """Why this program cannot be had; nothing where it is there."""
    package = PACKAGES.get(name, name)
    # Test workers that lack the same program wait for one of them to install it.
    with Path(tempfile.gettempdir(), "vmbackup-tests-apt.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if shutil.which(name):
            return ""
        if os.geteuid() != 0 or not shutil.which("apt-get"):
            return f"no {name} here: apt-get install {package}"
        for words in (["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", package]):
            environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            if subprocess.run(words, env=environment, capture_output=True, timeout=600, check=False).returncode:
                return f"{' '.join(words)} failed: install {package} by hand"
    return "" if shutil.which(name) else f"{package} was installed, but {name} is not found"
