"""Addition: the certificates with which agent and extension read their settings are missing, expired or unreadable."""

from __future__ import annotations

from vmbackup.checks.base import Judgement, check, guest_only, ok, problem, unknown
from vmbackup.facts.guest import GuestLogs
from vmbackup.facts.linux import LinuxAgent, LinuxAgentState, LinuxOpenssl
from vmbackup.facts.windows import MachineKeys, WindowsCertificates


@check(optional=("guest.machine_keys", "guest.windows_certificates"), os="windows")
def windows_certificates_are_usable(keys: MachineKeys | None, certificates: WindowsCertificates | None) -> Judgement:
    """The agent's certificate is there and valid, and MachineKeys has the rights it needs."""
    if keys is not None and keys["acl_ok"] is False:
        return problem("machine_keys", missing=keys["missing"])
    if certificates is not None and certificates["tenant_present"] is False:
        return problem("missing")
    if certificates is not None and certificates["tenant_valid"] is False:
        return problem("expired", expires=certificates["tenant_expires"])
    good = keys is not None and keys["acl_ok"] and certificates is not None and certificates["tenant_valid"]
    return ok() if good else guest_only()


@check(optional=("guest.agent_state", "guest.openssl", "guest.logs", "guest.agent"), os="linux")
def linux_certificates_are_usable(
    state: LinuxAgentState | None, openssl: LinuxOpenssl | None, logs: GuestLogs | None, agent: LinuxAgent | None
) -> Judgement:
    """The agent's certificates are there, and OpenSSL can read them.

    Why: protected settings of every extension are encrypted for these certificates; a broken OpenSSL configuration, or
    FIPS mode under an older agent or extension, makes them unreadable. An agent that never came so far has none yet:
    that follows from what keeps it from starting.
    """
    if openssl is not None and openssl["path"] == "":
        return problem("no_openssl")
    if openssl is not None and openssl["config_ok"] is False:
        return problem("openssl", error=openssl["error"] or "-")
    if state is not None and state["readable"] and _lacks_certificate(state):
        return _without_certificate(state, agent)
    if openssl is not None and openssl["fips"]:
        patterns = (logs["patterns"] if logs is not None else None) or {}
        return problem("fips_refuses") if "openssl_cipher" in patterns else unknown("fips")
    good = openssl is not None and openssl["config_ok"] and openssl["fips"] is False
    seen = good and state is not None and state["transport_certificate"] and state["private_keys"]
    return ok() if seen else guest_only()


def _lacks_certificate(state: LinuxAgentState) -> bool:
    return state["transport_certificate"] is False or state["private_keys"] == 0


def _without_certificate(state: LinuxAgentState, agent: LinuxAgent | None) -> Judgement:
    if agent is None or not agent["exthandlers"]:
        return unknown("missing_so_far")
    return problem("missing") if state["transport_certificate"] is False else problem("no_private_key")
