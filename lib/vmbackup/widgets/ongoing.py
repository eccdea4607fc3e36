"""What takes long, beside the kernel: what is being done, how it goes on, and how it ended."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event
from typing import Any

from vmbackup.facts.azure import FACTS
from vmbackup.model import Fact
from vmbackup.pages import progress
from vmbackup.pages.blocks import Page
from vmbackup.remedies.retry.progress import Progress
from vmbackup.widgets.background import Work

_ENDED = {"collect": "collected", "recheck": "rechecked", "apply": "applied", "retry": "retried", "save": "saved"}
"""The message at the end of each kind of work."""
_STOPPABLE = ("collect", "retry")


class Ongoing:
    """The work under way. ``on_progress`` is called on the kernel's loop whenever there is more to show of it."""

    def __init__(self, on_progress: Callable[[], None]) -> None:
        self.work: Work[Any] = Work()
        self.kind = ""
        self._on_progress = on_progress
        self._came: dict[str, Fact] = {}
        self._backup: Progress | None = None
        self._is_due = False

    @property
    def busy(self) -> bool:
        """Whether something is under way."""
        return self.work.busy

    @property
    def changing(self) -> bool:
        """Whether a remedy or a backup is under way."""
        return self.busy and self.kind in ("apply", "retry")

    @property
    def stoppable(self) -> bool:
        """Whether what is under way may be stopped."""
        return self.busy and self.kind in _STOPPABLE

    @property
    def ended(self) -> str:
        """The message at its end."""
        stopped = self.kind == "collect" and self.work.stopped.is_set()
        return "stopped" if stopped else _ENDED[self.kind]

    def start(
        self,
        kind: str,
        job: Callable[[Event], Any],
        done: Callable[[object], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        """Begin; ``done`` or ``failed`` is called at its end."""
        self.kind, self._came, self._backup = kind, {}, None
        self.work.start(job, done, failed, self._on_progress)

    def stop(self) -> None:
        """Tell it to end early."""
        self.work.stopped.set()

    def note(self, name: str, fact: Fact) -> None:
        """A fact came in."""
        self._came[name] = fact
        self._post()

    def follow(self, backup: Progress) -> None:
        """The backup went on."""
        self._backup = backup
        self._post()

    def _post(self) -> None:
        """Have it shown, once for all that comes until then."""
        if not self._is_due:
            self._is_due = True
            self.work.post(self._show)

    def _show(self) -> None:
        self._is_due = False
        self._on_progress()

    def page(self, language: str) -> Page:
        """How it goes on."""
        seconds = self.work.seconds
        if self.kind == "collect":
            return progress.facts(dict(self._came), list(FACTS), seconds, language)
        if self.kind == "retry":
            return progress.backup(self._backup, seconds, language)
        return progress.waited(seconds, language)
