"""Nothing secret and nothing that acts leaves the product."""

import time

import pytest

from spellings import HOSTILE, NO_SECRETS, SECRET, SPELLINGS
from vmbackup import sanitize


def test_a_secret_is_blotted_out_however_it_is_written() -> None:
    said = [spelling.format(SECRET) for spelling in SPELLINGS]
    assert [
        words for words in said if SECRET in sanitize.text(words) or sanitize.BLOT not in sanitize.text(words)
    ] == []


def test_secrets_that_are_known_by_their_shape() -> None:
    storage_key = "Zq7h" * 21 + "Zg=="
    signed = "eyJhbGciOiJub25l.eyJ0aWQiOiIx.c2ln"
    client_secret = "abc8Q~" + "x" * 34
    for secret in (storage_key, signed, client_secret, "ghp_" + "a" * 36):
        assert secret not in sanitize.text(f"it is {secret} here")


def test_what_is_no_secret_stays_as_it_is() -> None:
    assert [words for words in NO_SECRETS if sanitize.text(words) != words] == []


def test_a_text_under_the_name_of_a_secret_is_one_whatever_it_looks_like() -> None:
    assert sanitize.data({"adminPassword": "plain words", "name": "plain words"}) == {
        "adminPassword": "[removed]",
        "name": "plain words",
    }


def test_no_text_takes_longer_than_in_proportion_to_its_length() -> None:
    """360 KB of ``eyJ`` once took 38 s; each of these 100 KB takes well under a second, and five on a busy machine."""
    for fragment in HOSTILE:
        begun = time.process_time()
        sanitize.text(fragment * (100_000 // len(fragment)))
        assert time.process_time() - begun < 5, fragment


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("abc\u202ecba", "abc\\u202ecba"),
        ("a\x00b", "a\\u0000b"),
        ("a\r\nb", "a\nb"),
        ("\u2066x\u2069", "\\u2066x\\u2069"),
        ("a\u061cb\u2028c", "a\\u061cb\\u2028c"),
        ("cut in the middle of an emoji \ud83d", "cut in the middle of an emoji \\ud83d"),
        ("web\u200b-01\u061c", "web\\u200b-01\\u061c"),
    ],
)
def test_what_would_act_on_a_terminal_or_a_page_becomes_visible(said: str, shown: str) -> None:
    assert sanitize.text(said) == shown


@pytest.mark.parametrize(
    "harmless", ["Guest Agent is running", "größer als 1.023 GB", "sigma=1", "C:\\Packages\\Plugins", "👩\u200d🚒 🙂"]
)
def test_harmless_text_stays_as_it_is(harmless: str) -> None:
    assert sanitize.text(harmless) == harmless


def test_data_is_cleaned_all_the_way_down() -> None:
    dirty = {"url": ["https://x/?sig=abc"], "n": 1, "none": None, "\u202ekey": {"deep": "Bearer abcdef0123456789"}}
    assert sanitize.data(dirty) == {
        "url": ["https://x/?sig=[removed]"],
        "n": 1,
        "none": None,
        "\\u202ekey": {"deep": "Bearer [removed]"},
    }


def test_what_is_cut_says_so_and_is_clean_before_it_is_cut() -> None:
    assert sanitize.shortened("abc", 3) == "abc"
    assert sanitize.shortened("abcd", 3) == "abc …"
    assert SECRET[:4] not in sanitize.shortened(f"password={SECRET}", 13)
