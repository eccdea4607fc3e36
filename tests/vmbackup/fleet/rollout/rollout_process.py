"""A process that carries out a plan that was begun: ``python rollout_process.py FOLDER HASH``. It can be killed at any
moment."""

from __future__ import annotations

import sys

from vmbackup.fleet.ledger import Ledger
from vmbackup.fleet.rollout.connections import run_opener
from vmbackup.fleet.rollout.coordinator import RolloutRun
from vmbackup.fleet.rollout.record import Record
from vmbackup.fleet.rollout.vm import Patience, RolloutContext


def main() -> None:
    """Change what has not ended."""
    ledger = Ledger(sys.argv[1])
    record = Record(ledger.place, sys.argv[2])
    agreed = record.agreed
    assert agreed
    with ledger.held(), run_opener(ledger.folder, "en") as open_run:
        for end in RolloutRun(RolloutContext(agreed, record, open_run, "en", Patience(10, 0.05))).run():
            print(end, flush=True)


if __name__ == "__main__":
    main()
