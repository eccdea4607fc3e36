"""What a rehearsal imported is tried out before all notebooks get it."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from vmbackup.fleet import zygote
from vmbackup.fleet.zygote import _importable

MODULES = {
    "fails": "raise ValueError",
    "hangs": "import time; time.sleep(60)",
    "starts_a_thread": "import threading, time; threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
    "dies": "import os; os.kill(os.getpid(), 9)",
}


@pytest.mark.parametrize("name", MODULES)
def test_modules_are_safe_up_to_the_first_that_is_not(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zygote, "_IMPORT_S", 1)
    monkeypatch.syspath_prepend(tmp_path)
    for each, content in {"harmless": "", "later": "", name: MODULES[name]}.items():
        (tmp_path / f"{each}.py").write_text(content)
    assert _importable(["harmless", name, "later"]) == ["harmless"]
    assert "harmless" not in sys.modules


def test_what_a_module_leaves_behind_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "leaves.py").write_text("import os, time\nif os.fork() == 0: time.sleep(5); os._exit(0)")
    begun = time.monotonic()
    assert _importable(["leaves"]) == ["leaves"]
    assert time.monotonic() - begun < 4
