"""What a runbook is told: read, checked and refused here, before anything is asked.

papermill only warns about a parameter it does not know and stores every parameter in the executed notebook. So names
and values are checked again inside the notebook, and no parameter is ever a secret.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from vmbackup.model import SetupError, Target

DOORS = ("simulator", "live", "replay")
LANGUAGES = ("en", "de")
RISKS = ("low", "medium", "high")
PROBES = ("auto", "never", "force")
# What would lead the path of a request elsewhere is in no name.
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
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of every runbook, with their defaults; the notebooks' parameter cells say the same."""

    azure: str = "simulator"
    scenario: str = ""
    subscription_id: str = ""
    resource_group: str = ""
    vm_name: str = ""
    vm_id: str = ""
    vault_id: str = ""
    failure: str = ""
    evidence_file: str = ""
    guest_output: str = ""
    probe: str = "auto"
    remedies: str = ""
    max_risk: str = "low"
    retry: bool = False
    run_folder: str = ""
    language: str = "en"
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
    """Check what was given and make it whole. Raises SetupError that names the parameter and says what to do.

    ``about`` is ``vm`` for the runbooks and ``vault`` for the start notebook, which needs no VM.
    """
    known = {field.name: field for field in fields(Parameters)}
    for name in given:
        if name not in known:
            raise SetupError(f"Unknown parameter {name!r}.{_suggestion(name, list(known))}")
    for name, value in given.items():
        expected = type(known[name].default)
        if type(value) is not expected:
            raise SetupError(f"Parameter {name} must be {_words(expected)}, not {_words(type(value))} ({value!r}).")
    stripped: dict[str, Any] = {
        name: value.strip() if isinstance(value, str) else value for name, value in given.items()
    }
    parameters = Parameters(**stripped)
    _one_of("azure", parameters.azure, DOORS)
    _one_of("language", parameters.language, LANGUAGES)
    _one_of("probe", parameters.probe, PROBES)
    _one_of("max_risk", parameters.max_risk, RISKS)
    if not 5 <= parameters.deadline_s <= 3600:
        raise SetupError(f"Parameter deadline_s is {parameters.deadline_s}; it must be between 5 and 3600 seconds.")
    (_DOOR_RULES if about == "vm" else _VAULT_DOOR_RULES)[parameters.azure](parameters)
    _check_vault(parameters)
    return parameters


def from_notebook(namespace: Mapping[str, Any], about: str = "vm") -> Parameters:
    """Read the parameters out of a notebook's variables.

    Plain values that are no parameter are taken for misspelt ones, since papermill injects those without complaint;
    names that begin with an underscore are the reader's own.
    """
    plain = (str, int, float, bool, type(None), list, dict, tuple)
    system = {"In", "Out"}
    given = {
        name: value
        for name, value in namespace.items()
        if not name.startswith("_") and name not in system and type(value) in plain
    }
    try:
        return read(given, about)
    except SetupError as error:
        if str(error).startswith("Unknown parameter"):
            raise SetupError(f"{error} (Your own variables may begin with an underscore.)") from None
        raise


def target(parameters: Parameters) -> Target:
    """The VM that live parameters name."""
    subscription, group, name = parameters.subscription_id, parameters.resource_group, parameters.vm_name
    if parameters.vm_id:
        found = VM_ID.fullmatch(parameters.vm_id.rstrip("/"))
        assert found
        subscription, group, name = found["subscription"], found["group"], found["name"]
    return Target(subscription, group, name, parameters.vault_id or None)


def _simulator(parameters: Parameters) -> None:
    _refuse(parameters, "simulator", ("subscription_id", "resource_group", "vm_name", "vm_id", "evidence_file"))
    if not parameters.scenario:
        raise SetupError('azure = "simulator" needs a scenario, for example "agent_stopped_linux".')


def _live(parameters: Parameters) -> None:
    _refuse(parameters, "live", ("scenario", "evidence_file"))
    parts = {name: getattr(parameters, name) for name in ("subscription_id", "resource_group", "vm_name")}
    if parameters.vm_id:
        found = VM_ID.fullmatch(parameters.vm_id.rstrip("/"))
        if not found:
            raise SetupError(
                f"vm_id {parameters.vm_id!r} is not the resource id of a VM. It looks like /subscriptions/<id>"
                "/resourceGroups/<group>/providers/Microsoft.Compute/virtualMachines/<name>."
            )
        for (name, value), said in zip(parts.items(), found.groups(), strict=True):
            if value and value.lower() != said.lower():
                raise SetupError(f"{name} {value!r} contradicts vm_id, which says {said!r}. Give one of them.")
        parts["subscription_id"] = found["subscription"]
    else:
        missing = [name for name, value in parts.items() if not value]
        if missing:
            raise SetupError(f'azure = "live" needs {" and ".join(missing)} (or vm_id instead of all three).')
        for name in ("resource_group", "vm_name"):
            if not re.fullmatch(_NAME, parts[name]):
                raise SetupError(f"{name} {parts[name]!r} is no name: Azure has none with / \\ ? # or % in it.")
    _check_subscription(parts["subscription_id"])


def _check_subscription(subscription_id: str) -> None:
    if not _GUID.fullmatch(subscription_id):
        raise SetupError(f"subscription_id {subscription_id!r} is not a GUID. `az account show` prints yours.")


def _check_vault(parameters: Parameters) -> None:
    if parameters.vault_id and not VAULT_ID.fullmatch(parameters.vault_id.rstrip("/")):
        raise SetupError(
            f"vault_id {parameters.vault_id!r} is not the resource id of a vault. It looks like /subscriptions/<id>"
            "/resourceGroups/<group>/providers/Microsoft.RecoveryServices/vaults/<name>."
        )


def _replay(parameters: Parameters) -> None:
    changing = ("remedies", "retry")
    asking = ("scenario", "subscription_id", "resource_group", "vm_name", "vm_id", "vault_id")
    _refuse(parameters, "replay", asking + changing)
    if not parameters.evidence_file:
        raise SetupError('azure = "replay" needs evidence_file, the evidence.json of an earlier run.')


def _live_vault(parameters: Parameters) -> None:
    _refuse(parameters, "live", ("scenario", "evidence_file"))
    if not parameters.subscription_id:
        raise SetupError('azure = "live" needs subscription_id. `az account show` prints yours.')
    _check_subscription(parameters.subscription_id)


def _no_replay(parameters: Parameters) -> None:
    raise SetupError('azure = "replay" is for the runbooks 01 to 06: failed jobs are not part of saved evidence.')


_DOOR_RULES = {"simulator": _simulator, "live": _live, "replay": _replay}
_VAULT_DOOR_RULES = {"simulator": lambda parameters: None, "live": _live_vault, "replay": _no_replay}


def _refuse(parameters: Parameters, door: str, names: tuple[str, ...]) -> None:
    given = [name for name in names if getattr(parameters, name)]
    if given:
        raise SetupError(f'azure = "{door}" contradicts {" and ".join(given)}: leave empty, or change azure.')


def _one_of(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise SetupError(
            f"Parameter {name} is {value!r}; it must be one of {', '.join(choices)}.{_suggestion(value, choices)}"
        )


def _suggestion(word: str, choices: list[str] | tuple[str, ...]) -> str:
    close = difflib.get_close_matches(word, choices, 1)
    return f" Did you mean {close[0]!r}?" if close else f" There are: {', '.join(choices)}."


def _words(kind: type) -> str:
    return {str: "a text", int: "a whole number", bool: "true or false", float: "a number"}.get(kind, kind.__name__)
