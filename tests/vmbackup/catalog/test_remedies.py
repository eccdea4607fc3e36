"""remedies.yaml holds what it promises: every problem has a remedy, every remedy can be done or says why not."""

from __future__ import annotations

import copy
import re
import subprocess
from importlib import resources

import pytest
import tree_sitter
import tree_sitter_powershell
from tests.vmbackup.reasons import reasons

from each import for_each
from vmbackup import catalog
from vmbackup.catalog import remedies as catalogue
from vmbackup.catalog.signatures import Strength, signatures
from vmbackup.checks.base import load
from vmbackup.model import CatalogError
from vmbackup.remedies.steps.registry import KNOWN

REMEDIES = catalogue.remedies()
CHECKS = load()
# A sign that names a cause is a problem of that cause, whichever of its checks a remedy cures.
NAMED = {
    check
    for sign in signatures().values()
    if sign.strength is Strength.NAMES and len(sign.causes) == 1
    for check in catalog.causes()[sign.causes[0]]["checks"]
}
GUEST = resources.files("vmbackup.guest").joinpath("scripts")


def test_every_check_that_can_find_a_problem_has_a_remedy():
    cured = {
        name.partition(":")[0] for entry in REMEDIES.values() if not entry["superseded"] for name in entry["checks"]
    }
    with_problem = {check for check, entry in catalog.checks().items() if "problem" in entry["texts"]}
    assert with_problem <= cured


@for_each(REMEDIES)
def test_every_remedy_is_offered_for_a_problem_that_can_be_found(remedy):
    names = [name.partition(":") for name in REMEDIES[remedy]["checks"]]
    assert any(reason or check in NAMED or reasons(CHECKS[check], ("problem",)) for check, _, reason in names)


@for_each([name for name, entry in REMEDIES.items() if entry["az"]])
def test_whoever_needs_az_is_told_the_rights_it_takes(remedy):
    assert REMEDIES[remedy]["actions"]


def test_every_azure_call_is_known_to_the_code_and_none_besides():
    assert {name for name, entry in REMEDIES.items() if entry["kind"] == "azure_call"} == KNOWN


@for_each(REMEDIES)
def test_what_changes_something_names_its_rights_and_offers_a_command(remedy):
    entry = REMEDIES[remedy]
    if entry["kind"] != "manual":
        assert entry["actions"]
        assert entry["az"]
    if not entry["superseded"]:
        assert entry["portal"] or entry["az"] or entry["powershell"] or entry["shell"]


@for_each([name for name, entry in REMEDIES.items() if entry["script"]])
def test_a_script_says_which_remedy_it_is_and_is_plain_ascii(remedy):
    text = catalogue.script(remedy)
    assert text.isascii()
    assert remedy in text
    assert "VMBACKUP REMEDY 1 " in text
    assert len(text) < 256 * 1024


@for_each([name for name, entry in REMEDIES.items() if str(entry["script"]).endswith(".sh")])
def test_a_shell_script_is_valid_for_sh(remedy):
    subprocess.run(["sh", "-n"], input=catalogue.script(remedy), text=True, check=True)


@for_each([name for name, entry in REMEDIES.items() if str(entry["script"]).endswith(".ps1")])
def test_a_powershell_script_parses(remedy):
    parser = tree_sitter.Parser(tree_sitter.Language(tree_sitter_powershell.language()))
    assert not parser.parse(catalogue.script(remedy).encode()).root_node.has_error


@for_each([name for name, entry in REMEDIES.items() if entry["detached"]])
def test_a_script_that_stops_the_agent_does_it_later_on_its_own(remedy):
    text = catalogue.script(remedy)
    assert "systemd-run --on-active" in text or "Register-ScheduledTask" in text


COMMON = GUEST.joinpath("remedy_common.ps1").read_text("utf-8")
REINSTALL = GUEST.joinpath("remedy_reinstall_guest_agent.ps1").read_text("utf-8")


def test_a_scheduled_task_removes_itself_however_it_ends():
    assert "finally { schtasks.exe /Delete /TN '$task' /F }" in COMMON
    assert COMMON.count("Register-ScheduledTask") == 1
    assert "EndBoundary" in COMMON
    assert "-DeleteExpiredTaskAfter" in COMMON


def test_the_agents_msi_cannot_be_exchanged_between_its_check_and_its_installation():
    """No Windows is at hand: its order and its places are what can be held here."""
    steps = ["[guid]::NewGuid()", "icacls.exe $folder /inheritance:r", "Invoke-WebRequest",
             "Get-AuthenticodeSignature", "Later 'reinstall-agent'"]  # fmt: skip
    places = [REINSTALL.index(step) for step in steps]
    assert places == sorted(places)
    assert "$env:ProgramFiles" in REINSTALL
    assert "Temp" not in REINSTALL.replace("TempFile", "")
    assert REINSTALL.count("Remove-Item -LiteralPath") == 3, "nothing is left behind"


