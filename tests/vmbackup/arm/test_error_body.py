"""One reader for every shape in which Azure says why not; what is no such shape has no code."""

from __future__ import annotations

import json

import pytest

from recordings import ARM, recording
from vmbackup.arm.error_body import code_and_message, missing_right

INNER = {"code": "Inner", "message": "why"}
XML = "<?xml version='1.0' encoding='utf-8'?><Error><Code>BlobNotFound</Code><Message>gone\nfor good</Message></Error>"


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"error": INNER}, ("Inner", "why")),
        (INNER, ("Inner", "why")),
        ({"Code": "Inner", "Message": "why"}, ("Inner", "why")),
        ({"ErrorCode": "Inner", "Message": {"Language": "en-US", "Value": "why"}}, ("Inner", "why")),
        ({"odata.error": {"code": "Inner", "message": {"lang": "en", "value": "why"}}}, ("Inner", "why")),
        ({"error": {"code": "Outer", "details": [{"code": "Middle", "details": [INNER]}]}}, ("Inner", "why")),
        ({"error": {"code": "Outer", "message": "o", "details": [], "innerError": {"trace": ["x"]}}}, ("Outer", "o")),
        ({"error": {"code": "Outer", "message": "o", "details": None}}, ("Outer", "o")),
        ({"code": "Outer", "message": f"It failed: {json.dumps({'error': INNER})} Try again."}, ("Inner", "why")),
        ({"error": {"code": "Outer", "message": "a {brace} and {0}"}}, ("Outer", "a {brace} and {0}")),
        ({"error": {"error": INNER}}, ("Inner", "why")),
        ({"status": "Failed", "error": INNER, "properties": None}, ("Inner", "why")),
        ({"error": {"code": 400, "message": None}}, ("400", "")),
        (json.dumps({"error": INNER}).encode(), ("Inner", "why")),
        (b"\xef\xbb\xbf" + json.dumps(INNER).encode(), ("Inner", "why")),
        (XML, ("BlobNotFound", "gone\nfor good")),
        (XML.encode(), ("BlobNotFound", "gone\nfor good")),
        ("<html><head><title>404</title></head><body><code>NotFound</code></body></html>", ("", "")),
        ({"value": [INNER]}, ("", "")),
        ({"status": "Succeeded"}, ("", "")),
        ({"error": "no"}, ("", "")),
        ({"error": {"code": {"code": "x"}}}, ("", "")),
        ([INNER], ("", "")),
        ("", ("", "")),
        (None, ("", "")),
        (b"\xff\xfe\x00", ("", "")),
        ("[" * 100_000, ("", "")),
    ],
)  # fmt: skip
def test_the_innermost_reason_is_read_from_every_shape(body: object, found: tuple[str, str]) -> None:
    assert code_and_message(body) == found


def test_a_body_that_nests_without_end_is_read_to_some_depth() -> None:
    body: dict[str, object] = {"code": "deepest"}
    for number in range(500):
        body = {"code": f"level {number}", "details": [body]}
    assert code_and_message(body)[0].startswith("level")


@pytest.mark.parametrize(
    ("message", "right"),
    [
        ("… does not have authorization to perform action 'A/read' over scope '/s' or the …", ("A/read", "/s")),
        ("… is not authorized for performing action 'A/read' on scope '/s'.", ("A/read", "/s")),
        ("… does not have permission to perform action(s) 'A/join' on the linked scope(s) '/s'", ("A/join", "/s")),
        ("… has permission to perform action 'H/write' on scope '/h', however the tenant is not authorized …", None),
        ("Forbidden", None),
    ],
)  # fmt: skip
def test_the_missing_right_is_the_one_that_azure_says_is_missing(message: str, right: tuple[str, str] | None) -> None:
    assert missing_right(message) == right


@pytest.mark.skipif(not ARM.is_dir(), reason=f"no recorded answers in {ARM} (VMBACKUP_RECORDINGS)")
def test_every_recorded_error_names_its_code() -> None:
    """Also those inside of operations. A code is recorded in the file's name, except where the service gave none."""
    names = {
        path.name.split(".")[0] for path in ARM.iterdir() if path.name.startswith(("error_", "compute_operation__f"))
    }
    read, unread = 0, []
    for name in sorted(names):
        body = recording(name).body
        if not body:
            continue
        read += 1
        code, message = code_and_message(body)
        if not code or (not message and b'"message":null' not in body and b'"Value": ""' not in body):
            unread.append(name)
    assert unread == []
    assert read > 60
