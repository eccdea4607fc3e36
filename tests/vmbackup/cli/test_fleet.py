"""``vmbackup fleet`` over simulated VMs: one run of a scope, and what is refused before anything runs."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from azuresim.fleet import fleet
from vmbackup.fleet.folder import read
from vmbackup.fleet.ledger import Ledger
from vmbackup.runs.fleet import VmState
from webhook import listening
from worlds import serving

NOBODY = "11111111-1111-1111-1111-111111111111"


def events(output: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.splitlines()]


def test_a_subscription_is_listed_once_and_only_what_is_open_is_examined(
    vmbackup: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    worlds = list(fleet(8, vaults=2, seed=4, healthy=0.8, mix=("no_internet_linux",)))
    folder = str(tmp_path / "fleet")
    with serving(*worlds) as simulator:
        monkeypatch.setenv("VMBACKUP_ARM_ENDPOINT", simulator.endpoint)
        scope = ["--subscription", worlds[0].subscription, "--folder", folder, "--json"]
        planned = vmbackup("fleet", *scope, "--dry-run")
        ran = vmbackup("fleet", *scope, "--workers", "1", "--explain-calls")
        again = vmbackup("fleet", *scope)
        table = tmp_path / "vms.csv"
        table.write_text(f"vm_id\n{worlds[0].vm_id(worlds[0].machines[0])}\n")
        named = vmbackup("fleet", "--from", str(table), "--dry-run", "--json")
        grouped = vmbackup("fleet", "--management-group", "all", "--dry-run", "--json")
        later = vmbackup("fleet", *scope[:2], "--failed-since", "5m", "--dry-run", "--json")
        lately = vmbackup("fleet", *scope[:2], "--failed-since", "2d", "--dry-run", "--json")
        cheaper = vmbackup("fleet", *scope[:2], "--without-points", "--dry-run", "--json")
    assert grouped.stdout == cheaper.stdout == planned.stdout
    assert lately.stdout == planned.stdout, "two days back from Azure's time, whatever this machine's clock says"
    assert ("points" in cheaper.stderr, "points" in planned.stderr) == (True, False), "what was not asked is said"
    open_ = {row["name"] for row in events(planned.stdout) if row["why"] is None}
    assert 0 < len(open_) < 8
    begin, *vms, end, calls = events(ran.stdout)
    assert begin["total"] == len(open_)
    assert {vm["name"] for vm in vms} == open_
    assert ran.returncode == end["exit_code"] == 1, ran.stderr
    assert all(vm["probable_cause"] == "no_internet" and not vm["error"] for vm in vms), vms
    assert sum(counts[2] for counts in calls["by_api"].values()) > 5, "the lists save calls"
    rows = read(folder, "en").rows
    assert {row["name"] for row in rows if row["state"] == VmState.EXAMINED} == open_
    assert {row["state"] for row in rows if row["name"] not in open_} == {VmState.NOT_EXAMINED}
    assert (again.returncode, "already" in again.stderr) == (2, True)
    assert [row["why"] for row in events(named.stdout)] == [None], "who is named is examined"
    assert {row["why"] for row in events(later.stdout)} == {"nothing_open", "nothing_since"}


def test_a_table_of_simulated_vms_is_run_goes_on_with_the_same_exit_code_and_may_be_planned_for_in_one_go(
    vmbackup: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    table, folder = tmp_path / "vms.csv", str(tmp_path / "fleet")
    named = ("fleet", "--from", str(table), "--folder", folder, "--language", "de", "--workers", "1")
    applied = ("--apply", "restart_vm", "--max-risk", "high")
    table.write_text("scenario;section\nno_internet_linux;snapshot_no_network\nagent_stopped_linux;\n=cmd;\nHEALTHY;\n")
    refused = vmbackup("fleet", "--from", str(table), "--folder", folder)
    assert (refused.returncode, Path(folder).exists()) == (2, False)
    assert refused.stderr.count("scenario") >= 2
    assert "row 3" in refused.stderr
    assert "row 4" in refused.stderr
    ran = vmbackup(*named, "--skip-bad", *applied)
    assert ran.returncode == 1, ran.stderr
    assert "1 mit Ursache" in ran.stdout
    _, _, planned = ran.stdout.partition("1 mit Ursache")
    [digest] = re.findall(r"--confirm-plan (\w+)", planned)
    cured = vmbackup("fleet", *applied, "--folder", folder, "--confirm-plan", digest, "--json")
    assert cured.returncode == 0, cured
    assert events(cured.stdout)[-1]["helped"] == 1
    asked = json.loads((Path(folder) / "fleet.json").read_text())
    assert [row["number"] for row in asked["left_out"]] == [3, 4]
    rows = ("no_internet_linux;snapshot_no_network;", "agent_stopped_linux;;60")
    table.write_text("\n".join(("scenario;section;deadline_s", *rows)))
    with listening() as webhook:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(webhook.ca_file))
        resumed = vmbackup(*named, "--resume", "--json", "--notify", webhook.address, "--earlier", folder)
    assert [content for _, _, content in webhook.received] == events(resumed.stdout)[-1:]
    assert [event["event"] for event in events(resumed.stdout)] == ["begin", "vm", "end"], "nothing is run again"
    assert events(resumed.stdout)[1]["name"] == "agent_stopped_linux", "but with other parameters"
    assert resumed.returncode == 1, "what an earlier run found still counts"
    assert "Seit dem letzten Mal" in (Path(folder) / "summary.html").read_text()
    whole = vmbackup("fleet", "--resume", "--folder", folder, "--dry-run")
    assert {"agent_stopped_linux", "no_internet_linux"} <= set(whole.stdout.split())
    table.write_text("scenario;section\nno_internet_linux;internal_error\n")
    other = vmbackup("fleet", "--from", str(table), "--folder", folder, "--dry-run")
    assert other.stdout.split() == ["no_internet_linux", "05_internal_error"]
    orders = Path(folder) / "orders.json"
    orders.write_text(orders.read_text().replace('"scenario"', '"remedies": "restart_vm", "scenario"'))
    changed = vmbackup("fleet", "--resume", "--folder", folder)
    assert (changed.returncode, "would change something" in changed.stderr) == (2, True)
    assert Ledger(folder).finished() == {"agent_stopped_linux", "no_internet_linux"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "exactly one way"),
        (("--from", "x.csv", "--vault", "y"), "exactly one way"),
        (("--resume",), "--folder"),
        (("--from", "x.csv", "--earlier", "/nowhere"), "holds no run of a fleet"),
        (("--from", "x.csv", "--failed-since", "2d"), "--failed-since needs"),
        (("--from", "x.csv", "--without-points"), "--without-points needs"),
        (("--subscription", NOBODY, "--failed-since", "soon"), "is not a time"),
        (("--vault", "no-id"), "vault_id"),
        (("--management-group", "a/../b"), "not a valid name"),
        (("--subscription", "no-guid"), "GUID"),
        (("--subscription", NOBODY, "--notify", "http://x"), "https"),
        (("--from", "none.csv"), "Cannot read the table"),
        (("--resume", "--folder", "/nowhere/at/all", "--dry-run"), "no run of a fleet"),
    ],
)
def test_what_contradicts_itself_is_refused(vmbackup: Callable[..., Any], words: tuple[str, ...], said: str) -> None:
    ran = vmbackup("fleet", *words)
    assert ran.returncode == 2
    assert said in ran.stderr
