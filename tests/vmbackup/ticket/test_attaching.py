"""Ticket systems refuse, break down and lose things: what is said to be on the ticket is there, and only once."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import null
from typer.testing import CliRunner

from saying import refused, sentence
from ticket_systems import ADDRESSES, VARIABLES, Systems, running
from vmbackup.cli.ticket import app
from vmbackup.model import SetupError
from vmbackup.ticket import attaching
from vmbackup.ticket.adapters.registry import ticket
from vmbackup.ticket.bundle import NOTE, PDF, SHORT_NOTE

GITHUB = "github:x/y#7"
TAKE_FILES = ("jira:OPS-12", "servicenow:INC0012345", "azuredevops:org/my project/12")


@pytest.fixture(params=TAKE_FILES)
def to(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[*TAKE_FILES, GITHUB])
def anywhere(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def _no_keyring() -> Iterator[None]:
    """What the operating system of whoever runs the tests keeps is no part of them."""
    before = keyring.get_keyring()
    keyring.set_keyring(null.Keyring())
    yield
    keyring.set_keyring(before)


@pytest.fixture
def systems(monkeypatch: pytest.MonkeyPatch) -> Iterator[Systems]:
    with running() as (systems, environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield systems


@pytest.fixture
def place(tmp_path: Path) -> str:
    (tmp_path / "ticket").mkdir()
    (tmp_path / "ticket.zip").write_bytes(b"PK" + b"z" * 3000)
    for name, size in ((NOTE, 2000), (SHORT_NOTE, 500), (PDF, 2500)):
        (tmp_path / "ticket" / name).write_bytes(b"n" * size)
    return str(tmp_path)


def outbox(place: str) -> list[str]:
    return list(json.loads((Path(place) / attaching.OUTBOX).read_text("utf-8")))


def said(ended: attaching.Attached) -> list[str]:
    """What was refused, as the operator reads it; each in two languages."""
    return [f"{name}: {sentence(error)}" for name, error in ended.refused]


def test_the_limit_is_asked_first_then_the_text_then_the_file_and_nothing_twice(
    to: str, systems: Systems, place: str
) -> None:
    first = attaching.attach(place, to)
    assert (first.refused, first.waits, outbox(place)) == ([], None, [])
    [name] = systems.files
    assert re.fullmatch(r"vmbackup-ticket-[0-9a-f]{12}\.zip", name)
    assert first.done == [NOTE, name]
    assert re.search("meta|sys_properties|/comments", systems.asked[0])
    assert attaching.attach(place, to).done == first.done
    assert (systems.uploads, len(systems.notes), list(systems.files.values())) == (1, 1, [3002])


def test_a_type_that_is_refused_falls_back_to_the_next(to: str, systems: Systems, place: str) -> None:
    systems.denied = (".zip",)
    assert attaching.attach(place, to).done[1].endswith(".pdf")
    systems.denied, systems.files = (".zip", ".pdf"), {}
    assert attaching.attach(place, to).done[1].endswith(".txt")
    systems.denied, systems.files = (".zip", ".pdf", ".txt"), {}
    ended = attaching.attach(place, to)
    assert (ended.done, len(ended.refused), ended.waits) == ([NOTE], 3, None)
    assert "answered 400" in said(ended)[0]


def test_what_is_over_the_limit_is_not_sent(systems: Systems, place: str) -> None:
    systems.limit = 2600
    ended = attaching.attach(place, "jira:OPS-12")
    assert ended.done[1].endswith(".pdf")
    assert said(ended) == ["ticket.zip: 3002 bytes; the ticket system accepts 2600"]
    assert systems.uploads == 1


def test_what_turns_out_to_be_too_large_falls_back(to: str, systems: Systems, place: str) -> None:
    systems.largest = 2600
    ended = attaching.attach(place, to)
    assert ended.done[1].endswith(".pdf")
    assert "answered 413" in said(ended)[0]


@pytest.mark.parametrize("status", [401, 429, 500, 503])
def test_a_file_that_may_be_taken_later_waits_in_the_outbox(status: int, to: str, systems: Systems, place: str) -> None:
    systems.upload_statuses = [status]
    assert str(status) in sentence(attaching.attach(place, to).waits)
    assert outbox(place) == [to]
    assert attaching.retry(place)[to].waits is None
    assert (outbox(place), len(systems.notes), len(systems.files)) == ([], 1, 1)


@pytest.mark.parametrize("status", [401, 429, 500, 503])
def test_a_text_that_may_be_taken_later_waits_too(status: int, anywhere: str, systems: Systems, place: str) -> None:
    systems.note_statuses = [status]
    ended = attaching.attach(place, anywhere)
    assert (ended.done, ended.refused) == ([], [])
    assert str(status) in sentence(ended.waits)
    assert attaching.retry(place)[anywhere].done[0] == NOTE
    assert (outbox(place), len(systems.notes)) == ([], 1)


def test_too_many_requests_to_github_are_a_403_of_their_own_kind(systems: Systems, place: str) -> None:
    systems.note_statuses, systems.headers = [403], {"X-RateLimit-Remaining": "0"}
    assert "403" in sentence(attaching.attach(place, GITHUB).waits)
    systems.note_statuses, systems.headers = [403, 403], {}
    assert [name for name, _ in attaching.attach(place, GITHUB).refused] == [NOTE, SHORT_NOTE, "ticket.zip"]


def test_an_error_after_the_file_was_stored_does_not_store_it_twice(to: str, systems: Systems, place: str) -> None:
    systems.upload_statuses, systems.stores_before_failing = [502], True
    assert attaching.attach(place, to).waits
    assert attaching.retry(place)[to].waits is None
    assert (systems.uploads, len(systems.files)) == (1, 1)


def test_a_file_that_was_lost_silently_is_noticed(to: str, systems: Systems, place: str) -> None:
    systems.loses_files = True
    assert "is not there" in sentence(attaching.attach(place, to).waits)
    assert outbox(place) == [to]


@pytest.mark.parametrize("silently", [False, True])
def test_a_note_that_is_rejected_or_lost_is_followed_by_the_short_one(
    silently: bool, anywhere: str, systems: Systems, place: str
) -> None:
    systems.longest_note, systems.loses_notes = 1000, silently
    assert attaching.attach(place, anywhere).done[0] == SHORT_NOTE
    [note] = systems.notes
    assert "n" * 500 in note
    assert "n" * 501 not in note


def test_a_comment_among_hundreds_is_found_again(anywhere: str, systems: Systems, place: str) -> None:
    attaching.attach(place, anywhere)
    systems.notes = [*map(str, range(150)), *systems.notes]
    attaching.attach(place, anywhere)
    assert len(systems.notes) == 151


def test_a_system_that_does_not_answer_keeps_it_for_later_and_keeps_no_other_waiting(
    systems: Systems, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ADDRESSES:
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for to in (*TAKE_FILES, GITHUB):
        assert "no answer" in sentence(attaching.attach(place, to, in_public=True).waits)
    assert outbox(place) == sorted([*TAKE_FILES, GITHUB])
    for name in ADDRESSES:
        monkeypatch.setenv(name, f"http://127.0.0.1:{systems.server_port}")
    monkeypatch.delenv("AZURE_DEVOPS_TOKEN")
    ended = attaching.retry(place)
    assert [to for to in ended if ended[to].waits] == ["azuredevops:org/my project/12"]
    assert "keyring set vmbackup AZURE_DEVOPS_TOKEN" in sentence(ended["azuredevops:org/my project/12"].waits)


@pytest.mark.parametrize(
    "named", ["jira:OPS-99", "servicenow:INC9999999", "github:x/none#1", "azuredevops:org/my project/99"]
)
def test_a_ticket_that_is_not_there_is_said_and_not_tried_for_ever(named: str, systems: Systems, place: str) -> None:
    ended = attaching.attach(place, named)
    assert (ended.done, outbox(place)) == ([], [])
    assert re.search("404|no incident", said(ended)[0])


def test_a_folder_takes_it_as_any_ticket_does(place: str, tmp_path: Path) -> None:
    there = f"folder:{tmp_path / 'there'}"
    ended = attaching.attach(place, there)
    assert {each.name for each in (tmp_path / "there").iterdir()} == {"incident.txt", ended.done[1]}
    assert attaching.attach(place, there).done == ended.done


@pytest.mark.parametrize("named", ["jira:../x", "jira:", "servicenow:a/b", "mail:x", "", "jira:OPS-12"])
def test_what_names_no_ticket_or_lacks_a_credential_is_refused(named: str) -> None:
    with pytest.raises(SetupError):
        ticket(named)


class Memory(KeyringBackend):
    """The keyring of an operating system."""

    priority = 1  # type: ignore[assignment]

    def get_password(self, service: str, username: str) -> str | None:
        return f"kept {username}" if service == "vmbackup" else None

    def set_password(self, service: str, username: str, password: str) -> None:
        raise PermissionError


def test_a_credential_comes_from_the_environment_or_else_from_the_keyring(
    systems: Systems, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyring.set_keyring(Memory())
    assert ticket(GITHUB).headers == {"Authorization": "Bearer x"}  # type: ignore[attr-defined]
    for name in VARIABLES:
        monkeypatch.delenv(name)
    assert ticket(GITHUB).headers == {"Authorization": "Bearer kept GITHUB_TOKEN"}  # type: ignore[attr-defined]
    assert all(not attaching.attach(place, to).waits for to in TAKE_FILES)


def test_a_run_without_a_bundle_is_refused(tmp_path: Path) -> None:
    with refused("vmbackup bundle"):
        attaching.attach(str(tmp_path), "folder:x")


def test_github_takes_the_text_alone(systems: Systems, place: str) -> None:
    for _ in range(2):
        ended = attaching.attach(place, GITHUB)
        assert (ended.done, ended.waits) == ([NOTE], None)
        assert said(ended) == ["ticket.zip: the ticket system accepts no files"]
    assert len(systems.notes) == 1


def test_no_markup_of_a_ticket_system_is_in_a_text(anywhere: str, systems: Systems, place: str) -> None:
    hostile = "Azure says ```` **bold** @somebody <b>x</b> {noformat}{color:red} [code]<img src=x>[/code]"
    (Path(place) / "ticket" / NOTE).write_text(hostile, "utf-8")
    attaching.attach(place, anywhere)
    [note] = systems.notes
    system = anywhere.partition(":")[0]
    if system == "github":
        assert note.startswith("`````text\nAzure")
        assert note.endswith("\n`````")
    if system == "jira":
        assert note.startswith("{noformat}\nAzure")
        assert note.count("{noformat}") == 2
    if system == "servicenow":
        assert "code]<" not in note.replace("[ code]", "")
    if system == "azuredevops":
        assert "&lt;b&gt;x" in note
        assert "<img" not in note


def test_real_names_do_not_go_where_everybody_reads_them_without_a_word(systems: Systems, place: str) -> None:
    systems.private = False
    with refused("--in-public"):
        attaching.attach(place, GITHUB)
    assert (systems.notes, outbox(place)) == ([], [])
    assert attaching.attach(place, GITHUB, in_public=True).done == [NOTE]
    (Path(place) / "ticket" / "manifest.json").write_text('{"level": "standard"}', "utf-8")
    systems.notes = []
    assert attaching.attach(place, GITHUB).done == [NOTE]


def test_what_was_to_be_public_waits_until_that_is_said_again(systems: Systems, place: str) -> None:
    systems.private, systems.note_statuses = False, [503]
    assert attaching.attach(place, GITHUB, in_public=True).waits
    assert "--in-public" in sentence(attaching.retry(place)[GITHUB].waits)
    assert outbox(place) == [GITHUB]
    assert attaching.retry(place, in_public=True)[GITHUB].done == [NOTE]


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "the ticket system answered 400"), ("de", "das Ticketsystem antwortete 503")],
)
def test_the_command_says_what_is_there_what_is_not_and_what_waits(
    language: str, words: str, systems: Systems, place: str
) -> None:
    systems.denied, systems.upload_statuses = (".zip",), [201, 503]
    ran = CliRunner().invoke(app, ["attach", place, "--to", "jira:OPS-12", "--language", language])
    assert ran.exit_code == 3
    assert words in ran.output
    assert NOTE in ran.output
    assert "--retry" in ran.output
    assert CliRunner().invoke(app, ["attach", place, "--retry", "--language", language]).exit_code == 1
