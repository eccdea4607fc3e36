"""Texts that people copy, shorten and retype compare as equal, others do not."""

from __future__ import annotations

import pytest

from vmbackup.failures.matching import contains, normalize, similarity, unescape

TITLE = "Fehler beim Momentaufnahmevorgang aufgrund fehlender Netzwerkkonnektivität auf dem virtuellen Computer"


@pytest.mark.parametrize(
    "written",
    [
        TITLE,
        TITLE.upper(),
        TITLE.replace("ä", "ae"),
        TITLE.replace("ä", "a\u0308"),
        TITLE.replace("ä", "&auml;"),
        TITLE.replace("ä", "\\u00e4"),
        TITLE.replace("ä", "ä".encode().decode("cp1252")),
        TITLE.replace(" ", "\u00a0"),
        TITLE.replace(" ", "  \n"),
        TITLE.replace(" ", "\\r\\n"),
        TITLE.replace("Momentaufnahme", "Moment\u00adaufnahme"),
        TITLE.replace("Netzwerk", "\u200bNetzwerk"),
        f"„{TITLE}“.",
        f"<p><b>{TITLE}</b></p>",
    ],
)
def test_one_plain_form(written: str) -> None:
    assert normalize(unescape(written)) == normalize(TITLE)


@pytest.mark.parametrize("text", ["", "   ", "<>", "…", "„“", "\u200b", "&&&", "日本語"])
def test_nothing_is_left_of_what_is_no_word(text: str) -> None:
    assert normalize(unescape(text)) == ""


def test_a_sharp_s_is_two() -> None:
    assert normalize("Größe") == normalize("groesse") == normalize("GRÖSSE")


@pytest.mark.parametrize(
    ("text", "words", "expected"), [("a b c", "b c", True), ("a bc", "b c", False), ("", "a", False)]
)
def test_holds_whole_words(text: str, words: str, expected: bool) -> None:
    assert contains(text, words) is expected


def test_likeness_forgives_mistypes_and_not_other_words() -> None:
    message = normalize("Could not communicate with the VM agent for snapshot status")
    assert similarity(message, message) == 1.0
    assert similarity(normalize("Could not comunicate with the VM agent for snapshot staus"), message) > 0.9
    assert similarity(f"yesterday at ten it said {message} and stopped", message) == 1.0
    assert similarity(normalize("Could not communicate with the printer for paper status"), message) < 0.86
    assert similarity("", message) == similarity(message, "") == 0.0
