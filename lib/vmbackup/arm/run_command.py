"""Reads the answers of Azure's Run Command: what the script printed, and why there is no answer.

Every shape seen in recordings of real Azure, 2017 to 2025, is known here: the list alone, under ``value``, under
``properties.output`` of the finished operation, the managed variety, and the error that carries the output. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_STDOUT = re.compile(r"\[stdout\]\r?\n?(.*?)(?:\r?\n?\[stderr\]|\Z)", re.DOTALL)
_STDERR = re.compile(r"\[stderr\]\r?\n?(.*)\Z", re.DOTALL)

# (reason key, code, words of the message): the first line that fits, case aside, is the reason; "" fits everything.
_REASONS: tuple[tuple[str, str, str], ...] = (
    ("busy", "conflict", "execution is in progress"),
    ("busy", "", "run command extension execution is in progress"),
    ("extension_operations_disallowed", "", "extension operations are disallowed"),
    ("vm_not_running", "", "requires the vm to be running"),
    ("vm_not_running", "", "when the vm is not running"),
    ("vm_not_running", "vmnotrunning", ""),
    ("agent_not_reporting", "vmagentstatuscommunicationerror", ""),
    ("agent_not_reporting", "", "has not reported status for vm agent or extensions"),
    ("extension_timeout", "vmextensionprovisioningtimeout", ""),
    ("extension_timeout", "", "provisioning of vm extension"),
    ("script_failed", "vmextensionprovisioningerror", "failed to execute command"),
    ("extension_failed", "vmextensionprovisioningerror", ""),
    ("extension_failed", "vmextensionhandlernontransienterror", ""),
    ("unknown_command", "", "the entity was not found in this azure location"),
    ("denied", "authorizationfailed", ""),
    ("denied", "linkedauthorizationfailed", ""),
    ("policy", "requestdisallowedbypolicy", ""),
    ("locked", "scopelocked", ""),
)
_BY_STATUS = {401: "denied", 403: "denied", 404: "not_found", 408: "timeout", 409: "conflict", 429: "throttled"}

REASONS = frozenset(key for key, _, _ in _REASONS) | set(_BY_STATUS.values()) | {"server_error", "refused", "timeout"}


def run_command_output(result: object) -> str:
    """What the script wrote to standard output, "" when it wrote nothing or the answer has none.

    ``result`` is the JSON of the answer, of the finished operation, or of an error.
    """
    return "\n".join(part for part in _outputs(result) if part)


def run_command_stderr(result: object) -> str:
    """What the script wrote to standard error, or "". PowerShell's progress records (CLIXML) are not errors."""
    found = []
    for code, message in _statuses(result):
        split = _STDERR.search(message)
        if "stderr" in code.lower():
            found.append(message)
        elif split:
            found.append(split.group(1))
    return "\n".join(part.strip() for part in found if part.strip() and not part.startswith("#< CLIXML"))


def run_command_error(status: int | None, code: str | None, message: str | None) -> str:
    """Why there is no output, one of ``REASONS``. ``status`` None: the operation itself failed.

    ``busy`` is another Run Command on this VM (also one left over), ``conflict`` any other 409; ``refused`` an answer
    that no other name fits.
    """
    said_code, words = (code or "").casefold(), " ".join((message or "").casefold().split())
    for key, wanted_code, wanted_words in _REASONS:
        if (not wanted_code or said_code == wanted_code) and wanted_words in words:
            return key
    if status is None and not said_code and not words:
        return "timeout"
    if status is not None and status >= 500:
        return "server_error"
    return _BY_STATUS.get(status or 0, "refused")


def _outputs(result: object) -> Iterator[str]:
    for code, message in _statuses(result):
        split = _STDOUT.search(message)
        if "stderr" in code.lower():
            continue
        if "stdout" in code.lower() or split is None:
            yield message
        else:
            yield split.group(1)


def _statuses(result: object) -> Iterator[tuple[str, str]]:
    """``(code, message)`` of every part of an answer, whichever shape it has."""
    if isinstance(result, (list, tuple)):
        for item in result:
            if isinstance(item, Mapping):
                yield _words(item, "code"), _words(item, "message")
        return
    if not isinstance(result, Mapping):
        return
    properties = _mapping(result.get("properties"))
    view = _mapping(properties.get("instanceView") or result.get("instanceView"))
    if view:
        yield "StdOut", _words(view, "output")
        yield "StdErr", _words(view, "error")
        return
    error = _mapping(result.get("error"))
    if error:
        message = _words(error, "message")
        if _STDOUT.search(message):
            yield _words(error, "code"), message
        return
    for nested in (result.get("value"), result.get("output"), properties.get("output")):
        if nested is not None:
            yield from _statuses(nested)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _words(holder: Mapping[str, Any], key: str) -> str:
    value = holder.get(key)
    return value if isinstance(value, str) else ""
