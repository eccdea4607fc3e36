"""The VM failed to be provisioned or is being changed."""

from __future__ import annotations

from typing import Any

import pytest

from judging import DENIED, failed_job, judge, model, outcome, power

CHECK = "vm_provisioning_has_succeeded"
OFFLINE = {"backup__failed_job": failed_job(380008, "AzureVmOffline")}
NOT_READY = {"backup__failed_job": failed_job(None, "UserErrorVmNotInDesirableState")}


def seen(provisioning: str, state: str | None = "running", message: str | None = None) -> dict[str, Any]:
    return {"power": state, "provisioning": provisioning, "provisioning_message": message}


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"vm__model": model(), "vm__power": power()}, ("ok", "ok")),
        ({"vm__model": model(), "vm__power": power("deallocated")}, ("ok", "ok")),
        ({"vm__model": model(), "vm__power": power("stopped")}, ("ok", "ok")),
        ({"vm__model": model(provisioning_state="Failed"), "vm__power": power()}, ("problem", "problem")),
        ({"vm__model": model(provisioning_state="Failed"), "vm__power": DENIED}, ("problem", "problem")),
        ({"vm__model": model(), "vm__power": seen("ProvisioningState/failed/X")}, ("problem", "problem")),
        ({"vm__model": model(provisioning_state="Updating"), "vm__power": power()}, ("problem", "in_transition")),
        ({"vm__model": model(provisioning_state="Creating")}, ("problem", "in_transition")),
        ({"vm__model": model(provisioning_state="Deleting")}, ("problem", "in_transition")),
        ({"vm__model": model(), "vm__power": power("starting")}, ("problem", "in_transition")),
        ({"vm__model": model(), "vm__power": power("stopping")}, ("problem", "in_transition")),
        ({"vm__model": model(), "vm__power": power(None)}, ("unknown", "power_unknown")),
        ({"vm__model": model(), "vm__power": DENIED}, ("unknown", "power_unknown")),
        ({"vm__model": model(provisioning_state=None), "vm__power": seen("")}, ("unknown", "unknown")),
        ({"vm__model": model(), "vm__power": power("deallocated")} | OFFLINE, ("problem", "switched_off")),
        ({"vm__model": model(), "vm__power": power()} | OFFLINE, ("ok", "ok")),
        ({"vm__model": model(), "vm__power": power("deallocated")} | NOT_READY, ("ok", "ok")),
        ({"vm__model": model(), "vm__power": power()} | NOT_READY, ("ok", "ok")),
        ({"vm__model": model(provisioning_state="Failed"), "vm__power": power()} | NOT_READY, ("problem", "problem")),
        ({"vm__model": DENIED}, ("unknown", "unanswered")),
        ({}, ("unknown", "not_collected")),
    ],
)
def test_provisioning(facts: dict[str, Any], expected: tuple[str, str]) -> None:
    assert outcome(CHECK, **facts) == expected


def test_the_error_of_the_instance_view_is_named() -> None:
    failed = seen("ProvisioningState/failed/VMExtensionProvisioningTimeout", message="timed out")
    finding = judge(CHECK, vm__model=model(provisioning_state="Failed"), vm__power=failed)
    assert finding.values == {"code": "VMExtensionProvisioningTimeout", "message": "timed out"}
