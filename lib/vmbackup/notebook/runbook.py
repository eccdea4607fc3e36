"""What a notebook calls ``run``: each method acts on the run and returns the page that the cell shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vmbackup import catalog
from vmbackup.model import RemedyRefused, SetupError
from vmbackup.notebook import frontend
from vmbackup.pages import failure as failure_page
from vmbackup.pages import outcome, overview, step
from vmbackup.pages import remedies as pages
from vmbackup.pages.blocks import Block, Page, Paragraph
from vmbackup.parameters import from_notebook
from vmbackup.remedies.apply import Consent, allowed
from vmbackup.remedies.plan import Plan
from vmbackup.runs import open as opening
from vmbackup.runs.result import MIME_TYPE
from vmbackup.runs.run import Run

if TYPE_CHECKING:
    from vmbackup.widgets.guide import Guide


class ResultPage(Page):
    """The last page of a run; it carries the machine-readable result beside the readable one."""

    def __init__(self, page: Page, content: dict[str, Any]) -> None:
        super().__init__(page.blocks)
        object.__setattr__(self, "content", content)

    content: dict[str, Any]

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        return {**super()._repr_mimebundle_(), MIME_TYPE: self.content}


@dataclass(frozen=True, slots=True)
class Runbook:
    """One run as a notebook's cells go through it, from top to bottom. Nothing is asked twice."""

    run: Run

    @property
    def language(self) -> str:
        """``en`` or ``de``."""
        return self.run.language

    def collect(self) -> Page:
        """Ask Azure for everything the checks need (or nothing, in a replay) and show the VM at a glance."""
        if self.run.live:
            with frontend.asking(self.language) as on_fact:
                self.run.collect(on_fact)
        frontend.show_incident(self.run, first=True)
        page = overview.collected(self.run.target, self.run.evidence, self.language)
        return Page([*self._source(), *map(Paragraph, self.run.files.notices), *page.blocks])

    def failure(self) -> Page:
        """The failed job and whether it belongs to this runbook."""
        run = self._collected()
        return failure_page.failure(run.evidence, run.triage(), run.section, self.language)

    def step(self, cause: str) -> Page:
        """One cause with its verdict, evidence and next action."""
        return step.page(self._collected(), cause)

    def guide(self) -> Guide | Page:
        """The guided walk: buttons where a notebook can show them, elsewhere the page that says the same."""
        return frontend.guide(self.run)

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
        shown, tried = {plan.change for plan in found}, set()
        while plan := next((each for each in allowed(run.plans(), consent) if each.change not in tried), None):
            if plan.change not in shown:
                blocks += pages.plan(plan).blocks
            tried.add(plan.change)
            blocks += self._applied(plan, consent)
        frontend.show_incident(run)
        return Page(blocks)

    def _applied(self, plan: Plan, consent: Consent) -> list[Block]:
        try:
            return [*pages.change(self.run.apply(plan, consent), self.language).blocks]
        except RemedyRefused as refused:
            return [Paragraph(str(refused), plan.remedy)]

    def retry(self) -> Page:
        """Back up on demand and prove it, if the parameters say so or named a remedy that was applied.

        Else show the proof of a backup that the operator made in the guided walk, or say how it is done.
        """
        run = self._collected()
        applied = run.parameters.remedies and any(receipt.cured for receipt in run.receipts)
        if not (run.parameters.retry or applied):
            made = pages.proof(run.proof, self.language) if run.proof else None
            return made or Page([Paragraph(catalog.text("action.retry", self.language))])
        try:
            proof = run.back_up()
        except RemedyRefused as refused:
            return Page([Paragraph(str(refused))])
        frontend.show_incident(run)
        audited = pages.audit(run.audit(), self.language)
        return Page([*pages.proof(proof, self.language).blocks, *audited.blocks])

    def result(self) -> Page:
        """The outcome of the run; ``result.json`` and ``evidence.json`` are in the run folder."""
        run = self._collected()
        run.save()
        frontend.show_incident(run)
        return ResultPage(outcome.result(run), run.result())

    def _collected(self) -> Run:
        if not self.run.evidence:
            raise SetupError("Nothing has been collected yet: run the cell with run.collect() first.")
        return self.run

    def _source(self) -> list[Block]:
        parameters = self.run.parameters
        if parameters.azure == "live":
            return []
        return [Paragraph(catalog.text(f"label.{parameters.azure}", self.language, scenario=parameters.scenario))]


def open_run(namespace: Mapping[str, Any], section: str) -> Runbook:
    """Open a runbook from a notebook's variables (``globals()``). Raises SetupError that says what to do."""
    return Runbook(opening.open_run(from_notebook(namespace), section))
