"""Where a bundle is put: one small interface over a folder and the ticket systems.

Plain REST: jira's client sends every file as octet-stream, pysnc and PyGithub hide the refusals that decide about a
fallback, and Azure DevOps has no living client. Credentials come from the environment alone.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

import requests

from vmbackup import sanitize
from vmbackup.model import RunbookError, SetupError
from vmbackup.runs import storage

_TIMEOUT_S = 60


class Refused(RunbookError):
    """The ticket system does not take this, and would not take it later either: its type, its size, its length."""


class NotNow(RunbookError):
    """It may take it later: signed out, too many requests, an error of its own, no answer."""


class Ticket(Protocol):
    """One ticket. Every method raises Refused or NotNow."""

    def public(self) -> bool:
        """Whether everybody may read it."""
        ...

    def limit(self) -> int | None:
        """The largest file in bytes that it says to take; None where it does not say."""
        ...

    def note(self, text: str) -> None:
        """Add a text, unless the ticket has it already."""
        ...

    def files(self) -> Mapping[str, int | None]:
        """The attached files with their sizes, as far as it tells them."""
        ...

    def attach(self, name: str, content: bytes, kind: str) -> None:
        """Attach a file."""
        ...


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder, or any fsspec URL."""

    place: str

    def public(self) -> bool:
        """No: it has readers of its own."""
        return False

    def limit(self) -> int | None:
        """None: a folder takes what fits."""
        return None

    def note(self, text: str) -> None:
        """As a file."""
        self.attach("incident.txt", text.encode(), "text/plain")

    def files(self) -> Mapping[str, int | None]:
        """The files in a folder on this machine; of a URL none is known beforehand."""
        folder = Path(self.place)
        return {each.name: each.stat().st_size for each in folder.iterdir()} if folder.is_dir() else {}

    def attach(self, name: str, content: bytes, kind: str) -> None:
        """Write the file whole."""
        try:
            home = storage.at(self.place)
            home.write(name, content)
            if home.read(name) != content:
                raise NotNow(f"{self.place}/{name} does not read back as it was written.")
        except (OSError, ImportError, ValueError) as error:
            raise NotNow(f"{self.place}/{name} cannot be written: {error}.") from None


@dataclass(frozen=True, slots=True)
class Jira:
    """An issue of Jira Cloud or Data Center."""

    url: str
    key: str
    headers: Mapping[str, str]

    def public(self) -> bool:
        """No: it has readers of its own."""
        return False

    def limit(self) -> int | None:
        """What ``attachment/meta`` says; no file at all where attachments are off."""
        meta = _json("GET", f"{self.url}/rest/api/2/attachment/meta", self.headers)
        return int(meta.get("uploadLimit") or 0) if meta.get("enabled") else 0

    def note(self, text: str) -> None:
        """As a comment."""
        comments = _json("GET", f"{self._issue}/comment", self.headers).get("comments", [])
        if text not in [each.get("body") for each in comments]:
            _json("POST", f"{self._issue}/comment", self.headers, json={"body": text})

    def files(self) -> Mapping[str, int | None]:
        """The issue's attachments."""
        fields = _json("GET", f"{self._issue}?fields=attachment", self.headers).get("fields", {})
        return {each["filename"]: each.get("size") for each in fields.get("attachment", [])}

    def attach(self, name: str, content: bytes, kind: str) -> None:
        """As multipart, in the part ``file``."""
        headers = {**self.headers, "X-Atlassian-Token": "no-check"}
        _json("POST", f"{self._issue}/attachments", headers, files={"file": (name, content, kind)})

    @property
    def _issue(self) -> str:
        return f"{self.url}/rest/api/2/issue/{quote(self.key, safe='')}"


