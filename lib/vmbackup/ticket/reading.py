"""A bundle from elsewhere, checked and judged again. Nothing in it is executed or unpacked to disk.

It is not trusted: names, sizes and sums are checked before anything is read.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vmbackup import catalog
from vmbackup.model import AzureSource, Language, SetupError
from vmbackup.parameters import Parameters
from vmbackup.runs import storage
from vmbackup.runs.state import State
from vmbackup.sanitize import shortened
from vmbackup.ticket.bundle import FILES, MANIFEST, RESULT, SCHEMA, digest, restored

LARGEST = 100 * 1024**2
"""Bytes that a bundle may unpack to."""


@dataclass(frozen=True, slots=True)
class Received:
    """A bundle that was read: its manifest, its run, the files that are not as the manifest says, and for each cause
    whose verdict differs today, what it was then and is now."""

    manifest: Mapping[str, Any]
    state: State
    changed: tuple[str, ...]
    differs: tuple[tuple[str, str, str], ...]


def is_bundle(place: str) -> bool:
    """Whether this looks like a zip file rather than an evidence file; one that cannot be read is none."""
    try:
        return storage.read_input(place)[:2] == b"PK"
    except (OSError, ImportError, ValueError):
        return False


def read(place: str, language: str = "en", *, changed_anyway: bool = False) -> Received:
    """The bundle at a path or URL, judged by today's checks. Raises SetupError that says what is wrong with it."""
    try:
        content = storage.read_input(place)
    except (OSError, ImportError, ValueError) as error:
        raise _wrong(place, language, "unreadable", error=error) from None
    files = _unpacked(content, place, language)
    manifest = _manifest(files, place, language)
    listed = manifest["files"]
    changed = tuple(
        name
        for name in sorted({*listed, *files} - {MANIFEST})
        if name not in files or name not in listed or digest(files[name]) != listed[name].get("sha256")
    )
    if changed and not changed_anyway:
        raise SetupError(catalog.text("ticket.changed", language, place=place, names=", ".join(changed)))
    source = manifest.get("azure")
    parameters = Parameters(
        azure=AzureSource.SIMULATOR if source == AzureSource.SIMULATOR else AzureSource.REPLAY,
        scenario=str(manifest.get("scenario") or ""),
        language=Language(language),
    )
    try:
        state = restored(files.get, parameters)
        differs = _differences(json.loads(files.get(RESULT, b"{}")), state)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _wrong(place, language, "unreadable", error=f"{type(error).__name__}: {error}") from None
    return Received({**manifest, "azure": source if source in list(AzureSource) else "?"}, state, changed, differs)


def _unpacked(content: bytes, place: str, language: str) -> dict[str, bytes]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError) as error:
        raise _wrong(place, language, "unreadable", error=error) from None
    files: dict[str, bytes] = {}
    left = LARGEST
    for entry in archive.infolist():
        if entry.filename not in (*FILES, MANIFEST) or entry.filename in files:
            raise _wrong(place, language, "strange_name", name=shortened(entry.filename, 200))
        try:
            # An entry's stated size may be false: never unpack more than the rest of the limit.
            with archive.open(entry) as opened:
                unpacked = opened.read(left + 1)
        except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, ValueError) as error:
            raise _wrong(place, language, "unreadable", error=error) from None
        left -= len(unpacked)
        if left < 0:
            raise _wrong(place, language, "too_large", mb=LARGEST // 1024**2)
        files[entry.filename] = unpacked
    return files


def _manifest(files: Mapping[str, bytes], place: str, language: str) -> dict[str, Any]:
    if MANIFEST not in files:
        raise _wrong(place, language, "no_manifest")
    try:
        manifest = json.loads(files[MANIFEST])
    except (ValueError, RecursionError):
        manifest = None
    schema = manifest.get("schema") if isinstance(manifest, dict) else None
    if isinstance(schema, str) and schema.startswith("vmbackup.bundle/") and schema != SCHEMA:
        raise _wrong(place, language, "newer", schema=shortened(schema, 50), known=SCHEMA)
    listed = manifest.get("files") if isinstance(manifest, dict) else None
    whole = isinstance(listed, dict) and all(isinstance(each, dict) for each in listed.values())
    if schema != SCHEMA or not whole:
        raise _wrong(place, language, "damaged_manifest")
    assert isinstance(manifest, dict)
    return manifest


def _differences(then: Mapping[str, Any], state: State) -> tuple[tuple[str, str, str], ...]:
    verdicts = {each["cause"]: str(each["verdict"]) for each in then.get("steps", [])}
    now = {step.cause: str(step.verdict) for step in state.diagnosis().steps}
    return tuple((cause, verdicts.get(cause, "–"), now[cause]) for cause in now if verdicts.get(cause) != now[cause])


def _wrong(place: str, language: str, key: str, **values: Any) -> SetupError:
    why = catalog.text(f"ticket.{key}", language, **values)
    return SetupError(catalog.text("ticket.not_a_bundle", language, place=place, why=why))
