"""Remedies: plan → confirm → do → receipt. The only place of the product that changes anything in Azure or a guest.

``plan`` is pure and may be shown to anybody; ``apply`` changes what one plan says, once it is confirmed.
"""

from vmbackup.remedies.again import affected, begun_first, interrupted, refreshed
from vmbackup.remedies.apply import Confirmation, allowed, apply
from vmbackup.remedies.executor import Tools, open_tools
from vmbackup.remedies.journal import Receipt
from vmbackup.remedies.plan import Plan, plan

__all__ = [
    "Confirmation",
    "Plan",
    "Receipt",
    "Tools",
    "affected",
    "allowed",
    "apply",
    "begun_first",
    "interrupted",
    "open_tools",
    "plan",
    "refreshed",
]
