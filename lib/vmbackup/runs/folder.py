"""The folder of one run: names and opens every file in it, on this machine or behind any fsspec URL.

    file                     content                                         written by            read by
    evidence.json            what was found out                              RunFolder             a replay, the ticket
    result.json              the judged causes, for machines                 RunFolder             the fleet, the ticket
    run.json                 what the operator did: steps left open, paste   RunFolder             resume, the ticket
                             and proof (walk.json until version 0.1)
    run.evidence.json        the evidence that run.json belongs to           RunFolder             resume
    before.evidence.json     the evidence from before the first change       RunFolder             resume, the ticket
    known.json               what the lists of a fleet said of this VM       the fleet             the first collection
    begun.json               that a run that may change something goes on    runs.begun            the next run
    operations.jsonl         each stage of each change (write-ahead)         remedies.journal      the next change
    receipts.jsonl           what was changed, one receipt each              remedies.journal      resume, the ticket
    audit.jsonl              every changing request                          arm.audit             pages, the ticket
    run_command.operation    the guest script that is running                collectors.guest      the next collection
    runbook.ipynb            the executed notebook                           papermill, ticket     people, the ticket
    ticket/…, ticket.zip     what goes to a ticket                           ticket                people
    outbox.json              tickets on which the bundle is still to be put    ticket                the next attach
    aliases.json             which name hides behind which alias             ticket                the next bundle
    lock, lock.json          who may change something now, and who does      runs.lock             runs.lock
    <file>.unreadable…       a file that could not be read, set aside        RunFolder             people

Files are replaced whole and are for their owner alone (0600 in a folder of 0700). The folder is made with its first
file. It is not trusted: what is read here is checked for its shape, and nothing in it becomes the path of a request.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

from vmbackup import catalog, sanitize
from vmbackup.catalog.words import explain
from vmbackup.diagnosis import every_finding
from vmbackup.model import Evidence, Fact, RemedyRefused, SetupError, Target
from vmbackup.remedies.journal import Journal
from vmbackup.runs import storage
from vmbackup.runs.evidence import evidence_text, in_lines, parse_evidence
from vmbackup.runs.lock import LAST_CHANGE, Held, folder_lock, vm_lock, vm_state
from vmbackup.runs.log import Log
from vmbackup.runs.saved_run import SavedRun

if TYPE_CHECKING:
    from vmbackup.arm.connection import Azure
    from vmbackup.remedies.executor import ChangeContext

EVIDENCE, RESULT, RUN, RUN_EVIDENCE, BEFORE = (
    "evidence.json", "result.json", "run.json", "run.evidence.json", "before.evidence.json",
)  # fmt: skip
KNOWN, BEGUN = "known.json", "begun.json"
OPERATIONS, RECEIPTS, AUDIT, GUEST_OPERATION = (
    "operations.jsonl", "receipts.jsonl", "audit.jsonl", "run_command.operation",
)  # fmt: skip
NOTEBOOK, PAGE, TICKET = "runbook.ipynb", "runbook.html", "ticket.zip"
_FORMER = {RUN: "walk.json", RUN_EVIDENCE: "walk.evidence.json"}

_Content = TypeVar("_Content")


class RunFolder:
    """One run's folder. ``notices`` are sentences about files that could not be read and were set aside."""

    def __init__(self, place: str | os.PathLike[str], language: str = "en") -> None:
        self.language = language
        self.notices: list[str] = []
        self._looked: dict[str, tuple[bytes | None, int]] = {}
        try:
            self._storage = storage.at(place)
        except (OSError, ImportError, ValueError) as error:
            raise SetupError("error.folder_not_opened", folder=os.fspath(place), message=str(error)) from None

    def __str__(self) -> str:
        return str(self._storage)

    # --- what was found out ---

    def save_evidence(self, target: Target, evidence: Evidence) -> bytes:
        """Write ``evidence.json``; returns its content."""
        return self._write_evidence(EVIDENCE, target, evidence)

    def save_result(self, content: Mapping[str, Any]) -> None:
        """Write ``result.json``."""
        self._write_json(RESULT, content)

    def result(self) -> dict[str, Any] | None:
        """The content of ``result.json``; None where there is none that can be read."""
        found = self._read_json(RESULT)
        return found if isinstance(found, dict) else None

    # --- what a fleet knows ---

    def save_known(self, target: Target, known: Evidence) -> None:
        """Write ``known.json``: facts that the first collection here need not ask for."""
        self._write_evidence(KNOWN, target, known)

    def known(self, target: Target) -> dict[str, Fact]:
        """The facts in ``known.json``; none where there is no such file, where it is another VM's, or where something
        was changed from this folder since."""
        found = self._parsed(KNOWN, parse_evidence)
        if found is None or found[0].vm_id.lower() != target.vm_id.lower() or self.log(OPERATIONS).events():
            return {}
        return found[1]

    # --- what the operator did ---

    def save_run(
        self, saved: SavedRun, target: Target, evidence: Evidence | bytes, before: Evidence | None = None
    ) -> None:
        """Write ``run.json`` and the evidence that belongs to it, or its content, so that the run goes on from there;
        and the evidence from before the first change, if there was one."""
        if before:
            self._write_evidence(BEFORE, target, before)
        if isinstance(evidence, bytes):
            self.write(RUN_EVIDENCE, evidence)
        else:
            self._write_evidence(RUN_EVIDENCE, target, evidence)
        self._write_json(RUN, saved.as_json())

    def saved_run(self) -> tuple[SavedRun, dict[str, Fact]] | None:
        """The run that was saved here, with its evidence. What cannot be read is set aside, and there is none then."""
        saved = self._parsed(RUN, lambda content: SavedRun.from_json(json.loads(content)))
        known = self._parsed(RUN_EVIDENCE, parse_evidence)
        if saved is None or known is None or known[0].vm_id.lower() != saved.vm_id.lower():
            return None
        return saved, known[1]

    def evidence_before(self) -> dict[str, Fact]:
        """The evidence from before the first change; empty where nothing was changed."""
        found = self._parsed(BEFORE, parse_evidence)
        return found[1] if found else {}

    # --- what was changed ---

    def log(self, name: str) -> Log:
        """One of the append-only files: OPERATIONS, RECEIPTS, AUDIT."""
        return Log(self._storage, name, self._read, lambda count: self._notice_lines(name, count))

    @property
    def journal(self) -> Journal:
        """What was begun and what was done."""
        return Journal(self.log(OPERATIONS), self.log(RECEIPTS))

    def audited(self) -> list[dict[str, Any]]:
        """Every changing request, one row each."""
        from vmbackup.arm.audit import rows

        return rows(self.log(AUDIT))

    def look_at(self, azure: Azure, target: Target) -> None:
        """Note the state as a collection begins: what others change from now on is not in its evidence."""
        self._looked[target.vm_id.lower()] = self._changes(azure, target)

    @contextmanager
    def changing(self, azure: Azure, target: Target) -> Iterator[ChangeContext]:
        """What a change of this VM needs, for this process alone. Raises RemedyRefused that names who holds the run
        folder or the VM, and where another run changed the VM since this one looked."""
        from vmbackup.arm.audit import Audit
        from vmbackup.arm.client import Arm
        from vmbackup.remedies.executor import ChangeContext

        vm_id = target.vm_id.lower()
        try:
            with vm_lock(azure.connection.endpoint, vm_id) as state, folder_lock(self._storage) as still_held:

                def before_send() -> None:
                    if not still_held():
                        raise RemedyRefused(catalog.text("refused.lock_lost", self.language))
                    state.write(LAST_CHANGE, os.urandom(8).hex().encode())

                if self._looked.get(vm_id, self._changes(azure, target)) != self._changes(azure, target):
                    raise RemedyRefused(catalog.text("refused.changed_meanwhile", self.language))
                audit = Audit(self.log(AUDIT), azure.who())
                try:
                    yield ChangeContext(azure, Arm.on(azure), audit, self.journal, every_finding, before_send)
                finally:
                    self._looked[vm_id] = self._changes(azure, target)
        except Held as error:
            holder = asdict(error.holder) if error.holder else dict.fromkeys(("pid", "host", "user", "since"), "?")
            raise RemedyRefused(catalog.text("refused.held", self.language, **holder)) from None
        except OSError as error:
            raise RemedyRefused(catalog.text("refused.no_lock", self.language, message=str(error))) from None

    def _changes(self, azure: Azure, target: Target) -> tuple[bytes | None, int]:
        """What differs once any run, in this folder or by this user on this machine, began to change the VM."""
        last = None
        with suppress(OSError):  # without read access there is no lock, and so no change
            last = vm_state(azure.connection.endpoint, target.vm_id).read(LAST_CHANGE, 64)
        return last, len(self.log(OPERATIONS).events())

    # --- the guest script that is running ---

    def guest_operation(self) -> dict[str, str]:
        """The addresses of the Run Command that an earlier collection did not see the end of. They come from a file, so
        they must be checked before use."""
        found = self._read_json(GUEST_OPERATION)
        known = found.items() if isinstance(found, dict) else ()
        return {name: address for name, address in known if isinstance(address, str)}

    def note_guest_operation(self, addresses: Mapping[str, str]) -> None:
        """Keep the addresses of a Run Command that was sent; with none it has ended."""
        if addresses:
            # Not sanitized: an address that Azure signed is useless without its signature.
            self.write(GUEST_OPERATION, json.dumps(dict(addresses)).encode())
        else:
            self.delete(GUEST_OPERATION)

    # --- what goes to a ticket ---

    def read(self, name: str) -> bytes | None:
        """One file as it is, None where there is none."""
        return self._read(name)

    def write(self, name: str, content: bytes) -> None:
        """One of the files above. Raises SetupError where it cannot be written."""
        try:
            self._storage.write(name, content)
        except OSError as error:
            raise self._unwritten(name, error) from None

    def delete(self, name: str) -> None:
        """Remove one of the files above, if it is there."""
        try:
            self._storage.delete(name)
        except OSError as error:
            raise self._unwritten(name, error) from None

    # --- reading and writing ---

    def _write_evidence(self, name: str, target: Target, evidence: Evidence) -> bytes:
        content = evidence_text(target, evidence).encode()
        self.write(name, content)
        return content

    def _write_json(self, name: str, content: Mapping[str, Any]) -> None:
        self.write(name, f"{in_lines(sanitize.data(content))}\n".encode())

    def _read_json(self, name: str) -> Any:
        return self._parsed(name, json.loads)

    def _parsed(self, name: str, parse: Callable[[bytes], _Content]) -> _Content | None:
        """What a file says, by its own or its former name; None, and the file set aside, where it cannot be read."""
        for each in (name, _FORMER.get(name, name)):
            content = self._read(each)
            if content is None:
                continue
            try:
                return parse(content)
            except (ValueError, RecursionError, SetupError) as error:
                self._set_aside(each, error)
        return None

    def _read(self, name: str) -> bytes | None:
        try:
            return self._storage.read(name)
        except OSError as error:
            self._set_aside(name, error)
            return None

    def _set_aside(self, name: str, error: Exception) -> None:
        """Give a file that cannot be read another name, so that it neither stops the run nor is lost."""
        kept = f"{name}.unreadable-{os.urandom(3).hex()}"
        try:
            self._storage.rename(name, kept)
        except OSError:
            kept = name
        why = explain(error, self.language) if isinstance(error, SetupError) else storage.why(error)
        self._notice("folder.set_aside", file=name, kept=kept, why=sanitize.shortened(why))

    def _notice(self, key: str, **values: Any) -> None:
        sentence = catalog.text(key, self.language, folder=str(self), **values)
        if sentence not in self.notices:
            self.notices.append(sentence)

    def _notice_lines(self, name: str, count: int) -> None:
        self._notice("folder.unreadable_lines", file=name, count=count)

    def _unwritten(self, name: str, error: OSError) -> SetupError:
        return SetupError("error.not_written", file=f"{self}/{name}", message=storage.why(error))
