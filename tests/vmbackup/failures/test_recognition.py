"""Every signature is recognised by everything that the table says of it, and no text takes long."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest

from judging import failed_job, item
from vmbackup.catalog.signatures import Signature, Strength, signatures
from vmbackup.failures.recognition import matches, recognise
from vmbackup.failures.signatures import signs
from vmbackup.model import Evidence, Fact, FactStatus

TABLE = list(signatures().values())


def fact(name: str, data: Any) -> Evidence:
    return {name: Fact(FactStatus.OK, data)}


def status(code: int | None, message: str | None = None) -> Evidence:
    return fact(
        "guest.extension",
        {
            "name": "x",
            "versions": [],
            "newest": None,
            "status": "success",
            "code": code,
            "message": message,
            "operation": None,
            "seq": 1,
            "at": None,
        },
    )


def said(signature: Signature, text: str) -> Evidence:
    """The text where this signature is looked for first."""
    if "job" in signature.places:
        return fact("backup.failed_job", failed_job(None, None, dynamic_message=text))
    if "health" in signature.places:
        return fact("backup.item", item(health_details=[{"code": None, "title": text, "message": None}]))
    if "extension" in signature.places:
        return status(None, text)
    if "agent" in signature.places:
        agent = {"version": "x", "code": None, "level": "Error", "display_status": None, "message": text}
        return fact("vm.agent", {**agent, "reported_at": None, "age_s": None})
    if "platform" in signature.places:
        return fact(
            "vm.power", {"power": "running", "provisioning": "ProvisioningState/failed", "provisioning_message": text}
        )
    assert "run_command" in signature.places
    return {"guest.probe": Fact(FactStatus.FAILED, why="refused", details={"message": text})}


def shown_by(signature: Signature) -> list[tuple[str, Evidence]]:
    """Evidence for each thing by which this signature is recognised."""
    found = [(code, said(signature, code)) for code in signature.codes]
    found += [(message.text, said(signature, message.text)) for message in signature.messages]
    found += [(word, said(signature, f"UserError{word}Unheard")) for word in signature.inside]
    for integer in signature.integers:
        if "job" in signature.places:
            found.append((str(integer), fact("backup.failed_job", failed_job(integer, None))))
        else:
            detail = {"code": integer, "title": None, "message": None}
            found.append((str(integer), fact("backup.item", item(health_details=[detail]))))
    found += [(str(code), status(code)) for code in signature.statuses]
    log = {"patterns": {signature.id: {"count": 1, "last": None}}}
    if signature.patterns:
        name = "guest.logs" if signature.places != {"serial"} else "guest.serial_log"
        found.append(("log", fact(name, log)))
    if signature.flag:
        found.append((signature.flag, fact("guest.serial_log", {"patterns": {}, signature.flag: True})))
    return found


SWEEP = [(each, what, facts) for each in TABLE for what, facts in shown_by(each)]


@pytest.mark.parametrize(
    ("signature", "facts"),
    [(each, facts) for each, _, facts in SWEEP],
    ids=[f"{each.id}-{what[:30]}" for each, what, _ in SWEEP],
)
def test_each_is_recognised_alone(signature: Signature, facts: Evidence) -> None:
    found = signs(facts)
    if signature.strength is Strength.HARMLESS:
        assert found == []
        return
    sign = next(each for each in found if each.id == signature.id)
    guessed = bool(signature.inside)
    assert (sign.causes, sign.guessed) == (signature.causes, guessed)
    assert {each.id for each in found} == {signature.id}


def test_nothing_is_recognised_by_nothing() -> None:
    assert [signature.id for signature in TABLE if not shown_by(signature)] == []


def test_codes_are_read_in_any_language_and_letter_case() -> None:
    for code in (code for each in TABLE if not each.ordinary for code in each.codes):
        for text in (f"Falha ({code})", f"エラー {code.upper()} です", f"Fehlercode: {code.lower()}"):
            assert recognise(text), text


def test_random_words_are_no_signs() -> None:
    source = random.Random(11)
    words = sorted({word for each in TABLE for message in each.messages for word in message.text.split()})
    texts = (" ".join(source.choices(words, k=12)) for _ in range(300))
    assert [text for text in texts if any(match.by != "code" for match in matches(text, "job"))] == []


def hostile() -> list[str]:
    size = 1_000_000
    parts = ["a", "1", " ", "\n", "[", "<", "UserErrorAaBb ", "VMSnapshotLinux-1.0.", "168.63.129.16 ", "ä ", "/-"]
    parts += [
        "Non-zero exit code: 1",
        "task ",
        "GoalState.1",
        "Wire server endpoint:1.",
        "Prescript for a",
        "run-exthandlers",
    ]
    parts += ["digital envelope routines:a", "Agent WALinuxAgent-1.", "- 1", "Failed to (open file or ", "cgroup ERRO"]
    texts = [part * (size // len(part)) for part in parts]
    long = [
        "VMSnapshotLinux-",
        "GoalState.",
        "Prescript for ",
        "found endpoint [",
        "task ",
        "- ",
        "digital envelope routines:",
    ]
    texts += [start + "1" * size for start in long]
    return texts


@pytest.mark.parametrize("text", hostile(), ids=lambda text: repr(text[:24]))
def test_a_megabyte_takes_no_second(text: str) -> None:
    matches("warm")
    began = time.process_time()
    matches(text)
    assert time.process_time() - began < 1.0
