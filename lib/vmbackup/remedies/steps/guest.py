"""The changes that are scripts in the VM: sent by Run Command, verified by the agent's next report.

A script that has to stop the agent only schedules itself: Run Command travels through the agent and would never answer.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from vmbackup import clock
from vmbackup.arm.client import Arm, OperationResult
from vmbackup.arm.run_command import run_command_error, run_command_output, run_command_stderr
from vmbackup.catalog import remedies as catalogue
from vmbackup.remedies.plan import Plan
from vmbackup.remedies.steps.request import Observation, Request
from vmbackup.remedies.steps.vm import agent, instance_view
from vmbackup.sanitize import shortened

_LINE = re.compile(r"^VMBACKUP REMEDY 1 (\{.*\})\s*$", re.MULTILINE)
_COMMANDS = {"windows": "RunPowerShellScript", "linux": "RunShellScript"}
_OUTCOMES = ("done", "already", "scheduled", "failed")


@dataclass(frozen=True, slots=True)
class Report:
    """What a script reported about itself. ``outcome``: ``done``, ``already``, ``scheduled``, ``failed``, or
    ``silent``."""

    outcome: str
    before: str = ""
    after: str = ""
    note: str = ""


def run_script(plan: Plan, path: str) -> list[Request]:
    """The one request of a guest remedy. Its effect is not visible from outside; the script itself reports it."""
    body = {"commandId": _COMMANDS[plan.entry["os"]], "script": catalogue.script(plan.remedy).splitlines()}

    def observe(arm: Arm) -> Observation:
        return Observation("todo", {"agent": agent(instance_view(arm, plan.target.vm_id))})

    return [Request("POST", path, lambda _: body, observe, repeatable=False)]


def read(remedy: str, ended: OperationResult) -> Report:
    """The script's report, from the finished Run Command. Text from a guest is untrusted: only this shape counts."""
    if ended.how != "succeeded":
        why = run_command_error(None, ended.code, ended.message)
        return Report("failed" if ended.how == "failed" else "silent", note=f"{why}: {ended.message}".strip(": "))
    found = _LINE.findall(run_command_output(ended.body))
    for line in reversed(found):
        try:
            report = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if report.get("remedy") == remedy and report.get("outcome") in _OUTCOMES:
            return Report(report["outcome"], *(shortened(report.get(key) or "") for key in ("before", "after", "note")))
    return Report("silent", note=shortened(run_command_stderr(ended.body)))


def agent_is_back(arm: Arm, vm_id: str, since: str | None, deadline_s: float) -> bool:
    """Wait until the agent reports Ready with a report newer than ``since``; False when it has not by the deadline."""
    waited = 0.0
    while True:
        report = agent(instance_view(arm, vm_id))
        if report["status"] == "Ready" and (not since or (clock.stamp(report["time"]) or "") > since):
            return True
        if waited >= deadline_s:
            return False
        arm.sleep(arm.interval_s)
        waited += max(arm.interval_s, 0.01)
