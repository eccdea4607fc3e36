"""What can go wrong on the way: a world's ``faults``, matched against ``METHOD path``."""

from __future__ import annotations

import json
import re
from typing import Any

from azuresim.answer import Answer, Cut, Json, error
from azuresim.world import World

_HUGE_MB = 50
_OPERATION_MODES = ("never_ending", "operation_failed")
_AFTER_MODES = ("cut_off", "missing_fields", "not_utf8", "slow")


def wanted(worlds: list[World], method: str, path: str) -> Json | None:
    """The first fault that hits this request. ``times`` limits how often. In a fleet only a request that concerns
    one world alone is hit."""
    if len(worlds) != 1:
        return None
    for fault in worlds[0].spec.get("faults", []):
        if not re.search(fault["match"], f"{method} {path}", re.IGNORECASE):
            continue
        with worlds[0].lock:
            done = fault.get("_done", 0)
            if done < fault.get("times", done + 1):
                fault["_done"] = done + 1
                return dict(fault)
    return None


def in_operation(fault: Json | None) -> str:
    """``never_ending`` or ``operation_failed`` when the fault concerns an operation's end, else empty."""
    mode = (fault or {}).get("mode", "")
    return mode if mode in _OPERATION_MODES else ""


def at_once(fault: Json) -> Answer | None:
    """The answer of a fault that needs no work done, else None."""
    mode, headers = fault.get("mode", "error"), dict(fault.get("headers", {}))
    status = fault.get("status", 500)
    if mode == "error":
        return error(status, fault.get("code", "InternalServerError"), fault.get("message", "It failed."), headers)
    if mode == "plain":
        return Answer(
            status, str(fault.get("body", "Service Unavailable")).encode(), {"Content-Type": "text/html"} | headers
        )
    if mode == "garbage":
        return Answer(200, b'{"value": [{"id": "/subscriptions/00000000-", "prop', headers)
    if mode == "huge":
        return Answer(200, b'{"value": [], "padding": "' + b"x" * (_HUGE_MB << 20) + b'"}', headers)
    return None


def afterwards(fault: Json, answer: Answer) -> Answer:
    """The honest answer, damaged as the fault says."""
    mode = fault.get("mode", "error")
    if mode not in _AFTER_MODES:
        return answer
    if mode == "slow":
        return Answer(answer.status, answer.body, answer.headers, float(fault.get("seconds", 1)))
    if mode == "missing_fields":
        return Answer(answer.status, _thinned(answer.body), answer.headers)
    data = json.dumps(answer.body).encode()
    if mode == "cut_off":
        return Answer(answer.status, Cut(data[: len(data) // 2], len(data)), answer.headers)
    return Answer(answer.status, data.replace(b"a", b"\xe4\xff", 3), answer.headers)


_KEPT = ("id", "name", "type", "value", "properties", "nextLink")


def _thinned(body: Any) -> Any:
    """Every second field gone, every third null, and one that nobody knows."""
    if isinstance(body, list):
        return [_thinned(entry) for entry in body]
    if not isinstance(body, dict):
        return body
    thin: Json = {"somethingNew": {"from": "the future"}}
    for index, (key, value) in enumerate(body.items()):
        if key in _KEPT:
            thin[key] = _thinned(value)
        elif index % 3 == 0:
            thin[key] = None
        elif index % 2 == 0:
            thin[key] = _thinned(value)
    return thin
