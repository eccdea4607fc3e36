"""The guided walk as one tool: card, causes, what an operator may do about them, and the end.

No event handler ever loses an error, and what takes long runs beside the kernel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from threading import Event
from typing import Any

from vmbackup import catalog
from vmbackup.catalog.words import explain
from vmbackup.model import Language, RunbookError, SetupError
from vmbackup.pages import learned as learned_page
from vmbackup.pages import outcome
from vmbackup.pages.blocks import Page
from vmbackup.remedies.apply import Consent
from vmbackup.remedies.plan import Plan
from vmbackup.runs.run import Run
from vmbackup.widgets import controls
from vmbackup.widgets.display import Twin
from vmbackup.widgets.ending import Ending, SavedTicket
from vmbackup.widgets.handlers import Handlers
from vmbackup.widgets.notice import Notice, Offer
from vmbackup.widgets.ongoing import Ongoing
from vmbackup.widgets.step_panel import Panel
from vmbackup.widgets.view import View

OTHER = {Language.EN: Language.DE, Language.DE: Language.EN}

SaveTicket = Callable[[Callable[[], object]], SavedTicket]


class Guide:
    """The tool. Showing it in a cell shows a folded page too, kept up to date, for viewers without buttons.

    ``save_ticket`` writes everything for the ticket; it is given what asks the frontend to save the notebook.
    ``on_change`` is called whenever the run is another, ``on_refused`` with what kept the first collection from
    beginning."""

    def __init__(
        self,
        run: Run,
        save_ticket: SaveTicket,
        on_change: Callable[[], object] = lambda: None,
        on_refused: Callable[[SetupError], object] = lambda error: None,
    ) -> None:
        self.run, self._save_ticket, self._on_change, self._on_refused = run, save_ticket, on_change, on_refused
        self.is_first = False
        self.opened: str | None = None
        self._handlers = Handlers(lambda: self.notice.clear(), self._show_error, self._show_when_idle)
        self._report = self._handlers.report
        self.ongoing = Ongoing(self._report(self._tick))
        self._twin = Twin()
        self._build()
        if run.evidence:
            self.opened = self.run.next_cause()
            self._finish("opened")
        elif self.run.live:
            self.collect()
        self.show()

    @property
    def language(self) -> Language:
        """The language of the run; the button switches it for the whole run."""
        return self.run.language

    @property
    def changing(self) -> bool:
        """Whether a remedy or a backup is under way."""
        return self.ongoing.changing

    def _build(self) -> None:
        do = self._handlers.event
        self.notice = Notice(do(self._stop))
        self._switch = controls.button(do(self._other_language))
        self._again = controls.button(do(self.collect))
        self.offer = Offer(do(self._resume), do(self._start_over))
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
        self.view = View(self.run, self.panel.box, do(self._open), do(self._fold))
        self.ending = Ending(self.run, do(self._retry), do(self._save))
        self.box = controls.rows(
            controls.row(self._switch, self._again),
            self.notice.box,
            self.offer.box,
            self.view.box,
            self.ending.box,
            classes=("vmbackup-guide",),
        )
        self.notice.status.tool = self.box.model_id

    # --- showing ---

    def show(self) -> None:
        """Bring everything up to date with the run."""
        language, busy = self.language, self.ongoing.busy
        controls.word(self._switch, catalog.text("guide.other_language", language))
        controls.word(self._again, catalog.text("guide.again", language))
        self._again.disabled = busy
        controls.visible(self._again, self.run.live)
        self.notice.show(self.ongoing.stoppable, language)
        self.offer.show(self.run.earlier, busy, language)
        is_whole = not self.first_collection
        controls.visible(self.view.box, bool(self.run.evidence) or not is_whole)
        controls.visible(self.ending.box, bool(self.run.evidence) and is_whole)
        if self.run.evidence or not is_whole:
            if self.opened is not None:
                self.panel.show(self.opened, busy, language)
            self.view.show(self.opened, [] if busy else self.run.interrupted(), is_whole)
        if self.run.evidence and is_whole:
            self.ending.show(busy, language)
        if not busy:
            self.notice.progress(None)

    def _say(self, key: str, **values: Any) -> None:
        self.notice.say(catalog.text(f"guide.said_{key}", self.language, **values))

    def _show_error(self, error: BaseException) -> None:
        if isinstance(error, RunbookError):
            self.notice.fail(explain(error, self.language))
            return
        message = f"{type(error).__name__}: {error}"
        self.notice.fail(catalog.text("guide.unexpected", self.language, error=message))

    # --- what the operator does ---

    def _open(self, cause: str) -> None:
        self.panel.fold()
        self.opened = None if self.opened == cause else cause
        self.show()

    def _fold(self) -> None:
        self.view.stepper.fold()
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
        learned = self.run.paste(text)
        self.panel.paste.understood(lambda language: learned_page.page(learned, self.run.evidence, language))
        self.show()
        self._finish("pasted")

    # --- what takes long ---

    def collect(self) -> None:
        """Ask for everything, unless something is under way."""
        self.is_first = not self.ongoing.busy and not self.run.evidence
        self._begin("collect", lambda stopped: self.run.collect(self.ongoing.note, stopped))

    def _recheck(self) -> None:
        if (cause := self.opened) is not None:
            self._begin("recheck", lambda _: self.run.recheck(cause, self.ongoing.note))

    def _apply(self, plan: Plan) -> None:
        self._begin("apply", lambda _: self.run.apply(plan, Consent.for_plan(plan)))

    def _retry(self) -> None:
        self._begin("retry", lambda stopped: self.run.back_up(self.ongoing.follow, stopped))

    def _save(self) -> None:
        save_notebook = partial(self.ongoing.work.post, self.notice.save_notebook)
        self._begin("save", lambda _: self._save_ticket(save_notebook))

    def _begin(self, doing: str, job: Callable[[Event], Any]) -> None:
        if self.ongoing.busy:
            # The second click of a double click begins nothing, and is told what goes on.
            self._say(doing if doing == self.ongoing.kind else "busy")
            return
        self.ongoing.start(doing, job, self._handlers.event(self._ended), self._report(self._failed))
        self._tick()
        self.show()
        self._say(doing)

    def _ended(self, result: object) -> None:
        if isinstance(result, SavedTicket):
            self.ending.saved(result, self.language)
        if self.ongoing.kind == "apply":
            self.panel.fold()
        if self.ongoing.kind == "collect" and self.opened is None:
            self.opened = self.run.next_cause()
        self.show()
        is_whole = self.ongoing.kind == "collect" and self.ongoing.ended == "collected"
        self._finish("collected_first" if self.is_first and is_whole else self.ongoing.ended)

    def _failed(self, error: BaseException) -> None:
        self._show_error(error)
        self._on_change()
        if self.is_first and isinstance(error, SetupError):
            self._on_refused(error)

    def _tick(self) -> None:
        if self.ongoing.busy:
            self.notice.progress(self.ongoing.page(self.language))
            if self.first_collection:
                self.show()

    def _show_when_idle(self) -> None:
        if not self.ongoing.busy:
            self.show()

    def _stop(self) -> None:
        self.ongoing.stop()
        self._say("stopping")

    # --- in a cell ---

    def retire(self, page: Page) -> None:
        """Show this page and nothing of the run any more; there is no button left to press."""
        self._handlers.retire(lambda: self._show_last(page))

    def _show_last(self, page: Page) -> None:
        self.ongoing.stop()
        place = controls.view()
        controls.put(place, page)
        self.box.children = (place,)
        self._twin.update(page)

    @property
    def first_collection(self) -> bool:
        """Whether the first collection is under way."""
        return self.ongoing.busy and self.ongoing.kind == "collect" and self.is_first

    def page(self) -> Page:
        """The tool as a page, as it stands now."""
        return outcome.whole(self.run)

    def _finish(self, key: str) -> None:
        self._say(key)
        self._twin.update(self.page())
        self._on_change()

    def _ipython_display_(self) -> None:
        self._twin.display(self.box, self.page(), self.notice.status.note)
