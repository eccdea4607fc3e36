"""Inside the simulated guests: what the guest script printed on a real machine."""

from __future__ import annotations

import base64
import gzip
import json
import textwrap
from pathlib import Path

OUTPUTS = Path(__file__).parent / "guest_outputs"
_BEGIN = "-----BEGIN VMBACKUP GUEST 1-----"
_END = "-----END VMBACKUP GUEST 1 {length}-----"
ASKED_BY = "Guest probe of vmbackup"


def output_file(os: str, machine: str, beside: Path | None = None) -> Path | None:
    """``<os>_<machine>.txt`` in the world's own folder, else among the simulator's; None where nobody has it."""
    folders = [folder for folder in (beside, OUTPUTS) if folder]
    return next((file for folder in folders if (file := folder / f"{os}_{machine}.txt").is_file()), None)


def machines(os: str, beside: Path | None = None) -> list[str]:
    """The machines of this system that :func:`output_file` finds."""
    files = [file for folder in (beside, OUTPUTS) if folder for file in folder.glob(f"{os}_*.txt")]
    return sorted({file.stem.removeprefix(f"{os}_") for file in files if not file.name.endswith(".guest.txt")})


def printed(file: Path, vm_id: str, host: str, storage_blocked: bool = False) -> str:
    """The output of the real guest script in this file, readdressed to this VM. Where rules or routes of the world
    stand in the way to Storage, it timed out."""
    lines = file.read_text("utf-8").splitlines()
    begin = lines.index(_BEGIN)
    document = json.loads(gzip.decompress(base64.b64decode("".join(lines[begin + 1 : -1]))))
    document |= {"vm_id": vm_id, "host": host}
    network = document["facts"]["network"]
    if storage_blocked and network["storage_443"] == "ok":
        network["storage_443"] = "timeout"
    packed = gzip.compress(json.dumps(document, separators=(",", ":")).encode(), mtime=0)
    body = base64.b64encode(packed).decode()
    return "\n".join([*lines[:begin], _BEGIN, *textwrap.wrap(body, 76), _END.format(length=len(body))]) + "\n"
