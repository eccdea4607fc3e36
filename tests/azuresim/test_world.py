"""Worlds: small YAML in, a whole corner of Azure out; nothing by chance, nothing unknown accepted."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from azuresim.guest import OUTPUTS, output_file
from azuresim.loading import SCENARIOS, load_world, make_world, scenario_names
from azuresim.schema import WorldError
from azuresim.world import World
from each import for_each


def given(tmp_path: Path, text: str) -> World:
    path = tmp_path / "mine.yaml"
    path.write_text(text, "utf-8")
    return load_world(path)


@for_each(scenario_names())
def test_every_world_loads_and_is_about_a_vm(name: str) -> None:
    world = load_world(name)
    assert len(world.vms[0]["vm_name"]) <= 60
    assert len(world.vault) <= 50
    assert world.resource_group in world.vms[0]["vault_id"]


@for_each(sorted(SCENARIOS.glob("*.yaml")))
def test_a_world_is_small_says_what_it_is_and_gives_no_verdict(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.startswith("# ")
    assert len(text.splitlines()) <= 30
    assert not {"verdict", "problem", "cause", "expected"} & set(yaml.safe_load(text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("agnet: {}", ["mine.yaml", "'agnet'", "agent"]),
        ("agent: {stat: ready}", ["mine.yaml", "'agent.stat'", "state"]),
        ("agent: {state: dead}", ["agent.state", "'dead'", "ready, not_ready, absent"]),
        ("vm: {allow_extension_operations: 'no'}", ["vm.allow_extension_operations", "wrong type"]),
        ("page_size: true", ["page_size", "wrong type"]),
        ("data_disks: [{size_gb: big}]", ["data_disks[0].size_gb", "wrong type"]),
        ("data_disks: {size_gb: 1}", ["data_disks", "must be a list"]),
        ("faults: [{match: ., mode: bang}]", ["faults[0].mode", "garbage"]),
        ("backup_fails_while: [{agnet: silent}]", ["backup_fails_while", "'agnet'", "agent"]),
        ("- os: linux", ["the world", "must be a mapping"]),
        ("os: [", ["mine.yaml", "not YAML"]),
        ("now: yesterday", ["mine.yaml", "'yesterday'"]),
        ("policy: {times: ['25:99']}", ["mine.yaml", "hour"]),
        ("faults: [{match: (}]", ["mine.yaml", "unterminated"]),
        ("faults: [{status: 500}]", ["mine.yaml", "'match'"]),
    ],
)
def test_what_nobody_understands_is_refused_by_file_and_key(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(WorldError) as refused:
        given(tmp_path, text)
    for word in words:
        assert word in str(refused.value)


def test_an_empty_world_is_a_healthy_linux_vm(tmp_path: Path) -> None:
    world = given(tmp_path, "")
    assert world.machines[0]["os"] == "linux"
    assert {job["status"] for job in world.machines[0]["jobs"]} == {"Completed"}


def test_a_world_from_any_folder_brings_its_guest_output_along(tmp_path: Path) -> None:
    (tmp_path / "linux_odd.txt").write_text((OUTPUTS / "linux_clock_skew.txt").read_text("utf-8"), "utf-8")
    (tmp_path / "my world.v2.yaml").write_text("run_command: {machine: odd}", "utf-8")
    world = load_world(tmp_path / "my world.v2.yaml")
    assert (world.name, world.resource_group, world.pasted) == ("my_world_v2", "rg-my-world-v2", None)
    assert output_file("linux", "odd", world.folder) == tmp_path / "linux_odd.txt"
    assert output_file("linux", "healthy", world.folder) == OUTPUTS / "linux_healthy.txt"
    (tmp_path / "my world.v2.guest.txt").touch()
    assert world.pasted == tmp_path / "my world.v2.guest.txt"


@pytest.mark.parametrize(
    ("machine", "words"),
    [("nowhere", "machines of linux: agent_broken"), ("spoilt", "linux_spoilt.txt: not the output of the guest")],
)
def test_a_machine_without_a_readable_output_is_refused(tmp_path: Path, machine: str, words: str) -> None:
    (tmp_path / "linux_spoilt.txt").write_text("root@vm:~# sh -s\n", "utf-8")
    with pytest.raises(WorldError, match=words):
        given(tmp_path, f"run_command: {{machine: {machine}}}")


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(WorldError, match="healthy_linux"):
        load_world("nowhere")


def test_the_failure_is_the_end_of_a_history_that_began_well() -> None:
    jobs = load_world("agent_stopped_linux").machines[0]["jobs"]
    assert [job["status"] for job in jobs] == ["Failed", "Failed", *["Completed"] * 4]


def test_worlds_of_one_seed_share_the_subscription_and_nothing_else() -> None:
    one, other = load_world("healthy_linux"), load_world("healthy_windows")
    assert one.subscription == other.subscription
    assert one.resource_group != other.resource_group
    assert one.restore_point_group != other.restore_point_group
    assert load_world("healthy_linux", seed=1).subscription != one.subscription


def test_long_names_are_cut_and_stay_different() -> None:
    one, other = make_world("a" * 80 + "_one", {}), make_world("a" * 80 + "_two", {})
    assert one.vms[0]["vm_name"] != other.vms[0]["vm_name"]
    assert len(one.vms[0]["vm_name"]) == 60
