"""What one kind of attack is, and how some of its cases are tried."""

from __future__ import annotations

import random
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Case = tuple[Any, ...]


@dataclass(frozen=True)
class Attack:
    """A kind of attack, and what holds in every one of its cases.

    ``attempt`` tries one case and says what did not hold. Cases are plain tuples, so that another process can try them.
    """

    holds: str
    cases: Callable[[], Sequence[Case]]
    attempt: Callable[..., list[str]]

    def chosen(self, most: int, seed: int) -> list[Case]:
        """At most so many of its cases, by chance."""
        every = list(self.cases())
        return random.Random(seed).sample(every, min(most, len(every)))


def breaches(attack: Attack, case: Case) -> list[str]:
    """What did not hold; an error that nobody caught is one too."""
    name = ", ".join(map(str, case))
    try:
        return [f"{name}: {said}" for said in attack.attempt(*case)]
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        return [f"{name}: {type(error).__name__}: {error} ({where.filename}:{where.lineno})"]
