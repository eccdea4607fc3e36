"""Facts that show one signature, and nothing else, by each thing by which it is recognised."""

from __future__ import annotations

from typing import Any

from judging import failed_job, item
from vmbackup.catalog.signatures import Signature
from vmbackup.model import Evidence, Fact, FactStatus


def fact(name: str, data: Any) -> Evidence:
    return {name: Fact(FactStatus.OK, data)}


def status(code: int | None, message: str | None = None) -> Evidence:
    return fact(
        "guest.extension",
        {
            "name": "x",
            "versions": [],
            "newest": None,
            "status": "success",
            "code": code,
            "message": message,
            "operation": None,
            "seq": 1,
            "at": None,
        },
    )


def said(signature: Signature, text: str) -> Evidence:
    """The text where this signature is looked for first."""
    if "job" in signature.places:
        return fact("backup.failed_job", failed_job(None, None, dynamic_message=text))
    if "health" in signature.places:
        return fact("backup.item", item(health_details=[{"code": None, "title": text, "message": None}]))
    if "extension" in signature.places:
        return status(None, text)
    if "agent" in signature.places:
        agent = {"version": "x", "code": None, "level": "Error", "display_status": None, "message": text}
        return fact("vm.agent", {**agent, "reported_at": None, "age_s": None})
    if "platform" in signature.places:
        return fact(
            "vm.power", {"power": "running", "provisioning": "ProvisioningState/failed", "provisioning_message": text}
        )
    assert "run_command" in signature.places
    return {"guest.probe": Fact(FactStatus.FAILED, why="refused", details={"message": text})}


def shown_by(signature: Signature) -> list[tuple[str, Evidence]]:
    """Evidence for each thing by which this signature is recognised."""
    found = [(code, said(signature, code)) for code in signature.codes]
    found += [(message.text, said(signature, message.text)) for message in signature.messages]
    found += [(word, said(signature, f"UserError{word}Unheard")) for word in signature.inside]
    for integer in signature.integers:
        if "job" in signature.places:
            found.append((str(integer), fact("backup.failed_job", failed_job(integer, None))))
        else:
            detail = {"code": integer, "title": None, "message": None}
            found.append((str(integer), fact("backup.item", item(health_details=[detail]))))
    found += [(str(code), status(code)) for code in signature.statuses]
    log = {"patterns": {signature.id: {"count": 1, "last": None}}}
    if signature.patterns:
        name = "guest.logs" if signature.places != {"serial"} else "guest.serial_log"
        found.append(("log", fact(name, log)))
    if signature.flag:
        found.append((signature.flag, fact("guest.serial_log", {"patterns": {}, signature.flag: True})))
    return found
