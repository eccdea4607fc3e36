"""The guest's part of the evidence: it is kept while the rest is collected again."""

from __future__ import annotations

from vmbackup.model import Evidence, Fact

_PLATFORM = ("guest.boot_report", "guest.serial_log")
"""What boot diagnostics show comes from the platform, not from the guest script."""


def is_guest(name: str) -> bool:
    """Whether a fact of this name is the guest's."""
    return name.startswith("guest.")


def without_guest(evidence: Evidence) -> dict[str, Fact]:
    """The control plane's facts alone."""
    return {name: fact for name, fact in evidence.items() if not is_guest(name)}


def keep_guest(old: Evidence, new: Evidence) -> dict[str, Fact]:
    """The new facts, with the guest's old ones, and their time, unless the guest answered again."""
    if not _answered(new) and _answered(old):
        return {**new, **{name: fact for name, fact in old.items() if is_guest(name)}}
    return dict(new)


def with_pasted(evidence: Evidence, facts: Evidence) -> dict[str, Fact]:
    """The evidence with pasted facts in place of what the guest script said before."""
    platform = {name: fact for name, fact in evidence.items() if name in _PLATFORM}
    return {**without_guest(evidence), **platform, **facts}


def _answered(evidence: Evidence) -> bool:
    return "guest.probe" in evidence and evidence["guest.probe"].answered
