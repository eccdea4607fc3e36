"""What a notebook calls ``run``: each cell acts on the run and shows the page that comes of it."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import TYPE_CHECKING, Any

from vmbackup import catalog, sanitize
from vmbackup.catalog.words import explain, put_into_words
from vmbackup.model import AzureSource, Language, RemedyRefused, RunbookError, SetupError
from vmbackup.notebook import frontend, parameters_cell
from vmbackup.notebook.cells import ResultPage, cell, followed
from vmbackup.pages import failure, headings, outcome, overview, step
from vmbackup.pages import incident as incident_page
from vmbackup.pages import remedies as pages
from vmbackup.pages.blocks import Block, Page, Paragraph
from vmbackup.parameters import from_notebook, language_in
from vmbackup.remedies.apply import Consent, allowed
from vmbackup.remedies.plan import Plan
from vmbackup.runs import begun
from vmbackup.runs import open as opening
from vmbackup.runs.incident import incident
from vmbackup.runs.run import Run
from vmbackup.widgets.display import Followed, Place

if TYPE_CHECKING:
    from vmbackup.widgets.guide import Guide


class Runbook:
    """One run as a notebook's cells go through it, from top to bottom. Nothing is asked twice.

    Where there is no run, because its parameters were refused, every cell says so.
    """

    def __init__(self, run: Run | None = None, language: Language = Language.EN) -> None:
        self._run, self._language = run, language
        self.refusal = "" if run else catalog.text("notebook.not_opened", language)
        self.notices: list[str] = []
        self._before: int | None = None
        self._first = Place()
        self.cells = Followed()

    @property
    def run(self) -> Run:
        """The run. Raises SetupError where there is none."""
        if self._run is None:
            raise SetupError(self.refusal)
        return self._run

    @property
    def language(self) -> Language:
        """The language of all that is shown."""
        return self._run.language if self._run else self._language

    def open(self, run: Run) -> None:
        """Go through this run from here on."""
        self._run, self.refusal = run, ""

    def refuse(self, error: RunbookError) -> None:
        """Have no run, for this reason."""
        self._run, self.refusal = None, explain(error, self.language)

    def refused(self) -> Page:
        """Why there is no run, and what to do."""
        label = catalog.text("notebook.refused", self.language)
        again = catalog.text("notebook.start_again", self.language)
        return Page([*map(Paragraph, self.notices), Paragraph(self.refusal, label), Paragraph(again)])

    def _heading(self, cell: str, *given: Any) -> list[Block]:
        """The heading of a cell; that of a step is its cause."""
        cell = cell.removeprefix("_")
        if cell == "step":
            return headings.of_step(self.run.diagnosis().step(given[0]), self.language)
        return headings.of_cell(cell, self.language)

    @property
    def consents(self) -> bool:
        """Whether the parameters agree to changes: then each cell waits for the one before."""
        return bool(self.run.parameters.remedies or self.run.parameters.retry)

    def collect(self) -> Page | None:
        """Ask Azure for everything the checks need (or nothing, in a replay) and show the VM at a glance.

        Where a tool is shown it asks, and this cell follows; headless, or where changes are agreed to, this cell asks.
        """
        if not self.refusal:
            try:
                self._ask()
            except SetupError as error:
                if not frontend.watched():
                    raise put_into_words(error, self.language) from None
                self._refuse(error)
        return self._collect()

    def _ask(self) -> None:
        run = self.run
        if frontend.watched():
            self._first.show(Page([Paragraph(catalog.text("guide.said_collect", self.language))]))
        if run.live and frontend.follows() and not self.consents:
            frontend.collect(run, self._follow, self._refuse)
            return
        try:
            if run.live:
                with frontend.asking(self.language) as on_fact:
                    run.collect(on_fact)
                if self.consents:
                    self._before = begun.begin(run.files)
                    begun.take_over(run, self._before)
        finally:
            self._follow()

    @followed
    @cell
    def _collect(self) -> Page:
        run = self._collected()
        page = overview.collected(run.target, run.evidence, self.language)
        return Page([*self._source(), *map(Paragraph, [*self.notices, *run.files.notices]), *page.blocks])

    def _follow(self) -> None:
        """Bring every output up to date with the run."""
        if self.run.evidence and not frontend.collecting(self.run):
            self.show_incident()
        self.cells.update()

    def _refuse(self, error: SetupError) -> None:
        """Have no run after all, and say so everywhere."""
        self.refuse(error)
        self._first.show(self.refused())
        self.cells.update()
        frontend.retire_tools(self.refused())

    def show_incident(self) -> None:
        """Bring the notebook's first output up to date, so that it opens with how the run ended."""
        self._first.show(incident_page.page(incident(self.run), self.language))

    @followed
    @cell
    def failure(self) -> Page:
        """The failed job and whether it belongs to this runbook."""
        run = self._collected()
        return failure.failure(run.evidence, run.triage(), run.section, self.language)

    @followed
    @cell
    def step(self, cause: str) -> Page:
        """One cause with its verdict, evidence and next action."""
        return step.page(self._collected(), cause)

    @followed
    @cell
    def additions(self) -> Page:
        """All causes beyond the article's list."""
        return step.additions(self._collected())

    @cell
    def guide(self) -> Guide | Page:
        """The guided walk: buttons where a notebook can show them, elsewhere the page that says the same."""
        return frontend.guide(self.run, self._follow, self._refuse)

    @followed
    @cell
    def remedies(self) -> Page:
        """The plans; those that the parameter ``remedies`` names, up to ``max_risk``, are applied and looked at again.

        After each the plans are made anew: it may have opened the way for another one, or there is a second obstacle
        of its kind. One that must not be applied, or ends otherwise than it should, is shown as such and ends no other.
        """
        run = self._collected()
        found = run.plans()
        consent = Consent.from_parameters(run.parameters.remedies, run.parameters.max_risk)
        blocks: list[Block] = [*pages.interrupted(run.interrupted(), self.language).blocks]
        blocks += pages.plans(found, self.language).blocks
        blocks += pages.not_covered(found, consent.remedies, consent.refusal, self.language).blocks
        changes, tried = {plan.change for plan in found}, set()
        while plan := next((each for each in allowed(run.plans(), consent) if each.change not in tried), None):
            if plan.change not in changes:
                blocks += pages.plan(plan).blocks
            tried.add(plan.change)
            blocks += self._applied(plan, consent)
        if tried:
            self.show_incident()
        return Page(blocks)

    def _applied(self, plan: Plan, consent: Consent) -> list[Block]:
        try:
            return [*pages.change(self.run.apply(plan, consent), self.language).blocks]
        except RemedyRefused as refused:
            return [Paragraph(explain(refused, self.language), plan.remedy)]

    @followed
    @cell
    def retry(self) -> Page:
        """Back up on demand and prove it, if the parameters say so or named a remedy that was applied.

        Else show the proof of a backup that the operator made in the guided walk, or say how it is done.
        """
        run = self._collected()
        applied = run.parameters.remedies and any(receipt.cured for receipt in run.receipts)
        if begun.is_proven(run, self._before) or not (run.parameters.retry or applied):
            made = pages.proof(run.proof, self.language) if run.proof else None
            return made or Page([Paragraph(catalog.text("action.retry", self.language))])
        try:
            proof = run.back_up()
        except RemedyRefused as refused:
            return Page([Paragraph(explain(refused, self.language))])
        self.show_incident()
        audited = pages.audit(run.audit(), self.language)
        return Page([*pages.proof(proof, self.language).blocks, *audited.blocks])

    @followed
    @cell
    def result(self) -> Page:
        """The outcome of the run; ``result.json`` and ``evidence.json`` are in the run folder."""
        run = self._collected()
        if not run.live:  # what asks or changes something saves it
            run.save()
        elif self._before is not None:
            begun.end(run.files)
            self._before = None
        self.show_incident()
        return ResultPage(outcome.result(run).blocks, run.result())

    def _collected(self) -> Run:
        if not self.run.evidence:
            raise SetupError("error.nothing_collected")
        return self.run

    def _source(self) -> list[Block]:
        parameters = self.run.parameters
        if parameters.azure == AzureSource.LIVE:
            return []
        return [Paragraph(catalog.text(f"label.{parameters.azure}", self.language, scenario=parameters.scenario))]


