"""The simulator's guest outputs are what the real script printed: they decode, and say what the machine was like."""

from __future__ import annotations

import pytest
from expectations import differences
from renew_guest_outputs import OUTPUTS, STORED

from vmbackup.guest.document import decode


def test_all_are_stored() -> None:
    assert {path.stem for path in OUTPUTS.glob("linux_*.txt")} == {f"linux_{name}" for name in STORED}


@pytest.mark.parametrize("name", STORED)
def test_output(name: str) -> None:
    text = (OUTPUTS / f"linux_{name}.txt").read_text()
    document = decode(text)
    assert len(text) < 4096
    assert (document.os, document.root, document.cut, dict(document.unreadable)) == ("linux", True, (), {})
    assert differences(document, name) == {}
