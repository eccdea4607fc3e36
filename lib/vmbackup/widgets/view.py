"""What the tool shows of a run: the outcome, the causes with the open one's panel, then the VM and its history."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from vmbackup.arm.clouds import portal_host
from vmbackup.pages import links, load, outcome, overview, timeline
from vmbackup.pages.blocks import Details, Page
from vmbackup.remedies.plan import Plan
from vmbackup.runs.run import Run
from vmbackup.widgets import controls
from vmbackup.widgets.stepper import Stepper


class View:
    """The run as it stands. ``on_open`` is told which cause was pressed, ``on_fold`` is called for all others."""

    def __init__(self, run: Run, panel: Any, on_open: Callable[[str], object], on_fold: Callable[[], object]) -> None:
        self._run = run
        self._outcome, self._card, self._portal = controls.view(), controls.view("vmbackup-card"), controls.view()
        self._history = controls.view("vmbackup-history")
        self.stepper = Stepper(run.diagnosis().steps, panel, on_open, on_fold)
        self.box = controls.rows(self._outcome, self.stepper.box, self._card, self._portal, self._history)

    def show(self, opened: str | None, begun: Iterable[Plan], is_whole: bool) -> None:
        """Bring it up to date; what is not ``is_whole`` yet shows nothing that only all answers together tell."""
        run, language = self._run, self._run.language
        portal = links.portal(run, portal_host(run.azure.connection.endpoint)) if run.azure else None
        controls.put(self._outcome, outcome.headline(run, begun, run.files.notices))
        self.stepper.show(run, run.diagnosis().steps, opened)
        controls.put(self._card, overview.page(run.target, run.so_far, language))
        controls.put(self._portal, Page([portal]) if portal else None)
        history = [_folded(page(run.evidence, language)) for page in (timeline.page, load.page)] if is_whole else []
        controls.put(self._history, Page(history) if history else None)


def _folded(page: Page) -> Details:
    """The page under its own heading, to be unfolded."""
    first, *rest = page.blocks
    return Details(getattr(first, "text", ""), rest)
