"""The codes by which Azure names a fault are the same for the checks and for triage."""

from __future__ import annotations

import pytest

from judging import failed_job
from vmbackup import catalog
from vmbackup.failures.named import CODES, INTEGERS, PHRASES, Named, said_of

_BY_CODE = {code: cause for cause, codes in CODES.items() for code in codes}


def test_every_code_of_an_addition_is_known_to_triage_and_the_other_way_round() -> None:
    additions = {name for name, entry in catalog.causes().items() if entry["addition"]}
    listed = {code: entry["cause"] for code, entry in catalog.codes().items() if entry["cause"] in additions}
    assert listed == _BY_CODE


def test_integers_are_those_of_triage() -> None:
    # Small numbers are the Linux extension's own states; a job never carries them.
    listed = {
        integer: code for code, entry in catalog.codes().items() for integer in entry["integers"] if integer > 9999
    }
    assert {integer: code for integer, code in listed.items() if code in _BY_CODE} == INTEGERS


def test_phrases_are_parts_of_messages() -> None:
    for phrase, code in PHRASES.items():
        messages = " | ".join(words for said in catalog.codes()[code]["messages"].values() for words in said).lower()
        assert phrase in messages, code


@pytest.mark.parametrize("code", sorted(set(PHRASES.values())))
def test_every_message_in_either_language_names_its_fault(code: str) -> None:
    for message in (words for said in catalog.codes()[code]["messages"].values() for words in said):
        job = failed_job(errors=[{"code": None, "title": None, "text": message, "recommendations": []}])
        assert said_of(_BY_CODE[code], job, None, None).named is Named.IT, message  # type: ignore[arg-type]


def test_the_codes_of_the_six_sections_name_no_cause() -> None:
    assert not {code for entry in catalog.sections().values() for code in entry["codes"]} & set(_BY_CODE)
