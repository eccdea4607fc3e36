"""Maps each remedy to the function that makes its requests. Each observes before it sends: repeating it does no harm,
an interrupted remedy continues where it stopped, and a lost response is resolved by observation."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from vmbackup.model import RemedyRefused
from vmbackup.remedies.plan import Plan
from vmbackup.remedies.preflight import Refusal
from vmbackup.remedies.scope import permitted
from vmbackup.remedies.steps import backup, guest, network, vm
from vmbackup.remedies.steps.request import Request

_MAKERS: Mapping[str, Callable[..., list[Request]]] = {
    make.__name__: make
    for make in (
        network.allow_storage_in_nsg,
        network.add_storage_route,
        network.add_storage_service_endpoint,
        vm.restart_vm,
        vm.start_vm,
        vm.stop_and_start_vm,
        vm.allow_extension_operations,
        vm.remove_backup_extension,
        vm.remove_failed_extension,
        vm.reapply_vm,
        backup.resume_protection,
        backup.exclude_disks,
        backup.cancel_running_backup,
        backup.remove_restore_point_lock,
        backup.delete_restore_point_collection,
    )
}
KNOWN = frozenset(_MAKERS)
"""The remedies that are requests to Azure; all others are scripts or done by hand."""


def requests(plan: Plan) -> list[Request]:
    """The requests of a plan, in order. Raises RemedyRefused for one that is done by hand, and for a plan that reaches
    beyond what its remedy may change."""
    make = guest.run_script if plan.entry["script"] else _MAKERS.get(plan.remedy)
    if make is None:
        raise RemedyRefused(Refusal("manual").words(plan.language))
    return make(plan, *(path for _, path in permitted(plan)))
