"""Compares texts that people copy, shorten, retype and translate: one normal form for all of them. Pure."""

from __future__ import annotations

import html
import re
import unicodedata

_UNSEEN = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]")
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,300}>")
_JSON_CHARACTER = re.compile(r"\\u([0-9a-fA-F]{4})")
_JSON_WHITE_SPACE = re.compile(r"\\[rnt](?![a-z]:)")
_BETWEEN_WORDS = re.compile(r"[^a-z0-9]+")
_MARKS = re.compile("[\u0300-\u036f]")
_UMLAUTS = str.maketrans({"ä": "a", "ö": "o", "ü": "u", "æ": "a", "ø": "o"})


def unescape(text: str) -> str:
    """The text without what copying adds to it: tags, entities, JSON escapes, unseen characters, a broken encoding.

    >>> unescape("Der Vorgang kann nicht ausgef&uuml;hrt\\u00a0<b>werden</b>")
    'Der Vorgang kann nicht ausgeführt  werden '
    """
    if "Ã" in text or "â€" in text:
        text = _mended(text)
    if "\\" in text:
        text = _JSON_CHARACTER.sub(lambda found: chr(int(found.group(1), 16)), text)
        text = _JSON_WHITE_SPACE.sub(" ", text)
    if "&" in text:
        text = html.unescape(text)
    if "<" in text:
        text = _TAG.sub(" ", text)
    return text if text.isascii() else _UNSEEN.sub("", unicodedata.normalize("NFKC", text))


def _mended(text: str) -> str:
    """UTF-8 that was once read as Windows-1252 (``fÃ¼r``), read rightly; anything else as it is."""
    try:
        return text.encode("cp1252").decode("utf-8")
    except UnicodeError:
        return text


def normalize(text: str) -> str:
    """Only letters and digits, in words: no case, no punctuation, one spelling for umlauts however they were written.

    >>> normalize("„Größe“ wird/werden"), normalize("Groesse wird werden"), normalize("grosse, wird-werden")
    ('grosse wird werden', 'grosse wird werden', 'grosse wird werden')
    """
    lowered = text.casefold()
    if not lowered.isascii():
        lowered = lowered.translate(_UMLAUTS)
        lowered = _MARKS.sub("", unicodedata.normalize("NFKD", lowered))
    for written, vowel in (("ae", "a"), ("oe", "o"), ("ue", "u")):
        lowered = lowered.replace(written, vowel)
    return _BETWEEN_WORDS.sub(" ", lowered).strip()


def contains(text: str, words: str) -> bool:
    """Whether these words stand in the text one after the other; both are normalized."""
    return f" {words} " in f" {text} "


def similarity(text: str, message: str) -> float:
    """How much the best place in the text is like the message, 0 to 1, by common groups of three letters.

    Both are normalized. A place has as many words as the message, so that what stands around it does not count.
    """
    wanted = _threes(message)
    if not wanted or len(wanted & _threes(text)) < 0.7 * len(wanted):
        return 0.0
    words, count = text.split(), len(message.split())
    places = range(max(1, len(words) - count + 1))
    return max(_dice(_threes(" ".join(words[place : place + count])), wanted) for place in places)


def _threes(words: str) -> frozenset[str]:
    padded = f" {words} "
    return frozenset(padded[place : place + 3] for place in range(len(padded) - 2))


def _dice(one: frozenset[str], other: frozenset[str]) -> float:
    return 2 * len(one & other) / (len(one) + len(other)) if one or other else 0.0
