"""What would be done about a cause: on which resource, at what risk, with which rights, how to undo it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vmbackup import catalog
from vmbackup.catalog import remedies as catalogue
from vmbackup.checks.base import load
from vmbackup.model import SIGNS, Evidence, Fact, Finding, Step, Target, Verdict, data_of, operating_system
from vmbackup.remedies.journal import Operation
from vmbackup.remedies.preflight import Refusal, refusals
from vmbackup.remedies.quoting import quote_bash, quote_powershell, render
from vmbackup.remedies.values import FACTS_BEHIND, values

RISKS = ("low", "medium", "high")
STATE_OF_VM = ("vm.model", "vm.power", "vm.agent")
# What Azure says of the failed backup: by a sign in it, a plan may have its problem.
_OF_THE_FAILURE = ("backup.jobs", "backup.failed_job", "backup.item")
_WORDS = ("title", "what", "risk_note", "undo", "portal", "duration", "superseded")
_DISTRIBUTIONS = {
    "debian": ("debian", "ubuntu"),
    "suse": ("suse", "sles", "opensuse"),
    "redhat": (
        *("red hat", "redhat", "rhel", "centos", "alma", "rocky", "oracle", "fedora"),
        *("mariner", "azure linux", "azurelinux"),
    ),
}


@dataclass(frozen=True, slots=True)
class Command:
    """A command to copy. ``where`` is ``az``, ``powershell`` or ``shell:<distribution>``."""

    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Plan:
    """One remedy prepared for one VM.

    ``words`` are its sentences in the plan's language, ``cures`` the checks whose problem it cures, ``values`` what the
    commands and requests are filled with, ``refusals`` why it must not be applied, ``continues`` the operation of an
    earlier run that it goes on with.
    """

    remedy: str
    target: Target
    language: str
    resource: str
    cures: tuple[str, ...]
    values: Mapping[str, Any]
    words: Mapping[str, str]
    commands: tuple[Command, ...]
    missing: tuple[str, ...]
    refusals: tuple[Refusal, ...]
    continues: Operation | None = None

    @property
    def entry(self) -> Mapping[str, Any]:
        """The remedy's entry in ``remedies.yaml``."""
        return catalogue.remedies()[self.remedy]

    @property
    def offered(self) -> bool:
        """False for a remedy of the article that no longer applies."""
        return not self.entry["superseded"]

    @property
    def applicable(self) -> bool:
        """Whether ``apply`` would try it, once confirmed."""
        return not self.refusals

    @property
    def doable(self) -> bool:
        """Whether it can be done now: applied from here, or by hand in the VM or the portal."""
        return self.applicable or self.entry["kind"] == "manual"

    @property
    def change(self) -> tuple[str, str, str]:
        """What tells two changes apart: the same remedy may have a second resource, or more to do on the first."""
        return self.remedy, self.resource.lower(), self.words["what"]

    def as_json(self) -> dict[str, Any]:
        """The plan as plain JSON, with the remedy's words and rights."""
        entry = {key: self.entry[key] for key in ("kind", "risk", "actions", "script", "sources", "as_of")}
        return {
            "remedy": self.remedy,
            "resource": self.resource,
            "cures": list(self.cures),
            **entry,
            **self.words,
            "commands": {each.where: each.text for each in self.commands},
            "applicable": self.applicable,
            "refusals": [each.words(self.language) for each in self.refusals],
        }


def plan(step: Step, evidence: Evidence, target: Target, language: str) -> list[Plan]:
    """The remedies for the problems of one judged cause: lowest risk first, and of one risk what can be done now; those
    that fix nothing after the fixes, superseded ones last."""
    problems = tuple(finding for finding in step.findings if finding.verdict is Verdict.PROBLEM)
    filled = values(target, evidence, problems)
    found = []
    for remedy, entry in catalogue.remedies().items():
        cures = tuple(dict.fromkeys(check for each in problems for check in cured(entry, each)))
        if cures and entry["os"] in (None, _os(evidence, target)):
            found.append(planned(remedy, cures, filled, evidence, target, language))
    return sorted(found, key=_rank)


def first_command(plans: Sequence[Plan]) -> Command | None:
    """What to type first: the command of the first plan that has one for this VM. What must not be applied from Azure
    is done by hand in the VM."""
    for each in plans:
        fitting = [command for command in each.commands if each.doable or command.where.startswith("shell:")]
        if each.offered and fitting:
            return fitting[0]
    return None


