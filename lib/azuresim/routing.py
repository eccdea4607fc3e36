"""Which function answers which request. A handler module registers with :func:`route`; nothing else knows paths."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from azuresim.answer import Answer, Json

if TYPE_CHECKING:
    from azuresim.core import Azure
    from azuresim.world import World


@dataclass(slots=True)
class Request:
    """One request after routing. ``world`` and ``machine`` are set where the path names a group and a VM."""

    azure: Azure
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Json
    params: dict[str, str]
    route: Route
    candidates: list[World]
    fault: Json | None = None
    found_world: World | None = None
    found_machine: Json | None = None
    unique: str = ""
    extra: Json = field(default_factory=dict)

    @property
    def world(self) -> World:
        """The world whose resource group the path names."""
        assert self.found_world is not None
        return self.found_world

    @property
    def machine(self) -> Json:
        """The VM that the path names."""
        assert self.found_machine is not None
        return self.found_machine

    @property
    def base(self) -> str:
        """``https://host:port`` as the caller wrote it."""
        return f"https://{self.headers.get('host', '127.0.0.1')}"

    @property
    def api_version(self) -> str:
        """What the caller asked for; any version is served."""
        return self.query.get("api-version", "")


Handler = Callable[[Request], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """A path template (``{name}`` = one segment, ``{name*}`` = one or more) and what answers it."""

    method: str
    template: str
    pattern: re.Pattern[str]
    action: str
    handler: Handler
    open: bool = False


ROUTES: list[Route] = []


def route(method: str, template: str, action: str = "", open: bool = False) -> Callable[[Handler], Handler]:
    """Register a handler. ``action`` is the RBAC action it needs (empty: none), ``open`` means no token needed."""

    def register(handler: Handler) -> Handler:
        ROUTES.append(Route(method, template, _pattern(template), action, handler, open))
        return handler

    return register


def _pattern(template: str) -> re.Pattern[str]:
    escaped = re.escape(template).replace(r"\{", "{").replace(r"\}", "}").replace(r"\*}", "*}")
    wild = re.sub(r"\{(\w+)\*\}", r"(?P<\1>.+)", escaped)
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", wild) + "$", re.IGNORECASE)


def find(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The first route that fits; routes registered earlier win."""
    for entry in ROUTES:
        if entry.method == method and (match := entry.pattern.match(path)):
            return entry, match.groupdict()
    return None
