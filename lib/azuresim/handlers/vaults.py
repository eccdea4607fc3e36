"""Vaults: where they are and how they store backups."""

from __future__ import annotations

from azuresim.answer import Answer, Json, ok
from azuresim.ids import guid
from azuresim.routing import Request, route
from azuresim.world import World

VAULTS = "/subscriptions/{sub}/resourceGroups/{rg}/providers/Microsoft.RecoveryServices/vaults"
VAULT = VAULTS + "/{vault}"
RIGHT = "Microsoft.RecoveryServices/Vaults"
_REDUNDANCY = "GeoRedundant"


@route("GET", VAULTS, RIGHT + "/read")
@route("GET", "/subscriptions/{sub}/providers/Microsoft.RecoveryServices/vaults", RIGHT + "/read")
def list_vaults(request: Request) -> Answer:
    """All vaults of a group or a subscription."""
    here = [world for world in request.candidates if world.vault_subscription == request.params["sub"]]
    if "rg" in request.params:
        here = [world for world in here if world.vault_group.lower() == request.params["rg"].lower()]
    present = {world.vault_id.lower(): world for world in here if world.spec.get("vault_exists", True)}
    return request.page([vault_json(world) for world in present.values()])


@route("GET", VAULT, RIGHT + "/read")
def get_vault(request: Request) -> Answer:
    """One vault."""
    return ok(vault_json(request.world))


def vault_json(world: World) -> Json:
    """A vault on the wire."""
    given = world.spec.get("vault", {})
    return {
        "location": given.get("location", world.location),
        "name": world.vault,
        "etag": f"W/\"datetime'{guid(world.seed, world.vault, 'vault')}'\"",
        "id": world.vault_id,
        "type": "Microsoft.RecoveryServices/vaults",
        "sku": {"name": "Standard"},
        "properties": {
            "provisioningState": "Succeeded",
            "publicNetworkAccess": "Enabled",
            "redundancySettings": {
                "standardTierStorageRedundancy": given.get("redundancy", _REDUNDANCY),
                "crossRegionRestore": "Enabled" if given.get("cross_region_restore") else "Disabled",
            },
        },
    }


@route("GET", VAULT + "/backupstorageconfig/vaultstorageconfig", RIGHT + "/backupstorageconfig/read")
def get_storage_config(request: Request) -> Answer:
    """How the vault stores backups."""
    given = request.world.spec.get("vault", {})
    redundancy = given.get("redundancy", _REDUNDANCY)
    protecting = any(machine["item"] is not None for world in request.candidates for machine in world.machines)
    return ok(
        {
            "id": f"{request.world.vault_id}/backupstorageconfig/vaultstorageconfig",
            "name": "vaultstorageconfig",
            "type": "Microsoft.RecoveryServices/vaults/backupstorageconfig",
            "properties": {
                "storageModelType": redundancy,
                "storageType": redundancy,
                # It can be changed only while the vault protects nothing.
                "storageTypeState": "Locked" if protecting else "Unlocked",
                "crossRegionRestoreFlag": bool(given.get("cross_region_restore")),
                "dedupState": "Disabled",
                "xcoolState": "Disabled",
            },
        }
    )


@route("GET", VAULT + "/backupResourceGuardProxies", RIGHT + "/backupResourceGuardProxies/read")
def list_resource_guard_proxies(request: Request) -> Answer:
    """The Resource Guard of the vault, if the world has one."""
    own = f"{request.world.vault_id}/backupResourceGuardProxies/VaultProxy"
    kind = "Microsoft.RecoveryServices/vaults/backupResourceGuardProxies"
    guard = {"id": own, "name": "VaultProxy", "type": kind, "properties": {"description": "Multi-user authorization"}}
    return ok({"value": [guard] if request.world.spec.get("resource_guard") else []})
