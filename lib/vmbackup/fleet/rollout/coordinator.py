"""A plan while it is carried out: wave after wave, until a VM got worse or the operator stops it.

The VMs of a wave are changed at the same time, so whatever a remedy does, it does to no more VMs than one wave has.
The next wave begins when all of them have ended and settled.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from queue import SimpleQueue

from vmbackup.arm.call import start_thread
from vmbackup.fleet.rollout.record import Begun
from vmbackup.fleet.rollout.vm import RolloutContext, VmChange
from vmbackup.fleet.rollout.waves import next_wave
from vmbackup.runs.rollout import End, Ending, Planned


class RolloutRun:
    """One run of a plan. ``ends`` is how each VM ended, those of earlier runs among them."""

    def __init__(self, context: RolloutContext) -> None:
        self.context = context
        self.ends = context.record.ended()
        if any(end["ending"] == Ending.WORSE for end in self.ends.values()):
            context.stopped.set()

    def stop(self) -> None:
        """Begin no further VM; what was begun comes to its end."""
        self.context.stopped.set()
        self.context.no_waiting.set()

    def run(self) -> Iterator[End]:
        """Change the VMs that have not ended, and yield each as it ends. Raises Unwritten where that cannot be
        noted."""
        begun, agreed = self.context.record.begun(), self.context.agreement
        # First what an earlier run left in the middle, also where nothing else is begun any more.
        yield from self._wave([vm for vm in self._waiting() if vm["name"] in begun], begun)
        while not self.context.stopped.is_set() and (waiting := self._waiting()):
            changed = sum(end["ending"] != Ending.LEFT_OUT for end in self.ends.values())
            yield from self._wave(next_wave(waiting, changed, agreed.width), {})

    def _waiting(self) -> list[Planned]:
        return [vm for vm in self.context.agreement.vms if vm["name"] not in self.ends]

    def _wave(self, vms: Sequence[Planned], begun: Mapping[str, Begun]) -> Iterator[End]:
        number = 1 + max((end["wave"] for end in self.ends.values()), default=0)
        ended: SimpleQueue[End | BaseException | None] = SimpleQueue()
        for vm in vms:
            start_thread(self._one, VmChange(vm, number, self.context, begun.get(vm["name"])), ended)
        for _ in vms:
            end = ended.get()
            if isinstance(end, BaseException):
                self.stop()
                raise end
            if end is not None:
                self.ends[end["name"]] = end
                yield end

    def _one(self, change: VmChange, ended: SimpleQueue[End | BaseException | None]) -> None:
        try:
            end = change.run()
            if end is not None:
                if end["ending"] == Ending.WORSE:
                    self.context.stopped.set()
                self.context.record.note_ended(end)
            ended.put(end)
        except BaseException as error:  # handed to the thread that waits, which raises it
            self.context.stopped.set()
            ended.put(error)
