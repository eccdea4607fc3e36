"""Every signature is recognised by everything that the table says of it, and no text takes long."""

from __future__ import annotations

import random
import time

import pytest

from each import for_each
from showing import shown_by
from vmbackup.catalog.signatures import Strength, signatures
from vmbackup.failures.recognition import matches, recognise
from vmbackup.failures.signatures import signs

TABLE = list(signatures().values())


SWEEP = {f"{each.id} by {what}": (each, facts) for each in TABLE for what, facts in shown_by(each)}


@for_each(SWEEP)
def test_each_is_recognised_alone(name: str) -> None:
    signature, facts = SWEEP[name]
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
