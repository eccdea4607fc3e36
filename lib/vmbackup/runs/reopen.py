"""A run as its folder tells it: read only, nothing is asked, changed or written."""

from __future__ import annotations

from typing import Any

from vmbackup import catalog
from vmbackup.model import AzureSource, Language, SetupError
from vmbackup.parameters import Parameters
from vmbackup.runs.evidence import parse_evidence
from vmbackup.runs.folder import EVIDENCE, RunFolder
from vmbackup.runs.saved_run import SavedRun
from vmbackup.runs.state import State


def reopened(place: str, language: str = "") -> State:
    """The run in a run folder, in its own language or another. Raises SetupError for a folder without a run."""
    files = RunFolder(place, language or "en")
    content = files.read(EVIDENCE)
    if content is None:
        raise SetupError(catalog.text("ticket.no_run", language or "en", place=place))
    target, evidence = parse_evidence(content, f"{place}/{EVIDENCE}")
    result = files.result() or {}
    saved = files.saved_run()
    state = State(_parameters(result, saved[0] if saved else None, place, language), _section(result), target, evidence)
    if saved is not None:
        did, known = saved
        state.section, state.evidence = did.section, known or evidence
        state.skipped, state.pasted_at, state.proof = dict(did.skipped), did.pasted_at, did.proof
    state.receipts = files.journal.applied()
    if state.receipts or state.proof:
        state.before = files.evidence_before()
    return state


def _parameters(result: dict[str, Any], saved: SavedRun | None, place: str, language: str) -> Parameters:
    """Whose language and which Azure; a folder that does not say holds a replay."""
    written = result.get("language")
    return Parameters(
        azure=AzureSource(saved.azure) if saved and saved.azure in list(AzureSource) else AzureSource.REPLAY,
        scenario=saved.scenario if saved else "",
        language=Language(language or (written if written in list(Language) else Language.EN)),
        run_folder=place,
    )


def _section(result: dict[str, Any]) -> str | None:
    section = result.get("section")
    return section if isinstance(section, str) and section in catalog.sections() else None
