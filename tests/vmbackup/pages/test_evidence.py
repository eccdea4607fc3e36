"""Evidence shows what decided: the fields that the checks read, not the whole answer of Azure."""

from __future__ import annotations

from pathlib import Path

from vmbackup.checks.base import load, run
from vmbackup.checks.reading import fields_read
from vmbackup.model import operating_system
from vmbackup.pages import evidence, step
from walking import run_over


def test_the_fields_that_decided_are_shown_and_those_of_the_finding_come_first(tmp_path: Path) -> None:
    with run_over("agent_old_linux", tmp_path) as subject:
        subject.collect()
        table = evidence.table(subject.diagnosis().step("agent_linux"), subject.evidence, "en")
        assert table
        rows = {str(row[0]): str(row[1]) for row in table.rows}
        assert rows["vm.agent"].splitlines()[0] == "version: 2.2.18"
        assert "unit: walinuxagent" in rows["guest.agent"]
        assert not any("{" in words or "[" in words for words in rows.values()), "no JSON"
        disks = str(evidence.table(subject.diagnosis().step("disks"), subject.evidence, "en"))
        assert "more in evidence.json" in disks


def test_watching_what_a_check_reads_does_not_change_what_it_says(tmp_path: Path) -> None:
    with run_over("agent_old_linux", tmp_path) as subject:
        subject.collect()
        facts, os = subject.evidence, operating_system(subject.evidence)
    for check in load().values():
        before = run(check, facts, os)
        read = fields_read(check, facts, os)
        assert before == run(check, facts, os)
        for name, fields in read.items():
            for path, value in fields.items():
                data = facts[name].data
                for part in path.split("."):
                    if isinstance(data, dict) and part not in data:
                        break  # a key that has dots itself
                    data = data[int(part)] if isinstance(data, list) else data[part]
                else:
                    assert data == value, f"{check.id}: {name}.{path}"


def test_a_second_problem_of_a_cause_is_said_above_the_folds(tmp_path: Path) -> None:
    with run_over("agent_old_linux", tmp_path) as subject:
        subject.collect()
        problems = [each for each in subject.diagnosis().step("agent_linux").findings if each.verdict == "problem"]
        page = step.found(subject, "agent_linux").text()
    assert len(problems) >= 2
    assert page.count("[✖") == len(problems)
    assert page.count("Next:") == 1
