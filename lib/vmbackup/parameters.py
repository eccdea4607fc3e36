"""The parameters of a runbook: read and checked here, before anything is asked.

papermill only warns about a parameter it does not know and stores every parameter in the executed notebook. So names
and values are checked again inside the notebook, and no parameter is ever a secret.
"""

from __future__ import annotations

import difflib
import re
import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from vmbackup.model import AzureSource, Key, Language, Probe, Risk, SetupError, Target, Word
from vmbackup.resource_ids import out_of_portal, part_after

SHORTEST_S, LONGEST_S = 5, 3600
_VM_ID_EXAMPLE = "/subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.Compute/virtualMachines/<name>"
VAULT_ID_EXAMPLE = "/subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.RecoveryServices/vaults/<name>"
# No name may hold what would change the path of a request.
_NAME = r"(?!\.{1,2}(?:/|\Z))[^/\\?#%\x00-\x1f\x7f]+"
VM_ID = re.compile(
    rf"/subscriptions/(?P<subscription>{_NAME})/resourceGroups/(?P<group>{_NAME})"
    rf"/providers/Microsoft\.Compute/virtualMachines/(?P<name>{_NAME})",
    re.IGNORECASE,
)
VAULT_ID = re.compile(
    rf"/subscriptions/{_NAME}/resourceGroups/{_NAME}/providers/Microsoft\.RecoveryServices/vaults/{_NAME}",
    re.IGNORECASE,
)
_IDS = ("vm_id", "vault_id", "subscription_id")
_SHOWN = reprlib.Repr()
_SHOWN.maxlevel, _SHOWN.maxstring, _SHOWN.maxother = 2, 80, 80
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of every runbook, with their defaults; the notebooks' parameter cells say the same."""

    azure: AzureSource = AzureSource.SIMULATOR
    scenario: str = ""
    subscription_id: str = ""
    resource_group: str = ""
    vm_name: str = ""
    vm_id: str = ""
    vault_id: str = ""
    failure: str = ""
    evidence_file: str = ""
    guest_output: str = ""
    probe: Probe = Probe.AUTO
    remedies: str = ""
    max_risk: Risk = Risk.LOW
    retry: bool = False
    run_folder: str = ""
    language: Language = Language.EN
    deadline_s: int = 120

    @property
    def folder(self) -> str:
        """Where results are saved: a path or URL, ``runs/<VM>`` in the working directory where none was given."""
        named = self.vm_name or self.vm_id.rstrip("/").rpartition("/")[2] or Path(self.scenario).stem
        return self.run_folder or f"runs/{named or 'vm'}"

    @property
    def job_name(self) -> str | None:
        """The failed job's name, where ``failure`` is one; None where it is a code, a message or nothing."""
        return self.failure if _GUID.fullmatch(self.failure) else None


def read(given: Mapping[str, Any], about: str = "vm") -> Parameters:
    """Check the parameters and fill in the rest. Raises SetupError that names the parameter and says what to do.

    ``about`` is ``vm`` for the runbooks and ``vault`` for the start notebook, which needs no VM.
    """
    kinds = {field.name: type(field.default) for field in fields(Parameters)}
    for name in given:
        if name not in kinds:
            raise no_such("unknown_parameter", name, kinds)
    values = {name: _value(name, value, kinds[name]) for name, value in given.items()}
    parameters = _without_defaults(Parameters(**values))
    if not SHORTEST_S <= parameters.deadline_s <= LONGEST_S:
        raise SetupError("error.deadline", value=parameters.deadline_s, least=SHORTEST_S, most=LONGEST_S)
    (_RULES if about == "vm" else _VAULT_RULES)[parameters.azure](parameters)
    _check_vault(parameters)
    return parameters


def from_notebook(namespace: Mapping[str, Any], about: str = "vm") -> Parameters:
    """Read the parameters out of a notebook's variables.

    Plain values that are no parameter are taken for misspelt ones, since papermill injects those without complaint;
    names that begin with an underscore are the reader's own.
    """
    plain = (str, int, float, bool, type(None), list, dict, tuple)
    system = {"In", "Out"}
    values = {
        name: value
        for name, value in namespace.items()
        if not name.startswith("_") and name not in system and type(value) in plain
    }
    known = [field.name for field in fields(Parameters)]
    for name in values:
        if name not in known:
            raise no_such("unknown_variable", name, known)
    return read(values, about)


def language_in(namespace: Mapping[str, Any]) -> Language:
    """The language that a notebook's variables name, whatever else is wrong with them; English where they name none."""
    spoken = namespace.get("language")
    return Language(spoken) if spoken in list(Language) else Language.EN


def no_such(key: str, value: str, choices: Iterable[str], **values: str) -> SetupError:
    """What is said of a name that does not exist: the one that is near, else those that there are."""
    known = list(choices)
    near = difflib.get_close_matches(value, known, 1)
    named = {"value": value, "choices": ", ".join(known), **values}
    return SetupError(f"error.{key}_near", near=near[0], **named) if near else SetupError(f"error.{key}", **named)


