"""Addition: the Windows VM cannot set up a secure channel (TLS) to Azure."""

from __future__ import annotations

from vmbackup.checks.base import Judgement, check, guest_only, ok, problem
from vmbackup.facts.windows import Tls


@check(optional=("guest.tls",), os="windows", sees=("no_secure_network",))
def secure_channel_can_be_made(tls: Tls | None) -> Judgement:
    """TLS 1.2 is not switched off and .NET uses strong cryptography.

    Why: SchUseStrongCrypto that is not set is the system's default, good on new systems and bad on old ones: alone it
    decides nothing.
    """
    return _in_guest(tls) or guest_only()


def _in_guest(tls: Tls | None) -> Judgement | None:
    if tls is None:
        return None
    if (tls["tls12_client"] or "").lower() == "disabled":
        return problem("tls12_disabled")
    keys = tls["strong_crypto"]
    weak = [key for key, value in (keys or {}).items() if value == 0]
    if weak:
        return problem("weak", keys=weak)
    return ok() if keys and all(value == 1 for value in keys.values()) and tls["tls12_client"] else None
