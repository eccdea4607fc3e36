"""Applies one plan after consent, and writes the receipt.

Always in this order: is there consent? does anything forbid it? is the problem still there now, and may this identity
do it? Then it is executed (``executor``). The plan's evidence may be old, or come from a file: nothing of it is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from vmbackup import catalog, clock
from vmbackup.arm.call import calling
from vmbackup.arm.client import Arm
from vmbackup.arm.errors import RequestRefused, ResponseLost
from vmbackup.arm.permissions import granted, lacking
from vmbackup.checks.base import load
from vmbackup.collectors import collect
from vmbackup.model import Evidence, Finding, RemedyRefused, Verdict
from vmbackup.remedies.executor import ChangeContext, execute
from vmbackup.remedies.interrupted import Interrupted, interrupted, left_off
from vmbackup.remedies.plan import RISKS, Plan, cured, facts_behind, merge_fresh, planned
from vmbackup.remedies.preflight import CHANGING, Refusal
from vmbackup.remedies.receipt import Receipt
from vmbackup.remedies.steps.request import properties
from vmbackup.remedies.values import values

LOOK_S = 120
GUEST_FACTS_H = 24
"""Our own limit: the oldest facts from the guest that a change may be based on."""


@dataclass(frozen=True, slots=True)
class Consent:
    """The remedies agreed to, up to a risk. Headless runs make it from the parameters remedies and max_risk."""

    remedies: frozenset[str]
    max_risk: str = "low"

    @classmethod
    def for_plan(cls, plan: Plan) -> Consent:
        """The consent of an operator who saw this plan and agreed to it."""
        return cls(frozenset({plan.remedy}), str(plan.entry["risk"]))

    @classmethod
    def from_parameters(cls, remedies: str, max_risk: str) -> Consent:
        """The allow-list of a headless run. Raises RemedyRefused for a risk that does not exist."""
        if max_risk not in RISKS:
            raise RemedyRefused("error.not_one_of", name="max_risk", value=max_risk, choices=RISKS)
        return cls(frozenset(name.strip() for name in remedies.split(",") if name.strip()), max_risk)

    def refusal(self, plan: Plan) -> Refusal | None:
        """Why this consent does not cover the plan; None when it does."""
        if plan.remedy not in self.remedies:
            return Refusal("not_allowed", {"remedy": plan.remedy})
        if RISKS.index(plan.entry["risk"]) > RISKS.index(self.max_risk):
            return Refusal("too_risky", {"risk": plan.entry["risk"], "max_risk": self.max_risk})
        return None


def allowed(plans: Iterable[Plan], consent: Consent) -> list[Plan]:
    """The plans that a headless run may apply: covered by the consent, and not refused."""
    return [each for each in plans if each.applicable and consent.refusal(each) is None]


def apply(
    plan: Plan,
    evidence: Evidence,
    context: ChangeContext,
    consent: Consent,
    *,
    failure: str | None = None,
    deadline_s: float = 1800,
    on_wait: Callable[[], None] | None = None,
) -> Receipt:
    """Apply one plan and return its receipt. Raises RemedyRefused, with nothing changed, when it must not be done.

    ``evidence`` is what the plan was made from, ``failure`` the job that the operator named; what it says of Azure is
    asked again. ``deadline_s`` bounds the waiting for each request; ``on_wait`` is called while waiting.
    """
    refused = consent.refusal(plan)
    _refuse(plan, *([refused] if refused else []), *plan.refusals)
    with calling(plan.target.vm_id):
        current = _made_anew(plan, evidence, context, failure)
        _refuse(current, *current.refusals)
        _may_do(current, context.arm)
        _is_settled(current, context.arm)
        return execute(current, context, deadline_s, on_wait)


def close_superseded(left: Interrupted, context: ChangeContext, language: str) -> list[Receipt]:
    """Close what earlier runs left and nobody continues: a receipt each, with the reason."""
    receipts = []
    for operation, reason in left.superseded:
        receipt = Receipt(
            operation.remedy, operation.resource, "superseded", context.audit.who, operation.begun_at,
            clock.stamp(context.azure.now()), (), operation.before, {}, reason,
            catalog.text(f"superseded.{reason}", language),
        )  # fmt: skip
        context.journal.close(operation.id, receipt)
        receipts.append(receipt)
    return receipts


def _refuse(plan: Plan, *refusals: Refusal) -> None:
    if refusals:
        raise RemedyRefused(" ".join(each.words(plan.language) for each in refusals))


def _made_anew(plan: Plan, evidence: Evidence, context: ChangeContext, failure: str | None) -> Plan:
    """The same plan made from Azure's current state. Raises RemedyRefused where it differs, or the problem is gone."""
    names = facts_behind(plan)
    fresh = collect(context.azure, plan.target, failure=failure, only=names, deadline_s=LOOK_S)
    known = merge_fresh(evidence, fresh, names)
    findings = _findings(plan, known, context)
    problems = tuple(each for each in findings if each.verdict is Verdict.PROBLEM and _is_cured(plan, each))
    filled = values(plan.target, known, findings)
    current = planned(plan.remedy, plan.cures, filled, known, plan.target, plan.language)
    if not problems and not left_off(plan, known):
        undecided = [f"{each.check}: {each.reason}" for each in findings if each.check in plan.cures]
        if undecided:
            _refuse(plan, *current.refusals, Refusal("undecided", {"checks": ", ".join(undecided)}))
        close_superseded(_left_open(plan, [], known, context), context, plan.language)
        _refuse(plan, Refusal("problem_gone"))
    _refuse(plan, *_too_old(problems, known))
    if current.change != plan.change:
        _refuse(plan, Refusal("plan_changed"))
    return _continuing(plan, current, known, context)


