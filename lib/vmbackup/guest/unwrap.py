"""Undoes what terminals, mail, chats and consoles do to text on its way from a guest to here. Pure.

What remains is one long line without any white space, in which the guest script's markers and base64 text stand as they
were printed. Nothing here guesses: whatever is taken out cannot be part of a marker or of base64, and the reader of the
document verifies length and checksum.
"""

from __future__ import annotations

import codecs
import html
import re

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ESCAPE_SEQUENCE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[()][A-Z0-9]|[@-Z\\-_=>])")
_UNSEEN = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_LINE_END = re.compile(r"\r\n?|[\v\f\x85\u2028\u2029]|\\{1,4}r\\{1,4}n|\\{1,4}[nr]")
_JSON_ESCAPE = re.compile(r"\\{1,4}u00(2[bdfBDF]|3[deDE])")
_TAG = re.compile(r"</?[a-z][^<>\n]{0,300}>", re.IGNORECASE)
_SLASH = re.compile(r"\\{1,4}/")
# A console writes its messages between two lines or into one: from here to the end of the line nothing is ours.
_CONSOLE_MESSAGE = re.compile(
    r"\[[ \t]{0,12}\d{1,9}\.\d{1,9}\][^\n]*"
    r"|(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) {1,2}\d{1,2} \d\d:\d\d:\d\d[^\n]*"
    r"|\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d[^\n]*"
)
_FOREIGN_LINE = re.compile(
    r"^(?![^\n]*(?:-{3}|VMBACKUP|[\u2010-\u2015]{2}))[^\n]*[^A-Za-z0-9+/=\s>|\u2010-\u2015-][^\n]*$", re.MULTILINE
)
# U+FFFD: a no-break space or a long dash in a file that is not UTF-8.
_SPACE_AND_QUOTE = re.compile(r"[\s>|\xa0\u3000\ufffd]+")


def unwrap(text: str | bytes) -> str:
    """The text as one line of what may be ours: no white space, quotes, tags, escape sequences, console messages."""
    words = _decoded(text) if isinstance(text, bytes) else text
    if "\x1b" in words:
        words = _ESCAPE_SEQUENCE.sub("", words)
    words = _UNSEEN.sub("", words)
    if "\\" in words:
        words = _JSON_ESCAPE.sub(lambda found: chr(int(found.group(1), 16)), words)
        words = _SLASH.sub("/", words)
    if _TAG.search(words):
        words = html.unescape(_TAG.sub("\n", words))
    words = _LINE_END.sub("\n", words)
    words = _CONSOLE_MESSAGE.sub(_what_follows, words)
    words = _FOREIGN_LINE.sub("", words)
    return _SPACE_AND_QUOTE.sub("", words)


def _what_follows(message: re.Match[str]) -> str:
    """A line of JSON may hold a time and, behind it, the document."""
    start = message.group().find("-----BEGIN")
    return message.group()[start:] if start >= 0 else ""


def _decoded(raw: bytes) -> str:
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return raw.decode(encoding, "replace")
    if raw[:4096].count(0) > len(raw[:4096]) // 4:
        return raw.decode("utf-16-be" if raw[:1] == b"\0" else "utf-16-le", "replace")
    return raw.decode("utf-8", "replace")
