"""Every sign is shown, also one that no cause reads, with what it means and how to check it."""

from __future__ import annotations

from each import for_each
from judging import failed_job
from vmbackup import catalog
from vmbackup.catalog.signatures import PLACES, Strength, signatures
from vmbackup.model import Fact, FactStatus
from vmbackup.pages import signs

KNOWN = [signature for signature in signatures().values() if signature.strength is not Strength.HARMLESS]


def shown(language: str = "en", **facts: object) -> str:
    evidence = {name.replace("__", "."): Fact(FactStatus.OK, data) for name, data in facts.items()}
    return signs.page(evidence, language).text()


@for_each([each.id for each in KNOWN if each.codes], ["en", "de"])
def test_each_code_is_shown_with_its_meaning_and_its_check(sign: str, language: str) -> None:
    known = signatures()[sign]
    text = shown(language, backup__failed_job=failed_job(None, known.codes[0]))
    assert known.check is not None
    for words in (known.codes[0], known.means[language], known.check[language]):
        assert words in " ".join(text.split())


@for_each([each.id for each in KNOWN if each.patterns])
def test_each_line_is_shown_with_its_meaning(sign: str) -> None:
    known = signatures()[sign]
    text = shown(guest__logs={"patterns": {known.id: {"count": 2, "last": "2026-11-22T23:00:00Z"}}})
    assert known.means["en"] in " ".join(text.split())
    assert "2026-11-22 23:00" in text


def test_what_nobody_knows_is_shown() -> None:
    text = shown(backup__failed_job=failed_job(None, None, dynamic_message="A new sentence of 2027"))
    assert "A new sentence of 2027" in text
    assert catalog.text("sign.unrecognised", "en")[:20] in text


def test_a_guess_says_so() -> None:
    assert "guess" in shown(backup__failed_job=failed_job(None, "UserErrorSharedDiskSomethingNew"))


def test_log_lines_that_no_list_knows() -> None:
    line = {"log": "waagent.log", "at": "2026-11-22T23:00:00Z", "text": "ERROR quite new"}
    assert "ERROR quite new" in shown(guest__log_lines={"lines": [line], "cut": []})


def test_nothing_to_show() -> None:
    assert catalog.text("sign.none", "en")[:30] in shown()


def test_every_place_has_a_name() -> None:
    for place in (*PLACES, "pasted"):
        assert catalog.text(f"sign.place.{place}", "de")
