"""The measure: every world whose cause is known, examined as the command line does, and judged against its label.

``python -m tests.truth`` (``make truth``) prints the confusion table; ``--all`` holds the whole property that withheld
evidence never creates knowledge as well; ``--folder DIR`` measures the worlds of another folder, with a ``truth.yaml``
of their own beside them. Labels and their meaning: ``truth.yaml``.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from azuresim.loading import load_world
from vmbackup import catalog
from vmbackup.diagnosis import Diagnosis, Outcome
from vmbackup.model import Finding, Verdict
from vmbackup.parameters import Parameters
from vmbackup.runs.run import Run
from withholding import breaches
from worlds import connected, serving

TESTS = Path(__file__).parent
WORLDS = TESTS / "worlds"
_DEADLINE_S = 20


class Measure(str, Enum):
    """How a world was judged: rightly, honestly undecided, weakly, or wrongly."""

    RIGHT = "right"
    HONEST = "honest"
    WEAK = "weak"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Label:
    """What is really wrong; ``true`` None: nobody knows. ``section`` None: the one that the failure belongs to."""

    true: frozenset[str] | None
    innocent: frozenset[str]
    section: str | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """One world's measure, what was found, and why it is wrong: the checks that said so."""

    measure: Measure
    found: tuple[str, ...]
    why: str = ""


@cache
def labels(folder: Path = TESTS) -> dict[str, Label]:
    """The labels in this folder's ``truth.yaml``. Raises ValueError for a cause that nobody knows."""
    written = yaml.safe_load((folder / "truth.yaml").read_text("utf-8"))
    return {name: _label(name, entry) for name, entry in written.items()}


def _label(name: str, entry: Mapping[str, Any]) -> Label:
    every = set(catalog.causes())
    listed = {cause for key in ("causes", "also", "innocent") for cause in entry.get(key) or ()}
    if unknown := listed - every | set(entry) - {"causes", "also", "innocent", "section"}:
        raise ValueError(f"truth.yaml: {name}: {sorted(unknown)}")
    true = None if entry["causes"] is None else frozenset(entry["causes"])
    innocent = entry.get("innocent", every - (true or frozenset()) - set(entry.get("also", ())))
    return Label(true, frozenset(innocent), entry.get("section"))


def path_of(name: str, worlds: Path = WORLDS) -> str:
    """The world as the command line takes it: a scenario's name, or the path of a file."""
    file = worlds / f"{name}.yaml"
    return str(file) if file.is_file() else name


def examined(path: str, section: str | None = None) -> Run:
    """The run over a world, everything asked: under this section, else under the one that the failure belongs to."""
    loaded = load_world(path)
    with tempfile.TemporaryDirectory() as folder, serving(loaded) as simulator:
        azure, target = connected(simulator, loaded)
        pasted = str(loaded.pasted or "")
        given = Parameters(azure="live", run_folder=folder, deadline_s=_DEADLINE_S, guest_output=pasted)
        run = Run(given, None, target, azure=azure, kept=False)
        run.collect()
    triaged = run.triage()
    run.section = section or (triaged.section if triaged else None)
    return run


def something_failed(path: str) -> bool:
    """Whether the world itself, not the product, says that the newest backup that ended was not good."""
    jobs = load_world(path).machines[0]["jobs"]
    ended = [job for job in jobs if job["operation"] == "Backup" and job["status"] != "InProgress"]
    return bool(ended) and max(ended, key=lambda job: job["start"])["status"] != "Completed"


def judged(label: Label, diagnosis: Diagnosis, failed: bool) -> Judged:
    """Hold the walk against the label."""
    steps = {step.cause: step for step in diagnosis.steps}
    found = {cause for cause, step in steps.items() if step.verdict is Verdict.PROBLEM}
    true = label.true or frozenset()
    wrong = [_said(finding) for cause in sorted(found & label.innocent) for finding in _problems(steps[cause].findings)]
    if true and not any(steps[cause].verdict in (Verdict.PROBLEM, Verdict.UNKNOWN) for cause in true):
        wrong += [_said(finding) for cause in sorted(true) for finding in steps[cause].findings]
    if failed and diagnosis.outcome is Outcome.NO_CAUSE_FOUND:
        wrong.append("no cause found after a failed backup")
    shown = tuple(cause for cause in steps if cause in found)
    if wrong:
        return Judged(Measure.WRONG, shown, "; ".join(wrong))
    return Judged(_good(label, diagnosis, found, failed), shown)


def _good(label: Label, diagnosis: Diagnosis, found: set[str], failed: bool) -> Measure:
    undecided = diagnosis.outcome in (Outcome.UNDECIDED, Outcome.MISSING_RIGHTS)
    if label.true is None:
        return Measure.HONEST if undecided or not (found or failed) else Measure.WEAK
    if found & label.true or not label.true:
        return Measure.RIGHT
    verdicts = {diagnosis.step(cause).verdict for cause in label.true}
    honest = undecided and Verdict.UNKNOWN in verdicts and Verdict.OK not in verdicts
    return Measure.HONEST if honest else Measure.WEAK


def _problems(findings: tuple[Finding, ...]) -> list[Finding]:
    return [finding for finding in findings if finding.verdict is Verdict.PROBLEM]


def _said(finding: Finding) -> str:
    return f"{finding.check}: {finding.verdict} ({finding.reason})"


# --- the table -----------------------------------------------------------------------------------------------------


def main(words: list[str]) -> int:
    """Print the table (of the worlds named, or of all); 1 where a verdict is wrong."""
    asked = argparse.ArgumentParser(prog="python -m tests.truth", description="The measure of the verdicts.")
    asked.add_argument("worlds", nargs="*", help="names of worlds; all without")
    asked.add_argument("--all", action="store_true", help="withhold each fact as well")
    asked.add_argument("--folder", type=Path, help="other worlds, with a truth.yaml of their own")
    given = asked.parse_args(words)
    every = labels(given.folder) if given.folder else labels()
    counted: Counter[Measure] = Counter()
    broken = 0
    for name in given.worlds or list(every):
        label, path = every[name], path_of(name, given.folder or WORLDS)
        run = examined(path, label.section)
        found = judged(label, run.diagnosis(), something_failed(path))
        counted[found.measure] += 1
        why = f"  <- {found.why}" if found.why else ""
        print(f"{found.measure.value:7} {name:46} {', '.join(found.found) or '-'}{why}", flush=True)
        for said in breaches(run.section, run.evidence) if given.all else ():
            broken += 1
            print(f"        {said}")
    total = sum(counted.values())
    print(" · ".join(f"{counted[each]} {each.value} ({100 * counted[each] // total} %)" for each in Measure))
    return 1 if counted[Measure.WRONG] or broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
