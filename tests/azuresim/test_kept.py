"""A simulator that is killed leaves a folder, and the next one goes on from it as if nothing had happened."""

from __future__ import annotations

from pathlib import Path

import requests

from azuresim.kept import requests as sent
from server import Server

QUERY = {"api-version": "2026-04-01", "$expand": "instanceView"}


def test_who_comes_after_a_killed_one_is_found_trusted_and_knows_what_was_changed(tmp_path: Path) -> None:
    with Server("agent_stopped_linux", "--keep", str(tmp_path)) as server:
        session, url = signed_in(server), server.environment["VMBACKUP_ARM_ENDPOINT"] + server.vms[0]
        assert agent(session.get(url, params=QUERY, timeout=30)) == "Not Ready"
        ordered = session.post(f"{url}/restart", params=QUERY, timeout=30).headers["Azure-AsyncOperation"]
        while session.get(ordered, timeout=30).json()["status"] == "InProgress":
            pass
        before, environment = session.get(url, params=QUERY, timeout=30), server.environment
        server.kill()
        with (tmp_path / "requests.jsonl").open("a") as file:
            file.write('["POST", "/cut off')
        server.start()
        assert server.environment == environment
        after = session.get(url, params=QUERY, timeout=30)  # the same token, the same certificate
        assert agent(after) == agent(before) == "Ready"
        methods = [each.method for each in sent(tmp_path)]
        assert (methods[0], methods.count("POST"), methods[-1]) == ("GET", 1, "GET")


def agent(answer: requests.Response) -> str:
    return str(answer.json()["properties"]["instanceView"]["vmAgent"]["statuses"][0]["displayStatus"])


def signed_in(server: Server) -> requests.Session:
    session, named = requests.Session(), server.environment
    session.trust_env = False  # a bundle that the environment names would take precedence
    session.verify = named["REQUESTS_CA_BUNDLE"]
    token = session.get(
        f"{named['IDENTITY_ENDPOINT']}?api-version=2019-08-01&resource=arm",
        headers={"X-IDENTITY-HEADER": named["IDENTITY_HEADER"]},
        timeout=30,
    )
    session.headers["Authorization"] = f"Bearer {token.json()['access_token']}"
    return session
