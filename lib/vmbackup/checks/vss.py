"""Addition: the Volume Shadow Copy Service of the Windows VM, or one of its writers, is in a bad state."""

from __future__ import annotations

from vmbackup.checks.base import Judgement, check, guest_only, ok, problem, unknown
from vmbackup.facts.windows import Service, Vss

_STABLE = 1
# Below: waiting for a phase of a backup that runs. From here on: failed in one of the phases.
_FAILED_FROM = 6


@check(optional=("guest.vss", "guest.services"), os="windows", sees=("vss_writers", "vss_service"))
def vss_writers_are_stable(
    vss: Vss | None,
    services: dict[str, Service] | None,
) -> Judgement:
    """VSS can be started and all of its writers are stable."""
    return _in_guest(vss, services) or guest_only()


def _in_guest(vss: Vss | None, services: dict[str, Service] | None) -> Judgement | None:
    for name, service in (services or {}).items():
        if name.lower() == "vss" and (service["exists"] is False or service["start"] == "Disabled"):
            return problem("service", state=service["start"] or "-")
    if vss is None:
        return None
    if vss["timed_out"]:
        return unknown("silent")
    writers = vss["writers"]
    if not writers:
        return unknown("no_writers")
    failed = [writer for writer in writers if writer["code"] is not None and writer["code"] >= _FAILED_FROM]
    if failed:
        return problem("writers", names=[writer["name"] for writer in failed], state=failed[0]["state"])
    if any(writer["code"] is None for writer in writers):
        return unknown("no_writers")
    busy = [writer["name"] for writer in writers if writer["code"] != _STABLE]
    return unknown("busy", names=busy) if busy else ok(count=len(writers))
