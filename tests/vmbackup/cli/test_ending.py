"""The end of a run is told to a webhook over real https; whatever that does, the run ends in time and says so."""

from __future__ import annotations

import time

import pytest

from saying import refused
from vmbackup.cli.ending import check_address, post_result
from webhook import Webhook, listening

SHORT_S = 1.0


def told(webhook: Webhook, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], address: str) -> str:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(webhook.ca_file))
    begun = time.monotonic()
    post_result(address, {"event": "end", "exit_code": 1}, "en", SHORT_S)
    assert time.monotonic() - begun < SHORT_S + 1
    said = capsys.readouterr().err
    assert "c2VjcmV0" not in said, "the address may hold a key"
    return said


@pytest.mark.parametrize(
    ("status", "mood", "said"),
    [
        (200, "", ""),
        (302, "", "HTTP 302"),
        (403, "", "HTTP 403"),
        (500, "", "HTTP 500"),
        (200, "hangs", "Timeout"),
        (200, "trickles", "Timeout"),
        (200, "floods", ""),
    ],
)
def test_a_webhook_gets_the_end_once_and_its_refusal_is_said(
    status: int, mood: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with listening() as webhook:
        webhook.status, webhook.mood = status, mood
        words = told(webhook, monkeypatch, capsys, webhook.address)
        assert webhook.received == [("/hook?key=c2VjcmV0", "application/json", {"event": "end", "exit_code": 1})]
    assert bool(words) == bool(said)
    assert said in words


def test_nobody_who_is_there_or_is_trusted_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with listening() as webhook, listening() as stranger:
        assert "SSLError" in told(webhook, monkeypatch, capsys, stranger.address)
        assert stranger.received == []
        assert "ConnectionError" in told(webhook, monkeypatch, capsys, "https://127.0.0.1:9/hook?key=c2VjcmV0")
        assert "InvalidURL" in told(webhook, monkeypatch, capsys, "https://[/hook?key=c2VjcmV0")


@pytest.mark.parametrize(
    "address", ["https://127.0.0.1:9?key=c2VjcmV0", "https://u:x/c2VjcmV0@127.0.0.1:9", "https://127.0.0.1:c2VjcmV0/"]
)
def test_an_address_that_is_written_wrong_is_not_shown(
    address: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with listening() as webhook:
        assert "not notified" in told(webhook, monkeypatch, capsys, address)
    with refused(r"^--notify takes only an https address\.$"):
        check_address(address.replace("https", "http"))