def _rank(plan: Plan) -> tuple[bool, bool, int, bool, bool]:
    entry = plan.entry
    return not plan.offered, entry["stopgap"], RISKS.index(entry["risk"]), not plan.doable, entry["kind"] == "manual"


def cured(entry: Mapping[str, Any], finding: Finding) -> tuple[str, ...]:
    """The checks whose problem a remedy's entry cures, as this finding has it: a sign speaks for all of its cause's."""
    if finding.check == SIGNS:
        return tuple(name for name in catalog.causes()[finding.cause]["checks"] if name in entry["checks"])
    concerns = finding.check in entry["checks"] or f"{finding.check}:{finding.reason}" in entry["checks"]
    return (finding.check,) if concerns else ()


def planned(
    remedy: str, cures: tuple[str, ...], known: Mapping[str, Any], evidence: Evidence, target: Target, language: str
) -> Plan:
    """One remedy's plan from known values."""
    entry = catalogue.remedies()[remedy]
    commands, missing = _commands(entry, {**known, "script": entry["script"]}, evidence)
    known_words = {name: known.get(name) for name in catalogue.placeholders(remedy)}
    words = {key: catalogue.words(remedy, key, language, **known_words) for key in _WORDS if entry[key] is not None}
    resource = str(known.get(entry["change"]["resource"] if entry["change"] else "vm_id") or "")
    return Plan(
        remedy, target, language, resource, cures, known, words, commands, missing,
        refusals(entry, missing, resource, known, evidence),
    )  # fmt: skip


def _commands(
    entry: Mapping[str, Any], known: Mapping[str, Any], evidence: Evidence
) -> tuple[tuple[Command, ...], tuple[str, ...]]:
    templates = [("az", entry["az"], quote_bash), ("powershell", entry["powershell"], quote_powershell)]
    for name, template in (entry["shell"] or {}).items():
        if name in _likely(evidence):
            templates.append((f"shell:{name}", template, quote_bash))
    os = _os(evidence, None)
    commands: list[Command] = []
    missing: list[str] = []
    for where, template, quote in templates:
        foreign = (where == "powershell" and os == "linux" and "-Az" not in (template or "")) or (
            where.startswith("shell") and os == "windows"
        )
        if template is None or foreign:
            continue
        text, lacking = render(template, known, quote)
        commands.append(Command(where, text))
        missing += lacking if where == "az" else []
    return tuple(commands), tuple(dict.fromkeys(missing))


def _likely(evidence: Evidence) -> tuple[str, ...]:
    """The distribution families the VM may be of: one when its name is known, else all."""
    name = str((data_of(evidence, "vm.model") or {}).get("os_name") or "").lower()
    found = tuple(family for family, words in _DISTRIBUTIONS.items() if any(word in name for word in words))
    return found or tuple(_DISTRIBUTIONS)


def _os(evidence: Evidence, target: Target | None) -> str | None:
    return operating_system(evidence) or (target.os if target else None)


# --- before and after a change ---------------------------------------------------------------------------------------


def facts_to_recollect(plan: Plan) -> tuple[str, ...]:
    """The facts behind the checks that the remedy cures, and the VM's state beside them: what it may have changed."""
    checks = load()
    names = [name for check in plan.cures for name in checks[check].evidence]
    return tuple(dict.fromkeys([*names, *STATE_OF_VM]))


def facts_behind(plan: Plan) -> tuple[str, ...]:
    """The facts from Azure that a plan depends on: its problem, the values in its requests, and what may forbid it."""
    requests = " ".join(plan.entry["change"]["requests"])
    told = [fact for name, facts in FACTS_BEHIND.items() if f"{{{name}}}" in requests for fact in facts]
    names = [*facts_to_recollect(plan), *told, "vm.locks", *_OF_THE_FAILURE]
    return tuple(dict.fromkeys(name for name in names if not name.startswith("guest.")))


def merge_fresh(evidence: Evidence, fresh: Evidence, names: tuple[str, ...]) -> dict[str, Fact]:
    """The evidence with the new answers. Facts that should have been asked again but were not are left out: they may be
    stale."""
    kept = {name: fact for name, fact in evidence.items() if name not in names}
    return {**kept, **{name: fresh[name] for name in names if name in fresh}}
