"""One test for many of a kind, which says of all of them that fail what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import product
from typing import Any


def for_each(*lists: Iterable[Any]) -> Callable[[Callable[..., None]], Callable[[], None]]:
    """Run the decorated test with one of each list, in every combination. Quicker than thousands of tests, each with
    its own setup and report; like theirs, one failure hides no other."""

    def decorated(check: Callable[..., None]) -> Callable[[], None]:
        def test() -> None:
            cases = list(product(*lists))
            failed = [(case, why) for case in cases if (why := _failure(check, case))]
            assert cases
            assert not failed, "".join(f"\n{', '.join(map(str, case))}: {why}" for case, why in failed)

        test.__name__, test.__doc__, test.__module__ = check.__name__, check.__doc__, check.__module__
        return test

    return decorated


def _failure(check: Callable[..., None], case: tuple[Any, ...]) -> str:
    try:
        check(*case)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""
