"""A caller of the simulator's core: no sockets, the token at hand, operations followed to their end."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from azuresim.answer import Answer
from azuresim.core import handle
from azuresim.loading import load_world, make_world
from azuresim.serve import encoded
from azuresim.state import Azure
from azuresim.world import World

MOST_LOOKS = 1000
BACKUP = {"properties": {"objectType": "IaasVMBackupRequest"}}


class Caller:
    """Calls one simulated Azure. ``subject`` is the VM that its first world is about."""

    def __init__(self, *worlds: World | str | Mapping[str, Any]) -> None:
        loaded = [_world(world) for world in worlds]
        self.azure = Azure(loaded)
        self.world = loaded[0]
        self.subject = self.world.machines[0]
        self.token = self.token_for("arm")

    def token_for(self, audience: str) -> str:
        """A token for this service."""
        return str(self.azure.tokens.issue(audience, self.azure.seed)["access_token"])

    @property
    def vm(self) -> str:
        """The path of the subject VM."""
        return self.world.vm_id(self.subject)

    @property
    def item(self) -> str:
        """The path of the subject's protected item."""
        group, name = self.world.resource_group, self.subject["name"]
        return (
            f"{self.world.vault_id}/backupFabrics/Azure/protectionContainers/iaasvmcontainer;iaasvmcontainerv2;{group};{name}"
            f"/protectedItems/vm;iaasvmcontainerv2;{group};{name}"
        )

    def ask(self, method: str, url: str, body: Any = None, **headers: str) -> Answer:
        """One request; the api-version is added where the URL has a path only."""
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query)) or {"api-version": "2026-04-01"}
        query.setdefault("api-version", "2026-04-01")
        sent = {"Authorization": f"Bearer {self.token}", "Host": "127.0.0.1:1"} | headers
        data = b"" if body is None else json.dumps(body).encode()
        return handle(self.azure, method, parts.path, query, sent, data)

    def get(self, url: str) -> Any:
        """The body of a GET that must succeed."""
        answer = self.ask("GET", url)
        assert answer.status == 200, answer.body
        return answer.body

    def all(self, url: str) -> list[Any]:
        """All pages of a list."""
        page = self.get(url)
        entries = list(page["value"])
        while "nextLink" in page:
            page = self.get(page["nextLink"])
            entries += page["value"]
        return entries

    def do(self, method: str, url: str, body: Any = None) -> dict[str, Any]:
        """A change, followed to its end: what Azure-AsyncOperation says last."""
        answer = self.ask(method, url, body)
        assert answer.status in (200, 201, 202, 204), answer.body
        follow = answer.headers.get("Azure-AsyncOperation")
        status = {"status": "Succeeded"}
        return self._ended(follow, lambda status: status["status"]) if follow else status

    def back_up(self) -> Any:
        """A backup on demand, followed to its end: the job."""
        named = self.do("POST", f"{self.item}/backup", BACKUP)
        if named["status"] == "Failed":
            return named
        path = f"{self.world.vault_id}/backupJobs/{named['properties']['jobId']}"
        return self._ended(path, lambda job: job["properties"]["status"])

    def _ended(self, path: str, status: Callable[[Any], str]) -> Any:
        """What lies there once it is over."""
        looks = (self.get(path) for _ in range(MOST_LOOKS))
        return next(look for look in looks if status(look) != "InProgress")

    def wire(self, method: str, url: str) -> tuple[int, dict[str, str], bytes]:
        """One answer as it would go over the wire."""
        answer = self.ask(method, url)
        return answer.status, answer.headers, encoded(answer)[0]


def _world(given: World | str | Mapping[str, Any]) -> World:
    if isinstance(given, World):
        return given
    return load_world(given) if isinstance(given, str) else make_world("sample", dict(given))