@dataclass(frozen=True, slots=True)
class ServiceNow:
    """A record of ServiceNow's table ``incident``, by its number."""

    url: str
    number: str
    headers: Mapping[str, str]

    def public(self) -> bool:
        """No: it has readers of its own."""
        return False

    def limit(self) -> int | None:
        """The property ``com.glide.attachment.max_size`` in MB, which not everybody may read."""
        query = "sysparm_query=name=com.glide.attachment.max_size&sysparm_fields=value"
        try:
            found = _json("GET", f"{self.url}/api/now/table/sys_properties?{query}", self.headers).get("result", [])
        except Refused:
            return None
        value = found[0].get("value", "") if found else ""
        return int(value) * 1024**2 if str(value).isdigit() else None

    def note(self, text: str) -> None:
        """As a work note. A note that is too long is rejected or lost without a word: it is read back."""
        if not self._has(text):
            _json("PATCH", f"{self.url}/api/now/table/incident/{self._id()}", self.headers, json={"work_notes": text})
            if not self._has(text):
                raise Refused("the note was answered with success, and is not there")

    def files(self) -> Mapping[str, int | None]:
        """The record's attachments."""
        query = quote(f"table_name=incident^table_sys_id={self._id()}")
        found = _json("GET", f"{self.url}/api/now/attachment?sysparm_query={query}", self.headers).get("result", [])
        return {each["file_name"]: int(each["size_bytes"]) if each.get("size_bytes") else None for each in found}

    def attach(self, name: str, content: bytes, kind: str) -> None:
        """As a raw body, whose type is kept."""
        where = f"table_name=incident&table_sys_id={self._id()}&file_name={quote(name)}"
        headers = {**self.headers, "Content-Type": kind}
        _json("POST", f"{self.url}/api/now/attachment/file?{where}", headers, data=content)

    def _has(self, text: str) -> bool:
        query = quote(f"element_id={self._id()}^element=work_notes")
        found = _json("GET", f"{self.url}/api/now/table/sys_journal_field?sysparm_query={query}", self.headers)
        return text in [each.get("value") for each in found.get("result", [])]

    def _id(self) -> str:
        query = quote(f"number={self.number}")
        url = f"{self.url}/api/now/table/incident?sysparm_query={query}&sysparm_fields=sys_id"
        found = _json("GET", url, self.headers).get("result", [])
        if not found:
            raise Refused(f"there is no incident {self.number}")
        return str(found[0]["sys_id"])


@dataclass(frozen=True, slots=True)
class GitHub:
    """An issue on GitHub. It has no public call for files: it takes the text alone."""

    url: str
    repository: str
    number: str
    headers: Mapping[str, str]

    def public(self) -> bool:
        """Whether the repository is; one that does not say is taken for it."""
        return _json("GET", f"{self.url}/repos/{self.repository}", self.headers).get("private") is not True

    def limit(self) -> int | None:
        """No file at all."""
        return 0

    def note(self, text: str) -> None:
        """As a comment, fenced so that Markdown changes no word of it."""
        fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
        body, url = f"{fence}text\n{text}\n{fence}", f"{self.url}/repos/{self.repository}/issues/{self.number}/comments"
        comments = _json("GET", f"{url}?per_page=100", self.headers).get("list", [])
        if body not in [each.get("body") for each in comments]:
            _json("POST", url, self.headers, json={"body": body})

    def files(self) -> Mapping[str, int | None]:
        """None."""
        return {}

    def attach(self, name: str, content: bytes, kind: str) -> None:
        """Raises Refused."""
        raise Refused("GitHub has no public call for files of an issue")


@dataclass(frozen=True, slots=True)
class AzureDevOps:
    """A work item of Azure DevOps."""

    url: str
    number: str
    headers: Mapping[str, str]

    def public(self) -> bool:
        """No: it has readers of its own."""
        return False

    def limit(self) -> int | None:
        """It does not say; the service takes 60 MB."""
        return 60 * 1024**2

    def note(self, text: str) -> None:
        """As a comment. Comments are HTML, which the server may write otherwise: a sum in it tells it again."""
        mark = f"vmbackup {hashlib.sha256(text.encode()).hexdigest()[:12]}"
        url = f"{self.url}/_apis/wit/workItems/{self.number}/comments?api-version=7.1-preview.4"
        comments = _json("GET", url, self.headers).get("comments", [])
        if not any(mark in each.get("text", "") for each in comments):
            body = f"<pre>{html.escape(text)}</pre><p>{mark}</p>"
            _json("POST", url, self.headers, json={"text": body})

    def files(self) -> Mapping[str, int | None]:
        """The files among the item's relations."""
        found = _json("GET", f"{self._item}&$expand=relations", self.headers).get("relations") or []
        attributes = [each["attributes"] for each in found if each.get("rel") == "AttachedFile"]
        return {each.get("name", ""): each.get("resourceSize") for each in attributes}

    def attach(self, name: str, content: bytes, kind: str) -> None:
        """Two steps: the file, then the relation to it."""
        where = f"{self.url}/_apis/wit/attachments?fileName={quote(name)}&api-version=7.1"
        headers = {**self.headers, "Content-Type": "application/octet-stream"}
        stored = _json("POST", where, headers, data=content)
        relation = {"rel": "AttachedFile", "url": stored.get("url"), "attributes": {"name": name}}
        change = [{"op": "add", "path": "/relations/-", "value": relation}]
        headers = {**self.headers, "Content-Type": "application/json-patch+json"}
        _json("PATCH", self._item, headers, data=json.dumps(change))

    @property
    def _item(self) -> str:
        return f"{self.url}/_apis/wit/workitems/{self.number}?api-version=7.1"


