"""The catalogue is complete, agrees with the code, and refuses what contradicts itself."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from tests.vmbackup.reasons import reasons

from each import for_each
from vmbackup import catalog
from vmbackup.catalog.signatures import signatures
from vmbackup.checks.base import CHECKS, load
from vmbackup.model import SIGNS, Finding, Verdict

ARTICLE_CAUSES = ["no_internet", "agent_windows", "agent_linux", "snapshot", "extension", "disks"]
ENGINE = {"unanswered", "not_collected", "other_os", "os_unknown", "check_failed"}
RECORDINGS = Path(os.environ.get("VMBACKUP_RECORDINGS", Path(__file__).parents[4] / "shared"))
load()


@for_each(sorted(CHECKS))
def test_every_reason_of_a_check_has_its_sentence(check: str) -> None:
    assert check in catalog.checks(), f"add {check} to data/checks.yaml"
    assert set(catalog.checks()[check]["texts"]) == reasons(CHECKS[check]) - ENGINE, f"edit {check}.texts"


@for_each(sorted(CHECKS))
def test_what_a_check_sees_are_signs_of_its_cause(check: str) -> None:
    for sign in CHECKS[check].sees:
        assert CHECKS[check].cause in signatures()[sign].causes


@for_each(sorted(CHECKS))
def test_a_problem_and_an_unknown_say_what_to_do(check: str) -> None:
    entry = catalog.checks()[check]
    assert set(entry["next"]) <= set(entry["texts"]) | {"problem", "unknown"}, f"edit {check}.next"
    if reasons(CHECKS[check]) - {"ok", "not_applicable"}:
        assert entry["next"] or not {"problem", "unknown"} & set(entry["texts"]), f"edit {check}.next"


@for_each(sorted(CHECKS))
def test_what_to_do_about_an_unanswered_fact_needs_no_values(check: str) -> None:
    entry = catalog.checks()[check]["next"].get("unknown", {"en": ""})
    assert not catalog.placeholders(entry["en"]), f"edit {check}.next.unknown"


@for_each(sorted(CHECKS))
def test_a_check_that_needs_the_guest_says_so(check: str) -> None:
    guest = [name.startswith("guest.") for name in CHECKS[check].evidence]
    needs = catalog.checks()[check]["needs_guest"]
    assert any(guest) or not needs, f"{check} asks no guest: edit needs_guest"
    assert needs or not all(guest), f"{check} asks the guest alone: edit needs_guest"


def test_the_catalogue_and_the_registry_name_the_same_checks() -> None:
    assert set(catalog.checks()) == set(CHECKS) | {SIGNS}


@for_each(sorted({check.cause for check in CHECKS.values()}))
def test_a_cause_lists_exactly_the_checks_of_its_module(cause: str) -> None:
    assert cause in catalog.causes(), f"add {cause} to data/causes.yaml"
    registered = {check.id for check in CHECKS.values() if check.cause == cause}
    listed = catalog.causes()[cause]["checks"]
    assert (set(listed), len(listed)) == (registered, len(registered)), f"edit {cause}.checks"


def test_every_cause_has_its_module() -> None:
    assert {check.cause for check in CHECKS.values()} == set(catalog.causes())


def test_the_articles_causes_come_first() -> None:
    causes = catalog.causes()
    assert list(causes)[:6] == ARTICLE_CAUSES
    assert [cause for cause, entry in causes.items() if not entry["addition"]] == ARTICLE_CAUSES
    assert all((entry["article_title"] is None) is entry["addition"] for entry in causes.values())


@pytest.mark.parametrize("cause", ARTICLE_CAUSES)
def test_the_articles_own_titles_are_kept(cause: str) -> None:
    article = RECORDINGS / "article.de.md"
    if not article.is_file():
        pytest.skip(f"{article} is not here (VMBACKUP_RECORDINGS names the folder)")
    headings = re.findall(r'^#+ <a name="[^"]*"></a>(.*)$', article.read_text("utf-8"), re.MULTILINE)
    entry = catalog.causes()[cause]
    assert entry["article_title"] in headings


@pytest.mark.parametrize("word", ["8443", "New-NetRoute", "1,023 GB", "1.0.91.0", "USEVSSCOPYBACKUP", "proxy"])
def test_nothing_of_the_article_is_silently_dropped(word: str) -> None:
    said = " ".join(change["said"]["en"] for entry in catalog.causes().values() for change in entry["superseded"])
    assert word in said


def test_sections_order_causes_of_the_article_before_additions() -> None:
    for entry in catalog.sections().values():
        assert set(entry["causes"]) <= set(ARTICLE_CAUSES)


@pytest.mark.parametrize("language", catalog.LANGUAGES)
def test_the_engines_reasons_have_words(language: str) -> None:
    for reason in ENGINE:
        values = {"fact": "vm.agent", "os": "linux", "error": "x", "why": ""}
        finding = Finding(next(iter(CHECKS)), "no_internet", Verdict.UNKNOWN, reason, values)
        assert catalog.sentence(finding, language)
