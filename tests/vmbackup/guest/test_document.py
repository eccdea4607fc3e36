"""What the guest script printed is read back exactly, whatever happened to it, or refused with the reason."""

import base64
import gzip
import json
import random
import string
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saying import refused, sentence
from vmbackup.facts.guest import GUEST_FACTS
from vmbackup.guest.document import (
    GuestOutputError,
    belongs_to,
    decode,
    posix_cksum,
    require_belongs_to,
    shapes,
)
from vmbackup.model import RunbookError

VM_ID = "6c9a4b1e-2f7d-4d5a-9c3e-1b2a3c4d5e6f"
FACTS = {
    "clock": {"skew_s": 0.4, "synchronized": True},
    "network": {
        "wireserver_80": "ok",
        "wireserver_32526": "timeout",
        "proxies": [{"where": "WinHTTP", "value": "p:8080"}],
    },
    "disk": {"filesystems": [{"mount": "C:", "size_mb": 129000, "free_mb": 88000}]},
    "services": {"RdAgent": {"exists": True, "state": "Running", "start": "Automatic", "path_ok": True}},
}


def document(**changed: object) -> dict[str, object]:
    about = {"v": 1, "os": "windows", "vm_id": VM_ID, "host": "sql-01", "at": "2026-11-23T03:00:00Z", "root": True}
    return {**about, "took_ms": 2140, "errors": [], "cut": [], "facts": FACTS, **changed}


def printed(content: object, width: int = 76, plain: bool = False) -> str:
    """The last lines of the script's output."""
    packed = content if isinstance(content, bytes) else json.dumps(content).encode()
    text = base64.b64encode(packed if plain else gzip.compress(packed, mtime=0)).decode()
    kind, tail = (" PLAIN", f" {posix_cksum(packed)}") if plain else ("", "")
    lines = [text[at : at + width] for at in range(0, len(text), width)]
    return "\n".join(
        [
            f"-----BEGIN VMBACKUP GUEST 1{kind}-----",
            *lines,
            f"-----END VMBACKUP GUEST 1{kind} {len(text)}{tail}-----",
            "",
        ]
    )


OUTPUT = printed(document())
PLAIN = printed(document(), plain=True)
EXPECTED = decode(OUTPUT)


def with_lines_between(text: str, *noise: str) -> str:
    lines = text.splitlines()
    for at, words in enumerate(noise, start=2):
        lines.insert(2 * at - 2, words)
    return "\n".join(lines)


def test_every_section_becomes_a_fact_in_its_exact_shape() -> None:
    assert (EXPECTED.os, EXPECTED.vm_id, EXPECTED.host, EXPECTED.root) == ("windows", VM_ID, "sql-01", True)
    assert EXPECTED.facts["clock"] == {"skew_s": 0.4, "synchronized": True}
    assert EXPECTED.facts["network"]["imds"] is None, "what the script did not say is None"
    assert EXPECTED.facts["disk"]["filesystems"][0]["free_inodes_pct"] is None
    assert EXPECTED.unreadable == {}


def test_text_without_gzip_carries_its_own_checksum() -> None:
    assert decode(PLAIN) == EXPECTED


@pytest.mark.parametrize(("data", "number"), [(b"", 4294967295), (b"123456789", 930766865), (b"a" * 300, 1664553091)])
def test_cksum_is_that_of_posix(data: bytes, number: int) -> None:
    assert posix_cksum(data) == number


