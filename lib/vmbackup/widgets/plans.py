"""The remedies of a step: one plan open, the others behind their titles, with the button to apply and the question that
comes before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from vmbackup import catalog
from vmbackup.catalog.remedies import script
from vmbackup.pages.blocks import Heading, Page, Paragraph
from vmbackup.resource_ids import resource_name
from vmbackup.sanitize import text
from vmbackup.widgets import controls

if TYPE_CHECKING:
    from vmbackup.remedies.plan import Plan


class Plans:
    """Plans of one cause. ``on_apply`` is told the plan that the operator confirmed, and only then; ``on_done`` is
    called once the operator did it by hand."""

    def __init__(self, on_apply: Callable[[Plan], object], on_done: Callable[[], object]) -> None:
        self._on_apply, self._on_done = on_apply, on_done
        self._asked: Plan | None = None
        self._question = controls.view("vmbackup-question")
        self._yes = controls.button(self._confirmed, "vmbackup-main", "vmbackup-commits")
        self._no = controls.button(lambda: self._ask(None))
        self._answers = controls.row(self._yes, self._no)
        self._confirm = controls.rows(self._question, self._answers, classes=("vmbackup-part",))
        self._confirm.add_class("vmbackup-error")
        self.box = controls.rows(classes=("vmbackup-plans",))
        self._slots: dict[str, Any] = {}
        self._found: Sequence[Plan] = ()
        self._open: tuple[str, str, str] | None = None
        self._language, self._busy = "en", False

    def show(self, found: Sequence[Plan], busy: bool, language: str) -> None:
        """The plans anew: those that can be applied first, with their button. A question that stands goes on as long
        as there is still the same remedy for the same resource."""
        from vmbackup.pages import remedies as pages

        self._found, self._language, self._busy = found, language, busy
        self._slots = {}
        offered = [plan for plan in found if plan.offered]
        if offered and self._open not in [plan.change for plan in offered]:
            self._open = offered[0].change
        children: list[Any] = []
        for plan in offered:
            is_open = plan.change == self._open
            inside = self._plan(plan, is_alone=len(offered) == 1) if is_open else []
            children.append(controls.rows(*self._title(plan, is_open, offered), *inside, classes=("vmbackup-part",)))
        superseded = [plan for plan in found if not plan.offered]
        if superseded or not offered:
            place = controls.view()
            controls.put(place, pages.plans(superseded, language))
            children.append(place)
        self.box.children = children
        controls.word(self._yes, catalog.text("guide.yes_apply", language))
        controls.word(self._no, catalog.text("guide.keep", language))
        self._yes.disabled = busy
        self._ask(next(filter(self._asks, offered), None))

    def clear(self) -> None:
        """No plans."""
        self.box.children = ()
        self._found, self._slots, self._asked, self._open = (), {}, None, None

    def _asks(self, plan: Plan) -> bool:
        asked = self._asked
        return asked is not None and plan.applicable and (plan.remedy, plan.resource) == (asked.remedy, asked.resource)

    def _title(self, plan: Plan, is_open: bool, offered: Sequence[Plan]) -> list[Any]:
        """What opens the plan, where there is more than one."""
        if len(offered) == 1:
            return []
        title = controls.button(lambda: self._unfold(plan), "vmbackup-fold", "vmbackup-title")
        controls.mark(title, {"vmbackup-open": is_open})
        risk = catalog.text(f"risk.{plan.entry['risk']}", self._language)
        words = catalog.text("guide.plan_title", self._language, title=plan.words["title"], risk=risk)
        controls.word(title, text(f"{'▾' if is_open else '▸'} {words}"))
        return [title]

    def _unfold(self, plan: Plan) -> None:
        self._open, self._asked = plan.change, None
        self.show(self._found, self._busy, self._language)

    def _plan(self, plan: Plan, *, is_alone: bool) -> list[Any]:
        from vmbackup.pages import remedies as pages

        place = controls.view()
        title = [Heading(catalog.text("remedy.plan", self._language, title=plan.words["title"]))] if is_alone else []
        controls.put(place, Page([*title, *pages.unfolded(plan).blocks]))
        named = self._script(plan) if plan.entry["script"] else []
        return [place, *named, *(self._to_apply(plan) if plan.applicable else self._by_hand())]

    def _to_apply(self, plan: Plan) -> list[Any]:
        apply = controls.button(lambda: self._ask(plan), "vmbackup-main")
        apply.disabled = self._busy
        controls.word(apply, text(catalog.text("guide.apply", self._language, title=plan.words["title"])))
        return [apply, self._confirm_slot(plan)]

    def _by_hand(self) -> list[Any]:
        done = controls.button(self._on_done, "vmbackup-main")
        done.disabled = self._busy
        controls.word(done, catalog.text("guide.done_by_hand", self._language))
        return [done]

    def _script(self, plan: Plan) -> list[Any]:
        """The script that the plan's commands name, to copy and as the file that they name."""
        content = script(plan.remedy)
        words, done = (catalog.text(f"paste.{key}", self._language) for key in ("copy", "copied"))
        # With its words from the first: a button without a name would be there for a moment.
        copy, file = controls.Frontend(kind="copy", content=content, text=words, done=done), controls.view()
        controls.download(file, plan.entry["script"], content.encode(), self._language)
        return [controls.row(copy, file)]

    def _confirm_slot(self, plan: Plan) -> Any:
        self._slots[plan.remedy] = controls.rows()
        return self._slots[plan.remedy]

    def _ask(self, plan: Plan | None) -> None:
        self._asked = plan
        if plan is not None:
            risk = catalog.text(f"risk.{plan.entry['risk']}", self._language)
            values = {"title": plan.words["title"], "resource": resource_name(plan.resource) or "–", "risk": risk}
            question = catalog.text("guide.confirm", self._language, **values)
            controls.put(self._question, Page([Paragraph(question), Paragraph(plan.words["risk_note"])]))
            # At a high risk the answer that is offered first, and looks like it, is no.
            is_high = plan.entry["risk"] == "high"
            self._answers.children = (self._no, self._yes) if is_high else (self._yes, self._no)
            controls.mark(self._yes, {"vmbackup-main": not is_high})
            controls.mark(self._no, {"vmbackup-main": is_high})
        for remedy, slot in self._slots.items():
            slot.children = (self._confirm,) if plan is not None and remedy == plan.remedy else ()

    def _confirmed(self) -> None:
        plan = self._asked
        self._ask(None)
        if plan is not None:
            self._on_apply(plan)
