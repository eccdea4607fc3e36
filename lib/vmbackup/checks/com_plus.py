"""Addition: COM+ or the Distributed Transaction Coordinator of the Windows VM does not work."""

from __future__ import annotations

from vmbackup.checks.base import Judgement, check, guest_only, ok, problem
from vmbackup.facts.windows import Service

_SERVICES = ("COMSysApp", "MSDTC")
# Windows writes the name in its own language where somebody chose the account in a dialogue.
_MSDTC_ACCOUNTS = ("networkservice", "netzwerkdienst", "s-1-5-20")


@check(optional=("guest.services",), os="windows")
def com_plus_services_can_run(services: dict[str, Service] | None) -> Judgement:
    """COM+ System Application and the Distributed Transaction Coordinator can be started, as the right account.

    Why: both may be stopped between backups; disabled, missing or under another account they fail the snapshot.
    """
    return _in_guest(services) or guest_only()


def _in_guest(services: dict[str, Service] | None) -> Judgement | None:
    by_name = {name.lower(): service for name, service in (services or {}).items()}
    asked = {name: by_name.get(name.lower()) for name in _SERVICES}
    for name, service in asked.items():
        if service is None:
            continue
        if service["exists"] is False:
            return problem("missing", service=name)
        if service["start"] == "Disabled":
            return problem("disabled", service=name)
        account = (service["account"] or "").lower().replace(" ", "")
        if name == "MSDTC" and account and not account.endswith(_MSDTC_ACCOUNTS):
            return problem("account", service=name, account=service["account"])
    known = all(service is not None and service["exists"] and service["start"] for service in asked.values())
    msdtc = asked["MSDTC"]
    return ok() if known and msdtc is not None and msdtc["account"] else None