AZ = json.dumps({"value": [{"code": "ComponentStatus/StdOut/succeeded", "time": None, "message": OUTPUT}]}, indent=2)
LINUX = "Enable succeeded: \n[stdout]\n" + OUTPUT + "\n[stderr]\nsh: 1: mktemp: not found\n"
HTML_PAGE = "<!DOCTYPE html><html><head><title>Run Command</title></head><body>{}</body></html>"
LINES_PRINTED = OUTPUT.splitlines()
PASTES = {
    "as printed": OUTPUT,
    "behind other output": "Welcome to Ubuntu\nroot@sql-01:~# sh collect.sh\nwarning: slow\n"
    + OUTPUT
    + "root@sql-01:~# ",
    "PowerShell prompts": "PS C:\\new\\run> .\\collect.ps1\n" + OUTPUT + "PS C:\\new\\run> exit",
    "prompt and marker in one line": "root@sql-01:~# " + OUTPUT.rstrip() + "root@sql-01:~# ",
    "CRLF": OUTPUT.replace("\n", "\r\n"),
    "CR alone": OUTPUT.replace("\n", "\r"),
    "line ends become spaces": OUTPUT.replace("\n", " "),
    "no line ends at all": OUTPUT.replace("\n", ""),
    "wrapped at 20": "\n".join(OUTPUT.replace("\n", "")[at : at + 20] for at in range(0, len(OUTPUT), 20)),
    "quoted mail": "\n".join("> " + line for line in OUTPUT.splitlines()),
    "twice quoted": "\n".join(">> | " + line for line in OUTPUT.splitlines()),
    "indented": "\n".join("    " + line + "   " for line in OUTPUT.splitlines()),
    "no-break spaces": OUTPUT.replace(" ", "\u00a0"),
    "long dashes": OUTPUT.replace("-----", "\u2014\u2014\u2013"),
    "zero-width spaces": OUTPUT.replace("A", "A\u200b"),
    "UTF-8 with BOM": "\ufeff".encode() + OUTPUT.encode(),
    "UTF-16 LE with BOM": OUTPUT.encode("utf-16"),
    "UTF-16 BE with BOM": b"\xfe\xff" + OUTPUT.encode("utf-16-be"),
    "UTF-16 LE without BOM": OUTPUT.encode("utf-16-le"),
    "UTF-16 read as bytes": "\0".join(OUTPUT) + "\0",
    "colours": "\x1b[0m" + OUTPUT.replace("-----B", "\x1b[1;32m-----B").replace("\n", "\x1b[K\n"),
    "window title": "\x1b]0;root@sql-01: ~\x07" + OUTPUT,
    "kernel messages between": with_lines_between(
        OUTPUT, "[  123.456789] hv_netvsc eth0: VF slot 1 added", "[12345.000001] audit: type=1400 apparmor=DENIED"
    ),
    "kernel message within a line": OUTPUT[:100] + "[  123.456789] EXT4-fs (sda1): re-mounted\n" + OUTPUT[100:],
    "syslog between": with_lines_between(
        OUTPUT,
        "Nov 23 03:00:01 sql-01 CRON[812]: (root) CMD (test)",
        "2026-11-23T03:00:02.000000+00:00 sql-01 systemd[1]: Started session.",
        "[  OK  ] Started Session 5 of user root.",
    ),
    "Run Command, Windows": AZ,
    "Run Command, Windows, in one line": json.dumps(json.loads(AZ)),
    "Run Command, its message alone": LINUX,
    "Run Command, Linux, az --output json": json.dumps({"value": [{"code": "x", "message": LINUX}]}, indent=2),
    "Run Command, operation with times": json.dumps({"startTime": "2026-11-23T03:00:00Z", "message": OUTPUT}),
    "Run Command, line ends escaped twice": json.dumps({"message": OUTPUT.replace("\n", "\\n")}),
    "JSON of .NET": json.dumps({"message": OUTPUT}).replace("+", "\\u002B").replace("=", "\\u003d").replace("/", "\\/"),
    "the same document twice": OUTPUT + "\n" + OUTPUT,
    "half of it, then all of it": OUTPUT[:200] + "\n" + OUTPUT,
    "a web page, a line a block": HTML_PAGE.format(
        "".join(f'<div class="view-line"><span>{line.replace(" ", "&nbsp;")}</span></div>' for line in LINES_PRINTED)
    ),
    "a web page, with entities": HTML_PAGE.format("<br/>\n".join(LINES_PRINTED).replace("+", "&#x2B;")),
    "no-break spaces and dashes of Windows-1252": OUTPUT.replace(" ", "\u00a0")
    .replace("---", "\u2014")
    .encode("cp1252"),
    "plain text, quoted": "\n".join("> " + line for line in PLAIN.splitlines()),
}


