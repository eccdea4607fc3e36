"""Reads the body of a refusal: its code, its message, and the missing right.

Azure's services use many shapes: ``Code`` or ``code``, under ``error`` or not, nested in ``details``, as JSON inside
the message, as XML. The innermost reason is the useful one; any other page has no code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

_DEEPEST = 8
_LARGEST = 200_000
_WRAPPERS = ("error", "odata.error")
_CODES = ("code", "errorcode")
_MESSAGES = ("message", "errormessage")
_XML_ERROR = re.compile(r"\s*(?:<\?xml[^>]{0,200}\?>)?\s*<(?:\w{1,20}:)?Error[\s>]")
_XML_PART = r"<(?:\w{{1,20}}:)?{}(?:\s[^>]{{0,100}})?>([^<]{{1,4000}})<"
_HELD = re.compile(r"has permission to perform action '[^']{0,300}'", re.IGNORECASE)
_MISSING = re.compile(
    r"perform(?:ing)? action\S{0,3} '(?P<action>[^']{1,300})'"
    r"(?: (?:over|on) (?:the )?(?:linked )?scope\S{0,3} '(?P<scope>[^']{1,600})')?",
    re.IGNORECASE,
)


def code_and_message(body: object) -> tuple[str, str]:
    """The innermost code and message of an error's body, parsed or not; "" for what it does not say.

    >>> code_and_message({"error": {"code": "Outer", "details": [{"Code": "Inner", "message": "why"}]}})
    ('Inner', 'why')
    """
    code = message = ""
    for layer in _layers(body, 0):
        code = _first(layer, _CODES) or code
        message = _first(layer, _MESSAGES) or message
    return code, message


def missing_right(message: str) -> tuple[str, str] | None:
    """The action that a refusal says is missing, and its scope ("" where it names none); None where it names no action.

    LinkedAuthorizationFailed lists what the caller may do in the same words; that is not what is missing.
    """
    found = _MISSING.search(_HELD.sub("", message))
    return (found["action"], found["scope"] or "") if found else None


def _layers(body: object, depth: int) -> Iterator[Mapping[str, object]]:
    """The parts of a body that may carry code and message, the innermost last."""
    if isinstance(body, (bytes, str)):
        body = _parsed(body.decode("utf-8", "replace") if isinstance(body, bytes) else body)
    if not isinstance(body, Mapping) or depth > _DEEPEST:
        return
    layer = {str(key).lower(): value for key, value in body.items()}
    wrapped = next((layer[name] for name in _WRAPPERS if isinstance(layer.get(name), Mapping)), None)
    if wrapped is None or _first(layer, _CODES):
        yield layer
    yield from _layers(wrapped, depth + 1)
    details = layer.get("details")
    yield from _layers(next(iter(details), None) if isinstance(details, list) else None, depth + 1)
    message = _first(layer, _MESSAGES)
    if "{" in message:
        yield from _layers(message[message.index("{") :], depth + 1)


def _parsed(text: str) -> object:
    """JSON, or Azure's XML as the same; None for anything else, such as a proxy's page."""
    if len(text) > _LARGEST:
        return None
    if _XML_ERROR.match(text):
        parts = {name: re.search(_XML_PART.format(name), text) for name in ("Code", "Message")}
        return {name: found.group(1) for name, found in parts.items() if found}
    try:
        # Words may follow the JSON inside a message.
        return json.JSONDecoder().raw_decode(text.lstrip("\ufeff \r\n\t"))[0]
    except (ValueError, RecursionError):
        return None


def _first(layer: Mapping[str, object], names: tuple[str, ...]) -> str:
    """The text under one of these names; OData nests it one level deeper, beside its language."""
    for name in names:
        value = layer.get(name)
        if isinstance(value, Mapping):
            value = next((inner for key, inner in value.items() if str(key).lower() == "value"), None)
        if isinstance(value, (str, int)) and not isinstance(value, bool) and value != "":
            return str(value)
    return ""
