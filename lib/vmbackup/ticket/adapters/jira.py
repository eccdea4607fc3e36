"""An issue of Jira as a ticket."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from vmbackup.model import SetupError
from vmbackup.ticket.adapters.base import Ticket
from vmbackup.ticket.adapters.rest import address, basic, bearer, credential, request


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

    def notes(self) -> Sequence[str]:
        """The newest comments."""
        url = f"{self._issue}/comment?orderBy=-created&maxResults=100"
        return [str(each.get("body")) for each in request("GET", url, self.headers).get("comments", [])]

    def note(self, text: str) -> None:
        """As a comment, in a block that shows no markup; nothing in the text ends it."""
        literal = re.sub(r"(?i)\{(?=noformat)", "{ ", text)
        body = f"{{noformat}}\n{literal}\n{{noformat}}"
        request("POST", f"{self._issue}/comment", self.headers, json={"body": body})

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
    user, token = os.environ.get("JIRA_USER"), credential("JIRA_TOKEN")
    return Jira(address("JIRA_URL"), key, basic(user, token) if user else bearer(token))
