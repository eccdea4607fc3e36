"""Nothing secret and nothing that acts leaves the product."""

import pytest

from vmbackup import sanitize


@pytest.mark.parametrize(
    ("said", "secret"),
    [
        ("https://x.blob.core.windows.net/a?sv=2026&sig=abc%2Bdef&se=2026-11-23", "abc%2Bdef"),
        ("DefaultEndpointsProtocol=https;AccountKey=Zm9vYmFy==;EndpointSuffix=x", "Zm9vYmFy"),
        ("Authorization: Bearer abcdef0123456789", "abcdef0123456789"),
        ("token eyJhbGciOiJub25l.eyJ0aWQiOiIx.c2ln", "eyJ0aWQiOiIx"),
        ("http://operator:hunter2@proxy:3128", "hunter2"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----", "MIIEow"),
        ("-----BEGIN PRIVATE KEY-----\nMIIEow cut off", "MIIEow"),
        ("password = geheim1", "geheim1"),
    ],
)
def test_secrets_are_blotted_out(said: str, secret: str) -> None:
    assert secret not in sanitize.text(said)
    assert sanitize.BLOT in sanitize.text(said)


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
        "\\u202ekey": {"deep": "[removed]"},
    }
