"""What an earlier version of the backup extension left behind. No check of its own."""

from __future__ import annotations

from vmbackup.checks.base import Judgement, ok, problem, unknown
from vmbackup.checks.shared.sight import reaches_back, whole
from vmbackup.facts.backup import FailedJob, Job
from vmbackup.facts.guest import GuestExtension, GuestLogs
from vmbackup.facts.windows import ExtensionState
from vmbackup.failures.jobs import is_over
from vmbackup.versions import compare, parse

# The agent's words for an extension that is gone.
_GONE = ("notinstalled", "uninstalled")


def left_over_linux(logs: GuestLogs | None, job: FailedJob | None, jobs: list[Job] | None) -> Judgement:
    """Whether the agent's log, which must reach back to the failed backup, says that it may not install."""
    if logs is None or logs["patterns"] is None:
        return unknown("not_told")
    patterns = {name: hit for name, hit in logs["patterns"].items() if not is_over(hit["last"], jobs)}
    if "downgrade" in patterns:
        return problem("downgrade", last=patterns["downgrade"]["last"] or "-")
    if "handler_status_failed" in patterns:
        return unknown("handler_status")
    return ok() if reaches_back(logs, "waagent.log", job, jobs) else unknown("log_too_short")


def left_over_windows(state: ExtensionState | None, extension: GuestExtension | None) -> Judgement:
    """Whether the registry knows a version that is newer than every folder."""
    if state is None or state["handlers"] is None or extension is None or extension["versions"] is None:
        return unknown("not_told")
    newest = max(extension["versions"], key=lambda version: parse(version) or (), default="0.0")
    newer = [
        handler
        for handler in state["handlers"]
        if (handler["state"] or "").lower() not in _GONE and compare(handler["name"].rsplit("_", 1)[-1], newest) == 1
    ]
    without = next((handler for handler in newer if handler["folder"] is False), None)
    if without is not None:
        return problem("newer_entry", name=without["name"])
    return ok() if whole(state["cut"], "handlers") and not newer else unknown("not_told")
