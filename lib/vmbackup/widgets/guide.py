"""The guided walk as one tool: card, causes, what an operator may do about them, and the end.

No event handler ever loses an error, and what takes long runs beside the kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from threading import Event, RLock
from typing import Any

from vmbackup import catalog
from vmbackup.catalog.words import explain
from vmbackup.facts.azure import FACTS
from vmbackup.model import Fact, Language, RunbookError
from vmbackup.pages import load, outcome, overview, progress, timeline
from vmbackup.pages.blocks import Details, Page
from vmbackup.remedies.apply import Consent
from vmbackup.remedies.plan import Plan
from vmbackup.remedies.retry.progress import Progress
from vmbackup.runs.run import Run
from vmbackup.widgets import controls
from vmbackup.widgets.background import Work
from vmbackup.widgets.display import Twin
from vmbackup.widgets.ending import Ending
from vmbackup.widgets.notice import Notice, Offer
from vmbackup.widgets.step_panel import Panel
from vmbackup.widgets.stepper import Stepper

OTHER = {Language.EN: Language.DE, Language.DE: Language.EN}
# What takes long, and the message at its end.
_ENDED = {"collect": "collected", "recheck": "rechecked", "apply": "applied", "retry": "retried"}


class Guide:
    """The tool. Showing it in a cell shows a folded page too, kept up to date, for viewers without buttons.

    ``save_ticket`` writes everything for the ticket and gives the file's path and content; ``on_change`` is called
    whenever the run is another."""

    def __init__(
        self, run: Run, save_ticket: Callable[[], tuple[str, bytes]], on_change: Callable[[], object] = lambda: None
    ) -> None:
        self.run, self._save_ticket, self._on_change = run, save_ticket, on_change
        self.opened: str | None = None
        self.work: Work[Any] = Work()
        self._lock = RLock()
        self._came: dict[str, Fact] = {}
        self._job: Progress | None = None
        self._doing = ""
        self._retired = False
        self._twin = Twin()
        self._build()
        if run.evidence:
            self.opened = self.run.next_cause()
            self._finish("opened")
        elif self.run.live:
            self._collect()
        self.show()

    @property
    def language(self) -> Language:
        """The language of the run; the button switches it for the whole run."""
        return self.run.language

    @property
    def changing(self) -> bool:
        """Whether a remedy or a backup is under way."""
        return self.work.busy and self._doing in ("apply", "retry")

    def _build(self) -> None:
        do = self._guarded
        self.notice = Notice(do(self._stop))
        self._switch = controls.button(do(self._other_language))
        self._again = controls.button(do(self._collect))
        self.offer = Offer(do(self._resume), do(self._start_over))
        self._card, self._outcome = controls.view("vmbackup-card"), controls.view()
        self._history, self._load = controls.view(), controls.view()
        actions: Mapping[str, Callable[..., object]] = {
            "recheck": do(self._recheck),
            "take_up": do(self._take_up),
            "next": do(self._go_on),
            "paste": do(self._paste),
            "skip": do(self._skip),
            "apply": do(self._apply),
            "say": do(self._say),
        }
        self.panel = Panel(self.run, actions)
        self.stepper: Stepper | None = None
        self.ending = Ending(self.run, do(self._retry), do(self._save))
        self._steps = controls.rows()
        self.box = controls.rows(
            controls.row(self._switch, self._again),
            self.notice.box,
            self.offer.box,
            self._card,
            self._outcome,
            self._steps,
            self._history,
            self._load,
            self.ending.box,
            classes=("vmbackup-guide",),
        )

    # --- showing ---

    def show(self) -> None:
        """Bring everything up to date with the run."""
        language, busy = self.language, self.work.busy
        controls.word(self._switch, catalog.text("guide.other_language", language))
        controls.word(self._again, catalog.text("guide.again", language))
        self._again.disabled = busy
        controls.visible(self._again, self.run.live)
        self.notice.show(busy and self._doing in ("collect", "retry"), language)
        self.offer.show(self.run.earlier, busy, language)
        known = self.run.evidence
        for part in (self._card, self._outcome, self._steps, self._history, self._load, self.ending.box):
            controls.visible(part, bool(known))
        if known:
            self._show_walk(language, busy)
        if not busy:
            self.notice.progress(None)

    def _show_walk(self, language: str, busy: bool) -> None:
        known, walked = self.run.evidence, self.run.diagnosis()
        begun = [] if busy else self.run.interrupted()
        controls.put(self._card, overview.page(self.run.target, known, language))
        controls.put(self._outcome, outcome.headline(self.run, begun, self.run.files.notices))
        if self.stepper is None:
            self.stepper = Stepper(walked.steps, self.panel.box, self._guarded(self._open))
            self._steps.children = (self.stepper.box,)
        if self.opened is not None:
            self.panel.show(self.opened, busy, language)
        self.stepper.show(walked.steps, self.run.skipped, self.opened, language)
        controls.put(self._history, _folded(timeline.page(known, language)))
        controls.put(self._load, _folded(load.page(known, language)))
        self.ending.show(busy, language)

    def _say(self, key: str, **values: Any) -> None:
        self.notice.say(catalog.text(f"guide.said_{key}", self.language, **values))

    def _guarded(self, what: Callable[..., object]) -> Callable[..., None]:
        """An event handler that shows an error instead of losing it."""

        def handle(*given: Any) -> None:
            with self._lock:
                if self._retired:
                    return
                try:
                    self.notice.clear()
                    what(*given)
                except Exception as error:
                    self._show_error(error)

        return handle

    def _show_error(self, error: BaseException) -> None:
        if isinstance(error, RunbookError):
            self.notice.fail(explain(error, self.language))
            return
        said = f"{type(error).__name__}: {error}"
        self.notice.fail(catalog.text("guide.unexpected", self.language, error=said))

    # --- what the operator does ---

    def _open(self, cause: str) -> None:
        self.panel.fold()
        self.opened = None if self.opened == cause else cause
        self.show()

    def _go_on(self) -> None:
        cause = self.run.next_cause()
        if cause is not None and cause != self.opened:
            self._open(cause)

    def _other_language(self) -> None:
        self.run.parameters = replace(self.run.parameters, language=OTHER[self.language])
        self.show()
        self._finish("language")

    def _resume(self) -> None:
        self.run.resume()
        self.opened = self.run.next_cause()
        self.show()
        self._finish("resumed")

    def _start_over(self) -> None:
        self.run.start_over()
        self.show()

    def _skip(self, reason: str) -> None:
        if self.opened is not None:
            self.run.skip(self.opened, reason)
            self.panel.fold()
            self.opened = self.run.next_cause()
            self.show()
            self._finish("skipped")

    def _take_up(self) -> None:
        if self.opened is not None:
            self.run.take_up(self.opened)
            self.show()
            self._finish("taken_up")

    def _paste(self, text: str) -> None:
        self.run.paste(text)
        self.panel.paste.clear()
        self.panel.fold()
        self.show()
        self._finish("pasted")

    def _save(self) -> None:
        self.ending.saved(*self._save_ticket(), self.language)
        self._say("saved")

    # --- what takes long ---

    def _collect(self) -> None:
        self._begin("collect", lambda stopped: self.run.collect(self._note, stopped))

    def _recheck(self) -> None:
        if (cause := self.opened) is not None:
            self._begin("recheck", lambda _: self.run.recheck(cause, self._note))

    def _apply(self, plan: Plan) -> None:
        self._begin("apply", lambda _: self.run.apply(plan, Consent.for_plan(plan)))

    def _retry(self) -> None:
        self._begin("retry", lambda stopped: self.run.back_up(self._follow, stopped))

    def _begin(self, doing: str, job: Callable[[Event], Any]) -> None:
        if self.work.busy:
            # The second click of a double click begins nothing, and is told what goes on.
            self._say(doing if doing == self._doing else "busy")
            return
        self._doing, self._came, self._job = doing, {}, None
        failed = self._guarded_end(self._show_error)
        self.work.start(job, self._guarded(self._ended), failed, self._guarded_end(self._tick))
        self._tick()
        self.show()
        self._say(doing)

    def _ended(self, _: object) -> None:
        if self._doing == "apply":
            self.panel.fold()
        if self._doing == "collect" and self.opened is None:
            self.opened = self.run.next_cause()
        self.show()
        stopped = self._doing == "collect" and self.work.stopped.is_set()
        self._finish("stopped" if stopped else _ENDED[self._doing])

    def _guarded_end(self, what: Callable[..., object]) -> Callable[..., None]:
        def handle(*given: Any) -> None:
            with self._lock:
                if self._retired:
                    return
                what(*given)
                if not self.work.busy:
                    self.show()

        return handle

    def _note(self, name: str, fact: Fact) -> None:
        self._came[name] = fact
        self.work.post(self._guarded_end(self._tick))

    def _follow(self, job: Progress) -> None:
        self._job = job
        self.work.post(self._guarded_end(self._tick))

    def _tick(self) -> None:
        if self.work.busy:
            self.notice.progress(self._going_on())

    def _going_on(self) -> Page:
        seconds, language = self.work.seconds, self.language
        if self._doing == "collect":
            return progress.facts(dict(self._came), list(FACTS), seconds, language)
        if self._doing == "retry":
            return progress.backup(self._job, seconds, language)
        return progress.waited(seconds, language)

    def _stop(self) -> None:
        self.work.stopped.set()
        self._say("stopping")

    # --- in a cell ---

    def retire(self, page: Page) -> None:
        """Show this page and nothing of the run any more; there is no button left to press."""
        with self._lock:
            self.work.stopped.set()
            self._retired = True
            place = controls.view()
            controls.put(place, page)
            self.box.children = (place,)
            self._twin.update(page, self.language)

    def page(self) -> Page:
        """The tool as a page, as it stands now."""
        return outcome.whole(self.run)

    def _finish(self, key: str) -> None:
        self._say(key)
        self._twin.update(self.page(), self.language)
        if self.run.evidence:
            self._on_change()

    def _ipython_display_(self) -> None:
        self._twin.display(self.box, self.page(), self.language)


def _folded(page: Page) -> Page:
    """The page under its own heading, to be unfolded."""
    first, *rest = page.blocks
    return Page([Details(getattr(first, "text", ""), rest)])
