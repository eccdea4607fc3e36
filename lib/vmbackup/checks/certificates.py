"""Addition: the certificates with which agent and extension read their settings are missing, expired or unreadable."""

from __future__ import annotations

from vmbackup.checks.base import Judgement, check, ok, problem, unknown
from vmbackup.checks.shared.named_fault import FAILURE, judged, named_by_status
from vmbackup.facts.backup import FailedJob, Job, ProtectedItem
from vmbackup.facts.guest import GuestExtension, GuestLogs
from vmbackup.facts.linux import LinuxAgent, LinuxAgentState, LinuxOpenssl
from vmbackup.facts.windows import MachineKeys, WindowsCertificates


@check(optional=(*FAILURE, "guest.machine_keys", "guest.windows_certificates"), os="windows")
def windows_certificates_are_usable(
    job: FailedJob | None,
    jobs: list[Job] | None,
    item: ProtectedItem | None,
    keys: MachineKeys | None,
    certificates: WindowsCertificates | None,
) -> Judgement:
    """The agent's certificate is there and valid, and MachineKeys has the rights it needs."""
    return judged("certificates", job, jobs, item, _windows(keys, certificates))


def _windows(keys: MachineKeys | None, certificates: WindowsCertificates | None) -> Judgement | None:
    if keys is not None and keys["acl_ok"] is False:
        return problem("machine_keys", missing=keys["missing"])
    if certificates is not None and certificates["tenant_present"] is False:
        return problem("missing")
    if certificates is not None and certificates["tenant_valid"] is False:
        return problem("expired", expires=certificates["tenant_expires"])
    good = keys is not None and keys["acl_ok"] and certificates is not None and certificates["tenant_valid"]
    return ok() if good else None


@check(
    optional=(*FAILURE, "guest.agent_state", "guest.openssl", "guest.logs", "guest.extension", "guest.agent"),
    os="linux",
)
def linux_certificates_are_usable(
    job: FailedJob | None,
    jobs: list[Job] | None,
    item: ProtectedItem | None,
    state: LinuxAgentState | None,
    openssl: LinuxOpenssl | None,
    logs: GuestLogs | None,
    extension: GuestExtension | None,
    agent: LinuxAgent | None,
) -> Judgement:
    """The agent's certificates are there, and OpenSSL can read them.

    Why: protected settings of every extension are encrypted for these certificates; a broken OpenSSL configuration, or
    FIPS mode under an older agent or extension, makes them unreadable. An agent that never got as far as running
    extensions has not fetched them yet: then they are missing for another reason.
    """
    handles = agent is not None and agent["exthandlers"] is True
    return judged("certificates", job, jobs, item, _linux(state, openssl, logs, extension, handles))


def _linux(
    state: LinuxAgentState | None,
    openssl: LinuxOpenssl | None,
    logs: GuestLogs | None,
    extension: GuestExtension | None,
    handles: bool,
) -> Judgement | None:
    if openssl is not None and openssl["path"] == "":
        return problem("no_openssl")
    if openssl is not None and openssl["config_ok"] is False:
        return problem("openssl", error=openssl["error"] or "-")
    if state is not None and state["readable"] and state["transport_certificate"] is False:
        return problem("missing") if handles else unknown("missing_so_far")
    if state is not None and state["readable"] and state["private_keys"] == 0:
        return problem("no_private_key") if handles else unknown("missing_so_far")
    if extension is not None and named_by_status("certificates", extension):
        return problem("extension_says", code=extension["code"], message=extension["message"] or "-")
    if openssl is not None and openssl["fips"]:
        patterns = (logs["patterns"] if logs is not None else None) or {}
        return problem("fips_refuses") if "openssl_cipher" in patterns else unknown("fips")
    good = openssl is not None and openssl["config_ok"] and openssl["fips"] is False
    return ok() if good and state is not None and state["transport_certificate"] and state["private_keys"] else None
