"""What the signed-in identity may do at a scope, according to Azure (the permissions API), and what it lacks."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from vmbackup.arm.client import Arm
from vmbackup.arm.errors import ResponseLost
from vmbackup.arm.paging import MOST_PAGES
from vmbackup.arm.wire import entries, inside, text, texts


@dataclass(frozen=True, slots=True)
class Permission:
    """One grant: ``actions`` with wildcards, minus its own ``not_actions``."""

    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()

    def grants(self, action: str) -> bool:
        """Whether this grant includes the action.

        >>> Permission(("Microsoft.Compute/*",), ("*/delete",)).grants("Microsoft.Compute/virtualMachines/read")
        True
        """
        return any(_matches(each, action) for each in self.actions) and not any(
            _matches(each, action) for each in self.not_actions
        )


def granted(arm: Arm, scope: str) -> list[Permission]:
    """The grants that apply at a scope. Raises RequestRefused or ResponseLost when Azure does not say."""
    found: list[Permission] = []
    path: str | None = f"{scope.rstrip('/')}/providers/Microsoft.Authorization/permissions"
    for _ in range(MOST_PAGES):
        if path is None:
            return found
        body = arm.request("GET", path).body
        if not isinstance(inside(body, "value"), list):
            raise ResponseLost("why.permissions_unreadable")
        for each in entries(body, "value"):
            found.append(Permission(tuple(texts(each, "actions")), tuple(texts(each, "notActions"))))
        path = text(body, "nextLink")
    raise ResponseLost("why.permissions_endless")


def lacking(actions: Iterable[str], permissions: Iterable[Permission]) -> tuple[str, ...]:
    """The actions that none of the grants includes."""
    held = list(permissions)
    return tuple(action for action in actions if not any(each.grants(action) for each in held))


def _matches(pattern: str, action: str) -> bool:
    words = ".*".join(re.escape(part) for part in pattern.split("*"))
    return re.fullmatch(words, action, re.IGNORECASE) is not None
