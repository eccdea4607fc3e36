"""Addition: the VM itself failed to be provisioned or is being changed."""

from __future__ import annotations

from vmbackup.checks.base import Judgement, check, ok, problem, unknown
from vmbackup.facts.backup import FailedJob
from vmbackup.facts.vm import VmModel, VmPower
from vmbackup.failures.signatures import signs_of_failure

_CHANGING = ("updating", "creating", "deleting", "migrating")
_POWER_CHANGING = ("starting", "stopping", "deallocating")
_OFF = ("stopped", "deallocated")


def is_off(power: str | None) -> bool:
    """Whether a VM in this power state is known to be off."""
    return (power or "").lower() in _OFF


@check(
    "vm.model",
    optional=("vm.power", "backup.failed_job"),
    sees=(
        *("vm_provisioning_failed", "vm_not_in_desirable_state"),
        *("vm_offline", "vm_os_provisioning", "vm_allocation_failed"),
    ),
)
def vm_provisioning_has_succeeded(model: VmModel | None, power: VmPower | None, job: FailedJob | None) -> Judgement:
    """The VM's provisioning has succeeded and nothing is changing it.

    Why: a failed extension puts the whole VM into the state Failed, and Azure Backup then refuses it. A VM that is
    stopped or deallocated can be backed up, unless the extension is not in it yet: to install it, the VM must run.
    """
    if model is None:
        return unknown()
    state, error = _provisioning(model, power)
    if state == "failed":
        return problem(code=error or "Failed", message=(power["provisioning_message"] if power else None) or "")
    if state in _CHANGING:
        return problem("in_transition", state=state.capitalize())
    if power is None or power["power"] is None:
        return unknown("power_unknown")
    if power["power"].lower() in _POWER_CHANGING:
        return problem("in_transition", state=power["power"])
    offline = [sign for sign in signs_of_failure(job, None, None) if sign.id == "vm_offline"]
    if offline and is_off(power["power"]):
        return problem("switched_off", code=offline[0].code, power=power["power"])
    if "osprovisioninginprogress" in (power["provisioning"] or "").lower():
        return unknown("os_provisioning")
    return ok(power=power["power"]) if state == "succeeded" else unknown()


def _provisioning(model: VmModel, power: VmPower | None) -> tuple[str, str]:
    """The state in small letters and the code of the error; the instance view knows more than the model."""
    parts = ((power["provisioning"] if power else None) or "").split("/")
    seen = parts[1].lower() if len(parts) > 1 else ""
    meant = (model["provisioning_state"] or "").lower()
    states = (seen, meant)
    worst = next((state for state in ("failed", *_CHANGING) if state in states), seen or meant)
    return worst, parts[2] if len(parts) > 2 else ""
