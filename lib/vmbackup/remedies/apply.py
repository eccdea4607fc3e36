"""Does what one plan says, once it is confirmed, and writes the receipt.

The order never changes: confirmed? anything against it? a right missing? Then it is carried out (``doing``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from vmbackup.arm.client import Arm
from vmbackup.arm.errors import RequestRefused, ResponseLost
from vmbackup.arm.permissions import granted, lacking
from vmbackup.model import RemedyRefused
from vmbackup.remedies.executor import Tools, carry_out
from vmbackup.remedies.plan import RISKS, Plan
from vmbackup.remedies.preflight import Refusal
from vmbackup.remedies.receipt import Receipt
from vmbackup.remedies.steps import vm as do


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Consent: the remedies named, up to a risk. Headless runs make it from the parameters remedies and max_risk."""

    remedies: frozenset[str]
    max_risk: str = "low"

    @classmethod
    def of(cls, plan: Plan) -> Confirmation:
        """The consent of an operator who saw this plan and agreed to it."""
        return cls(frozenset({plan.remedy}), str(plan.entry["risk"]))

    @classmethod
    def from_parameters(cls, remedies: str, max_risk: str) -> Confirmation:
        """The allow-list of a headless run. Raises RemedyRefused for a risk that does not exist."""
        if max_risk not in RISKS:
            raise RemedyRefused(f"max_risk is {max_risk!r}; it must be one of {', '.join(RISKS)}.")
        return cls(frozenset(name.strip() for name in remedies.split(",") if name.strip()), max_risk)

    def refusal(self, plan: Plan) -> Refusal | None:
        """Why this consent does not cover the plan; None when it does."""
        if plan.remedy not in self.remedies:
            return Refusal("not_allowed", {"remedy": plan.remedy})
        if RISKS.index(plan.entry["risk"]) > RISKS.index(self.max_risk):
            return Refusal("too_risky", {"risk": plan.entry["risk"], "max_risk": self.max_risk})
        return None


def allowed(plans: Iterable[Plan], confirm: Confirmation) -> list[Plan]:
    """The plans that a headless run may apply: covered by the consent, and nothing speaks against them."""
    return [each for each in plans if each.applicable and confirm.refusal(each) is None]


def apply(
    plan: Plan,
    tools: Tools,
    confirm: Confirmation,
    *,
    deadline_s: float = 1800,
    each: Callable[[], None] | None = None,
) -> Receipt:
    """Apply one plan and return its receipt. Raises RemedyRefused, with nothing changed, when it must not be done.

    ``deadline_s`` bounds the waiting for each step; ``each`` is called while waiting.
    """
    refused = confirm.refusal(plan)
    if refused is not None:
        raise RemedyRefused(refused.words(plan.language))
    if plan.refusals:
        raise RemedyRefused(" ".join(each_.words(plan.language) for each_ in plan.refusals))
    _ask_again(plan, tools.arm)
    return carry_out(plan, tools, deadline_s, each)


def _ask_again(plan: Plan, arm: Arm) -> None:
    """Rights, VM, agent and Resource Guard, asked now. Where Azure does not tell, it decides itself at the change."""
    by_scope: dict[str, list[str]] = {}
    for action in plan.entry["actions"]:
        by_scope.setdefault(_scope(plan, action), []).append(action)
    for scope, actions in by_scope.items():
        try:
            missing = lacking(actions, granted(arm, scope))
        except (RequestRefused, ResponseLost):
            continue
        if missing:
            values = {"action": ", ".join(missing), "scope": scope}
            raise RemedyRefused(Refusal("missing_right", values).words(plan.language))
    _look_again(plan, arm)
    if plan.entry["change"]["guarded"] and guarded(arm, str(plan.values["vault_id"])):
        raise RemedyRefused(Refusal("resource_guard").words(plan.language))


def _look_again(plan: Plan, arm: Arm) -> None:
    """The VM may have stopped, or its agent died, since the evidence was taken."""
    needs = plan.entry["change"]["needs"]
    if "running_vm" not in needs:
        return
    try:
        view = do.instance_view(arm, plan.target.vm_id)
    except (RequestRefused, ResponseLost):
        return
    power, status = do.power(view) or "-", do.agent(view)["status"] or "-"
    if power != "running":
        raise RemedyRefused(Refusal("vm_not_running", {"power": power}).words(plan.language))
    if "agent" in needs and status != "Ready":
        raise RemedyRefused(Refusal("agent_not_ready", {"status": status}).words(plan.language))


def _scope(plan: Plan, action: str) -> str:
    provider = action.lower()
    if provider.startswith("microsoft.recoveryservices/"):
        return str(plan.values.get("vault_id"))
    if provider.startswith("microsoft.compute/virtualmachines"):
        return plan.target.vm_id
    if provider.startswith("microsoft.authorization/locks"):
        return str(plan.values.get("lock_scope"))
    return plan.resource


def guarded(arm: Arm, vault_id: str) -> bool:
    """Whether a Resource Guard protects the vault; False where Azure does not tell, for it then refuses itself."""
    try:
        body = arm.request("GET", f"{vault_id}/backupResourceGuardProxies").body
    except (RequestRefused, ResponseLost):
        return False
    return bool(isinstance(body, Mapping) and body.get("value"))