@pytest.mark.parametrize(
    ("subject", "ours"),
    [
        ("CN=Microsoft Corporation, O=Microsoft Corporation, L=Redmond, S=Washington, C=US", True),
        ("CN=x, O=Microsoft Corporation Partners, C=US", False),
        ("CN=x, OU=O=Microsoft Corporation, C=US", False),
    ],
)
def test_the_signer_is_microsoft_and_nobody_whose_name_holds_it(subject, ours):
    pattern = re.search(r"-notmatch '([^']*)'", REINSTALL).group(1)
    assert bool(re.search(pattern, subject)) is ours


def test_windows_remedies_say_that_an_old_powershell_cannot_run_them():
    assert COMMON.index("PSVersion.Major -lt 5") < COMMON.index("[ordered]")


@for_each([entry["script"] for entry in REMEDIES.values() if entry["script"]])
def test_no_script_lies_about_unused(name):
    assert GUEST.joinpath(name).is_file()


def test_all_scripts_belong_to_a_remedy():
    there = {each.name for each in GUEST.iterdir() if each.name.startswith("remedy_") and each.stem != "remedy_common"}
    assert there == {entry["script"] for entry in REMEDIES.values() if entry["script"]}


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("kind", "magic", "kind"),
        ("risk", "none", "risk"),
        ("checks", ["no_such_check"], "no_such_check"),
        ("checks", ["disks_are_managed:no_such_reason"], "no_such_reason"),
        ("actions", ["run anything"], "RBAC"),
        ("sources", ["HEARSAY"], "HEARSAY"),
        ("as_of", 2026, "as_of"),
        ("script", "missing.sh", "script"),
        ("title", {"en": "only English"}, "title"),
        ("undo", {"en": "see {a}", "de": "siehe {b}"}, "placeholders"),
        ("risk_note", {"en": "<b>", "de": "<b>"}, "HTML"),
        ("stopgap", "no", "stopgap"),
        ("change", None, "change"),
    ],
)
def test_a_mistake_is_refused_by_name(key, value, said):
    entry = copy.deepcopy(dict(REMEDIES["start_vm"]))
    entry[key] = value
    with pytest.raises(CatalogError, match=said):
        catalogue.check("start_vm", entry)


@pytest.mark.parametrize(
    ("remedy", "key", "value"),
    [
        ("start_vm", "resource", "vm"),
        ("start_vm", "needs", ["luck"]),
        ("start_vm", "breaks_backup", 1),
        ("start_vm", "deletes", True),
        ("start_vm", "continue_h", 0),
        ("start_vm", "continue_h", 200),
        ("start_vm", "requests", []),
        ("start_vm", "requests", ["GET {vm_id}"]),
        ("start_vm", "requests", ["POST {vm_id}/../start"]),
        ("start_vm", "requests", ["POST {vm_id}//start"]),
        ("start_vm", "requests", ["POST /subscriptions/s/start"]),
        ("start_vm", "surprise", 1),
        ("remove_backup_extension", "deletes", False),
        ("restart_vss", "needs", ["running_vm"]),
        ("restart_vss", "requests", ["POST {vm_id}/restart"]),
    ],
)
def test_a_mistake_in_what_a_remedy_changes_is_refused(remedy, key, value):
    entry = copy.deepcopy(dict(REMEDIES[remedy]))
    entry["change"][key] = value
    with pytest.raises(CatalogError, match=f"{remedy}.change"):
        catalogue.check(remedy, entry)


@pytest.mark.parametrize("change", [lambda entry: entry.pop("undo"), lambda entry: entry.update(colour="red")])
def test_a_missing_or_unknown_key_is_refused(change):
    entry = copy.deepcopy(dict(REMEDIES["start_vm"]))
    change(entry)
    with pytest.raises(CatalogError, match="start_vm"):
        catalogue.check("start_vm", entry)


ARTICLE = [
    "allow_storage_in_nsg", "route_through_proxy", "allow_datacenter_ip_ranges", "open_port_8443",
    "restart_guest_agent_windows", "reinstall_guest_agent", "install_dotnet", "update_guest_agent_linux",
    "restart_guest_agent_linux", "turn_on_verbose_logging", "set_vss_copy_backup", "start_vm", "stop_and_start_vm",
    "spread_schedule", "backup_at_low_load", "use_dhcp_in_guest", "enable_backup_provider", "remove_backup_extension",
    "collect_agent_logs",
    "require_vmsnapshot_1_0_91_0", "move_data_to_smaller_disks", "split_disks_over_1023_gb",
]  # fmt: skip


@pytest.mark.parametrize("remedy", ARTICLE)
def test_the_articles_remedies_are_all_there(remedy):
    assert REMEDIES[remedy]["article"]