def _continuing(plan: Plan, current: Plan, known: Evidence, context: ChangeContext) -> Plan:
    """The plan, with what an earlier run left of this very change; what is not continued is closed."""
    left = _left_open(plan, [] if left_off(plan, known) else [current], known, context)
    close_superseded(left, context, plan.language)
    if left.continued:
        return left.continued[0]
    if plan.continues:
        _refuse(plan, Refusal("plan_changed"))
    return current


def _left_open(plan: Plan, found: list[Plan], known: Evidence, context: ChangeContext) -> Interrupted:
    """What earlier runs left of this change."""
    same = context.journal.unfinished(plan.remedy, plan.resource)
    return interrupted(same, found, known, plan.target, plan.language)


def _findings(plan: Plan, known: Evidence, context: ChangeContext) -> tuple[Finding, ...]:
    """The problems, and what is not known, of the causes that the plan is for."""
    causes = {load()[name].cause for name in plan.cures}
    findings = (each for each in context.judge(known) if each.cause in causes)
    return tuple(each for each in findings if each.verdict in (Verdict.PROBLEM, Verdict.UNKNOWN))


def _is_cured(plan: Plan, finding: Finding) -> bool:
    return not set(plan.cures).isdisjoint(cured(plan.entry, finding))


def _too_old(problems: Iterable[Finding], known: Evidence) -> list[Refusal]:
    """The guest is not examined again here; its facts must be recent."""
    now = clock.azure_now(known)
    names = {name for each in problems for name in each.evidence if name.startswith("guest.") and name in known}
    ages = [clock.seconds_between(known[name].taken_at, now) for name in names if known[name].answered]
    hours = max((age for age in ages if age is not None), default=0.0) / 3600
    return [Refusal("guest_facts_old", {"hours": round(hours)})] if hours > GUEST_FACTS_H else []


def _may_do(plan: Plan, arm: Arm) -> None:
    """Checks rights and Resource Guard now. Where Azure does not say, it decides when the change is sent."""
    by_scope: dict[str, list[str]] = {}
    for action in plan.entry["actions"]:
        by_scope.setdefault(_scope(plan, action), []).append(action)
    for scope, actions in by_scope.items():
        try:
            missing = lacking(actions, granted(arm, scope))
        except (RequestRefused, ResponseLost):
            continue
        if missing:
            _refuse(plan, Refusal("missing_right", {"action": ", ".join(missing), "scope": scope}))
    if plan.entry["change"]["guarded"] and guarded(arm, str(plan.values["vault_id"])):
        _refuse(plan, Refusal("resource_guard"))


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
    """Whether a Resource Guard protects the vault; False where Azure does not say, since it would refuse the change
    itself."""
    try:
        body = arm.request("GET", f"{vault_id}/backupResourceGuardProxies").body
    except (RequestRefused, ResponseLost):
        return False
    return bool(isinstance(body, Mapping) and body.get("value"))


def _is_settled(plan: Plan, arm: Arm) -> None:
    """Whether the resource is being changed right now; for the VM, the evidence says so."""
    if plan.entry["change"]["resource"] in ("vm_id", "vault_id", "lock_id") or plan.continues:
        return
    try:
        state = str(properties(arm.request("GET", plan.resource)).get("provisioningState") or "")
    except (RequestRefused, ResponseLost):
        return
    if state.lower() in CHANGING:
        _refuse(plan, Refusal("resource_changing", {"resource": plan.resource, "state": state}))
