"""An issue of Jira as a ticket."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from vmbackup.model import SetupError
from vmbackup.ticket.adapters.base import Ticket
from vmbackup.ticket.adapters.rest import basic, bearer, from_environment, request


@dataclass(frozen=True, slots=True)
class Jira(Ticket):
    """An issue of Jira Cloud or Data Center."""

    url: str
    key: str
    headers: Mapping[str, str]

    def limit(self) -> int | None:
        """What ``attachment/meta`` says; no file at all where attachments are off."""
        meta = request("GET", f"{self.url}/rest/api/2/attachment/meta", self.headers)
        return int(meta.get("uploadLimit") or 0) if meta.get("enabled") else 0

    def note(self, text: str) -> None:
        """As a comment."""
        comments = request("GET", f"{self._issue}/comment", self.headers).get("comments", [])
        if text not in [each.get("body") for each in comments]:
            request("POST", f"{self._issue}/comment", self.headers, json={"body": text})

    def files(self) -> Mapping[str, int | None]:
        """The issue's attachments."""
        fields = request("GET", f"{self._issue}?fields=attachment", self.headers).get("fields", {})
        return {each["filename"]: each.get("size") for each in fields.get("attachment", [])}

    def attach(self, name: str, content: bytes, kind: str) -> None:
        """As multipart, in the part ``file``."""
        headers = {**self.headers, "X-Atlassian-Token": "no-check"}
        request("POST", f"{self._issue}/attachments", headers, files={"file": (name, content, kind)})

    @property
    def _issue(self) -> str:
        return f"{self.url}/rest/api/2/issue/{quote(self.key, safe='')}"


def named(key: str) -> Jira:
    """The issue with this key, ``OPS-12``. Raises SetupError for another word or a missing credential."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*-\d+", key):
        raise SetupError("error.no_ticket", value=key, examples="jira:OPS-12")
    user, token = os.environ.get("JIRA_USER"), from_environment("JIRA_TOKEN")
    return Jira(from_environment("JIRA_URL").rstrip("/"), key, basic(user, token) if user else bearer(token))
