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


def extension(status: str, code: int, at: str = "2026-11-22T22:10:00Z") -> dict[str, Any]:
    fact = {"name": None, "versions": [], "newest": None, "status": status, "code": code, "message": None}
    return {"guest__extension": fact | {"operation": "Enable", "seq": 1, "at": at}}


def logs(*patterns: str, since: str = "2026-11-01T00:00:00Z") -> dict[str, Any]:
    found = {name: {"count": 1, "last": None} for name in patterns}
    return {"guest__logs": {"patterns": found, "since": {"shell.log": since}}}


OLD_LINE = {"guest__logs": {"patterns": {"handle_failed": {"count": 1, "last": "2025-03-02T01:00:00Z"}}}}
AFTER_A_GOOD_ONE = GENERIC | {"backup__jobs": [job("Failed"), job(start="2026-11-21T22:00:00Z")]}
EARLIER = "2026-11-21T22:10:00Z"
OURS = logs("extension_exit", "module_missing")
ANOTHER_EXTENSION = logs("exit_127", "module_missing")


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (python(missing=[]) | logs() | GENERIC, ("ok", "ok")),
        (python(missing=[]) | extension("error", 76) | GENERIC, ("ok", "ok")),
        (python(missing=[]) | GENERIC, ("unknown", "not_proven")),
        (python(missing=[]) | logs(since="2026-11-22T23:00:00Z") | GENERIC, ("unknown", "not_proven")),
        (python(missing=[]) | extension("success", 1, EARLIER) | GENERIC, ("unknown", "not_proven")),
        # azure-linux-extensions #946: the agent's own Python is there, but this version of the extension found none.
        (python(missing=[]) | logs("python_unknown") | GENERIC, ("problem", "not_found_by_extension")),
        (python(missing=[]) | logs("handle_failed") | GENERIC, ("unknown", "ended")),
        (python(path=None) | logs("python_unknown") | GENERIC, ("unknown", "guest_only")),
        (python(path="", version=None) | GENERIC, ("problem", "none")),
        (python(path="", version=None) | GOOD, ("problem", "none")),
        (python(missing=["crypt"]) | GENERIC, ("unknown", "lacks")),
        (python(missing=["crypt"]) | OURS | GENERIC, ("problem", "modules")),
        (python(missing=["crypt"]) | logs("handle_failed") | GENERIC, ("problem", "modules")),
        (python(missing=["crypt"]) | logs("extension_import_failed") | GENERIC, ("problem", "modules")),
        (python(missing=["crypt"]) | ANOTHER_EXTENSION | GENERIC, ("unknown", "lacks")),
        (python(missing=["crypt"]) | extension("success", 1) | logs() | GENERIC, ("ok", "ok")),
        (python(missing=["crypt"]) | extension("success", 1) | ANOTHER_EXTENSION | GENERIC, ("ok", "ok")),
        # The status file is of the last run that found a Python; after an upgrade of the system none was written.
        (python(missing=["crypt"]) | extension("success", 1) | OURS | GENERIC, ("problem", "modules")),
        (python(missing=["crypt"]) | extension("success", 1) | OURS | GOOD, ("ok", "ok")),
        (python(missing=["crypt"]) | extension("success", 1) | GENERIC, ("ok", "ok")),
        (python(missing=["crypt"]) | extension("success", 1, EARLIER) | GENERIC, ("unknown", "lacks")),
        (python(missing=["crypt"]) | extension("error", 2) | GENERIC, ("unknown", "lacks")),
        (python(missing=["crypt"]) | GOOD, ("ok", "ok")),
        # The line is older than a good backup: this failure has another reason.
        (python(missing=["crypt"]) | extension("success", 1) | OLD_LINE | AFTER_A_GOOD_ONE, ("ok", "ok")),
        (python(missing=["crypt"]) | OLD_LINE | AFTER_A_GOOD_ONE, ("unknown", "lacks")),
        (python(missing=[], version=None) | GENERIC, ("unknown", "guest_only")),
        (python(missing=None) | GENERIC, ("unknown", "guest_only")),
        (OURS | GENERIC, ("unknown", "guest_only")),
    ],
)
def test_in_the_guest(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome("backup_extension_finds_its_python", **facts) == expected
