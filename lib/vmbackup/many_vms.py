"""A fleet's run, summed up: the pages of ``90_many_vms``, and the files that ``vmbackup fleet`` writes at its end."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from markupsafe import Markup

from vmbackup.fleet import summary
from vmbackup.fleet.compare import compare
from vmbackup.fleet.execute import ENGINE
from vmbackup.fleet.folder import read
from vmbackup.fleet.grouping import groups
from vmbackup.fleet.rollout.record import rollouts
from vmbackup.model import SetupError
from vmbackup.pages import fleet, fleet_causes, fleet_over_time, rollout
from vmbackup.pages.blocks import Page, Paragraph
from vmbackup.pages.document import document
from vmbackup.pages.fleet import Shown
from vmbackup.runs import notebooks, storage
from vmbackup.runs.fleet import Change, Fleet, Standing
from vmbackup.runs.folder import NOTEBOOK as RUNBOOK
from vmbackup.runs.rollout import Rollout

NOTEBOOK = "90_many_vms"
TABLE, FRAME, PAGE = "summary.csv", "summary.parquet", "summary.html"


class ManyVms:
    """A fleet, as the notebook's cells go through it. ``notice`` stands above its first page."""

    def __init__(
        self,
        now: Fleet,
        earlier: Fleet | None,
        language: str,
        path: str,
        notice: str = "",
        rollouts: Sequence[Rollout] = (),
    ) -> None:
        self.shown = Shown(now, groups(now.rows), language, path, RUNBOOK)
        self._earlier, self._notice, self._rollouts = earlier, notice, rollouts

    @cached_property
    def found(self) -> Sequence[Change] | None:
        """What changed since the earlier run; None where none was named."""
        return compare(self._earlier.rows, self.shown.rows) if self._earlier else None

    @property
    def has_changed(self) -> bool:
        """Whether any VM is not as it was in the earlier run."""
        return any(change.standing not in (Standing.SAME, Standing.GOOD) for change in self.found or ())

    def overview(self) -> Page:
        """What a manager needs."""
        notice = [Paragraph(self._notice)] if self._notice else []
        page = fleet.overview(self.shown)
        return Page([*page.blocks[:2], *notice, *page.blocks[2:]])

    def work(self) -> Page:
        """The VMs without a good backup, in the order of work."""
        return fleet.work(self.shown)

    def groups(self) -> Page:
        """VMs with the same cause, and a ticket for each group."""
        return fleet_causes.groups(self.shown)

    def remedies(self) -> Page:
        """What was applied to many VMs together, and how each ended."""
        return rollout.remedies(self._rollouts, self.shown)

    def matrix(self) -> Page:
        """The verdicts."""
        return fleet_causes.matrix(self.shown)

    def downgrades(self) -> Page:
        """Points that are less consistent than wanted."""
        return fleet_over_time.downgrades(self.shown)

    def tonight(self) -> Page:
        """Whose next backup is at risk."""
        return fleet_over_time.tonight(self.shown)

    def changes(self) -> Page:
        """What changed since the earlier run."""
        return fleet_over_time.changes(self.found, self.shown)

    def plots(self) -> Page:
        """The charts."""
        return fleet_over_time.plots(self.shown)

    def not_covered(self) -> Page:
        """What nobody looked at."""
        return fleet.not_covered(self.shown)

    def document(self) -> str:
        """All pages as one HTML file."""
        applied = (self.remedies,) if self._rollouts else ()
        pages = (self.work, self.groups, *applied, self.tonight, self.changes, self.downgrades, self.not_covered)
        title = self.shown.text("title", count=len(self.shown.rows))
        lead = Markup(Page([*self.overview().blocks[1:], *(block for page in pages for block in page().blocks)]).html())
        below = {"matrix": self.matrix(), "plots": self.plots()}
        folded = [(self.shown.text(key), Markup(Page(page.blocks[1:]).html())) for key, page in below.items()]
        return document(title, lead, folded, self.shown.fleet.at, self.shown.language, "90rem")


def fleet_of(folder: str, language: str, earlier: str = "", path: str = "") -> ManyVms:
    """The fleet in a folder, beside that of an earlier run; ``path`` leads from the page to the folder. Raises
    SetupError."""
    before = read(earlier, language) if earlier else None
    return ManyVms(read(folder, language), before, language, path, rollouts=rollouts(folder))


def summarise(folder: str, language: str, earlier: str = "") -> list[str]:
    """Write the summary of a fleet's run into its folder; returns the names of the files. Raises SetupError."""
    folder, earlier = (place if storage.is_url(place) else place.split("://", 1)[-1] for place in (folder, earlier))
    many = fleet_of(folder, language, earlier)
    table = summary.frame(many.shown.rows)
    made: Mapping[str, Callable[[], bytes]] = {
        TABLE: lambda: summary.csv(table),
        FRAME: lambda: summary.parquet(table),
        PAGE: lambda: many.document().encode(),
        f"{NOTEBOOK}.ipynb": lambda: _executed(folder, language, earlier),
    }
    files = storage.at(folder)
    for name, content in made.items():
        try:
            files.write(name, content())
        except OSError as error:
            raise SetupError("error.not_written", file=f"{folder}/{name}", message=storage.why(error)) from None
    return list(made)


def _executed(folder: str, language: str, earlier: str) -> bytes:
    """The notebook, executed over this folder. It names the folder by a relative path, so that no path of this machine
    is in it."""
    from papermill.execute import execute_notebook

    is_remote = storage.is_url(folder)
    parameters = {
        "folder": folder if is_remote else ".",
        "earlier_folder": earlier if storage.is_url(earlier) or not earlier else os.path.relpath(earlier, folder),
        "language": str(language),
    }
    with tempfile.TemporaryDirectory(prefix="vmbackup-") as made:
        target = Path(made) / f"{NOTEBOOK}.ipynb"
        execute_notebook(
            notebooks.template(NOTEBOOK), target, parameters=parameters, cwd=made if is_remote else folder,
            engine_name=ENGINE, progress_bar=False,
        )  # fmt: skip
        return target.read_bytes()


def path_to(folder: str) -> str:
    """The path from the notebook to the folder, for its links."""
    path = "" if storage.is_url(folder) else os.path.relpath(folder)
    return "" if path in ("", ".") else f"{path}/"
