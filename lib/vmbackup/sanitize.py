"""What must not leave: secrets are blotted out, and text that would act on a terminal or a page is made visible.

Every text that a report, a result or a saved evidence carries goes through here. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

BLOT = "[removed]"

_SECRETS = (
    re.compile(r"(?i)(?<=[?&;])(sig|se|sp|sv|sr|st|skoid|sktid|skt|ske|sks|skv|spr|sip)=[^&\s\"'<>;]+"),
    re.compile(
        r"(?i)\b(AccountKey|SharedAccessKey|SharedAccessSignature|password|passwd|pwd|client_secret)\s*=\s*[^;\s\"']+"
    ),
    re.compile(r"(?i)\bBearer\s+[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)"),
)
_ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
# Zero-width joiners are part of words and emojis; half a surrogate pair can be written nowhere.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u2069\ud800-\udfff\ufeff]"
)


def text(value: object) -> str:
    """The value as harmless text: no secret, no escape sequence, control and direction marks as ``\\uXXXX``."""
    words = _ESCAPE_SEQUENCE.sub("", str(value))
    for secret in _SECRETS:
        words = secret.sub(_blot, words)
    return _UNSEEN.sub(lambda mark: f"\\u{ord(mark.group()):04x}", words.replace("\r\n", "\n"))


def _blot(found: re.Match[str]) -> str:
    name, sign, _ = found.group().partition("=")
    keeps_name = bool(sign) and not found.group().startswith(("-----", "eyJ"))
    return f"{name}={BLOT}" if keeps_name and " " not in name.strip() else BLOT


def data(value: Any) -> Any:
    """The same JSON value with every text in it made harmless, keys included."""
    if isinstance(value, str):
        return text(value)
    if isinstance(value, Mapping):
        return {text(key): data(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [data(item) for item in value]
    return value
