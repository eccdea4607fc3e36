"""Print what a world's expectations would be today: only what differs from the healthy world of its system.

Whoever lets ``--write`` change a file has to read the difference and say in the commit why the old verdict was wrong.
"""

from __future__ import annotations

import argparse
from typing import Any

import yaml

from azuresim.loading import scenario_names
from expected_verdicts import FOLDER, HEALTHY, healthy_verdicts, observed, written
from vmbackup.failures.triage import triage_job
from vmbackup.model import Evidence, SetupError
from worlds import examine


def renewed(world: str) -> dict[str, Any]:
    """The world examined again. What its file chose stays: the section, a deadline."""
    path = FOLDER / f"{world}.yaml"
    known = written(world) if path.exists() else {}
    chosen = {key: known[key] for key in ("deadline_s",) if key in known}
    try:
        evidence = examine(world, known.get("deadline_s", 20))
    except SetupError as stopped:
        return {"stops": known.get("stops", str(stopped))}
    seen = observed(evidence, known.get("section") or section_of(evidence))
    healthy = healthy_verdicts(world)
    different = {name: verdict for name, verdict in seen["verdicts"].items() if healthy.get(name) != verdict}
    return {**seen, **chosen, "verdicts": different}


def section_of(evidence: Evidence) -> str:
    """The section to which the failed job belongs, else the general one."""
    job = evidence.get("backup.failed_job")
    triaged = triage_job(job.data) if job and job.data else None
    return (triaged.section if triaged else None) or "internal_error"


def main() -> None:
    """Print, or write with ``--write``, the expectations of these worlds (of all of them if none is named)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("world", nargs="*", help="names of worlds; none means all, the healthy ones first")
    parser.add_argument("--write", action="store_true", help="write the files instead of printing them")
    options = parser.parse_args()
    for world in options.world or [*HEALTHY, *(name for name in scenario_names() if name not in HEALTHY)]:
        text = yaml.safe_dump(renewed(world), sort_keys=False, allow_unicode=True)
        if options.write:
            (FOLDER / f"{world}.yaml").write_text(text, "utf-8")
        else:
            print(f"# {world}\n{text}")


if __name__ == "__main__":
    main()
