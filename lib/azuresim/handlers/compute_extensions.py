"""Extensions of a VM, and the versions that publishers offer."""

from __future__ import annotations

from azuresim import effects
from azuresim.answer import Answer, Json, Refused, child_not_found, ok
from azuresim.defaults import BACKUP_PUBLISHER, EXTENSION_VERSIONS
from azuresim.handlers import locations
from azuresim.handlers.compute import VM, extension_json, extension_view
from azuresim.operations import Done
from azuresim.routing import Request, route

TYPES = locations.COMPUTE + "/publishers/{publisher}/artifacttypes/vmextension/types"
_READ_TYPES = "Microsoft.Compute/locations/publishers/artifacttypes/types/read"
_READ_VERSIONS = "Microsoft.Compute/locations/publishers/artifacttypes/types/versions/read"


@route("GET", VM + "/extensions", "Microsoft.Compute/virtualMachines/extensions/read")
def list_extensions(request: Request) -> Answer:
    """The extensions of the model. Azure does not page this list and gives no nextLink."""
    listed = [entry for entry in request.machine["extensions"] if entry["listed"]]
    return ok({"value": [extension_json(request.world, request.machine, entry) for entry in listed]})


@route("GET", VM + "/extensions/{extension}", "Microsoft.Compute/virtualMachines/extensions/read")
def get_extension(request: Request) -> Answer:
    """One extension, with ``$expand=instanceView`` its state."""
    entry = _find(request)
    hidden = entry is None or not (entry["listed"] or entry["provisioning_state"] == "Deleting")
    if entry is None or hidden:
        raise child_not_found()
    body = extension_json(request.world, request.machine, entry)
    if "instanceview" in request.query.get("$expand", "").lower():
        body["properties"]["instanceView"] = extension_view(entry)
    return ok(body)


@route("DELETE", VM + "/extensions/{extension}", "Microsoft.Compute/virtualMachines/extensions/delete")
def delete_extension(request: Request) -> Answer:
    """Gone when the operation ends; with a dead agent it ends Failed and the extension stays."""
    machine, entry = request.machine, _find(request)
    if entry is None:
        return Answer(204)
    if machine["vm"]["power"] != "running":
        raise Refused(409, "OperationNotAllowed", "Cannot modify extensions in the VM when the VM is not running.")
    if not machine["vm"]["allow_extension_operations"]:
        raise extensions_disallowed()
    before, entry["provisioning_state"] = entry["provisioning_state"], "Deleting"

    def done() -> None:
        if machine["agent"]["state"] != "ready":
            entry["provisioning_state"] = before
            raise agent_silent(machine["name"])
        machine["extensions"].remove(entry)
        effects.settle(machine)
        effects.apply(request.world, machine, "extension_deleted", entry["name"])

    return start(request, done)


def _find(request: Request) -> Json | None:
    name = request.params["extension"].lower()
    return next((entry for entry in request.machine["extensions"] if entry["name"].lower() == name), None)


def extensions_disallowed() -> Refused:
    """409: the model forbids extensions."""
    return Refused(
        409,
        "OperationNotAllowed",
        "This operation cannot be performed when extension operations are disallowed. To allow, please ensure VM Agent "
        "is installed on the VM and the osProfile.allowExtensionOperations property is true.",
    )


def agent_silent(name: str) -> Refused:
    """How an operation ends that the agent never answered."""
    return Refused(
        409,
        "VMAgentStatusCommunicationError",
        f"VM '{name}' has not reported status for VM agent or extensions. Please verify the VM has a running VM agent, "
        "and can establish outbound connections to Azure storage.",
    )


# --- operations of the compute service ---


def start(request: Request, done: Done, error: tuple[str, str] | None = None) -> Answer:
    """202 with the compute service's own paths. ``done`` gives the result or None."""
    request.world.settle()
    return locations.start(request, locations.COMPUTE, done, error)


# --- what publishers offer ---


def _offered(request: Request) -> dict[str, list[str]]:
    if request.params["publisher"].lower() != BACKUP_PUBLISHER.lower():
        raise Refused(404, "NotFound", f"Publisher: {request.params['publisher']} was not found.")
    return {**EXTENSION_VERSIONS, **request.candidates[0].spec.get("extension_versions", {})}


def _image_id(request: Request) -> str:
    place, publisher = request.params["location"], request.params["publisher"]
    return (
        f"/Subscriptions/{request.candidates[0].subscription}/Providers/Microsoft.Compute/Locations/{place}"
        f"/Publishers/{publisher}/ArtifactTypes/VMExtension/Types"
    )


@route("GET", TYPES, _READ_TYPES)
def list_types(request: Request) -> Answer:
    """A bare list, as Azure answers here."""
    root, place = _image_id(request), request.params["location"]
    return ok([{"location": place, "name": kind, "id": f"{root}/{kind}"} for kind in sorted(_offered(request))])


@route("GET", TYPES + "/{type}/versions", _READ_VERSIONS)
def list_versions(request: Request) -> Answer:
    """A bare list in no particular order, as Azure answers here; ``$top`` cuts it."""
    offered = {kind.lower(): (kind, versions) for kind, versions in _offered(request).items()}
    if request.params["type"].lower() not in offered:
        raise Refused(404, "NotFound", f"Artifact: VMExtension was not found: {request.params['type']}.")
    kind, versions = offered[request.params["type"].lower()]
    root, place = f"{_image_id(request)}/{kind}/Versions", request.params["location"]
    entries = [{"location": place, "name": version, "id": f"{root}/{version}"} for version in sorted(versions)]
    top = request.query.get("$top", "")
    return ok(entries[: int(top)] if top.isdigit() else entries)


@route("GET", TYPES + "/{type}/versions/{version}", _READ_VERSIONS)
def get_version(request: Request) -> Answer:
    """One version."""
    for entry in list_versions(request).body:
        if entry["name"] == request.params["version"]:
            return ok({**entry, "properties": {"operatingSystem": "Linux", "computeRole": "IaaS", "handlerSchema": ""}})
    raise child_not_found()
