"""From parameters to a run: opens the live Azure, an embedded simulator, or saved evidence."""

from __future__ import annotations

import os
import weakref
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import requests
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from vmbackup import catalog
from vmbackup.arm.connection import RATE_FILE, RATE_SHARE, Azure, Connection
from vmbackup.catalog.remedies import remedies
from vmbackup.model import AzureSource, SetupError, Target
from vmbackup.parameters import Parameters, no_such, target
from vmbackup.runs.evidence import load_evidence
from vmbackup.runs.examine import pasted, pasted_failure
from vmbackup.runs.run import Run

if TYPE_CHECKING:
    from azuresim.world import World

_PUBLIC_CLOUD = "https://management.azure.com"


def open_run(parameters: Parameters, section: str | None, kept: bool = True) -> Run:
    """The run that checked parameters ask for; ``kept`` is whether the run folder follows it. Raises SetupError."""
    if section is not None and section not in catalog.sections():
        raise no_such("unknown_section", section, catalog.sections())
    refuse_unknown_remedies(parameters.remedies)
    if parameters.azure == AzureSource.REPLAY:
        return _replay(parameters, section, kept)
    if parameters.azure == AzureSource.SIMULATOR:
        azure, (world,) = connect_simulator([parameters.scenario])
        vm = world.vms[0]
        subject = Target(vm["subscription_id"], vm["resource_group"], vm["vm_name"], parameters.vault_id or None)
        if world.pasted and not parameters.guest_output:
            parameters = replace(parameters, guest_output=str(world.pasted))
        return Run(parameters, section, subject, azure=azure, kept=kept)
    subject = target(parameters)
    return Run(parameters, section, subject, azure=connect_azure(subject.subscription_id), kept=kept)


def refuse_unknown_remedies(named: str) -> None:
    """Raises SetupError for an unknown name among those separated by commas."""
    for name in (each.strip() for each in named.split(",")):
        if name and name not in remedies():
            raise no_such("unknown_remedy", name, remedies())


def refuse_unknown_scenario(name: str) -> None:
    """Raises SetupError for what is neither the name of a simulated world nor a file."""
    from azuresim.loading import is_file, scenario_names

    if name not in scenario_names() and not is_file(name):
        raise SetupError("error.unknown_scenario", value=name)


def endpoint() -> str:
    """The address of the real Azure. Sovereign clouds have one of their own; the variable names it."""
    return os.environ.get("VMBACKUP_ARM_ENDPOINT", _PUBLIC_CLOUD)


def connect_azure(subscription_id: str) -> Azure:
    """The real Azure, signed in by whatever DefaultAzureCredential finds: az login, managed identity, environment."""
    from azure.identity import DefaultAzureCredential

    file, share = os.environ.get(RATE_FILE) or None, float(os.environ.get(RATE_SHARE) or 1)
    metrics = os.environ.get("VMBACKUP_METRICS_ENDPOINT", "")
    connection = Connection(endpoint(), rate_file=file, rate_share=share, metrics=metrics)
    return Azure(DefaultAzureCredential(), subscription_id, connection)


def connect_simulator(scenarios: list[str]) -> tuple[Azure, list[World]]:
    """An embedded simulator with these worlds (names, or YAML files), and the worlds. It ends with its connection and
    leaves nothing in the environment, so a live run in the same process is not affected."""
    from azuresim.loading import load_world
    from azuresim.schema import WorldError

    for name in scenarios:
        refuse_unknown_scenario(name)
    try:
        worlds = [load_world(name) for name in scenarios]
    except WorldError as error:
        raise SetupError("error.scenario_not_loaded", message=str(error)) from None
    return connect_worlds(worlds), worlds


def connect_worlds(worlds: list[World]) -> Azure:
    """An embedded simulator of these worlds."""
    from azuresim.serve import Simulator

    simulator = Simulator(worlds)
    simulator.start()
    connection = Connection(
        simulator.endpoint, polling_interval_s=0.05, ca_file=simulator.ca_file, metrics=simulator.metrics_endpoint
    )
    azure = Azure(_SimulatedIdentity(simulator.environment), worlds[0].subscription, connection)
    weakref.finalize(azure, simulator.stop)
    return azure


class _SimulatedIdentity:
    """Signs in to one simulator as its managed identity does."""

    def __init__(self, where: Mapping[str, str]) -> None:
        self._where = where

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        """A token. Raises ClientAuthenticationError where there is none."""
        try:
            response = requests.get(
                self._where["IDENTITY_ENDPOINT"],
                {"api-version": "2019-08-01", "resource": scopes[0].removesuffix("/.default")},
                headers={"X-IDENTITY-HEADER": self._where["IDENTITY_HEADER"]},
                verify=self._where["REQUESTS_CA_BUNDLE"],
                timeout=30,
            )
            response.raise_for_status()
            token = response.json()
        except requests.RequestException as error:
            raise ClientAuthenticationError(f"The simulator gives no token: {error}") from None
        return AccessToken(token["access_token"], int(token["expires_on"]))


def _replay(parameters: Parameters, section: str | None, kept: bool) -> Run:
    subject, facts = load_evidence(parameters.evidence_file)
    facts |= pasted_failure(parameters)
    if parameters.guest_output:
        facts |= pasted(parameters.guest_output, facts)
    return Run(parameters, section, subject, facts, kept=kept)
