"""A fleet whose disk is full, or whose folder may not be written: that is said, and it goes on once it can."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from .fleet_process import specs

PROGRAM = Path(__file__).with_name("fleet_process.py")
COUNT = 6
LARGE = """
import json, pathlib
folder = pathlib.Path(run_folder)
(folder / "evidence.json").write_text("x" * 40_000)
(folder / "result.json").write_text(json.dumps({"outcome": "no_cause_found"}))
"""
# In a namespace of its own the small file system needs no rights, and ends with the process.
NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")
SMALL = """
mount -t tmpfs -o size=200k tmpfs "$1" && cp "$2" "$1" || exit 77
"$3" "$4" "$1" "$5" 1; echo "ended with $?"
mount -o remount,size=20m "$1"
"$3" "$4" "$1" "$5" 1; echo "ended with $?"
cp -r "$1/vms" "$6"
"""
# Root may write everywhere.
AS_NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups") if os.geteuid() == 0 else ()


def is_run(words: Sequence[str]) -> bool:
    """Whether these words can be run here."""
    return bool(shutil.which(words[0])) and not subprocess.run(words, capture_output=True, check=False).returncode


@pytest.mark.skipif(
    not is_run((*NAMESPACE, "mount", "-t", "tmpfs", "tmpfs", "/mnt")), reason="no file system can be mounted here"
)
def test_a_full_disk_stops_the_run_in_words_and_with_room_again_it_goes_on(tmp_path: Path) -> None:
    small, kept = tmp_path / "small", tmp_path / "kept"
    small.mkdir()
    specs(tmp_path, COUNT, LARGE)
    words = [small, tmp_path / "work.ipynb", sys.executable, PROGRAM, COUNT, kept]
    ran = subprocess.run(
        [*NAMESPACE, "sh", "-c", SMALL, "-", *map(str, words)], capture_output=True, text=True, timeout=120, check=False
    )
    said = ran.stdout.splitlines()
    assert said.count("ended with 2") == said.count("ended with 0") == 1, ran.stdout + ran.stderr
    stop = said.index("ended with 2")
    assert "No space left on device" in said[stop - 1]
    assert "--resume" in said[stop - 1]
    assert "Traceback" not in ran.stdout + ran.stderr
    finished = [line.strip() for line in said[: stop - 1] if line.startswith("vm-") and len(line.split()) == 1]
    assert len(finished) < COUNT
    assert not set(finished) & {line.strip() for line in said[stop:]}, "what was finished is not run again"
    files = [path.name for folder in kept.iterdir() for path in folder.iterdir()]
    assert (files.count("result.json"), files.count("runbook.ipynb"), files.count("error.json")) == (COUNT, COUNT, 0)


@pytest.mark.skipif(
    bool(AS_NOBODY) and not is_run((*AS_NOBODY, sys.executable, "-c", "import vmbackup")),
    reason="no other user can run this",
)
def test_a_folder_that_may_not_be_written_is_refused_in_words() -> None:
    with TemporaryDirectory() as made:  # that of pytest is its owner's alone
        folder = Path(made)
        specs(folder, COUNT)
        folder.chmod(0o555)
        words = [*AS_NOBODY, sys.executable, str(PROGRAM), made, str(COUNT), "1"]
        ran = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
        folder.chmod(0o700)
        assert [path.name for path in folder.iterdir()] == ["work.ipynb"]
    assert (ran.returncode, ran.stderr) == (2, "")
    assert "Cannot write" in ran.stdout
    assert "Permission denied" in ran.stdout
