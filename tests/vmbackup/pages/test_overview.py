"""The card: what an operator wants to know first; what is not known says so, and why."""

from __future__ import annotations

import pytest

from vmbackup.model import Fact, FactStatus, Target
from vmbackup.pages import overview
from worlds import examine

DENIED = {"action": "Microsoft.Compute/virtualMachines/read", "scope": "/subscriptions/s"}
VM = Target("s", "g", "vm-1")


def said(evidence: dict[str, Fact], language: str = "en") -> str:
    return overview.page(VM, evidence, language).text()


def test_a_failed_backup_at_a_glance() -> None:
    evidence = examine("agent_old_linux")
    shown = said(evidence)
    for words in ("ubuntu", "running", "2.2.18, Ready, heartbeat", "2026-11-20 23:0", "FileSystemConsistent", "Failed"):
        assert words in shown
    assert "Last good backup 51 h ago; policy: every 24 h." in shown
    assert "Next scheduled run: 2026-11-23 23:00 UTC" in shown


def test_a_silent_agents_status_is_no_heartbeat() -> None:
    assert "no heartbeat known" in said(examine("agent_stopped_linux"))


def test_the_clock_of_a_kept_promise_is_no_problem() -> None:
    page = overview.page(VM, examine("healthy_linux"), "en")
    assert "; policy: every 24 h." in page.text()
    assert "✖" not in page.html()


@pytest.mark.parametrize("language", ["en", "de"])
def test_what_could_not_be_asked_names_its_reason(language: str) -> None:
    denied = Fact(FactStatus.DENIED, why="missing_action", details=DENIED)
    shown = said({"vm.model": denied, "vm.power": denied, "backup.recovery_points": denied}, language)
    assert shown.count("Microsoft.Compute/virtualMachines/read") == 3
