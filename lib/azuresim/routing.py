"""Which function answers which request. A handler module registers with :func:`route`; nothing else knows paths."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import quote

from azuresim.answer import Answer, Json
from azuresim.ids import guid, opaque
from azuresim.state import Azure
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

    def new_id(self, what: str) -> str:
        """An id for something this request creates: the same in every run with the same requests."""
        return guid(self.azure.seed, self.unique, what)

    def page(self, items: Sequence[Any], render: Callable[..., Json] | None = None) -> Answer:
        """One page of a list, with ``nextLink`` when more follows. ``render`` makes an entry of an item's parts: of a
        long list only one page is then put on the wire."""
        size = min((world.setting("page_size", 20) for world in self.candidates), default=20)
        token = self.query.get("$skiptoken", "")
        tokens = {opaque(f"page{start}"): start for start in range(0, len(items) + 1, size)}
        start = tokens.get(token, 0)
        shown = items[start : start + size]
        body: Json = {"value": [render(*each) for each in shown] if render else list(shown)}
        if start + size < len(items):
            rest = "&".join(
                f"{name}={quote(value, safe='')}" for name, value in self.query.items() if name != "$skiptoken"
            )
            body["nextLink"] = f"{self.base}{quote(self.path)}?{rest}&$skipToken={opaque(f'page{start + size}')}"
        return Answer(200, body)


Handler = Callable[[Request], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """A path template (``{name}`` = one segment, ``{name*}`` = one or more) and what answers it. ``metrics``: it takes
    a token for the metrics of many VMs."""

    method: str
    template: str
    pattern: re.Pattern[str]
    action: str
    handler: Handler
    open: bool = False
    metrics: bool = False


ROUTES: list[Route] = []


def route(
    method: str, template: str, action: str = "", open: bool = False, metrics: bool = False
) -> Callable[[Handler], Handler]:
    """Register a handler. ``action`` is the RBAC action it needs (empty: none), ``open`` means no token needed."""

    def register(handler: Handler) -> Handler:
        ROUTES.append(Route(method, template, _pattern(template), action, handler, open, metrics))
        return handler

    return register


def _pattern(template: str) -> re.Pattern[str]:
    escaped = re.escape(template).replace(r"\{", "{").replace(r"\}", "}").replace(r"\*}", "*}")
    wild = re.sub(r"\{(\w+)\*\}", r"(?P<\1>.+)", escaped)
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", wild) + "$", re.IGNORECASE)


Found: TypeAlias = tuple[Route, dict[str, str]] | None
"""A route, and what the path says in its places."""


def find(method: str, path: str) -> Found:
    """The first route that fits; routes registered earlier win."""
    for entry in ROUTES:
        if entry.method == method and (match := entry.pattern.match(path)):
            return entry, match.groupdict()
    return None
