"""Same in, same out; no two names to one alias; reversible with the map; the verdicts stay the same."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from azuresim.loading import scenario_names
from vmbackup.diagnosis import diagnose
from vmbackup.model import Target
from vmbackup.pages.blocks import Page, Paragraph, Table
from vmbackup.runs.evidence import evidence_json, parse_evidence
from vmbackup.ticket.aliases import Aliases, Level
from worlds import examine

ID = "/subscriptions/s1/resourceGroups/rg1/providers/Microsoft.Compute"
NAMES = some.text("abcxyz019-_", min_size=3, max_size=12).filter(lambda name: name.strip("-_") == name)
IDS = some.builds(
    "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Compute/virtualMachines/{}".format, NAMES, NAMES, NAMES
)


@settings(max_examples=60, deadline=None)
@given(some.lists(IDS, min_size=1, max_size=6), some.sampled_from([Level.STANDARD, Level.STRICT]))
def test_no_name_is_left_none_shares_an_alias_and_all_come_back(ids: list[str], level: Level) -> None:
    aliases = Aliases(level, ids)
    masked = [aliases.data(each, "ids") for each in ids]
    assert masked == [aliases.data(each, "ids") for each in ids]
    assert len(set(aliases.map.values())) == len(aliases.map)
    assert len({each.lower() for each in ids}) == len(set(masked))
    assert [aliases.restore(each).lower() for each in masked] == [each.lower() for each in ids]


def test_a_name_is_masked_wherever_it_stands() -> None:
    content = {
        "id": "/subscriptions/12345678-1234-1234-1234-123456789012/resourceGroups/rg-pay/x/virtualMachines/pay-07",
        "message": "VM pay-07 (in RG-PAY) of anna@contoso.com failed; see pay-07-osdisk",
        "caller": "anna@contoso.com",
    }
    aliases = Aliases(Level.STANDARD, [content])
    words = json.dumps(aliases.data(content, "evidence.json"))
    for name in ("pay", "PAY", "anna", "12345678"):
        assert name not in words
    assert "VM vm-1 (in rg-1) of person-1 failed; see vm-1-osdisk" in words
    assert {"alias": "vm-1", "where": "evidence.json", "count": 3} in aliases.record()


def test_an_action_names_nothing() -> None:
    said = (
        "x lacks the right Microsoft.Compute/virtualMachines/instanceView/read at /subscriptions/s1/resourceGroups/rg1"
    )
    content = {"id": f"{ID}/virtualMachines/pay-07", "why": said, "rights": "Microsoft.Compute/disks/read"}
    masked = Aliases(Level.STRICT, [content]).data(content, "evidence.json")
    assert masked["why"].startswith("x lacks the right Microsoft.Compute/virtualMachines/instanceView/read at /sub")
    assert masked["rights"] == content["rights"]
    assert masked["id"] == "/subscriptions/sub-1/resourceGroups/rg-1/providers/Microsoft.Compute/virtualMachines/vm-1"


@pytest.mark.parametrize(
    "folder", ["/home/anna.b/runs", "/Users/anna.b/x", "C:\\Users\\anna.b\\x", '"C:\\\\Users\\\\anna.b"']
)
def test_whose_folder_it_is_is_masked(folder: str) -> None:
    masked = Aliases(Level.STANDARD, [folder]).data([folder, "by anna.b", "C:\\Users\\Public"], "runbook.ipynb")
    assert "anna" not in str(masked)
    assert masked[1:] == ["by person-1", "C:\\Users\\Public"]


def test_a_name_is_masked_in_markdown_too() -> None:
    ids = ["/subscriptions/s1/resourceGroups/rg_pay_eu/x/virtualMachines/pay_07"]
    page = Page([Paragraph("pay_07 in rg_pay_eu"), Table(["VM"], [["pay_07"]])])
    for words in (page.markdown(), json.dumps(page.markdown()), page.html(), page.text()):
        masked = Aliases(Level.STANDARD, ids).data(words, "runbook.ipynb")
        assert "pay" not in masked
        assert "vm-1" in masked


def test_a_name_that_is_a_word_does_not_change_what_a_sentence_says() -> None:
    content = {
        "id": "/subscriptions/s1/resourceGroups/rg/x/virtualMachines/snapshot",
        "os": "linux",
        "vm_name": "snapshot",
    }
    content["text"] = "Snapshot operation failed"
    masked = Aliases(Level.STANDARD, [content]).data(content, "x")
    assert (masked["vm_name"], masked["text"], masked["os"]) == ("vm-1", "Snapshot operation failed", "linux")


def test_a_real_name_that_looks_like_an_alias_stays_apart() -> None:
    ids = [f"/subscriptions/s/resourceGroups/g1/x/virtualMachines/{name}" for name in ("vm-1", "web-01")]
    aliases = Aliases(Level.STANDARD, ids)
    masked = [aliases.data(each, "x") for each in ids]
    assert len(set(masked)) == 2
    assert [aliases.restore(each) for each in masked] == ids


@pytest.mark.parametrize("scenario", sorted(scenario_names())[::9])
def test_the_aliased_evidence_replays_to_the_same_verdicts(scenario: str) -> None:
    evidence = examine(scenario)
    target = Target("s", "g", "v")
    content = evidence_json(target, evidence)
    masked = Aliases(Level.STRICT, [content]).data(content, "evidence.json")
    _, again = parse_evidence(json.dumps(masked).encode())
    for before, after in zip(diagnose(None, evidence).steps, diagnose(None, again).steps, strict=True):
        assert before.verdict is after.verdict, before.cause
