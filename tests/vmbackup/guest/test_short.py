"""The short form of a guest script, really pasted: into shells that wait for lines on a terminal, whole and damaged."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import pytest

from programs import installed
from vmbackup.guest.document import decode
from vmbackup.guest.short import short

SCRIPTS = Path(__file__).parents[3] / "lib" / "vmbackup" / "guest" / "scripts"
PROBE = (SCRIPTS / "collect_linux.sh").read_text("utf-8")
HARMLESS = "".join(f"echo said-{number**99 % 10**40}\n" for number in range(500)) + "echo at-the-end\n"
TERMINALS = (["bash", "--norc", "-i"], ["dash", "-i"], ["busybox", "sh", "-i"])


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.sh")), ids=lambda path: str(path.stem))
def test_every_shell_script_has_one_of_short_lines_and_28_kilobytes(path: Path) -> None:
    text = short(path.read_text("utf-8"))
    assert len(text.encode()) <= 28_000
    assert max(len(line) for line in text.splitlines()) <= 1000
    assert text.isascii()
    assert "!" not in text


def test_the_guest_script_says_the_same_in_its_short_form() -> None:
    whole, packed = (
        decode(subprocess.run(["sh"], input=script, capture_output=True, text=True, timeout=120, check=True).stdout)
        for script in (PROBE, short(PROBE))
    )
    assert (packed.os, packed.host, packed.root) == (whole.os, whole.host, whole.root)
    assert (packed.errors, packed.cut) == (whole.errors, whole.cut)
    assert packed.facts.keys() == whole.facts.keys()
    lasting = whole.facts.keys() - {"clock", "disk", "folders"}
    assert {name: packed.facts[name] for name in lasting} == {name: whole.facts[name] for name in lasting}


@pytest.mark.parametrize("shell", TERMINALS, ids=lambda shell: str(shell[0]))
def test_pasted_into_a_terminal_it_runs_and_a_lost_or_changed_character_keeps_it_from_running(shell: list[str]) -> None:
    installed(shell[0])
    text = short(HARMLESS)
    lines = text.splitlines(keepends=True)
    assert "at-the-end" in pasted(text, shell)
    for damaged in (
        "".join(lines[:1] + lines[2:]),
        text[:500] + text[501:],
        text[:500] + ("A" if text[500] != "A" else "B") + text[501:],
    ):
        shown = pasted(damaged, shell)
        assert "again\r\n" in shown
        assert "at-the-end" not in shown


def test_the_guest_script_pasted_into_bash_prints_its_document() -> None:
    shown = pasted(short(PROBE), TERMINALS[0])
    assert decode(shown).os == "linux"


def pasted(text: str, shell: list[str]) -> str:
    """What a terminal shows when this is pasted into the shell, until the shell has done everything."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(PS1="$ ", TERM="dumb", HISTFILE="/dev/null")
        os.execvp(shell[0], shell)
    os.set_blocking(terminal, False)
    left, shown, end = f"{text}echo over-$((40 + 2))\n".encode(), b"", time.monotonic() + 90
    try:
        while b"over-42" not in shown and time.monotonic() < end:
            with suppress(BlockingIOError):
                left = left[os.write(terminal, left[:512]) if left else 0 :]
            with suppress(BlockingIOError):
                shown += os.read(terminal, 65536)
            time.sleep(0.001)
    finally:
        os.close(terminal)
        os.kill(pid, signal.SIGKILL)  # whether a shell ends with its terminal is not the question
        os.waitpid(pid, 0)
    return shown.decode("utf-8", "replace")