def open_run(namespace: MutableMapping[str, Any], section: str) -> Runbook:
    """Open a runbook from a notebook's variables (``globals()``).

    First of all it takes the place of any earlier one: after this, no cell acts on, or shows, the VM before. Where the
    parameters are refused, each cell says so; headless, where nobody would read that, SetupError is raised at once.
    """
    book = Runbook(language=language_in(namespace))
    earlier = [name for name, value in namespace.items() if isinstance(value, Runbook)]
    namespace.update(dict.fromkeys(["run", *earlier], book))
    secret = [name for name, value in namespace.items() if _holds_a_secret(name, value)]
    if secret:
        book.notices.append(catalog.text("notebook.secret", book.language, names=", ".join(secret)))
    frontend.retire_tools(book.refused())
    try:
        parameters_cell.cell.require()
        book.open(opening.open_run(from_notebook(namespace), section))
    except RunbookError as error:
        book.refuse(error)
        if not frontend.watched():
            raise put_into_words(error, book.language) from None
    return book


def _holds_a_secret(name: str, value: object) -> bool:
    """Whether a variable of the notebook is a parameter with a secret in it, which whoever opens the file can read."""
    parameter = isinstance(value, str) and not name.startswith("_")
    return parameter and sanitize.data({name: value}, sanitize.without_secrets) != {name: value}
