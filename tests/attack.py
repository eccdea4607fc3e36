"""``make attack``: whatever a hostile tester tries, and whether it held. Ends with 1 where something did not.

The whole of it takes hours; ``--most`` bounds the cases of each kind, chosen by chance with ``--seed``.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib import import_module
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from attacks.attack import Attack, Case, breaches

KINDS = (
    "faults", "mutations", "recorded", "rights", "folders", "races", "kills", "fleet_kills", "storms", "rollouts",
)  # fmt: skip


def attack_of(kind: str) -> Attack:
    """The attack of one kind."""
    found: Attack = import_module(f"attacks.{kind}").ATTACK
    return found


def tried(kind: str, case: Case) -> list[str]:
    """What did not hold in one case. A process of its own calls this."""
    return breaches(attack_of(kind), case)


def main(
    kinds: Annotated[list[str] | None, typer.Argument(help=f"of {', '.join(KINDS)}; all of them if none")] = None,
    most: Annotated[int, typer.Option(help="at most so many cases of each kind")] = 10**9,
    seed: Annotated[int | None, typer.Option(help="which cases they are, and in which order")] = None,
    jobs: Annotated[int, typer.Option(help="so many processes at once")] = multiprocessing.cpu_count(),
) -> None:
    """Attack, and print a table."""
    seed = random.randrange(10**6) if seed is None else seed
    console = Console(width=None if Console().is_terminal else 160)
    table = Table("Attack", "Tried", "Cases", "Broken", "Time", "What holds", title=f"--seed {seed}")
    broken: list[str] = []
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with tempfile.TemporaryDirectory() as state, Progress(*columns, console=console) as progress:
        os.environ["XDG_STATE_HOME"] = state  # locks of simulated VMs are none of this user's
        for kind in kinds or KINDS:
            begun, attack = time.monotonic(), attack_of(kind)
            chosen = attack.chosen(most, seed)
            found = []
            for said in progress.track(_outcomes(kind, chosen, jobs), total=len(chosen), description=kind):
                found += said
                for line in said:
                    progress.console.print(f"{kind}: {line}", markup=False, highlight=False)
            took = time.strftime("%H:%M:%S", time.gmtime(time.monotonic() - begun))
            table.add_row(kind, f"{len(chosen)}", f"{len(attack.cases())}", f"{len(found)}", took, attack.holds)
            broken += found
    console.print(table)
    raise typer.Exit(1 if broken else 0)


def _outcomes(kind: str, cases: list[Case], jobs: int) -> Iterator[list[str]]:
    """What did not hold in each case, as they are tried."""
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        yield from pool.map(tried, [kind] * len(cases), cases)


if __name__ == "__main__":
    typer.run(main)