@pytest.mark.parametrize("pasted", PASTES.values(), ids=PASTES.keys())
def test_what_people_really_paste_is_read(pasted: str | bytes) -> None:
    assert decode(pasted) == EXPECTED


def changed_digit(text: str) -> str:
    at = text.index("\n") + 40
    return text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :]


HTML = "<!DOCTYPE html>\n<html><body>Sign in to your account</body></html>"
REFUSED = {
    "empty": ("", "nothing"),
    "something else": ("Microsoft Windows [Version 10.0]\n", "nothing"),
    "a web page": (HTML, "html"),
    "no end": (OUTPUT[: OUTPUT.index("-----END")], "cut_off"),
    "no beginning": (OUTPUT[200:], "cut_off"),
    "only the last 100 characters": (OUTPUT[-100:], "cut_off"),
    "a line is missing": ("\n".join(OUTPUT.splitlines()[:2] + OUTPUT.splitlines()[3:]), "corrupt"),
    "one character is wrong": (changed_digit(OUTPUT), "corrupt"),
    "one character of plain text is wrong": (changed_digit(PLAIN), "corrupt"),
    "two runs": (OUTPUT + printed(document(host="sql-02")), "two_documents"),
    "newer script": (OUTPUT.replace("GUEST 1", "GUEST 2"), "newer_version"),
    "much newer script": (OUTPUT.replace("GUEST 1", "GUEST 12"), "newer_version"),
    "older script": (OUTPUT.replace("GUEST 1", "GUEST 0"), "older_version"),
    "newer document": (printed(document(v=2)), "newer_version"),
    "no version": (printed(document(v=None)), "corrupt"),
    "version is true": (printed(document(v=True)), "corrupt"),
    "not JSON": (printed(b"{'v': 1}"), "corrupt"),
    "not a number": (printed(b'{"v": 1, "os": "linux", "facts": {"clock": {"skew_s": NaN}}}'), "corrupt"),
    "not UTF-8": (printed(b'{"v": 1, "host": "\xff"}'), "corrupt"),
    "a list": (printed([1]), "corrupt"),
    "no facts": (printed(document(facts=None)), "corrupt"),
    "foreign system": (printed(document(os="beos")), "corrupt"),
    "nested too deeply": (printed(b"[" * 200_000), "corrupt"),
    "unpacks to a gigabyte": (printed(b" " * 50_000_000), "corrupt"),
    "END of another kind": (OUTPUT.replace("END VMBACKUP GUEST 1", "END VMBACKUP GUEST 1 PLAIN"), "corrupt"),
    "markers alone": ("-----BEGIN VMBACKUP GUEST 1-----\n-----END VMBACKUP GUEST 1 0-----", "corrupt"),
    "the source of a script": ("printf -- '-----BEGIN VMBACKUP GUEST 1-----'\nfoo=$(bar)\n", "cut_off"),
}


