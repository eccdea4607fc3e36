"""One sign-in for all workers: the credential in a worker stays as it is, and nobody else gets a token."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from azure.core.credentials import AccessToken

from vmbackup.fleet.sign_in import Tokens, shared_sign_in

ARM = "https://management.azure.com"
WORKER = f"""
from azure.identity import DefaultAzureCredential
print(DefaultAzureCredential().get_token("{ARM}/.default").token)
"""


@dataclass
class Counting:
    """Gives a token with this life each time, or none at all."""

    life_s: int = 3600
    works: bool = True
    scopes: list[str] = field(default_factory=list)

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        self.scopes += scopes
        if not self.works:
            raise RuntimeError("Please run az login. Authorization: Bearer eyJ0eXAi.eyJhdWQi.c2VjcmV0")
        return AccessToken(f"token-{len(self.scopes)}", int(time.time()) + self.life_s)


def test_the_unmodified_credential_of_a_worker_gets_the_coordinators_token() -> None:
    source = Counting()
    with shared_sign_in(lambda: source, (ARM,)) as environment:
        proxied = {**os.environ, "HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9", **environment}
        runs = [
            subprocess.run([sys.executable, "-c", WORKER], env=proxied, capture_output=True, text=True, timeout=120)
            for _ in range(2)
        ]
    assert [run.stdout.strip() for run in runs] == ["token-1", "token-1"]
    assert source.scopes == [f"{ARM}/.default"]


def test_nobody_else_gets_a_token() -> None:
    source = Counting()
    with shared_sign_in(lambda: source, (ARM,)) as environment:
        url, header = environment["IDENTITY_ENDPOINT"], {"X-IDENTITY-HEADER": environment["IDENTITY_HEADER"]}
        asked = {"resource": ARM}
        assert requests.get(url, asked, timeout=5).status_code == 401
        assert requests.get(url, asked, headers={"X-IDENTITY-HEADER": "guess"}, timeout=5).status_code == 401
        assert requests.get(url, asked, headers={**header, "Host": "evil.example"}, timeout=5).status_code == 401
        assert requests.get(url, {"resource": "https://vault.azure.net"}, headers=header, timeout=5).status_code == 400
        assert source.scopes == []
        assert url.startswith("http://127.0.0.1:")
    with pytest.raises(requests.ConnectionError):
        requests.get(url, asked, headers=header, timeout=5)


def test_a_failed_sign_in_says_why_without_secrets() -> None:
    with shared_sign_in(lambda: Counting(works=False), (ARM,)) as environment:
        header = {"X-IDENTITY-HEADER": environment["IDENTITY_HEADER"]}
        answer = requests.get(environment["IDENTITY_ENDPOINT"], {"resource": ARM}, headers=header, timeout=5)
    assert answer.status_code == 400
    assert "az login" in answer.text
    assert "eyJ" not in answer.text


def test_a_token_is_renewed_in_time_and_kept_while_it_cannot_be() -> None:
    source = Counting(life_s=60)
    tokens = Tokens(lambda: source, (ARM,))
    assert [tokens.get(ARM).token for _ in range(2)] == ["token-1", "token-2"]
    source.works = False
    assert tokens.get(ARM).token == "token-2"
    with pytest.raises(KeyError):
        tokens.get("https://graph.microsoft.com")
