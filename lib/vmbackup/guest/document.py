"""Reads what the guest script printed, however it got here: through Run Command, a console, a chat or a file.

The contract of the text is in ``guest/README.md``. Length and checksum of the document are verified, so damaged text
gives the same document or a :class:`GuestOutputError`, never a different one. Pure.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from vmbackup.facts.guest import GUEST_FACTS
from vmbackup.facts.linux import FACTS_LINUX
from vmbackup.facts.schema import coerce, error
from vmbackup.facts.windows import FACTS_WINDOWS
from vmbackup.guest.unwrap import unwrap
from vmbackup.model import RunbookError
from vmbackup.sanitize import shortened

VERSION = 1
LARGEST_PASTE_MB = 64
LARGEST_BODY = 16 * 1024
MOST_MARKERS = 2000
LARGEST_DOCUMENT = 256 * 1024

_MARKER = re.compile(r"(BEGIN|END)VMBACKUPGUEST([0-9]{0,24})(PLAIN)?([0-9]{0,24})")
_BITS_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_DASHES = "-\u2010\u2011\u2012\u2013\u2014\u2015"
_NOT_OF_THE_SCRIPT = frozenset({"guest.probe", "guest.boot_report", "guest.serial_log"})
_HTML = re.compile(r"<(?:!doctype\s+html|html|head|body|div)\b", re.IGNORECASE)


class GuestOutputError(RunbookError):
    """The text is not one readable document; ``reason`` is the end of its key, which is one of the reasons of a fact
    that was not read, too."""

    def __init__(self, reason: str, **values: str) -> None:
        super().__init__(f"why.guest_output_{reason}", **values)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class GuestDocument:
    """One run of the guest script. ``facts`` maps the key of a section (``clock``) to data of exactly the shape that
    ``guest.<key>`` has; a section that could not be read is missing there and named in ``unreadable``, with the reason.
    """

    os: str
    vm_id: str | None
    host: str | None
    at: str | None
    root: bool | None
    took_ms: int | None
    errors: tuple[str, ...]
    cut: tuple[str, ...]
    facts: Mapping[str, Any]
    unreadable: Mapping[str, str]


def decode(text: str | bytes) -> GuestDocument:
    """The document in this text: the output itself, a paste of it, or a Run Command result that carries it.

    Raises GuestOutputError with the reason when there is none, only half of one, or two different ones.
    """
    if len(text) > LARGEST_PASTE_MB * 1024 * 1024:
        raise GuestOutputError("too_large", mb=str(LARGEST_PASTE_MB))
    flat = unwrap(text)
    documents: dict[bytes, GuestDocument] = {}
    refused: list[GuestOutputError] = []
    for begin, body, end in _candidates(flat):
        try:
            packed = _unpacked(begin, body, end)
            documents[packed] = _document(packed)
        except GuestOutputError as error:
            refused.append(error)
    if len(documents) > 1:
        raise GuestOutputError("two_documents", count=str(len(documents)))
    if documents:
        return next(iter(documents.values()))
    if refused:
        raise refused[-1]
    raw = text if isinstance(text, str) else text[:4096].decode("utf-8", "replace")
    raise GuestOutputError("html" if _HTML.search(raw[:4096]) else "nothing")


def belongs_to(document: GuestDocument, vm_id: str | None, computer_name: str | None) -> bool | None:
    """Whether the document comes from this VM; None when neither ids nor names can be compared.

    The unique id decides where both sides have one (firmware may give it with its first three fields byte-swapped),
    else the host name: its first label, and only 15 characters where Windows cut it.
    """
    if document.vm_id and vm_id:
        ours, theirs = (_plain_id(value) for value in (vm_id, document.vm_id))
        return theirs in (ours, _swapped(ours))
    if document.host and computer_name:
        ours, theirs = (_label(value) for value in (computer_name, document.host))
        return ours == theirs or (document.os == "windows" and ours[:15] == theirs[:15] and len(theirs) == 15)
    return None


def require_belongs_to(
    document: GuestDocument, vm_id: str | None, computer_name: str | None, os: str | None = None
) -> None:
    """Raise GuestOutputError ``another_vm`` when the document certainly comes from another VM, or another system."""
    other_system = os not in (None, document.os)
    if other_system or belongs_to(document, vm_id, computer_name) is False:
        found = shortened(document.host or document.vm_id or "?", 100) + (f" ({document.os})" if other_system else "")
        raise GuestOutputError("another_vm", found=found, wanted=shortened(computer_name or vm_id or "?", 100))


def _plain_id(value: str) -> str:
    return re.sub(r"[^0-9a-f]", "", value.lower())


def _swapped(plain: str) -> str:
    fields = (plain[0:8], plain[8:12], plain[12:16])
    return "".join("".join(reversed(re.findall("..", field))) for field in fields) + plain[16:]


def _label(value: str) -> str:
    return value.strip().split(".", 1)[0].casefold()


def _candidates(flat: str) -> list[tuple[re.Match[str], str, re.Match[str] | None]]:
    """Every BEGIN with the text up to the next marker, and that marker when it is an END."""
    markers = list(_MARKER.finditer(flat))[-MOST_MARKERS:]
    found: list[tuple[re.Match[str], str, re.Match[str] | None]] = []
    for here, after in zip(markers, [*markers[1:], None], strict=False):
        if here.group(1) == "BEGIN":
            end = after if after is not None and after.group(1) == "END" else None
            stop = after.start() if after is not None else len(flat)
            found.append((here, flat[here.end() : min(stop, here.end() + LARGEST_BODY + 64)].strip(_DASHES), end))
    if markers and not found:
        raise GuestOutputError("cut_off_beginning")
    return found


def _unpacked(begin: re.Match[str], body: str, end: re.Match[str] | None) -> bytes:
    """The JSON bytes between two markers, with length and checksum verified."""
    version = begin.group(2)
    if not version or int(version) != VERSION:
        raise _wrong_version(version) if version else GuestOutputError("cut_off_line")
    if end is None:
        raise GuestOutputError("cut_off_end")
    if len(body) > LARGEST_BODY:
        raise GuestOutputError("corrupt_too_long")
    plain = bool(begin.group(3))
    count = end.group(4) if plain else end.group(2)[len(version) :]
    if end.group(2)[: len(version)] != version or plain != bool(end.group(3)):
        raise GuestOutputError("corrupt_pair")
    if not count.startswith(str(len(body))):
        raise GuestOutputError("corrupt_length", said=count or "-", count=str(len(body)))
    try:
        raw = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise GuestOutputError("corrupt_characters") from None
    packed = raw if plain else _gunzipped(raw)
    if count != f"{len(body)}{posix_cksum(packed) if plain else ''}":
        raise GuestOutputError("corrupt_checksum")
    return packed


def _gunzipped(raw: bytes) -> bytes:
    unzip = zlib.decompressobj(wbits=31)
    try:
        packed = unzip.decompress(raw, LARGEST_DOCUMENT)
    except zlib.error:
        raise GuestOutputError("corrupt_packed") from None
    if not unzip.eof or unzip.unused_data or unzip.unconsumed_tail:
        raise GuestOutputError("corrupt_packed")
    return packed


def posix_cksum(data: bytes) -> int:
    """The checksum that the POSIX utility ``cksum`` prints first.

    >>> posix_cksum(b"123456789")
    930766865
    """
    size = len(data).to_bytes((len(data).bit_length() + 7) // 8, "little")
    # cksum shifts in the opposite direction of zlib's CRC and starts at 0: reversing the bits converts them.
    crc = zlib.crc32((data + size).translate(_BITS_REVERSED), 0xFFFFFFFF)
    return int(f"{crc:032b}"[::-1], 2)


def _document(packed: bytes) -> GuestDocument:
    try:
        loaded = json.loads(packed.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise GuestOutputError("corrupt_content") from None
    if not isinstance(loaded, dict) or not isinstance(loaded.get("facts"), dict):
        raise GuestOutputError("corrupt_content")
    version, os = loaded.get("v"), loaded.get("os")
    if type(version) is not int or version != VERSION:
        raise _wrong_version(version)
    if os not in ("windows", "linux"):
        raise GuestOutputError("corrupt_system")
    if "script" not in loaded:
        _say_absent(loaded["facts"])
    facts, unreadable = _readable(cast(str, os), loaded["facts"])
    return GuestDocument(
        os=cast(str, os),
        vm_id=_text(loaded.get("vm_id")),
        host=_text(loaded.get("host")),
        at=_text(loaded.get("at")),
        root=loaded["root"] if isinstance(loaded.get("root"), bool) else None,
        took_ms=loaded["took_ms"] if type(loaded.get("took_ms")) is int else None,
        errors=_texts(loaded.get("errors")),
        cut=_texts(loaded.get("cut")),
        facts=facts,
        unreadable=unreadable,
    )


def _say_absent(sections: Mapping[str, object]) -> None:
    """The first scripts wrote null for a program that they had looked for and not found; today that is ``""``."""
    for key in ("agent", "python", "openssl"):
        section = sections.get(key)
        if isinstance(section, dict) and section.get("path", "") is None:
            section["path"] = ""


def shapes(os: str) -> dict[str, object]:
    """The shape of every section that the script of this system may print, by its key (``clock``, ``services``)."""
    facts = FACTS_WINDOWS if os == "windows" else FACTS_LINUX
    both = {name: shape for name, shape in GUEST_FACTS.items() if name not in _NOT_OF_THE_SCRIPT}
    return {name.removeprefix("guest."): shape for name, shape in {**both, **facts}.items()}


def _readable(os: str, sections: Mapping[str, object]) -> tuple[dict[str, Any], dict[str, str]]:
    """The sections in their exact shapes, and for each one that does not fit the place where it does not."""
    facts: dict[str, Any] = {}
    unreadable: dict[str, str] = {}
    for key, shape in shapes(os).items():
        if key not in sections:
            continue
        data = coerce(sections[key], shape)
        fault = error(data, shape, key)
        if fault is None:
            facts[key] = data
        else:
            unreadable[key] = shortened(fault, 200)
    return facts, unreadable


def _wrong_version(found: object) -> GuestOutputError:
    words = str(found)[:20]
    if not words.isdecimal():
        return GuestOutputError("corrupt_version")
    return GuestOutputError(
        "older_version" if int(words) < VERSION else "newer_version", found=words, wanted=str(VERSION)
    )


def _refuse_constant(name: str) -> None:
    raise ValueError(name)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _texts(value: object) -> tuple[str, ...]:
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
