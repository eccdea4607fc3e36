"""A run as what a ticket needs: notes, document, result, evidence, notebook and manifest, as single files and one zip.

Secrets and, by level, names are masked here, on the data and before anything is rendered.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from vmbackup import clock, sanitize
from vmbackup.model import SetupError
from vmbackup.pages import incident as incident_page
from vmbackup.pages.document import version
from vmbackup.remedies.receipt import Receipt
from vmbackup.runs import storage
from vmbackup.runs.evidence import evidence_json, parse_evidence
from vmbackup.runs.folder import EVIDENCE, NOTEBOOK, PAGE, TICKET, RunFolder
from vmbackup.runs.incident import incident
from vmbackup.runs.reopen import reopened
from vmbackup.runs.result import result_of
from vmbackup.runs.run import Run
from vmbackup.runs.saved_run import SavedRun
from vmbackup.runs.state import State
from vmbackup.ticket import document
from vmbackup.ticket.aliases import Aliases, Level

SCHEMA = "vmbackup.bundle/1"
MANIFEST, NOTE, SHORT_NOTE = "manifest.json", "incident.txt", "incident.short.txt"
PDF, NOTEBOOK_PAGE = "runbook.pdf", "notebook.html"
RESULT, BEFORE, RUN, CHANGES, MASKED = "result.json", "before.evidence.json", "run.json", "audit.json", "masked.json"
FILES = (
    NOTE, SHORT_NOTE, PAGE, PDF, NOTEBOOK, NOTEBOOK_PAGE, RESULT, EVIDENCE, BEFORE, RUN, CHANGES, MASKED,
)  # fmt: skip
"""Every file that a bundle may hold, beside the manifest."""
FOLDER, PRIVATE_MAP = "ticket", "aliases.json"
_PARAMETERS = {"parameters", "injected-parameters"}
# A zip stamps its entries: the same run makes the same bundle.
_STAMP = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Bundle:
    """The files by name, manifest included, and the private map from names to aliases, which is not part of the
    bundle."""

    files: Mapping[str, bytes]
    aliases: Mapping[str, str]

    def zipped(self) -> bytes:
        """All files as one zip."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in self.files.items():
                entry = zipfile.ZipInfo(name, _STAMP)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, content)
        return packed.getvalue()


def save(run: Run, notebook: str = "") -> tuple[str, bytes]:
    """Save the run and everything for the ticket beside it: the zip's path, and its content. The notebook, where it is
    known, is kept in the run folder without its secrets, for later bundles."""
    run.save()
    if notebook:
        run.files.write(NOTEBOOK, _json(sanitize.data(_notebook(run.folder, notebook))))
    return write(run.folder, run.folder, language=run.language)


def write(
    place: str,
    to: str,
    level: Level = Level.NONE,
    notebook: str = "",
    language: str = "",
    with_pdf: bool = True,
) -> tuple[str, bytes]:
    """Bundle the run in the folder ``place`` into ``to/ticket.zip``, single files in ``to/ticket``. The private map
    stays in the run folder, so that the next bundle uses the same aliases."""
    home = storage.at(place)
    known = json.loads(home.read(PRIVATE_MAP) or b"{}")
    made = bundle(place, level, notebook, language, known, with_pdf=with_pdf)
    if made.aliases:
        home.write(PRIVATE_MAP, _json(dict(made.aliases)))
    single = storage.at(f"{to.rstrip('/')}/{FOLDER}")
    for name in (*FILES, MANIFEST):
        content = made.files.get(name)
        if content is None:
            single.delete(name)
        else:
            single.write(name, content)
    packed = made.zipped()
    storage.at(to).write(TICKET, packed)
    return f"{to.rstrip('/')}/{TICKET}", packed


def bundle(
    place: str,
    level: Level = Level.NONE,
    notebook: str = "",
    language: str = "",
    known: Mapping[str, str] | None = None,
    *,
    with_pdf: bool = True,
) -> Bundle:
    """The bundle of the run in a run folder. Raises SetupError where there is none."""
    state = reopened(place, language)
    audit, executed = RunFolder(place).audited(), _notebook(place, notebook)
    data = {**_data(state), CHANGES: audit}
    if executed is not None:
        data[NOTEBOOK] = executed
    clean = {name: sanitize.data(content) for name, content in data.items()}
    aliases = Aliases(level, clean.values(), known)
    masked = {name: aliases.data(content, name) for name, content in clean.items()}
    outgoing = _masked_state(state, masked, aliases)
    page = document.run_page(outgoing, masked[CHANGES])
    subject = incident(outgoing)
    files: dict[str, bytes] = {
        NOTE: incident_page.note(subject, outgoing.language).encode(),
        SHORT_NOTE: incident_page.note(subject, outgoing.language, incident_page.SHORT_NOTE_BYTES).encode(),
        PAGE: page.encode(),
    }
    printed = document.pdf(page) if with_pdf else None
    if printed is not None:
        files[PDF] = printed
    if executed is not None:
        files[NOTEBOOK_PAGE] = document.notebook_page(outgoing, masked[NOTEBOOK]).encode()
    files |= {name: _json(content) for name, content in masked.items()}
    files[RESULT] = _json(result_of(outgoing))
    files[MASKED] = _json({"names": aliases.record(), "secrets": _secrets(files)})
    files[MANIFEST] = _json(_manifest(state, level, files, notebook, executed))
    return Bundle(files, aliases.map)


