"""Store what the real Linux script prints in each machine, for the simulator: Run Command answers with these texts.

Usage, as root: ``PYTHONPATH=tests python tests/vmbackup/guest/renew_guest_outputs.py``. ``test_guest_outputs.py`` holds
them to be true.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from expectations import differences
from image import prepared_root
from laboratory import Laboratory

from vmbackup.guest.document import decode

OUTPUTS = Path(__file__).parents[3] / "lib" / "azuresim" / "guest_outputs"
STORED = (
    "healthy", "agent_stopped", "agent_broken", "agent_from_github", "extensions_disabled", "old_configuration",
    "noexec", "disk_full", "no_network", "clock_skew", "freeze_failed", "python_missing", "snapshot_no_network",
    "left_over_state", "openssl_broken", "wrong_endpoint", "proxies", "blocked_curl",
)  # fmt: skip


def main() -> None:
    """Run every machine and write ``linux_<machine>.txt``; nothing is written where the output is not as expected."""
    OUTPUTS.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder:
        laboratory = Laboratory(prepared_root(), Path(folder), STORED)
        for name in STORED:
            outputs, _ = laboratory.result(name)
            faults = differences(decode(outputs[0].text), name)
            if faults:
                raise SystemExit(f"{name}: {faults}")
            (OUTPUTS / f"linux_{name}.txt").write_text(outputs[0].text)
        laboratory.close()


if __name__ == "__main__":
    main()
