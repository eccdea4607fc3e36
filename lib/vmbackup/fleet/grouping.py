"""Groups of VMs with the same cause, divided by what they share and healthy VMs do not. Pure.

A trait that is as frequent among healthy VMs explains nothing. So a group is divided only by a trait that is more
frequent in it, and every trait is shown with the number of healthy VMs that share it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import exp, lgamma

from vmbackup import clock
from vmbackup.runs.fleet import FleetRow, Group, Kept, Trait, late_h
from vmbackup.versions import parse

_FEWEST = 2
"""How many members at least must share a trait for it to be shown."""
_MOST_OF = 0.5
"""The share of a group by which a trait must be more frequent in it than among healthy VMs to divide it."""
_CHANCE = 0.01
"""The largest probability (p-value) at which a trait may be due to chance and still divide a group."""


def _first_hour(row: FleetRow) -> list[str] | None:
    first = clock.parse(row["first_failed"])
    return [f"{first:%Y-%m-%dT%H}:00:00Z"] if first else None


def _one(key: str) -> Callable[[FleetRow], list[str] | None]:
    def values(row: FleetRow) -> list[str] | None:
        value = row[key]  # type: ignore[literal-required]
        return None if value is None else [str(value)]

    return values


TRAITS: Mapping[str, Callable[[FleetRow], Sequence[str] | None]] = {
    "subnet": _one("subnet_id"),
    "nsg": lambda row: row["nsg_ids"],
    "proxy": lambda row: None if row["proxy"] is None else [row["proxy"]] if row["proxy"] != "–" else [],
    "agent": lambda row: [row["agent_version"]] if row["agent_version"] and parse(row["agent_version"]) else None,
    "extension": _one("extension_version"),
    "policy": _one("policy"),
    "vault": _one("vault_id"),
    "location": _one("location"),
    "first_failed": _first_hour,
}
"""What VMs may share, each with a row's values for it; None: not known."""
# A healthy VM has no first failure, so it would divide every group.
_NEVER_DIVIDES = ("first_failed",)


def is_healthy(row: FleetRow) -> bool:
    """Whether the last backup is good and as young as the policy plans, and none failed since."""
    return row["kept"] == Kept.KEPT and row["failing"] is False and row["probable_cause"] is None


def groups(rows: Sequence[FleetRow]) -> list[Group]:
    """The groups, the largest first. Every VM with a cause or a failed backup is in exactly one of them."""
    healthy = _count([row for row in rows if is_healthy(row)])
    found = [group for key, members in _by_cause(rows).items() for group in _divide(*key, members, healthy)]
    return sorted(
        found, key=lambda group: (-len(group.rows), -_most_overdue_h(group), group.cause or "~", group.code or "")
    )


def _by_cause(rows: Sequence[FleetRow]) -> dict[tuple[str | None, str | None], list[FleetRow]]:
    """The VMs by (cause, None), or by (None, failure) where no cause was found."""
    found: dict[tuple[str | None, str | None], list[FleetRow]] = {}
    for row in rows:
        if row["probable_cause"]:
            found.setdefault((row["probable_cause"], None), []).append(row)
        elif row["failing"]:
            found.setdefault((None, row["failed_title"] or row["failed_code"]), []).append(row)
    return found


def _divide(
    cause: str | None, code: str | None, members: Sequence[FleetRow], healthy: Mapping[str, _Count]
) -> Iterator[Group]:
    """The groups that the members are divided into, one for each distinctive trait and one for the rest."""
    rest = list(members)
    while trait := _distinctive(rest, healthy):
        values_of = TRAITS[trait.name]
        has = [trait.value in (values_of(row) or ()) for row in rest]
        yield _group(cause, code, trait, [row for row, own in zip(rest, has, strict=True) if own], healthy)
        rest = [row for row, own in zip(rest, has, strict=True) if not own]
    if rest:
        yield _group(cause, code, None, rest, healthy)


def _group(
    cause: str | None, code: str | None, trait: Trait | None, rows: Sequence[FleetRow], healthy: Mapping[str, _Count]
) -> Group:
    ordered = sorted(rows, key=lambda row: (-(late_h(row) or 0.0), row["name"]))
    shared = [trait for trait in _traits(ordered, healthy) if trait.members >= max(_FEWEST, _MOST_OF * len(ordered))]
    return Group(cause, code, trait, shared, ordered)


def _distinctive(rows: Sequence[FleetRow], healthy: Mapping[str, _Count]) -> Trait | None:
    """The trait whose share among these exceeds that among healthy VMs most; None where no trait sets them apart."""
    known = [trait for trait in _traits(rows, healthy) if trait.name not in _NEVER_DIVIDES and trait.members >= _FEWEST]
    apart = [trait for trait in known if _lead(trait, len(rows)) > _MOST_OF and _chance(trait) <= _CHANCE]
    return max(apart, key=lambda trait: _lead(trait, len(rows)), default=None)


def _lead(trait: Trait, count: int) -> float:
    """The share of the members with the trait, minus that of the healthy VMs; -1 to 1."""
    return trait.members / count - (trait.healthy / trait.healthy_known if trait.healthy_known else 0.0)


def _chance(trait: Trait) -> float:
    """How likely it is that as many or more of the members have the trait, if it were spread over all VMs by chance
    (the hypergeometric distribution, as in Fisher's exact test)."""
    every, having = trait.known + trait.healthy_known, trait.members + trait.healthy
    most = min(trait.known, having)
    ways = (
        _log_ways(having, count) + _log_ways(every - having, trait.known - count)
        for count in range(trait.members, most + 1)
        if trait.known - count <= every - having
    )
    return sum(exp(way - _log_ways(every, trait.known)) for way in ways)


def _log_ways(of: int, count: int) -> float:
    """The logarithm of the binomial coefficient."""
    return lgamma(of + 1) - lgamma(count + 1) - lgamma(of - count + 1)


def _traits(rows: Sequence[FleetRow], healthy: Mapping[str, _Count]) -> list[Trait]:
    """Every value of every trait that any of these VMs has, the most frequent first."""
    return [
        Trait(name, value, members, ours.known, healthy[name].values[value], healthy[name].known)
        for name, ours in _count(rows).items()
        for value, members in ours.values.most_common()
    ]


@dataclass(frozen=True, slots=True)
class _Count:
    """How often each value of a trait occurs among the VMs of which it is known."""

    values: Counter[str]
    known: int


def _count(rows: Sequence[FleetRow]) -> dict[str, _Count]:
    found = {}
    for name, values_of in TRAITS.items():
        known = [set(values) for row in rows if (values := values_of(row)) is not None]
        found[name] = _Count(Counter(value for values in known for value in values), len(known))
    return found


def _most_overdue_h(group: Group) -> float:
    return max((late_h(row) or 0.0 for row in group.rows), default=0.0)
