"""Recorded answers of real Azure, found through VMBACKUP_RECORDINGS; they are read in place and never copied."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from each import for_each

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

    def __str__(self) -> str:
        return self.name

    @property
    def json(self) -> Any:
        """The body as JSON. Raises ValueError when it is none."""
        return json.loads(self.body)


def recordings(*kinds: str) -> list[Recording]:
    """The recordings of these kinds, or of all; none where there are no recordings at all."""
    files = [path.name for path in ARM.iterdir() if path.suffix in (".json", ".txt")] if ARM.is_dir() else []
    names = {name.removesuffix(".txt").removesuffix(".json").removesuffix(".http") for name in files}
    return [recording(name) for name in sorted(names) if not kinds or name.split("__")[0] in kinds]


def for_each_recording(*kinds: str) -> Any:
    """Run the decorated test with each recording of these kinds."""
    if not ARM.is_dir():
        return pytest.mark.skip(reason=f"no recorded answers in {ARM} (VMBACKUP_RECORDINGS)")
    return for_each(recordings(*kinds))


def recording(name: str) -> Recording:
    """The recording of this name."""
    file = ARM / f"{name}.http.json"
    head = json.loads(file.read_text("utf-8")) if file.exists() else {}
    bodies = [path for path in (ARM / f"{name}.json", ARM / f"{name}.txt") if path.exists()]
    body = bodies[0].read_bytes() if bodies else b""
    status = head.get("status", 200)
    return Recording(name, head.get("method", ""), head.get("uri", ""), status, head.get("headers", {}), body)
