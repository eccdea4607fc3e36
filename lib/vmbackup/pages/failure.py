"""The failed job in Azure's words, and where it belongs. Pure."""

from __future__ import annotations

from vmbackup import catalog
from vmbackup.catalog.words import cause_title
from vmbackup.failures.triage import Triage
from vmbackup.model import Evidence, data_of
from vmbackup.pages import links, signs
from vmbackup.pages.blocks import Block, Page, Paragraph, Table
from vmbackup.pages.overview import failed_job


def failure(evidence: Evidence, triaged: Triage | None, section: str | None, language: str) -> Page:
    """The failed job in Azure's words, whether it belongs to this runbook, and every other sign of the failure."""
    job = data_of(evidence, "backup.failed_job")
    blocks: list[Block] = []
    if job:
        rows = [[str(error["code"] or ""), error["title"] or "", error["text"] or ""] for error in job["errors"]]
        if job["dynamic_message"]:
            rows.append(["", "", job["dynamic_message"]])
        header = [catalog.text(f"label.{label}", language) for label in ("code", "cause", "message")]
        blocks += [
            Paragraph(
                f"{job['name']}, {failed_job(evidence, language)}", catalog.text("label.failed_job", language) + ":"
            ),
            Table(header, rows),
        ]
    blocks.append(Paragraph(_belongs(triaged, section, language)))
    if triaged and triaged.section and triaged.section != section:
        blocks.append(links.runbooks([triaged.section], language))
    return Page([*blocks, *signs.page(evidence, language).blocks])


def _belongs(triaged: Triage | None, section: str | None, language: str) -> str:
    if triaged is None:
        return catalog.text("triage.nothing", language)
    if triaged.section == section:
        return catalog.text("triage.agrees", language)
    if triaged.section:
        other = catalog.sections()[triaged.section]
        return catalog.text("triage.differs", language, section=other["title"][language], notebook=other["notebook"])
    return sorted_into(triaged, language)


def sorted_into(triaged: Triage, language: str) -> str:
    """Where a failure belongs, in one sentence."""
    if triaged.section:
        entry = catalog.sections()[triaged.section]
        return catalog.text("triage.belongs", language, section=entry["title"][language], notebook=entry["notebook"])
    causes = [candidate.cause for candidate in triaged.candidates if candidate.cause]
    if causes:
        return catalog.text("triage.names_cause", language, cause=cause_title(causes[0], language))
    titles = [catalog.sections()[c.section]["title"][language] for c in triaged.candidates if c.section]
    key, values = ("ambiguous", {"sections": " · ".join(titles)}) if titles else ("unknown", {})
    return catalog.text(f"triage.{key}", language, **values)
