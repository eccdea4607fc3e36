"""The state of extensions and handlers as Azure lists them. No check of its own."""

from __future__ import annotations

from vmbackup.checks.base import Judgement, problem, unknown
from vmbackup.facts.vm import Extension, Handler, VmModel
from vmbackup.failures.signatures import full_type


def judged_state(extension: Extension) -> Judgement | None:
    """What its own state says against the backup extension; None where it has succeeded."""
    name, message = extension["name"], extension["message"] or "-"
    provisioning = (extension["provisioning_state"] or "").lower()
    if provisioning == "deleting":
        return problem("deleting", name=name)
    if extension_failed(extension):
        return problem(name=name, state=extension["code"] or extension["provisioning_state"], message=message)
    if provisioning in ("creating", "updating") or is_in_transition(extension):
        return unknown("in_transition", state=extension["provisioning_state"] or extension["code"])
    seen = (extension["code"] or "").partition("/")[2]
    if (provisioning or seen.lower()) != "succeeded":
        return unknown("other_state", state=extension["provisioning_state"] or extension["code"] or "-")
    return None


def is_of_other_system(extension: Extension, model: VmModel | None) -> bool:
    """By its type's own name: ``AzureMonitorWindowsAgent`` on Linux never succeeds."""
    kind, os = (extension["type"] or "").lower(), model["os"] if model else None
    return (os == "linux" and "windows" in kind) or (os == "windows" and "linux" in kind)


def is_reported(extension: Extension, handlers: list[Handler]) -> bool:
    """Whether a handler of this type is listed."""
    return any(handler["type"].lower() == full_type(extension).lower() for handler in handlers)


def extension_failed(extension: Extension) -> bool:
    """Whether Azure calls the extension failed, by any of its words."""
    if (extension["provisioning_state"] or "").lower() in ("failed", "canceled"):
        return True
    return "/failed" in (extension["code"] or "").lower() or (extension["level"] or "").lower() == "error"


def is_in_transition(extension: Extension) -> bool:
    """Whether its instance view says that it is not yet at its end."""
    return "transitioning" in (extension["code"] or "").lower()


def states(handler: Handler) -> set[str]:
    """All words for its state: ``ProvisioningState/NotReady/21`` holds one, a bare ``21`` holds none."""
    code, shown = (handler["code"] or "").lower(), (handler["display_status"] or "").lower()
    return {*code.split("/"), shown.replace(" ", "")}


def is_installing(handler: Handler) -> bool:
    """Also one that is not ready by its word while it only checks its connection, which is no warning."""
    checking = (handler["level"] or "").lower() == "info" and "checking" in (handler["message"] or "").lower()
    return "installing" in states(handler) or ("notready" in states(handler) and checking)


def handler_failed(handler: Handler) -> bool:
    """Whether the handler is not ready, by any of its words."""
    bad = states(handler) & {"notready", "unresponsive", "failed"}
    return bool(bad) or (handler["level"] or "").lower() == "error"
