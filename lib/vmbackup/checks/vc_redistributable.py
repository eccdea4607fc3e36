"""Addition: the Visual C++ runtime that the Windows backup extension needs cannot be installed."""

from __future__ import annotations

from vmbackup.catalog.knowledge import version
from vmbackup.checks.base import Judgement, check, guest_only, ok, problem, unknown
from vmbackup.facts.windows import VcRedistributable
from vmbackup.versions import compare

_DISABLED = 4


@check(
    optional=("guest.vc_redistributable",),
    os="windows",
    sees=("vc_redistributable_missing",),
    knows=("vc_redistributable_minimum",),
)
def vc_redistributable_can_be_installed(
    runtime: VcRedistributable | None,
) -> Judgement:
    """Visual C++ 2013 x64 is installed, or the extension can install it."""
    return _in_guest(runtime) or guest_only()


def _in_guest(runtime: VcRedistributable | None) -> Judgement | None:
    if runtime is None or runtime["versions"] is None:
        return None
    minimum = version("vc_redistributable_minimum")
    enough = [installed for installed in runtime["versions"] if compare(installed, minimum) in (0, 1)]
    if enough:
        return ok(version=enough[0])
    if runtime["msiserver_start"] == _DISABLED:
        return problem("installer_disabled")
    return unknown("not_installed", minimum=minimum)
