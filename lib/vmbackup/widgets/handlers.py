"""Event handlers that run one at a time, lose no error, and do nothing once their tool is retired."""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import Any


class Handlers:
    """The handlers of one tool. ``on_begin`` is called before each event is handled, ``on_error`` with its error,
    ``on_report`` after each report of work under way."""

    def __init__(
        self,
        on_begin: Callable[[], object],
        on_error: Callable[[BaseException], object],
        on_report: Callable[[], object],
    ) -> None:
        self._lock = RLock()
        self._retired = False
        self._on_begin, self._on_error, self._on_report = on_begin, on_error, on_report

    def event(self, handle: Callable[..., object]) -> Callable[..., None]:
        """A handler for what the operator does."""

        def guarded(*given: Any) -> None:
            try:
                self._on_begin()
                handle(*given)
            except Exception as error:
                self._on_error(error)

        return self._one_at_a_time(guarded)

    def report(self, handle: Callable[..., object]) -> Callable[..., None]:
        """A handler for what work under way reports."""

        def reported(*given: Any) -> None:
            handle(*given)
            self._on_report()

        return self._one_at_a_time(reported)

    def retire(self, last: Callable[[], object]) -> None:
        """Do this, and nothing after it."""
        self._one_at_a_time(last)()
        self._retired = True

    def _one_at_a_time(self, handle: Callable[..., object]) -> Callable[..., None]:
        def locked(*given: Any) -> None:
            with self._lock:
                if not self._retired:
                    handle(*given)

        return locked