def wrong_type(name: str, expected: type, value: object) -> SetupError:
    """What is said of a value that is of another type than its parameter. Of a long or deep one it shows the beginning:
    a value out of a file may be of any size."""
    wanted, found = (Key(f"type.{each.__name__}") for each in (expected, type(value)))
    return SetupError("error.wrong_type", name=name, expected=wanted, found=found, value=_SHOWN.repr(value))


def _without_defaults(parameters: Parameters) -> Parameters:
    """A notebook's own scenario is its default, and says nothing once another Azure is named."""
    return parameters if parameters.azure == AzureSource.SIMULATOR else replace(parameters, scenario="")


def _value(name: str, value: Any, kind: type) -> Any:
    """The value as a parameter keeps it; where an id belongs, an address of the portal is understood."""
    expected = str if issubclass(kind, str) else kind
    if type(value) is not expected and type(value) is not kind:
        raise wrong_type(name, expected, value)
    if not isinstance(value, str):
        return value
    stripped = value.strip()
    if issubclass(kind, Word) and stripped not in list(kind):
        raise no_such("not_one_of", stripped, list(kind), name=name)
    if name in _IDS:
        stripped = out_of_portal(stripped)
    if name == "subscription_id":
        stripped = part_after(stripped, "subscriptions") or stripped
    return kind(stripped)


def target(parameters: Parameters) -> Target:
    """The VM that live parameters name."""
    subscription, group, name = parameters.subscription_id, parameters.resource_group, parameters.vm_name
    if parameters.vm_id:
        found = VM_ID.fullmatch(parameters.vm_id.rstrip("/"))
        assert found
        subscription, group, name = found["subscription"], found["group"], found["name"]
    return Target(subscription, group, name, parameters.vault_id or None)


def _simulator(parameters: Parameters) -> None:
    _refuse(parameters, ("subscription_id", "resource_group", "vm_name", "vm_id", "evidence_file"))
    if not parameters.scenario:
        raise SetupError("error.needs_scenario")


def _live(parameters: Parameters) -> None:
    _refuse(parameters, ("evidence_file",))
    parts = {name: getattr(parameters, name) for name in ("subscription_id", "resource_group", "vm_name")}
    if parameters.vm_id:
        found = VM_ID.fullmatch(parameters.vm_id.rstrip("/"))
        if not found:
            raise SetupError("error.no_vm_id", value=parameters.vm_id, example=_VM_ID_EXAMPLE)
        for (name, value), part in zip(parts.items(), found.groups(), strict=True):
            if value and value.lower() != part.lower():
                raise SetupError("error.contradicts_vm_id", name=name, value=value, said=part)
        parts["subscription_id"] = found["subscription"]
    else:
        missing = [name for name, value in parts.items() if not value]
        if missing:
            raise SetupError("error.needs_vm", names=missing)
        for name in ("resource_group", "vm_name"):
            if not re.fullmatch(_NAME, parts[name]):
                raise SetupError("error.no_name", name=name, value=parts[name])
    check_subscription(parts["subscription_id"])


def check_subscription(subscription_id: str) -> None:
    """Raises SetupError for what is not the id of a subscription."""
    if not _GUID.fullmatch(subscription_id):
        raise SetupError("error.no_subscription_id", value=subscription_id)


def _check_vault(parameters: Parameters) -> None:
    if parameters.vault_id and not VAULT_ID.fullmatch(parameters.vault_id.rstrip("/")):
        raise SetupError("error.no_vault_id", value=parameters.vault_id, example=VAULT_ID_EXAMPLE)


def _replay(parameters: Parameters) -> None:
    changing = ("remedies", "retry")
    asking = ("subscription_id", "resource_group", "vm_name", "vm_id", "vault_id")
    _refuse(parameters, asking + changing)
    if not parameters.evidence_file:
        raise SetupError("error.needs_evidence_file")


def _live_vault(parameters: Parameters) -> None:
    _refuse(parameters, ("evidence_file",))
    if parameters.subscription_id:
        check_subscription(parameters.subscription_id)
    if parameters.vm_id and not VM_ID.fullmatch(parameters.vm_id.rstrip("/")):
        raise SetupError("error.no_vm_id", value=parameters.vm_id, example=_VM_ID_EXAMPLE)


def _no_replay(parameters: Parameters) -> None:
    raise SetupError("error.no_replay_of_jobs")


_RULES = {AzureSource.SIMULATOR: _simulator, AzureSource.LIVE: _live, AzureSource.REPLAY: _replay}
_VAULT_RULES = {
    AzureSource.SIMULATOR: lambda parameters: None,
    AzureSource.LIVE: _live_vault,
    AzureSource.REPLAY: _no_replay,
}


def _refuse(parameters: Parameters, names: tuple[str, ...]) -> None:
    names_set = [name for name in names if getattr(parameters, name)]
    if names_set:
        raise SetupError("error.contradiction", source=parameters.azure, names=names_set)
