"""The Linux guest script, run for real: Debian with the real agent, in namespaces, under three shells."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from expectations import EXPECTED, differences, fact
from image import ImageUnavailable, prepared_root
from laboratory import Laboratory
from machines import HOST, MACHINES, PATIENCE, VM_ID

from programs import installed
from vmbackup.guest.document import GuestDocument, decode

SCRIPTS = Path(__file__).parents[3] / "lib" / "vmbackup" / "guest" / "scripts"
PROBE = SCRIPTS / "collect_linux.sh"
# Those that wait for time limits come last: they have been at it since the first.
NAMES = sorted(MACHINES, key=lambda name: (MACHINES[name].waits, name != "stuck", name))


@pytest.fixture(scope="session")
def laboratory(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    try:
        root = prepared_root()
    except ImageUnavailable as error:
        pytest.skip(str(error))
    wanted = {item.callspec.params.get("name") for item in request.session.items if hasattr(item, "callspec")}
    lab = Laboratory(root, tmp_path_factory.mktemp("machines"), [name for name in NAMES if name in wanted])
    yield lab
    lab.close()


def test_every_machine_is_described() -> None:
    assert set(EXPECTED) == set(MACHINES)


@pytest.mark.guest
@pytest.mark.parametrize("name", NAMES)
def test_probe(name: str, laboratory: Laboratory) -> None:
    """In each machine, under each shell: one small, complete, true document, and nothing written anywhere."""
    outputs, written = laboratory.result(name)
    assert written == ""
    for output in outputs:
        where = f"{name} as {output.user} under {output.shell}"
        assert output.code == 0, where
        assert output.errors == "", where
        assert len(output.text.encode()) < 4096, where
        assert output.took_ms < 60_000 * MACHINES[name].patience, where
        assert "secret" not in output.text
        document = decode(output.text)
        assert document.unreadable == {}, where
        assert document.host == HOST
        assert document.root is (output.user == "root")
        assert document.vm_id in (VM_ID, None if MACHINES[name].network is None or name == "stuck" else VM_ID)
        if output.user == "root":
            assert differences(document, name) == {}, where
        else:
            expect_honest_without_root(document, name)


def expect_honest_without_root(document: GuestDocument, name: str) -> None:
    """Whoever may not look says so: no version, no certificate and no broken network is claimed."""
    if name != "agent_missing":
        assert fact(document, "agent.goal_state_version") is None
        assert fact(document, "agent_state.transport_certificate") is None
        assert "extension" not in document.facts
        assert any(error.startswith("extension") for error in document.errors)
    for key in ("wireserver_80", "wireserver_32526", "wireserver_http"):
        assert fact(document, f"network.{key}") in ("ok", None)
    assert fact(document, "mounts.blocked_writers") is None
    assert fact(document, "scanners.programs") is None


@pytest.mark.guest
@pytest.mark.parametrize(("name", "skew_s"), [("clock_skew", -5400), ("busybox_only", 0)])
def test_clock(name: str, skew_s: int, laboratory: Laboratory) -> None:
    """The guest's clock is compared with the platform's."""
    (outputs, _) = laboratory.result(name)
    for output in outputs:
        assert abs(fact(decode(output.text), "clock.skew_s") - skew_s) <= 2


@pytest.mark.guest
def test_too_much_is_cut_and_said(laboratory: Laboratory) -> None:
    """What does not fit is left out as a whole section, and named."""
    (outputs, _) = laboratory.result("large")
    for output in outputs:
        document = decode(output.text)
        assert document.cut == ("dhcp",)
        assert {"agent", "network", "extension", "selinux"} <= set(document.facts) or output.user != "root"


@pytest.mark.guest
def test_without_gzip_and_timeout(laboratory: Laboratory) -> None:
    """Without gzip the document is plain base64, and still small; without timeout no section takes all its time."""
    (outputs, _) = laboratory.result("no_tools")
    assert all("GUEST 1 PLAIN" in output.text for output in outputs)
    assert all(output.took_ms < 20_000 * PATIENCE for output in outputs)


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.sh")), ids=lambda path: path.name)
@pytest.mark.parametrize("shell", ["dash -n", "bash -n", "busybox sh -n", "shellcheck -s sh -S warning"])
def test_syntax(script: Path, shell: str) -> None:
    name, *options = shell.split()
    done = subprocess.run([installed(name), *options, str(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# Like curl 7.88: the way past the proxy is open, and why the proxy's is not it does not say.
NO_WAY_BUT_DIRECT = """#!/bin/sh
case "$*" in
  *--noproxy*) echo 'Connected to 10.0.0.9' >&2; exit 52 ;;
  *) echo "curl: (7) Failed to connect to p.example port 8080 after 0 ms: Couldn't connect to server" >&2; exit 7 ;;
esac
"""


@pytest.mark.parametrize(("proxy", "word"), [({}, "ok"), ({"https_proxy": "http://p.example:8080"}, "error")])
def test_storage_behind_a_dead_proxy_is_not_reached(proxy: dict[str, str], word: str, tmp_path: Path) -> None:
    (tmp_path / "curl").write_text(NO_WAY_BUT_DIRECT)
    (tmp_path / "curl").chmod(0o755)
    functions = PROBE.read_text("utf-8").rsplit("(main <", 1)[0]
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", **proxy}
    command = ["sh", "-c", functions + "\nTIMEOUT=new; storage 10.0.0.9"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == word


def test_curl_reads_no_configuration_of_the_user() -> None:
    """It may name a proxy, or files to write to."""
    lines = [line for line in PROBE.read_text("utf-8").splitlines() if "bounded" in line and " curl " in line]
    assert len(lines) == 3
    assert all(" curl -q " in line for line in lines)


def test_source_holds_no_marker() -> None:
    """A console that echoes what is pasted must not show something like a document."""
    text = PROBE.read_text("utf-8")
    assert "VMBACKUP GUEST" not in text
    assert "<<" not in text.replace("$((", "")