def ticket(named: str) -> Ticket:
    """The ticket that ``--to`` names. Raises SetupError for another word or a missing credential."""
    system, _, which = named.partition(":")
    if system not in _SYSTEMS or not which:
        raise SetupError("error.no_ticket", value=named, examples=_LOOKS)
    return _SYSTEMS[system](which)


def _jira(key: str) -> Ticket:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*-\d+", key):
        raise SetupError("error.no_ticket", value=key, examples="jira:OPS-12")
    user, token = os.environ.get("JIRA_USER"), _needed("JIRA_TOKEN")
    return Jira(_needed("JIRA_URL").rstrip("/"), key, _basic(user, token) if user else _bearer(token))


def _servicenow(number: str) -> Ticket:
    if not re.fullmatch(r"[A-Za-z]+\d+", number):
        raise SetupError("error.no_ticket", value=number, examples="servicenow:INC0012345")
    headers = _basic(_needed("SERVICENOW_USER"), _needed("SERVICENOW_PASSWORD"))
    return ServiceNow(_needed("SERVICENOW_URL").rstrip("/"), number, {**headers, "Accept": "application/json"})


def _github(issue: str) -> Ticket:
    found = re.fullmatch(r"([A-Za-z0-9][\w-]*/[A-Za-z0-9_][\w.-]*)#(\d+)", issue)
    if not found:
        raise SetupError("error.no_ticket", value=issue, examples="github:owner/repo#7")
    url = os.environ.get("GITHUB_API_URL", "https://api.github.com").rstrip("/")
    return GitHub(url, found[1], found[2], _bearer(_needed("GITHUB_TOKEN")))


def _azuredevops(item: str) -> Ticket:
    found = re.fullmatch(r"([\w-]+)/([\w .-]*\w)/(\d+)", item)
    if not found:
        raise SetupError("error.no_ticket", value=item, examples="azuredevops:org/project/123")
    url = os.environ.get("AZURE_DEVOPS_URL", "https://dev.azure.com").rstrip("/")
    return AzureDevOps(f"{url}/{found[1]}/{quote(found[2])}", found[3], _basic("", _needed("AZURE_DEVOPS_TOKEN")))


_SYSTEMS: Mapping[str, Callable[[str], Ticket]] = {
    "folder": Folder,
    "jira": _jira,
    "servicenow": _servicenow,
    "github": _github,
    "azuredevops": _azuredevops,
}
_LOOKS = ("folder:PATH", "jira:OPS-12", "servicenow:INC0012345", "github:owner/repo#7", "azuredevops:org/project/123")


def _needed(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise SetupError("error.no_credential", name=name)
    return value


def _basic(user: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()}


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def _json(method: str, url: str, headers: Mapping[str, str], **body: Any) -> dict[str, Any]:
    """One request. Success is 2xx with an object; a redirect is none: it could carry the credential elsewhere."""
    try:
        answer = requests.request(method, url, headers=dict(headers), timeout=_TIMEOUT_S, allow_redirects=False, **body)
    except requests.RequestException as error:
        raise NotNow(f"no answer ({type(error).__name__})") from None
    said = sanitize.text(answer.text)[:200]
    if answer.status_code in (401, 408, 429) or answer.status_code >= 500 or answer.is_redirect:
        raise NotNow(f"{answer.status_code}: {said}")
    if not answer.ok:
        raise Refused(f"{answer.status_code}: {said}")
    try:
        content = answer.json() if answer.content else {}
    except ValueError:
        raise NotNow(f"an answer that is no JSON: {said}") from None
    return content if isinstance(content, dict) else {"list": content}
