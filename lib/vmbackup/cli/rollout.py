"""``vmbackup fleet --apply``: one remedy for many VMs. First the plan with its hash; with the hash, exactly that plan.

Exit codes: 0 the plan was shown, or it helped everywhere; 1 a VM failed or got worse; 2 refused or a usage error; 3 not
every VM was helped; 130 interrupted.
"""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

from vmbackup import catalog, sanitize
from vmbackup.catalog import remedies as catalogue
from vmbackup.cli.ending import INTERRUPTED, interruptible, post_result, stoppable, summarised
from vmbackup.cli.fleet_progress import print_event
from vmbackup.model import Risk, SetupError
from vmbackup.pages import rollout as pages
from vmbackup.runs.rollout import Ending, Rollout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vmbackup.fleet.ledger import Ledger
    from vmbackup.fleet.rollout.agreement import Agreement
    from vmbackup.fleet.rollout.coordinator import RolloutRun
    from vmbackup.fleet.rollout.planning import Proposal, Wanted
    from vmbackup.fleet.rollout.record import Record
    from vmbackup.runs.rollout import End

STOPPED, NOT_ALL = 1, 3
WIDTH = 10
"""VMs that are changed at the same time, unless the operator wants another number."""


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """What was asked for on the command line. ``confirmed`` is the hash of a plan, None where none was given."""

    remedy: str
    max_risk: Risk
    confirmed: str | None
    retry: bool
    without: list[str]
    at_once: int
    resume: bool
    dry_run: bool
    notify: str
    language: str
    as_json: bool

    def confirm_command(self, folder: str, digest: str) -> str:
        """The command that carries out this plan."""
        words = ["vmbackup", "fleet", "--apply", self.remedy, "--folder", folder]
        words += [] if self.max_risk is Risk.LOW else ["--max-risk", str(self.max_risk)]
        words += [] if self.at_once == WIDTH else ["--at-once", str(self.at_once)]
        words += ["--retry"] if self.retry else []
        words += [word for name in self.without for word in ("--without", name)]
        return shlex.join([*words, "--confirm-plan", digest])

    def refuse_contradictions(self, sources: int, folder: str, scheduler: str) -> None:
        """Raises SetupError for options that do not go together."""
        from vmbackup.runs.open import refuse_unknown_remedies

        own = {
            "--confirm-plan": self.confirmed is not None, "--retry": self.retry, "--without": bool(self.without),
            "--max-risk": self.max_risk is not Risk.LOW, "--at-once": self.at_once != WIDTH,
        }  # fmt: skip
        given = [name for name, is_given in own.items() if is_given]
        if not self.remedy:
            if given:
                raise SetupError("error.needs_apply", options=given)
            return
        refuse_unknown_remedies(self.remedy)
        if "," in self.remedy:
            raise SetupError("error.unknown_remedy", value=self.remedy)
        if scheduler:
            raise SetupError("error.apply_here")
        if not (folder or sources):
            raise SetupError("error.apply_needs_folder")
        if self.confirmed is not None and (sources or not folder):
            raise SetupError("error.confirm_needs_folder")
        if self.resume and self.confirmed is None:
            raise SetupError("error.resume_needs_plan")


def show(ledger: Ledger, options: ApplyOptions) -> bool:
    """Show the plan for the VMs of a folder; returns whether there is one to confirm. Raises SetupError where another
    plan was confirmed."""
    proposal = _propose(ledger, options)
    agreement = proposal.agreement
    proposed = Rollout(agreement.remedy, agreement.digest, agreement.vms, proposal.left)
    if options.as_json:
        without = ("parameters", "section")
        waves = [
            [{key: value for key, value in vm.items() if key not in without} for vm in wave] for wave in agreement.waves
        ]
        risk = catalogue.remedies()[agreement.remedy]["risk"]
        print_event(
            event="plan", remedy=agreement.remedy, risk=risk, max_risk=agreement.max_risk, retry=agreement.retry,
            hash=agreement.digest, waves=waves, left=proposal.left, unconcerned=proposal.unaffected,
        )  # fmt: skip
    else:
        page = pages.plan(
            proposed, agreement.waves, proposal.words, proposal.unaffected, options.retry, options.language
        )
        typer.echo(page.text())
        if agreement.vms:
            typer.echo(_text("confirm", options))
            typer.echo(f"    {sanitize.text(options.confirm_command(ledger.place, agreement.digest))}")
    return bool(agreement.vms)


def apply(ledger: Ledger, options: ApplyOptions) -> None:
    """Carry out the plan that was confirmed, or go on with it. Ends with the exit code."""
    from vmbackup.model import Unwritten

    begun = time.monotonic()
    with interruptible(), ledger.held():
        try:
            with _open_rollout(ledger, options) as run:
                progress = _Progress(run, options)
                with stoppable(progress):
                    progress.follow()
        except Unwritten as error:
            raise SetupError("error.fleet_stopped", **error.values) from None
        rollout = run.context.record.rollout()
        if rollout is None:
            raise SetupError("error.plan_tampered", file=f"{run.context.record.digest}.json")
        files = [] if progress.interrupted else summarised(ledger.place, options.language)
        code = _exit_code(rollout, progress.interrupted, run.context.agreement.retry)
        content = _content(rollout, code, ledger.place, files, round(time.monotonic() - begun, 1))
        _say_end(rollout, content, options)
    if options.notify:
        post_result(options.notify, content, options.language)
    raise typer.Exit(content["exit_code"])


