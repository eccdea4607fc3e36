"""One row for each VM of a fleet, out of what its run left behind, or of what the lists say of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from sys import intern
from typing import Any, TypedDict

from vmbackup import catalog, clock
from vmbackup.checks.base import load, run
from vmbackup.checks.consistency import recovery_points_have_the_wanted_consistency as consistency
from vmbackup.diagnosis import Weight, is_symptom
from vmbackup.facts import schema
from vmbackup.facts.backup import RecoveryPoint
from vmbackup.failures.course import course
from vmbackup.failures.signatures import PASTED, full_type, is_backup_extension
from vmbackup.fleet import tonight
from vmbackup.model import SIGNS, Evidence, Finding, SetupError, Step, Target, Verdict, data_of, operating_system
from vmbackup.remedies.retry.proof import last_good
from vmbackup.remedies.retry.schedule import late_after_h, longest_gap_h
from vmbackup.runs.fleet import FleetRow, Kept, VmState
from vmbackup.runs.result import SCHEMA

FACTS = frozenset(
    {
        *("vm.model", "vm.power", "vm.agent", "vm.handlers", "vm.extensions", "vm.disks", "vm.locks"),
        *("vm.restore_points", "network.nics", "network.subnets", "backup.protection", "backup.item", "backup.vault"),
        *("backup.policy", "backup.jobs", "backup.failed_job", "backup.running_job", "backup.recovery_points"),
        *("guest.network", "guest.agent", "guest.agent_config", "guest.windows_agent", "guest.python", "guest.logs"),
        *("guest.extension", PASTED),
    }
)
"""The facts that a row is made from; others need not be read."""


class _Finding(TypedDict):
    check: str
    verdict: str
    reason: str


class _Step(TypedDict):
    cause: str
    verdict: str
    findings: Any


class _Result(TypedDict):
    schema: str
    section: str | None
    outcome: str
    probable_cause: str | None
    weight: str | None
    steps: list[_Step]


def unknown_row(name: str, vm_id: str) -> FleetRow:
    """The row of a VM of which nothing is known."""
    return FleetRow(
        name=name, vm_id=vm_id, location=None, os=None, state=str(VmState.PENDING), why=None, folder=None, at=None,
        section=None, outcome=None, probable_cause=None, weight=None, verdicts={},
        failing=None, failed_code=None, failed_title=None, first_failed=None,
        last_good=None, last_good_type=None, age_h=None, policy_h=None, kept=str(Kept.UNKNOWN),
        consistency=str(Verdict.UNKNOWN), downgraded_since=None, downgraded_before=None, downgraded_type=None,
        vault_id=None, policy=None, subnet_id=None, nsg_ids=None, proxy=None,
        agent_status=None, agent_version=None, extension_version=None, fixed=None,
        next_run=None, next_failures=[], outlook=dict.fromkeys(tonight.signals(), str(Verdict.UNKNOWN)),
    )  # fmt: skip


def listed_row(target: Target, evidence: Evidence) -> FleetRow:
    """The row of a VM that was not examined, from the lists alone. It holds no verdict."""
    row = unknown_row(str(target.vm_name), target.vm_id)
    return {**_with_evidence(row, evidence), "state": str(VmState.NOT_EXAMINED)}


def examined_row(name: str, target: Target, evidence: Evidence, result: object, folder: str) -> FleetRow:
    """The row of a VM whose run came to its end. Raises SetupError for a result that this version cannot read."""
    content: Any = schema.coerce(result, _Result)
    _require(schema.error(content, _Result, "result") or _unknown_word(content))
    row = _with_evidence(unknown_row(name, target.vm_id), evidence)
    proof = result.get("proof") if isinstance(result, dict) else None
    fixed = proof.get("fixed") if isinstance(proof, dict) else None
    row.update(
        {
            "state": str(VmState.EXAMINED),
            "folder": folder,
            "section": content["section"],
            "outcome": content["outcome"],
            "probable_cause": content["probable_cause"],
            "weight": content["weight"],
            # Interned: the same few words stand in each of ten thousand rows.
            "verdicts": {intern(step["cause"]): intern(_word(step)) for step in content["steps"]},
            "fixed": fixed if isinstance(fixed, bool) else None,
        }
    )
    return row


def _word(step: _Step) -> str:
    """The verdict on a cause, or that there is only a symptom of it. Raises SetupError."""
    if step["verdict"] != Verdict.PROBLEM:
        return step["verdict"]
    content: Any = schema.coerce(step["findings"], list[_Finding])
    _require(schema.error(content, list[_Finding], step["cause"]))
    _require(_strange({finding["verdict"] for finding in content}, Verdict))
    _require(_strange({finding["check"] for finding in content}, [SIGNS, *catalog.checks()]))
    findings = [Finding(entry["check"], step["cause"], Verdict(entry["verdict"]), entry["reason"]) for entry in content]
    judged = Step(0, step["cause"], False, tuple(findings))
    return str(Weight.SYMPTOM if is_symptom(judged) else Verdict.PROBLEM)


def _unknown_word(content: _Result) -> str | None:
    """The first word of a result that this version does not know; None where it knows all."""
    causes = {*(step["cause"] for step in content["steps"]), content["probable_cause"]} - {None}
    return (
        _strange({content["schema"]}, [SCHEMA])
        or _strange({content["section"]} - {None}, catalog.sections())
        or _strange(causes, catalog.causes())
        or _strange({step["verdict"] for step in content["steps"]}, Verdict)
    )


def _strange(words: set[Any], known: Iterable[str]) -> str | None:
    return min((str(word) for word in words.difference(map(str, known))), default=None)


def _require(fault: str | None) -> None:
    if fault:
        raise SetupError("error.evidence_damaged", file="result.json", message=fault)


def _with_evidence(row: FleetRow, evidence: Evidence) -> FleetRow:
    at = clock.azure_now(evidence)
    model: Mapping[str, Any] = data_of(evidence, "vm.model") or {}
    protection: Mapping[str, Any] = data_of(evidence, "backup.protection") or {}
    policy: Mapping[str, Any] = data_of(evidence, "backup.policy") or {}
    verdicts, risks = tonight.outlook(evidence)
    row.update(
        {
            "at": at,
            "location": model.get("location"),
            "os": operating_system(evidence),
            "vault_id": protection.get("vault_id"),
            "policy": policy.get("name") or protection.get("policy_name"),
            "next_run": tonight.following_run(data_of(evidence, "backup.policy"), clock.now(evidence)),
            "next_failures": risks,
            "outlook": verdicts,
        }
    )
    _add_failure(row, evidence)
    _add_last_good(row, evidence)
    _add_downgrade(row, evidence)
    _add_traits(row, evidence)
    return row


def _add_failure(row: FleetRow, evidence: Evidence) -> None:
    job = data_of(evidence, "backup.failed_job")
    row["failing"] = course(evidence).failed
    if job is None or row["failing"] is False:
        return
    error: Mapping[str, Any] = next(iter(job["errors"]), {})
    code = error.get("code")
    row["failed_code"] = str(code) if code is not None else None
    row["failed_title"] = error.get("title") or error.get("text") or job["dynamic_message"]
    row["first_failed"] = clock.stamp(job["first_failure"] or job["start"])


def _add_last_good(row: FleetRow, evidence: Evidence) -> None:
    policy = data_of(evidence, "backup.policy")
    fact = evidence.get("backup.recovery_points")
    point = last_good(data_of(evidence, "backup.recovery_points") or [], policy, row["os"])
    age_s = clock.seconds_between(point["time"] if point else None, row["at"])
    row["policy_h"] = longest_gap_h(policy)
    if point is not None and age_s is not None:
        row.update({"last_good": clock.stamp(point["time"]), "last_good_type": point["type"], "age_h": age_s / 3600})
    # A newer or a good point may be in the part of the list that was not read.
    whole = fact is not None and fact.answered and not fact.is_cut
    row["kept"] = str(_kept(row, whole, evidence))


def _kept(row: FleetRow, whole: bool, evidence: Evidence) -> Kept:
    if run(load()["vm_is_protected"], evidence, row["os"]).reason == "not_protected":
        return Kept.UNPROTECTED
    if row["age_h"] is None:
        return Kept.NEVER if whole and row["last_good"] is None and _system_known(row, evidence) else Kept.UNKNOWN
    if row["policy_h"] is None:
        return Kept.UNKNOWN
    allowed_h = late_after_h(row["policy_h"]) if row["failing"] is False else row["policy_h"]
    if row["age_h"] <= allowed_h:
        return Kept.KEPT
    return Kept.LATE if whole else Kept.UNKNOWN


def _system_known(row: FleetRow, evidence: Evidence) -> bool:
    """Whether it is known which points count as good: on Linux, file-system-consistent ones do."""
    return row["os"] is not None or not data_of(evidence, "backup.recovery_points")


def _add_downgrade(row: FleetRow, evidence: Evidence) -> None:
    judged = run(load()[consistency.__name__], evidence, row["os"])
    row["consistency"] = str(judged.verdict)
    if judged.verdict is not Verdict.PROBLEM:
        return
    fact = evidence["backup.recovery_points"]
    good = last_good(fact.data, data_of(evidence, "backup.policy"), row["os"])
    since = good["time"] if good else None
    less = sorted((point for point in fact.data if _is_less(point, since)), key=lambda point: point["time"] or "")
    row["downgraded_since"] = clock.stamp(less[0]["time"])
    row["downgraded_before"] = good is None or fact.is_cut
    row["downgraded_type"] = less[-1]["type"]


def _is_less(point: RecoveryPoint, since: str | None) -> bool:
    """Whether a point is known to be less than application-consistent, and newer than the last one that was good."""
    newer = since is None or (point["time"] or "") > since
    return newer and (point["type"] or "").lower() in ("crashconsistent", "filesystemconsistent")


def _add_traits(row: FleetRow, evidence: Evidence) -> None:
    nics = data_of(evidence, "network.nics")
    agent: Mapping[str, Any] = data_of(evidence, "vm.agent") or {}
    network: Mapping[str, Any] = data_of(evidence, "guest.network") or {}
    proxies = network.get("proxies")
    row.update(
        {
            "agent_status": agent.get("display_status"),
            "agent_version": agent.get("version"),
            "extension_version": _extension_version(evidence),
            "proxy": None if proxies is None else ", ".join(sorted({proxy["value"] for proxy in proxies})) or "–",
        }
    )
    if nics:
        primary = next((nic for nic in nics if nic["primary"]), nics[0])
        configs = sorted(primary["ip_configs"], key=lambda config: not config["primary"])
        row["subnet_id"] = next((config["subnet_id"] for config in configs if config["subnet_id"]), None)
    row["nsg_ids"] = _security_groups(nics, data_of(evidence, "network.subnets"))


def _security_groups(nics: Any, subnets: Any) -> list[str] | None:
    """Ids of the network security groups of the VM's interfaces and subnets; None where either was not read."""
    if nics is None or subnets is None:
        return None
    return sorted({resource["nsg_id"].lower() for resource in [*nics, *subnets] if resource["nsg_id"]})


def _extension_version(evidence: Evidence) -> str | None:
    handlers = data_of(evidence, "vm.handlers") or []
    extensions = data_of(evidence, "vm.extensions") or []
    guest: Mapping[str, Any] = data_of(evidence, "guest.extension") or {}
    versions = [handler["version"] for handler in handlers if is_backup_extension(handler["type"])]
    versions += [guest.get("newest")]
    versions += [extension["version"] for extension in extensions if is_backup_extension(full_type(extension))]
    return next(filter(None, versions), None)
