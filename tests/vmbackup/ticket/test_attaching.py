"""Ticket systems refuse, break down and lose things: what is said to be on the ticket is there, and only once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from saying import refused
from vmbackup.ticket import attaching
from vmbackup.ticket.bundle import NOTE, PDF, SHORT_NOTE

MB = 1024**2


class Server(ThreadingHTTPServer):
    """Jira and ServiceNow as far as a ticket needs them, with the moods of real ones."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, int] = {}
        self.notes: list[str] = []
        self.asked: list[str] = []
        self.uploads = 0
        self.private = True
        self.limit, self.longest_note = 10 * MB, 8192
        self.denied: tuple[str, ...] = ()
        self.statuses: list[int] = []  # the next uploads end with these
        self.stores_before_failing = self.loses_files = self.loses_notes = False


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: object) -> None:
        pass

    def _say(self, status: int, content: object = None) -> None:
        body = json.dumps({} if content is None else content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        path, server = unquote(self.path), self.server
        server.asked.append(f"GET {urlsplit(path).path}")
        if "Authorization" not in self.headers:
            self._say(401)
        elif "/comments?api-version" in path:
            self._say(200, {"comments": [{"text": note} for note in server.notes]})
        elif "$expand=relations" in path:
            named = [{"name": name, "resourceSize": size} for name, size in server.files.items()]
            self._say(200, {"relations": [{"rel": "AttachedFile", "attributes": each} for each in named]})
        elif "attachment/meta" in path:
            self._say(200, {"enabled": True, "uploadLimit": server.limit})
        elif "sys_properties" in path:
            self._say(200, {"result": [{"value": str(server.limit // MB)}]})
        elif path.startswith("/repos/x/y/issues"):
            self._say(200, [{"body": note} for note in server.notes])
        elif path == "/repos/x/y":
            self._say(200, {"private": server.private})
        elif path.endswith("/comment"):
            self._say(200, {"comments": [{"body": note} for note in server.notes]})
        elif "sys_journal_field" in path:
            self._say(200, {"result": [{"value": note} for note in server.notes]})
        elif "fields=attachment" in path:
            listed = [{"filename": name, "size": size} for name, size in server.files.items()]
            self._say(200, {"fields": {"attachment": listed}})
        elif "/api/now/attachment" in path:
            self._say(200, {"result": [{"file_name": n, "size_bytes": str(s)} for n, s in server.files.items()]})
        else:
            self._say(200, {"result": [{"sys_id": "abc"}]})

    def do_PATCH(self) -> None:
        if "workitems" in self.path:
            [change] = json.loads(self._body())
            name, stored = change["value"]["attributes"]["name"], change["value"]["url"]
            self.server.files[name] = int(stored.rpartition("/")[2])
            self._say(200)
            return
        self._note(str(json.loads(self._body())["work_notes"]), 200)

    def do_POST(self) -> None:
        self.server.asked.append(f"POST {urlsplit(self.path).path}")
        body = self._body()
        if self.path.endswith(("/comment", "/comments")):
            self._note(str(json.loads(body)["body"]), 201)
        elif "/comments?api-version" in self.path:
            self._note(str(json.loads(body)["text"]), 200)
        elif "/wit/attachments" in self.path:
            self._say(201, {"url": f"http://x/{len(body)}"})
        elif self.path.endswith("/attachments"):
            assert self.headers["X-Atlassian-Token"] == "no-check"
            head, _, rest = body.partition(b"\r\n\r\n")
            [name] = re.findall(rb'name="file"; filename="([^"]+)"', head)
            self._file(name.decode(), len(rest.rpartition(b"\r\n--")[0]))
        else:
            self._file(parse_qs(urlsplit(self.path).query)["file_name"][0], len(body))

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def _note(self, text: str, status: int) -> None:
        too_long = len(text.encode()) > self.server.longest_note
        if too_long and not self.server.loses_notes:
            self._say(400, {"error": "too long"})
            return
        self.server.notes += [] if too_long else [text]
        self._say(status)

    def _file(self, name: str, size: int) -> None:
        server = self.server
        server.uploads += 1
        status = server.statuses.pop(0) if server.statuses else 201
        if name.endswith(server.denied or ("\0",)):
            status = 400
        if status == 201 and not server.loses_files or server.stores_before_failing:
            server.files[name] = size
        self._say(status, {"name": name})


@pytest.fixture(params=["jira:OPS-12", "servicenow:INC0012345"])
def to(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    server = Server()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    for system in ("JIRA", "SERVICENOW"):
        monkeypatch.setenv(f"{system}_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv(f"{system}_USER", "operator")
    monkeypatch.setenv("JIRA_TOKEN", "x")
    monkeypatch.setenv("GITHUB_TOKEN", "x")
    monkeypatch.setenv("AZURE_DEVOPS_TOKEN", "x")
    monkeypatch.setenv("AZURE_DEVOPS_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("GITHUB_API_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("SERVICENOW_PASSWORD", "x")
    monkeypatch.setenv("NO_PROXY", "*")
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def place(tmp_path: Path) -> str:
    (tmp_path / "ticket").mkdir()
    (tmp_path / "ticket.zip").write_bytes(b"PK" + b"z" * 3000)
    for name, size in ((NOTE, 2000), (SHORT_NOTE, 500), (PDF, 2500)):
        (tmp_path / "ticket" / name).write_bytes(b"n" * size)
    return str(tmp_path)


def waits(place: str) -> list[str]:
    return list(json.loads((Path(place) / attaching.OUTBOX).read_text("utf-8")))


def test_the_limit_is_asked_first_then_the_text_then_the_file_and_nothing_twice(
    to: str, server: Server, place: str
) -> None:
    first = attaching.attach(place, to)
    assert (first.refused, first.waits, waits(place)) == ((), "", [])
    [name] = server.files
    assert re.fullmatch(r"vmbackup-ticket-[0-9a-f]{12}\.zip", name)
    assert first.done == (NOTE, name)
    assert re.search("meta|sys_properties", server.asked[0])
    assert attaching.attach(place, to).done == first.done
    assert (server.uploads, len(server.notes), len(server.files)) == (1, 1, 1)


def test_a_type_that_is_refused_falls_back_to_the_next(to: str, server: Server, place: str) -> None:
    server.denied = (".zip",)
    assert attaching.attach(place, to).done[1].endswith(".pdf")
    server.denied, server.files = (".zip", ".pdf"), {}
    assert attaching.attach(place, to).done[1].endswith(".txt")
    server.denied, server.files = (".zip", ".pdf", ".txt"), {}
    ended = attaching.attach(place, to)
    assert (ended.done, len(ended.refused), ended.waits) == ((NOTE,), 3, "")


def test_what_is_over_the_limit_is_not_sent(server: Server, place: str) -> None:
    server.limit = 2600
    ended = attaching.attach(place, "jira:OPS-12")
    assert ended.done[1].endswith(".pdf")
    assert ended.refused == (("ticket.zip", "3002 bytes; the ticket system takes 2600"),)
    assert server.uploads == 1


@pytest.mark.parametrize("status", [401, 429, 500, 503])
def test_what_may_be_taken_later_waits_in_the_outbox(status: int, to: str, server: Server, place: str) -> None:
    server.statuses = [status]
    assert str(status) in attaching.attach(place, to).waits
    assert waits(place) == [to]
    assert attaching.retry(place)[to].waits == ""
    assert (waits(place), len(server.notes), len(server.files)) == ([], 1, 1)


def test_an_error_after_the_file_was_stored_does_not_store_it_twice(to: str, server: Server, place: str) -> None:
    server.statuses, server.stores_before_failing = [502], True
    assert attaching.attach(place, to).waits
    assert attaching.retry(place)[to].waits == ""
    assert (server.uploads, len(server.files)) == (1, 1)


def test_a_file_that_was_lost_silently_is_noticed(to: str, server: Server, place: str) -> None:
    server.loses_files = True
    assert "is not there" in attaching.attach(place, to).waits
    assert waits(place) == [to]


@pytest.mark.parametrize("silently", [False, True])
def test_a_note_that_is_rejected_or_lost_is_followed_by_the_short_one(
    silently: bool, server: Server, place: str
) -> None:
    server.longest_note, server.loses_notes = 1000, silently
    assert attaching.attach(place, "servicenow:INC0012345").done[0] == SHORT_NOTE
    assert server.notes == ["n" * 500]


def test_a_system_that_does_not_answer_keeps_it_for_later(
    to: str, place: str, monkeypatch: pytest.MonkeyPatch, server: Server
) -> None:
    for system in ("JIRA", "SERVICENOW"):
        monkeypatch.setenv(f"{system}_URL", "http://127.0.0.1:9")
    assert "no answer" in attaching.attach(place, to).waits
    assert waits(place) == [to]


def test_a_folder_takes_it_as_any_ticket_does(place: str, tmp_path: Path) -> None:
    ended = attaching.attach(place, f"folder:{tmp_path / 'there'}")
    assert {each.name for each in (tmp_path / "there").iterdir()} == {"incident.txt", ended.done[1]}


def test_a_run_without_a_bundle_is_refused(tmp_path: Path) -> None:
    with refused("vmbackup bundle"):
        attaching.attach(str(tmp_path), "folder:x")


def test_github_takes_the_text_alone_and_no_markdown_in_it(server: Server, place: str) -> None:
    (Path(place) / "ticket" / NOTE).write_text("Azure says ```` **bold** @somebody", "utf-8")
    for _ in range(2):
        ended = attaching.attach(place, "github:x/y#7")
        assert (ended.done, ended.waits, len(ended.refused)) == ((NOTE,), "", 3)
    assert server.notes == ["`````text\nAzure says ```` **bold** @somebody\n`````"]


def test_real_names_do_not_go_where_everybody_reads_them_without_a_word(server: Server, place: str) -> None:
    server.private = False
    with refused("--in-public"):
        attaching.attach(place, "github:x/y#7")
    assert (server.notes, waits(place)) == ([], [])
    assert attaching.attach(place, "github:x/y#7", in_public=True).done == (NOTE,)
    (Path(place) / "ticket" / "manifest.json").write_text('{"level": "standard"}', "utf-8")
    server.notes = []
    assert attaching.attach(place, "github:x/y#7").done == (NOTE,)


def test_a_work_item_gets_the_file_in_two_steps_and_nothing_twice(server: Server, place: str) -> None:
    (Path(place) / "ticket" / NOTE).write_text("<b>Azure</b> says", "utf-8")
    for _ in range(2):
        ended = attaching.attach(place, "azuredevops:org/my project/12")
        assert (ended.waits, ended.refused, len(ended.done)) == ("", (), 2)
    assert (len(server.notes), list(server.files.values())) == (1, [3002])
    assert server.notes[0].startswith("<pre>&lt;b&gt;Azure&lt;/b&gt; says</pre>")
