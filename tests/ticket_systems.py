"""Ticket systems as far as a ticket needs them, on one address, with the refusals and moods of the real ones."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

MB = 1024**2
VARIABLES = ("JIRA_USER", "JIRA_TOKEN", "SERVICENOW_USER", "SERVICENOW_PASSWORD", "GITHUB_TOKEN", "AZURE_DEVOPS_TOKEN")
ADDRESSES = ("JIRA_URL", "SERVICENOW_URL", "GITHUB_API_URL", "AZURE_DEVOPS_URL")


class Systems(ThreadingHTTPServer):
    """What the tickets hold, and how the systems behave. Each name and status is used for the next requests."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, int] = {}
        self.notes: list[str] = []
        self.asked: list[str] = []
        self.uploads = 0
        self.private = True
        self.limit, self.largest, self.longest_note = 10 * MB, 10 * MB, 8192
        self.denied: tuple[str, ...] = ()
        self.upload_statuses: list[int] = []
        self.note_statuses: list[int] = []
        self.headers: dict[str, str] = {}
        self.stores_before_failing = self.loses_files = self.loses_notes = False

    def note(self, text: str, success: int = 200) -> Reply:
        """A text comes in."""
        if self.note_statuses:
            return Reply(self.note_statuses.pop(0), headers=self.headers)
        too_long = len(text.encode()) > self.longest_note
        if too_long and not self.loses_notes:
            return Reply(400, {"error": "too long"})
        self.notes += [] if too_long else [text]
        return Reply(success)

    def file(self, name: str, size: int) -> Reply:
        """A file comes in."""
        self.uploads += 1
        status = self.upload_statuses.pop(0) if self.upload_statuses else 201
        if size > self.largest:
            status = 413
        if self.denied and name.endswith(self.denied):
            status = 400
        if (status == 201 and not self.loses_files) or (status > 499 and self.stores_before_failing):
            self.files[name] = size
        return Reply(status, {"name": name}, self.headers)


@dataclass(frozen=True)
class Reply:
    status: int
    content: object = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    systems: Systems
    path: str
    query: dict[str, str]
    body: bytes
    headers: Any

    @property
    def json(self) -> Any:
        return json.loads(self.body)


# --- Jira ---


def _jira_meta(asked: Asked) -> Reply:
    return Reply(200, {"enabled": True, "uploadLimit": asked.systems.limit})


def _jira_comments(asked: Asked) -> Reply:
    return Reply(200, {"comments": [{"body": note} for note in reversed(asked.systems.notes)]})


def _jira_comment(asked: Asked) -> Reply:
    return asked.systems.note(asked.json["body"], 201)


def _jira_issue(asked: Asked) -> Reply:
    listed = [{"filename": name, "size": size} for name, size in asked.systems.files.items()]
    return Reply(200, {"fields": {"attachment": listed}})


def _jira_attach(asked: Asked) -> Reply:
    if asked.headers["X-Atlassian-Token"] != "no-check":
        return Reply(403, {"error": "XSRF check failed"})
    head, _, rest = asked.body.partition(b"\r\n\r\n")
    [name] = re.findall(rb'name="file"; filename="([^"]+)"', head)
    reply = asked.systems.file(name.decode(), len(rest.rpartition(b"\r\n--")[0]))
    return Reply(reply.status, [reply.content], reply.headers)


# --- ServiceNow ---