@pytest.mark.parametrize(("pasted", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_whole_document_is_refused_with_the_reason(pasted: str, reason: str) -> None:
    with pytest.raises(GuestOutputError) as refusal:
        decode(pasted)
    assert refusal.value.reason.startswith(reason)
    assert len(sentence(refusal.value)) > 40, "the text says what to do"


def test_a_refusal_is_for_the_operator() -> None:
    assert issubclass(GuestOutputError, RunbookError)


@pytest.mark.parametrize(
    ("section", "data"),
    [
        ("clock", {"skew_s": "yesterday"}),
        ("clock", []),
        ("disk", {"filesystems": [{"mount": None}]}),
        ("services", {"RdAgent": {"exists": 1}}),
        ("network", {"proxies": {"where": "x", "value": "y"}}),
    ],
)
def test_one_section_of_the_wrong_type_is_unreadable_and_the_others_live(section: str, data: object) -> None:
    read = decode(printed(document(facts={**FACTS, section: data})))
    assert section not in read.facts
    assert read.unreadable[section].startswith(section)
    assert set(read.facts) == set(FACTS) - {section}


def test_an_unknown_word_and_a_missing_key_are_unread() -> None:
    services = {"RdAgent": {"exists": True, "state": "Läuft", "start": "Automatic (Trigger Start)"}}
    read = decode(printed(document(facts={"services": services, "network": {"wireserver_80": "yes"}, "crashes": {}})))
    assert read.unreadable == {}
    assert read.facts["services"]["RdAgent"] == {
        "exists": True, "state": None, "start": None, "path_ok": None, "account": None,
    }  # fmt: skip
    assert set(read.facts["network"].values()) == {None}
    assert read.facts["crashes"] == {"days": None, "events": None, "cut": None}


def test_the_first_script_s_null_for_a_program_is_its_absence() -> None:
    facts = {"python": {"path": None}, "openssl": {}, "agent": {"path": None}}
    read = decode(printed(document(os="linux", facts=facts))).facts
    assert (read["python"]["path"], read["openssl"]["path"], read["agent"]["path"]) == ("", None, "")
    assert decode(printed(document(os="linux", script=2, facts=facts))).facts["python"]["path"] is None


def test_unknown_sections_and_keys_are_left_out() -> None:
    read = decode(printed(document(facts={"clock": {"skew_s": 1, "moon": "full"}, "weather": {}, "boot_report": {}})))
    assert read.facts == {"clock": {"skew_s": 1, "synchronized": None}}


def test_each_system_has_its_own_sections_and_the_common_ones() -> None:
    common = {"clock", "network", "disk", "extension", "logs", "log_lines"}
    assert common <= set(shapes("windows"))
    assert common <= set(shapes("linux"))
    assert not (set(shapes("windows")) & set(shapes("linux"))) - common
    assert "guest.probe" in GUEST_FACTS


def test_lone_surrogates_do_not_survive() -> None:
    text = json.dumps(document(facts={"extension": {"message": "\ud800"}})).encode("ascii")
    decode(printed(text)).facts["extension"]["message"].encode("utf-8")


@pytest.mark.parametrize(
    ("vm_id", "name", "verdict"),
    [
        (VM_ID, None, True),
        (VM_ID.upper(), "another-name", True),
        ("1e4b9a6c-7d2f-5a4d-9c3e-1b2a3c4d5e6f", None, True),  # as some firmware gives it
        ("00000000-0000-0000-0000-000000000001", "sql-01", False),
        (None, "SQL-01", True),
        (None, "sql-01.contoso.example", True),
        (None, "sql-02", False),
        (None, None, None),
    ],
)
def test_a_document_belongs_to_the_vm_by_id_else_by_name(
    vm_id: str | None, name: str | None, verdict: bool | None
) -> None:
    assert belongs_to(EXPECTED, vm_id, name) is verdict


def test_windows_cuts_host_names_at_15_characters() -> None:
    read = decode(printed(document(vm_id=None, host="PRODUCTION-SQL-")))
    assert belongs_to(read, None, "production-sql-01") is True
    assert belongs_to(read, None, "production-web-01") is False


def test_the_document_of_another_vm_is_refused() -> None:
    require_belongs_to(EXPECTED, None, None)
    with refused("sql-01, not sql-02", GuestOutputError):
        require_belongs_to(EXPECTED, None, "sql-02")


LINES = "".join(f"[{at:6}.{at:06}] systemd[1]: noise number {at} of many on the console\n" for at in range(16_000))
LARGE = {
    "console noise around": LINES + OUTPUT,
    "one line": "x" * 1_000_000 + OUTPUT,
    "dashes": "-" * 1_000_000 + "\n" + OUTPUT,
    "blank": " \n" * 500_000 + OUTPUT,
    "line ends": "\n" * 1_000_000 + OUTPUT,
    "beginnings": "-----BEGIN VMBACKUP GUEST 1-----\n" * 30_000 + OUTPUT,
    "quotes": "> " * 500_000 + "\n" + OUTPUT,
    "brackets": "[" * 1_000_000 + "\n" + OUTPUT,
    "backslashes": "\\" * 1_000_000 + "\n" + OUTPUT,
    "digits": "1234567890" * 100_000 + "\n" + OUTPUT,
    "open tags": "<a" * 500_000 + "\n" + OUTPUT,
    "escapes": "\x1b[" * 500_000 + "\n" + OUTPUT,
}


@pytest.mark.parametrize("pasted", LARGE.values(), ids=LARGE.keys())
def test_a_megabyte_is_read_at_once(pasted: str) -> None:
    start = time.process_time()
    assert decode(pasted) == EXPECTED
    assert time.process_time() - start < 3


def test_a_text_that_is_too_large_is_not_read() -> None:
    with refused("64 MB", GuestOutputError):
        decode(bytes(65 * 1024 * 1024))


QUICK = settings(max_examples=150, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))


def same_or_refused(pasted: str | bytes) -> None:
    try:
        read = decode(pasted)
    except GuestOutputError:
        return
    assert read == EXPECTED


@QUICK
@given(st.sampled_from([OUTPUT, PLAIN]), st.integers(0, 2000), st.integers(0, 2000))
def test_any_part_of_the_text_is_the_document_or_refused(text: str, start: int, stop: int) -> None:
    same_or_refused(text[start:stop])


@QUICK
@given(st.sampled_from([OUTPUT, PLAIN]), st.integers(1, 200), st.sampled_from(["\n", "\r\n", "\n> ", "\n    ", " \n"]))
def test_a_wrap_at_any_width_gives_the_document(text: str, width: int, end: str) -> None:
    assert decode(end.join(text[at : at + width] for at in range(0, len(text), width))) == EXPECTED


@QUICK
@given(st.sampled_from([OUTPUT, PLAIN]), st.integers(0, 1500), st.text(max_size=60))
def test_any_insertion_is_the_document_or_refused(text: str, at: int, noise: str) -> None:
    same_or_refused(text[:at] + noise + text[at:])


@QUICK
@given(st.sampled_from([OUTPUT, PLAIN]), st.integers(0, 1500), st.sampled_from(string.ascii_letters + "+/=-0123456789"))
def test_any_changed_character_is_the_document_or_refused(text: str, at: int, character: str) -> None:
    same_or_refused(text[:at] + character + text[at + 1 :])


@QUICK
@given(st.sampled_from([OUTPUT, PLAIN]), st.randoms(use_true_random=False))
def test_lines_in_any_order_are_the_document_or_refused(text: str, chance: random.Random) -> None:
    lines = text.splitlines()
    chance.shuffle(lines)
    same_or_refused("\n".join(lines[: chance.randint(0, len(lines))]))


@QUICK
@given(st.binary(max_size=300), st.integers(0, 1500))
def test_bytes_of_any_kind_never_crash(noise: bytes, at: int) -> None:
    same_or_refused(OUTPUT.encode()[:at] + noise + OUTPUT.encode()[at:])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@QUICK
@given(st.dictionaries(st.sampled_from(sorted(shapes("windows"))), JSON, max_size=4))
def test_sections_of_any_content_have_their_shape_or_are_unreadable(sections: dict[str, object]) -> None:
    read = decode(printed(json.dumps(document(facts=sections)).encode()))
    assert set(read.facts) | set(read.unreadable) == set(sections)
    assert not set(read.facts) & set(read.unreadable)
