"""The Linux backup extension finds no Python that it can run with."""

from __future__ import annotations

from typing import Any

import pytest

from judging import failed_job, job, outcome

GENERIC = {"backup__failed_job": failed_job(), "backup__jobs": [job("Failed")]}
GOOD = {"backup__failed_job": None, "backup__jobs": [job()]}


def python(path: str | None = "/usr/bin/python3", missing: list[str] | None = None, **changes: Any) -> dict[str, Any]:
    fact = {"path": path, "version": "3.12", "missing": missing, "platform_dist": False, "others": ["/opt/python"]}
    return {"guest__python": fact | changes}


def extension(status: str, code: int) -> dict[str, Any]:
    fact = {"name": None, "versions": [], "newest": None, "status": status, "code": code, "message": None}
    return {"guest__extension": fact | {"operation": "Enable", "seq": 1}}


EXIT_127 = {"guest__logs": {"patterns": {"exit_127": {"count": 1, "last": None}}}}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (python(missing=[]) | GENERIC, ("ok", "ok")),
        (python(path=None, version=None) | GENERIC, ("problem", "none")),
        (python(path=None, version=None) | GOOD, ("problem", "none")),
        (python(missing=["crypt"]) | GENERIC, ("unknown", "lacks")),
        (python(missing=["crypt"]) | EXIT_127 | GENERIC, ("problem", "modules")),
        (python(missing=["crypt"]) | extension("success", 1) | GENERIC, ("ok", "ok")),
        (python(missing=["crypt"]) | extension("error", 2) | GENERIC, ("unknown", "lacks")),
        (python(missing=["crypt"]) | GOOD, ("ok", "nothing_failed")),
        (python(missing=None) | GENERIC, ("unknown", "guest_only")),
        (EXIT_127 | GENERIC, ("unknown", "guest_only")),
    ],
)
def test_in_the_guest(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("backup_extension_finds_its_python", **facts) == expected