def _data(state: State) -> dict[str, Any]:
    """What the bundle keeps of the run as data."""
    at, source = clock.azure_now(state.evidence), (state.parameters.azure, state.parameters.scenario)
    saved = SavedRun(state.target.vm_id, state.section, at, state.skipped, state.pasted_at, state.proof, *source)
    content: dict[str, Any] = {
        EVIDENCE: evidence_json(state.target, state.evidence),
        RUN: {**saved.as_json(), "receipts": [each.as_json() for each in state.receipts]},
    }
    if state.before:
        content[BEFORE] = evidence_json(state.target, state.before)
    return content


def _masked_state(state: State, masked: Mapping[str, Any], aliases: Aliases) -> State:
    """The run as the bundle's data show it: every page is made from that."""
    return restored(
        lambda name: json.dumps(masked[name]).encode() if name in masked else None,
        replace(state.parameters, run_folder=FOLDER, failure=aliases.data(state.parameters.failure, RUN)),
    )


def restored(read: Callable[[str], bytes | None], parameters: Any) -> State:
    """The run in a bundle's files. Raises SetupError or ValueError for damaged files."""
    target, evidence = parse_evidence(read(EVIDENCE) or b"", EVIDENCE)
    did = json.loads(read(RUN) or b"")
    saved = SavedRun.from_json(did)
    before = read(BEFORE)
    state = State(parameters, saved.section, target, evidence, dict(saved.skipped))
    state.pasted_at, state.proof = saved.pasted_at, saved.proof
    state.receipts = [Receipt(**{**each, "request_ids": tuple(each["request_ids"])}) for each in did["receipts"]]
    state.before = parse_evidence(before, BEFORE)[1] if before else {}
    return state


def _notebook(place: str, named: str) -> Any:
    """The executed notebook as JSON: the one that was named, else the run folder's; None where there is none."""
    import nbformat  # takes longer to load than the whole product

    try:
        content = storage.read_input(named) if named else storage.at(place).read(NOTEBOOK)
        if content is None:
            return None
        # nbformat joins what is written line by line: a key is found only as a whole.
        book = nbformat.reads(content.decode(), as_version=4)  # type: ignore[no-untyped-call]
        nbformat.validate(book, relax_add_props=True)
        book.metadata.pop("widgets", None)  # no kernel moves them again, and they hold the tool's earlier tickets
        for cell in book.cells:
            if _PARAMETERS & set(cell.metadata.get("tags", [])):
                cell.metadata.setdefault("jupyter", {})["source_hidden"] = True  # what was found comes first
        return book
    except (OSError, ValueError, AttributeError, nbformat.ValidationError) as error:
        why = sanitize.shortened(str(error).partition("\n")[0], 200)
        raise SetupError("error.notebook_unread", file=named or NOTEBOOK, message=why) from None


def _manifest(state: State, level: Level, files: Mapping[str, bytes], named: str, executed: Any) -> dict[str, Any]:
    source = json.dumps([each.get("source") for each in executed.get("cells", [])]) if executed else ""
    return {
        "schema": SCHEMA,
        "made_at": clock.azure_now(state.evidence),
        "made_by": {"vmbackup": version(), "python": platform.python_version()},
        "azure": state.parameters.azure,
        "scenario": state.parameters.scenario,
        "language": state.language,
        "level": str(level),
        "notebook_source_sha256": hashlib.sha256(source.encode()).hexdigest() if executed else None,
        "files": {name: {"sha256": digest(content), "bytes": len(content)} for name, content in files.items()},
    }


def digest(content: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(content).hexdigest()


def _secrets(files: Mapping[str, bytes]) -> list[dict[str, Any]]:
    """In which file how many secrets were removed."""
    counts = Counter({name: content.count(sanitize.BLOT.encode()) for name, content in files.items()})
    return [{"where": name, "count": count} for name, count in sorted(counts.items()) if count]


def _json(content: Any) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
