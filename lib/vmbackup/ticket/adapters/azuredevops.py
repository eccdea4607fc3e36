"""A work item of Azure DevOps as a ticket."""

from __future__ import annotations

import html
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from vmbackup.model import SetupError
from vmbackup.ticket.adapters.base import Ticket
from vmbackup.ticket.adapters.rest import basic, credential, request


@dataclass(frozen=True, slots=True)
class AzureDevOps(Ticket):
    """A work item of Azure DevOps."""

    url: str
    number: str
    headers: Mapping[str, str]

    def limit(self) -> int | None:
        """It does not say; the service takes 60 MB."""
        return 60 * 1024**2

    def notes(self) -> Sequence[str]:
        """The newest comments, in HTML."""
        comments = request("GET", f"{self._comments}&$top=200&order=desc", self.headers).get("comments", [])
        return [str(each.get("text")) for each in comments]

    def note(self, text: str) -> None:
        """As a comment, which is HTML."""
        request("POST", self._comments, self.headers, json={"text": f"<pre>{html.escape(text)}</pre>"})

    def files(self) -> Mapping[str, int | None]:
        """The files among the item's relations."""
        relations = request("GET", f"{self._item}&$expand=relations", self.headers).get("relations") or []
        attributes = [each["attributes"] for each in relations if each.get("rel") == "AttachedFile"]
        return {each.get("name", ""): each.get("resourceSize") for each in attributes}

    def attach(self, name: str, content: bytes, kind: str) -> None:
        """Two steps: the file, then the relation to it."""
        where = f"{self.url}/_apis/wit/attachments?fileName={quote(name)}&api-version=7.1"
        headers = {**self.headers, "Content-Type": "application/octet-stream"}
        stored = request("POST", where, headers, data=content)
        relation = {"rel": "AttachedFile", "url": stored.get("url"), "attributes": {"name": name}}
        change = [{"op": "add", "path": "/relations/-", "value": relation}]
        headers = {**self.headers, "Content-Type": "application/json-patch+json"}
        request("PATCH", self._item, headers, data=json.dumps(change))

    @property
    def _comments(self) -> str:
        return f"{self.url}/_apis/wit/workItems/{self.number}/comments?api-version=7.1-preview.4"

    @property
    def _item(self) -> str:
        return f"{self.url}/_apis/wit/workitems/{self.number}?api-version=7.1"


def named(item: str) -> AzureDevOps:
    """The work item ``org/project/123``. Raises SetupError for another word or a missing credential."""
    match = re.fullmatch(r"([\w-]+)/([\w .-]*\w)/(\d+)", item)
    if not match:
        raise SetupError("error.no_ticket", value=item, examples="azuredevops:org/project/123")
    url = os.environ.get("AZURE_DEVOPS_URL", "https://dev.azure.com").rstrip("/")
    headers = basic("", credential("AZURE_DEVOPS_TOKEN"))
    return AzureDevOps(f"{url}/{match[1]}/{quote(match[2])}", match[3], headers)
