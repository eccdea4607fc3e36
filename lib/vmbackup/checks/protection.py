"""Addition: the VM is not, or no longer, protected by the vault."""

from __future__ import annotations

from vmbackup.checks.base import Judgement, check, not_applicable, ok, problem, unknown
from vmbackup.facts.backup import ProtectedItem, Protection
from vmbackup.facts.vm import VmModel

_STOPPED = ("protectionstopped", "protectionpaused", "backupssuspended")
_ACTIVE = ("protected", "irpending", "protectionerror")


@check("backup.protection", optional=("backup.item",), sees=("not_protected",))
def vm_is_protected(protection: Protection | None, item: ProtectedItem | None) -> Judgement:
    """A vault protects the VM."""
    if protection is None:
        return problem("not_protected")
    vault = _vault(protection)
    status = (protection["status"] or "").lower()
    if status == "notprotected":
        return problem("not_protected")
    if status == "protectionfailed":
        return problem(vault=vault)
    if status in ("protected", "protecting") or item is not None or protection["via"] == "resource_graph":
        return ok(vault=vault)
    return unknown(vault=vault)


def _vault(protection: Protection) -> str:
    return protection["vault_id"].rsplit("/", 1)[-1]


@check("backup.item", optional=("backup.protection",))
def protection_is_active(item: ProtectedItem | None, protection: Protection | None) -> Judgement:
    """The vault is meant to back the VM up: protection is neither stopped nor paused nor deleted."""
    if item is None:
        return unknown("item_not_found", vault=_vault(protection)) if protection else not_applicable()
    if item["soft_deleted"]:
        return problem("soft_deleted")
    state = item["protection_state"] or ""
    if state.lower() in _STOPPED:
        return problem(state=state)
    return ok(state=state) if state.lower() in _ACTIVE else unknown(state=state)


@check("vm.model", "backup.item")
def vault_and_vm_belong_together(model: VmModel | None, item: ProtectedItem | None) -> Judgement:
    """The vault's item is this very VM: the same resource id, not deleted and created anew."""
    if item is None:
        return not_applicable()
    source = item["source_resource_id"]
    if not source or model is None or not model["id"]:
        return unknown()
    return ok() if source.lower().rstrip("/") == model["id"].lower().rstrip("/") else problem(source=source)
