"""Recorded answers of real Azure, found through VMBACKUP_RECORDINGS; they are read in place and never copied."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(os.environ.get("VMBACKUP_RECORDINGS", Path(__file__).parents[2] / "shared"))
ARM = FOLDER / "arm"


@dataclass(frozen=True)
class Recording:
    """One recorded answer: its file's ``name``, what was asked (empty where unknown), and the body as bytes."""

    name: str
    method: str
    uri: str
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON. Raises ValueError when it is none."""
        return json.loads(self.body)


def recordings(*kinds: str) -> list[Any]:
    """Parameters for ``parametrize``: the recordings of these kinds, or one skipped parameter that says why."""
    if not ARM.is_dir():
        skip = pytest.mark.skip(reason=f"no recorded answers in {ARM} (VMBACKUP_RECORDINGS)")
        return [pytest.param(None, marks=skip, id="absent")]
    files = [path.name for path in ARM.iterdir() if path.suffix in (".json", ".txt")]
    names = {name.removesuffix(".txt").removesuffix(".json").removesuffix(".http") for name in files}
    chosen = [name for name in sorted(names) if not kinds or name.split("__")[0] in kinds]
    return [pytest.param(recording(name), id=name) for name in chosen]


def recording(name: str) -> Recording:
    """The recording of this name."""
    file = ARM / f"{name}.http.json"
    head = json.loads(file.read_text("utf-8")) if file.exists() else {}
    bodies = [path for path in (ARM / f"{name}.json", ARM / f"{name}.txt") if path.exists()]
    body = bodies[0].read_bytes() if bodies else b""
    status = head.get("status", 200)
    return Recording(name, head.get("method", ""), head.get("uri", ""), status, head.get("headers", {}), body)