def _propose(ledger: Ledger, options: ApplyOptions) -> Proposal:
    from vmbackup.fleet.rollout.planning import propose

    proposal = propose(ledger, _wanted(options), options.language)
    digest = proposal.agreement.digest
    if options.confirmed not in (None, digest):
        raise SetupError("error.other_plan", confirmed=sanitize.text(options.confirmed or "–"), digest=digest)
    return proposal


def _wanted(options: ApplyOptions) -> Wanted:
    from vmbackup.fleet.rollout.planning import Wanted

    return Wanted(options.remedy, str(options.max_risk), options.at_once, options.retry, frozenset(options.without))


@contextmanager
def _open_rollout(ledger: Ledger, options: ApplyOptions) -> Iterator[RolloutRun]:
    from vmbackup.fleet.rollout.connections import run_opener
    from vmbackup.fleet.rollout.coordinator import RolloutRun
    from vmbackup.fleet.rollout.record import Record
    from vmbackup.fleet.rollout.vm import RolloutContext

    record = Record(ledger.place, options.confirmed or "")
    if options.resume:
        agreement = _read_agreement(record, ledger, options)
    else:
        if record.exists:
            raise SetupError("error.plan_begun")
        proposal = _propose(ledger, options)
        agreement = proposal.agreement
        if not agreement.vms:
            raise SetupError("error.no_vm_to_apply", remedy=options.remedy, folder=ledger.place)
        record.begin(agreement, proposal.left)
    with run_opener(ledger.folder, options.language) as open_run:
        yield RolloutRun(RolloutContext(agreement, record, open_run, options.language))


def _read_agreement(record: Record, ledger: Ledger, options: ApplyOptions) -> Agreement:
    """The plan that was begun. Raises SetupError where it is not the one that is named, or somebody changed it."""
    from vmbackup.fleet.rollout.agreement import definition

    found = record.agreed
    if not record.exists:
        raise SetupError("error.plan_not_begun", digest=record.digest, folder=ledger.place)
    if found is None or found.definition != definition(found.remedy):
        raise SetupError("error.plan_tampered", file=f"{record.digest}.json")
    if found.remedy != options.remedy:
        raise SetupError("error.plan_of_other", digest=record.digest, remedy=found.remedy)
    return found


class _Progress:
    """Tells of each VM as it ends; Ctrl-C stops it."""

    def __init__(self, run: RolloutRun, options: ApplyOptions) -> None:
        self._run, self._options = run, options
        self.interrupted = False
        self._total = len(run.context.agreement.vms)

    def follow(self) -> None:
        """Carry the plan out to its end."""
        self._tell(event="begin", hash=self._run.context.record.digest, total=self._total, earlier=len(self._run.ends))
        for end in self._run.run():
            self._tell_end(end)

    def stop(self) -> None:
        """Begin no further VM."""
        self._run.stop()
        # Not through the buffer, in which the signal may have met somebody.
        os.write(sys.stderr.fileno(), f"{_text('waiting', self._options)}\n".encode())

    def _tell_end(self, end: End) -> None:
        self._tell(event="vm", **end)
        ending = _text(f"ending.{end['ending']}", self._options)
        done = len(self._run.ends)
        values = {"done": done, "all": self._total, "wave": end["wave"], "vm": end["name"], "ending": ending}
        if not self._options.as_json:
            said = f"{_text('ended', self._options, **values)} {end['why']}"
            typer.echo(sanitize.shortened(said.strip()), err=True)

    def _tell(self, **values: Any) -> None:
        if self._options.as_json:
            print_event(**values)


def _content(rollout: Rollout, code: int, place: str, files: list[str], seconds: float) -> dict[str, Any]:
    counted = pages.counts(rollout)
    return {
        "event": "end",
        "exit_code": code,
        "seconds": seconds,
        "hash": rollout.digest,
        "total": len(rollout.vms),
        **{str(ending): counted[ending] for ending in (*Ending, "open")},
        "fixed": sum(end["fixed"] is True for end in rollout.ends.values()),
        "folder": place,
        "files": files,
    }


def _exit_code(rollout: Rollout, interrupted: bool, retry: bool) -> int:
    """What the end says to a script."""
    if rollout.worse:
        return STOPPED
    if interrupted:
        return INTERRUPTED
    ends = [rollout.ends.get(vm["name"]) for vm in rollout.vms]
    helped = all(end and end["ending"] == Ending.HELPED for end in ends)
    proved = not retry or all(end and end["fixed"] for end in ends)
    return 0 if helped and proved else NOT_ALL


def _say_end(rollout: Rollout, content: Mapping[str, Any], options: ApplyOptions) -> None:
    if options.as_json:
        print_event(**content)
        return
    typer.echo(sanitize.text(pages.sentence(rollout, options.language)))
    key, place = ("summary" if content["files"] else "folder"), content["folder"]
    typer.echo(sanitize.text(catalog.text(f"fleet_run.{key}", options.language, folder=place)))
    if rollout.worse:
        typer.echo(_text("new_plan", options), err=True)
    elif content["open"]:
        typer.echo(_text("go_on", options), err=True)


def _text(key: str, options: ApplyOptions, **values: object) -> str:
    return catalog.text(f"rollout.{key}", options.language, **values)
