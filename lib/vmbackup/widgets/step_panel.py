"""What stands under the open step: what was found, what to do about it, and what that rests on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from vmbackup import catalog
from vmbackup.model import Step, Verdict, operating_system
from vmbackup.pages import step as step_page
from vmbackup.remedies.plan import first_command
from vmbackup.runs.run import Run
from vmbackup.widgets import controls
from vmbackup.widgets.command import CommandView
from vmbackup.widgets.paste import Paste
from vmbackup.widgets.plans import Plans

# Buttons in the order in which they stand; "next" goes to where the walk goes on.
_BUTTONS = ("plan", "script", "paste", "recheck", "take_up", "skip", "next")


class Panel:
    """The open step. ``on`` maps what an operator may do to who does it: ``recheck``, ``take_up`` and ``next`` take
    nothing, ``paste`` and ``skip`` take a text, ``apply`` a plan, ``say`` the key of a message."""

    def __init__(self, run: Run, on: Mapping[str, Callable[..., object]]) -> None:
        self._run, self._on = run, on
        self._found, self._background = controls.view(), controls.view()
        self._cause = ""
        self._unfolded = ""
        self._language = "en"
        handlers = {"recheck": on["recheck"], "take_up": on["take_up"], "next": on["next"]}
        self._buttons = {
            name: controls.button(handlers.get(name) or (lambda name=name: self._press(name))) for name in _BUTTONS
        }
        self._buttons["skip"].add_class("vmbackup-commits")
        self.command = CommandView(lambda: on["say"]("copied_command"))
        self.paste = Paste(on["paste"], lambda: on["say"]("copied"))
        self.plans = Plans(on["apply"], on["recheck"])
        self._reason = controls.field(1)
        self._leave = controls.button(self._left, "vmbackup-main", "vmbackup-commits")
        self._skip = controls.rows(self._reason, self._leave, classes=("vmbackup-part",))
        self._parts = {
            "script": self.paste.script,
            "paste": self.paste.paste,
            "plan": self.plans.box,
            "skip": self._skip,
        }
        for name in self._parts:
            self._buttons[name].add_class("vmbackup-fold")
        actions = controls.row(*self._buttons.values())
        self.box = controls.rows(
            self._found, actions, *self._parts.values(), self.command.box, self._background, classes=("vmbackup-panel",)
        )

    def show(self, cause: str, busy: bool, language: str) -> None:
        """Bring the panel up to date for this cause."""
        if cause != self._cause:
            self._unfolded = ""
        self._cause, self._language = cause, language
        controls.put(self._found, step_page.found(self._run, cause))
        controls.put(self._background, step_page.background(self._run, cause, linked=True))
        self._show_buttons(busy, language)
        plans = [] if self._run.awaited else self._run.plans(cause)
        self.command.show(first_command(plans), language)
        self.paste.show(operating_system(self._run.evidence), busy, language)
        controls.word(self._reason, catalog.text("guide.reason", language))
        controls.word(self._leave, catalog.text("guide.leave", language))
        self._leave.disabled = busy
        if self._unfolded == "plan":
            self.plans.show(plans, busy, language)
        self._fold()

    def _show_buttons(self, busy: bool, language: str) -> None:
        step = self._run.diagnosis().step(self._cause)
        offered = self._offered(step)
        main = self._main(step, offered)
        for name, button in self._buttons.items():
            controls.word(button, catalog.text(f"guide.{name}", language))
            controls.visible(button, offered[name])
            controls.mark(button, {"vmbackup-main": name == main})
            button.disabled = busy and name != "next"

    def fold(self) -> None:
        """Close what was unfolded."""
        self._unfolded = ""
        self.plans.clear()
        self._fold()

    def _main(self, step: Step, offered: Mapping[str, bool]) -> str:
        """The next action: a remedy for what was found, the guest script where only the guest can tell."""
        probe = self._run.evidence.get("guest.probe")
        if offered["plan"] or offered["take_up"]:
            return "plan" if offered["plan"] else "take_up"
        if step.verdict is not Verdict.UNKNOWN:
            return "next"
        return "script" if offered["script"] and not (probe and probe.answered) else "recheck"

    def _offered(self, step: Step) -> dict[str, bool]:
        verdict, skipped = step.verdict, self._cause in self._run.skipped
        judged = verdict is not Verdict.NOT_APPLICABLE
        asks_guest = any(fact.startswith("guest.") for finding in step.findings for fact in finding.evidence)
        return {
            "recheck": self._run.live and judged,
            "plan": self._run.live and (verdict is Verdict.PROBLEM or bool(self._run.interrupted(self._cause))),
            "script": judged and asks_guest,
            "paste": judged and asks_guest,
            "skip": verdict in (Verdict.PROBLEM, Verdict.UNKNOWN) and not skipped,
            "take_up": skipped,
            "next": self._run.next_cause() not in (None, self._cause),
        }

    def _press(self, name: str) -> None:
        self._unfolded = "" if self._unfolded == name else name
        if self._unfolded == "plan":
            self.plans.show(self._run.plans(self._cause), False, self._language)
        self._fold()

    def _fold(self) -> None:
        # A plan has its own commands.
        controls.visible(self.command.box, self.command.is_given and self._unfolded != "plan")
        for name, part in self._parts.items():
            controls.visible(part, name == self._unfolded)
            controls.mark(self._buttons[name], {"vmbackup-open": name == self._unfolded})

    def _left(self) -> None:
        reason: Any = self._reason.value
        self._on["skip"](reason)
        self._reason.value = ""