def _now_property(asked: Asked) -> Reply:
    return Reply(200, {"result": [{"value": str(asked.systems.limit // MB)}]})


def _now_incident(asked: Asked) -> Reply:
    return Reply(200, {"result": [{"sys_id": "abc"}] if "INC0012345" in asked.query["sysparm_query"] else []})


def _now_notes(asked: Asked) -> Reply:
    return Reply(200, {"result": [{"value": note} for note in asked.systems.notes]})


def _now_note(asked: Asked) -> Reply:
    return asked.systems.note(asked.json["work_notes"])


def _now_files(asked: Asked) -> Reply:
    return Reply(200, {"result": [{"file_name": n, "size_bytes": str(s)} for n, s in asked.systems.files.items()]})


def _now_attach(asked: Asked) -> Reply:
    return asked.systems.file(asked.query["file_name"], len(asked.body))


# --- GitHub ---


def _github_repository(asked: Asked) -> Reply:
    return Reply(200, {"private": asked.systems.private})


def _github_comments(asked: Asked) -> Reply:
    size, page = int(asked.query["per_page"]), int(asked.query["page"])
    return Reply(200, [{"body": note} for note in asked.systems.notes[size * (page - 1) : size * page]])


# --- Azure DevOps ---


def _devops_comments(asked: Asked) -> Reply:
    return Reply(200, {"comments": [{"text": note} for note in reversed(asked.systems.notes)]})


def _devops_comment(asked: Asked) -> Reply:
    return asked.systems.note(asked.json["text"])


def _devops_item(asked: Asked) -> Reply:
    named = [{"name": name, "resourceSize": size} for name, size in asked.systems.files.items()]
    return Reply(200, {"relations": [{"rel": "AttachedFile", "attributes": each} for each in named]})


def _devops_upload(asked: Asked) -> Reply:
    systems, name, size = asked.systems, asked.query["fileName"], len(asked.body)
    if size > systems.largest or (systems.denied and name.endswith(systems.denied)):
        systems.uploads += 1
        return Reply(413 if size > systems.largest else 400, {"message": "not allowed"})
    return Reply(201, {"url": f"http://x/{size}"})


def _devops_relate(asked: Asked) -> Reply:
    [change] = asked.json
    return asked.systems.file(change["value"]["attributes"]["name"], int(change["value"]["url"].rpartition("/")[2]))


_ROUTES: list[tuple[str, Callable[[Asked], Reply]]] = [
    (r"GET /rest/api/2/attachment/meta", _jira_meta),
    (r"GET /rest/api/2/issue/OPS-12/comment", _jira_comments),
    (r"POST /rest/api/2/issue/OPS-12/comment", _jira_comment),
    (r"GET /rest/api/2/issue/OPS-12", _jira_issue),
    (r"POST /rest/api/2/issue/OPS-12/attachments", _jira_attach),
    (r"GET /api/now/table/sys_properties", _now_property),
    (r"GET /api/now/table/incident", _now_incident),
    (r"PATCH /api/now/table/incident/abc", _now_note),
    (r"GET /api/now/table/sys_journal_field", _now_notes),
    (r"GET /api/now/attachment", _now_files),
    (r"POST /api/now/attachment/file", _now_attach),
    (r"GET /repos/x/y", _github_repository),
    (r"GET /repos/x/y/issues/7/comments", _github_comments),
    (r"POST /repos/x/y/issues/7/comments", _jira_comment),
    (r"GET /org/my project/_apis/wit/workItems/12/comments", _devops_comments),
    (r"POST /org/my project/_apis/wit/workItems/12/comments", _devops_comment),
    (r"GET /org/my project/_apis/wit/workitems/12", _devops_item),
    (r"PATCH /org/my project/_apis/wit/workitems/12", _devops_relate),
    (r"POST /org/my project/_apis/wit/attachments", _devops_upload),
]


class _Handler(BaseHTTPRequestHandler):
    server: Systems

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        path, query = unquote(parts.path), {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.server.asked.append(f"{self.command} {path}")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        reply = self._reply(Asked(self.server, path, query, body, self.headers))
        content = json.dumps(reply.content).encode()
        self.send_response(reply.status)
        for name, value in {"Content-Length": str(len(content)), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PATCH = _answer

    def _reply(self, asked: Asked) -> Reply:
        if "Authorization" not in self.headers:
            return Reply(401)
        for route, reply in _ROUTES:
            if route == f"{self.command} {asked.path}":
                return reply(asked)
        return Reply(404, {"message": "Not Found"})


@contextmanager
def running() -> Iterator[tuple[Systems, dict[str, str]]]:
    """The systems, and the environment that leads to them."""
    systems = Systems()
    thread = Thread(target=systems.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    here = dict.fromkeys(ADDRESSES, f"http://127.0.0.1:{systems.server_port}")
    try:
        yield systems, {**here, **dict.fromkeys(VARIABLES, "x"), "NO_PROXY": "*"}
    finally:
        systems.shutdown()
        thread.join()
        systems.server_close()
