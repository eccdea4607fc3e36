"""Failed jobs as Azure returns them and failures as people reported them lead to their runbook."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from judging import failed_job
from vmbackup import catalog
from vmbackup.failures.triage import triage, triage_job

S1, S2, S3 = "agent_unreachable", "snapshot_no_network", "snapshot_extension_failed"
S4, S5 = "agent_not_responsive", "internal_error"
RECORDINGS = Path(os.environ.get("VMBACKUP_RECORDINGS", Path(__file__).parents[4] / "shared"))


def error(code: int | None, title: str | None, text: str | None) -> dict[str, Any]:
    return {"code": code, "title": title, "text": text, "recommendations": []}


@pytest.mark.parametrize(
    ("errors", "dynamic", "expected"),
    [
        ([error(400196, "UserErrorGuestAgentStatusUnavailable", "VM agent …")], None, (S1, "code")),
        ([error(400206, None, None)], None, (S2, "integer")),
        ([error(None, None, "Fehler beim Vorgang der VMSnapshot-Erweiterung")], None, (S3, "message")),
        ([error(400349, "UserErrorCrpReportedUserError", None)], "UserErrorRequestDisallowedByPolicy", (S5, "code")),
        ([error(1073871825, None, "Microsoft Azure Backup encountered an internal error.")], None, (S5, "integer")),
    ],
)
def test_a_failed_job(errors: list[dict[str, Any]], dynamic: str | None, expected: tuple[str, str]) -> None:
    triaged = triage_job(failed_job(errors=errors, dynamic_message=dynamic))  # type: ignore[arg-type]
    assert (triaged.section, triaged.candidates[0].matched_by) == expected


def test_a_job_that_says_nothing() -> None:
    assert triage_job(failed_job(errors=[])).candidates == ()  # type: ignore[arg-type]


CASES = {
    "01": (S4, None),
    "04": (S2, "no_internet"),
    "05": (S3, None),
    "14": (None, None),
    "15": (S4, None),
    "16": (S3, "com_plus"),
    "17": (S3, "file_system_freeze"),
    "30": (None, "agent_linux"),
    "45": (None, "key_vault"),
    "54": (S3, None),
    "55": (S5, "azure_policy"),
    "59": (None, "certificates"),
}


@pytest.mark.skipif(not (RECORDINGS / "cases").is_dir(), reason="the real reports are not here (VMBACKUP_RECORDINGS)")
def test_real_reports() -> None:
    for path in sorted((RECORDINGS / "cases").glob("*.yaml")):
        case = yaml.safe_load(path.read_text("utf-8"))
        triaged = triage(f"{case['error_code'] or ''}\n{case['message']}")
        number = path.name[:2]
        if number not in CASES:
            assert triaged.candidates == (), path.name
            continue
        assert (triaged.section, triaged.candidates[0].cause) == CASES[number], path.name
        allowed = {list(catalog.sections())[number - 1] for number in case["seed_sections"]}
        if triaged.section and allowed:
            assert triaged.section in allowed, path.name


@pytest.mark.skipif(not (RECORDINGS / "cases").is_dir(), reason="the real reports are not here (VMBACKUP_RECORDINGS)")
def test_a_message_in_another_language_is_recognised_by_its_code_only() -> None:
    path = next((RECORDINGS / "cases").glob("55-*.yaml"))
    case = yaml.safe_load(path.read_text("utf-8"))
    assert case["message_language"] == "pt"
    assert triage(case["message"]).candidates == ()
    assert triage(f"{case['message']} ({case['error_code']})").section == S5
