"""Inside the simulated guests: what the guest script printed on a real machine, and what the serial port shows."""

from __future__ import annotations

import base64
import gzip
import json
import textwrap
from importlib import resources

_BEGIN = "-----BEGIN VMBACKUP GUEST 1-----"
_END = "-----END VMBACKUP GUEST 1 {length}-----"
ASKED_BY = "Guest probe of vmbackup"


def printed(machine: str, vm_id: str, host: str, storage_blocked: bool = False) -> str:
    """The output of the real guest script on ``linux_<machine>``, readdressed to this VM. Where rules or routes of the
    world stand in the way to Storage, it timed out."""
    text = resources.files("azuresim").joinpath(f"guest_outputs/linux_{machine}.txt").read_text("utf-8")
    lines = text.splitlines()
    begin = lines.index(_BEGIN)
    document = json.loads(gzip.decompress(base64.b64decode("".join(lines[begin + 1 : -1]))))
    document |= {"vm_id": vm_id, "host": host}
    network = document["facts"]["network"]
    if storage_blocked and network["storage_443"] == "ok":
        network["storage_443"] = "timeout"
    packed = gzip.compress(json.dumps(document, separators=(",", ":")).encode(), mtime=0)
    body = base64.b64encode(packed).decode()
    return "\n".join([*lines[:begin], _BEGIN, *textwrap.wrap(body, 76), _END.format(length=len(body))]) + "\n"


def machines() -> list[str]:
    """The machines that :func:`printed` knows."""
    files = resources.files("azuresim").joinpath("guest_outputs").iterdir()
    return sorted(file.name.removeprefix("linux_").removesuffix(".txt") for file in files)
