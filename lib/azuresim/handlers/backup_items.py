"""The lookup from VM to vault, protected items and their recovery points."""

from __future__ import annotations

from azuresim import accepted, effects
from azuresim.answer import Answer, Json, Refused, not_found, ok
from azuresim.handlers.vaults import RIGHT, VAULT
from azuresim.ids import number, stamp
from azuresim.odata import equals
from azuresim.operations import Done
from azuresim.routing import Request, route
from azuresim.world import World

ITEM = VAULT + "/backupFabrics/{fabric}/protectionContainers/{container}/protectedItems/{item}"
ITEM_RIGHT = RIGHT + "/backupFabrics/protectionContainers/protectedItems"
HEALTHY = (400239, "IaasVmHealthGreenDefault", "Backup pre-check status of this virtual machine is OK.")


def container_name(world: World, machine: Json) -> str:
    """The container of a VM, as backupStatus spells it."""
    return f"iaasvmcontainer;iaasvmcontainerv2;{world.resource_group};{machine['name']}".lower()


def item_name(world: World, machine: Json) -> str:
    """The protected item of a VM, as backupStatus spells it."""
    return f"vm;iaasvmcontainerv2;{world.resource_group};{machine['name']}".lower()


def item_id(world: World, machine: Json) -> str:
    """The id of a protected item, in the letter case that the vault uses."""
    container = container_name(world, machine).replace("iaasvmcontainer", "IaasVMContainer", 1)
    return (
        f"{world.vault_id}/backupFabrics/Azure/protectionContainers/{container}"
        f"/protectedItems/{item_name(world, machine).replace('vm', 'VM', 1)}"
    )


@route(
    "POST",
    "/subscriptions/{sub}/providers/Microsoft.RecoveryServices/locations/{location}/backupStatus",
    "Microsoft.RecoveryServices/locations/backupStatus/action",
)
def backup_status(request: Request) -> Answer:
    """Which vault protects a VM, if any."""
    wanted = str(request.body.get("resourceId", "")).lower()
    for world in request.candidates:
        for machine in world.machines:
            if world.vm_id(machine).lower() == wanted:
                return ok(_status(world, machine))
    return ok({"protectionStatus": "NotProtected", "protectedItemsCount": 0, "objectType": "BackupStatusResponse"})


def _status(world: World, machine: Json) -> Json:
    item = machine["item"]
    status: Json = {
        "fabricName": "Azure",
        "containerName": container_name(world, machine),
        "protectedItemName": item_name(world, machine),
        "protectedItemsCount": 0,
        "objectType": "BackupStatusResponse",
    }
    given = world.spec.get("backup_status", {}) if machine is world.machines[0] else {}
    said = given.get("protection_status", "NotProtected" if item is None else "Protected")
    status["protectionStatus"] = said
    if said != "NotProtected":
        status["vaultId"] = world.vault_id
    if said == "Protected":
        status["policyName"] = next(iter(world.policies))
    if "error_code" in given:
        status |= {"errorCode": given["error_code"], "errorMessage": given.get("error_message", "")}
    return status


# --- protected items -----------------------------------------------------------------------------------------------


@route("GET", VAULT + "/backupProtectedItems", RIGHT + "/backupProtectedItems/read")
def list_items(request: Request) -> Answer:
    """All protected items of a vault that the filter lets through."""
    wanted = equals(request.query.get("$filter", ""))
    every = [(world, machine) for world in request.candidates for machine in world.machines]
    items = [item_json(world, machine) for world, machine in every if machine["item"] is not None]
    if (
        wanted.get("itemtype", "VM").upper() != "VM"
        or wanted.get("backupmanagementtype", "AzureIaasVM") != "AzureIaasVM"
    ):
        items = []
    for name, field in (("policyname", "policyName"), ("friendlyname", "friendlyName")):
        if name in wanted:
            items = [item for item in items if item["properties"][field].lower() == wanted[name].lower()]
    if "healthstate" in wanted:
        items = [item for item in items if item["properties"]["healthStatus"] == wanted["healthstate"]]
    return request.page(items)


@route("GET", ITEM, ITEM_RIGHT + "/read")
def get_item(request: Request) -> Answer:
    """One protected item."""
    return ok(item_json(request.world, find_item(request)))


def find_item(request: Request) -> Json:
    """The VM whose protected item the path names."""
    wanted = request.params["item"].lower()
    for machine in request.world.machines:
        if machine["item"] is not None and wanted == item_name(request.world, machine):
            return machine
    raise not_found("Microsoft.RecoveryServices/vaults/protectedItems", request.params["item"], request.params["rg"])


def item_json(world: World, machine: Json) -> Json:
    """A protected item on the wire."""
    item = machine["item"]
    ended = [job for job in machine["jobs"] if job["operation"] == "Backup" and job["end"] is not None]
    last = ended[0] if ended else None
    failed = last is not None and last["status"] == "Failed"
    properties: Json = {
        "friendlyName": machine["name"],
        "virtualMachineId": world.vm_id(machine),
        "protectionStatus": item.get("protection_status", "Unhealthy" if failed else "Healthy"),
        "protectionState": item.get("protection_state", "Protected"),
        "healthStatus": item.get("health_status", "ActionRequired" if failed else "Passed"),
        "healthDetails": [_detail(entry) for entry in _health(item, last)],
        "kpisHealths": {},
        "lastBackupStatus": item.get("last_backup_status", last["status"] if last else ""),
        "lastBackupTime": stamp(last["start"]) if last else "2001-01-01T00:00:00Z",
        "protectedItemDataId": str(10**13 + number(10**13, world.seed, machine["name"])),
        "extendedProperties": {},
        "protectedItemType": "Microsoft.Compute/virtualMachines",
        "backupManagementType": "AzureIaasVM",
        "workloadType": "VM",
        "containerName": f"iaasvmcontainerv2;{world.resource_group};{machine['name']}".lower(),
        "sourceResourceId": world.vm_id(machine),
        "isArchiveEnabled": False,
        "isScheduledForDeferredDelete": bool(item.get("soft_deleted", False)),
        "extendedInfo": {"recoveryPointCount": len(machine["recovery_points"]), "policyInconsistent": False},
    }
    if properties["protectionState"] not in ("ProtectionStopped",):
        policy = next(iter(world.policies.values()))
        properties["policyType"] = policy["type"]
        properties["policyId"] = f"{world.vault_id}/backupPolicies/{policy['name']}"
        properties["policyName"] = policy["name"]
    if machine["recovery_points"]:
        newest = max(point["time"] for point in machine["recovery_points"])
        properties["lastRecoveryPoint"] = stamp(newest)
    if item.get("disk_luns") is not None:
        properties["extendedProperties"]["diskExclusionProperties"] = {
            "diskLunList": item["disk_luns"],
            "isInclusionList": bool(item.get("disk_luns_included")),
        }
    return {
        "id": item_id(world, machine),
        "name": item_name(world, machine).replace("vm", "VM", 1),
        "type": "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems",
        "properties": properties,
    }


def _health(item: Json, last: Json | None) -> list[Json]:
    if "health_details" in item:
        return list(item["health_details"])
    if last is not None and last["status"] == "Failed":
        return [
            {"code": error.get("code"), "title": error.get("title"), "message": error.get("text")}
            | {"recommendations": error["recommendations"]}
            for error in last["errors"]
        ]
    code, title, message = HEALTHY
    return [{"code": code, "title": title, "message": message}]


def _detail(entry: Json) -> Json:
    return {"recommendations": []} | {key: value for key, value in entry.items() if value is not None}


@route("PUT", ITEM, ITEM_RIGHT + "/write")
def put_item(request: Request) -> Answer:
    """Resume or stop protection, choose disks. The VM must be one of the world's."""
    given = request.body.get("properties", {})
    wanted = str(given.get("sourceResourceId", "")).lower()
    named = request.params["item"].lower()
    for machine in request.world.machines:
        if named == item_name(request.world, machine) or wanted == request.world.vm_id(machine).lower():
            break
    else:
        raise Refused(400, "BMSUserErrorObjectNotFound", "The virtual machine could not be found.")
    state = given.get("protectionState", "")
    if not given.get("policyId") and state != "ProtectionStopped":
        raise Refused(400, "BMSUserErrorInvalidInput", "Input provided for the call is invalid: policyId is missing.")
    item = machine["item"] if machine["item"] is not None else {}
    machine["item"] = item
    item["protection_state"] = "ProtectionStopped" if state == "ProtectionStopped" else "Protected"
    disks = given.get("extendedProperties", {}).get("diskExclusionProperties")
    if disks:
        item["disk_luns"] = list(disks.get("diskLunList") or [])
        item["disk_luns_included"] = bool(disks.get("isInclusionList"))
    effects.apply(request.world, machine, "item_changed", item["protection_state"])
    return start(request, item_id(request.world, machine), lambda: item_json(request.world, machine))


# --- recovery points -----------------------------------------------------------------------------------------------


@route("GET", ITEM + "/recoveryPoints", ITEM_RIGHT + "/recoveryPoints/read")
def list_recovery_points(request: Request) -> Answer:
    """The recovery points of a VM, newest first."""
    machine = find_item(request)
    points = sorted(machine["recovery_points"], key=lambda point: str(point["time"]), reverse=True)
    return request.page([_point(request.world, machine, point) for point in points])


@route("GET", ITEM + "/recoveryPoints/{point}", ITEM_RIGHT + "/recoveryPoints/read")
def get_recovery_point(request: Request) -> Answer:
    """One recovery point."""
    machine = find_item(request)
    for point in machine["recovery_points"]:
        if point["name"] == request.params["point"]:
            return ok(_point(request.world, machine, point))
    raise Refused(404, "BMSUserErrorRecoveryPointNotFound", "The recovery point was not found.")


def _point(world: World, machine: Json, point: Json) -> Json:
    threat = {"threatStatus": point["threat_status"]} if "threat_status" in point else {}
    private = any(disk["network_access"] != "AllowAll" for disk in machine["disks"])
    return {
        "id": f"{item_id(world, machine)}/recoveryPoints/{point['name']}",
        "name": point["name"],
        "type": "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints",
        "properties": {
            "objectType": "IaasVMRecoveryPoint",
            "recoveryPointType": point["type"],
            "recoveryPointTime": stamp(point["time"]),
            "recoveryPointAdditionalInfo": "",
            "sourceVMStorageType": "PremiumVMOnPremiumStorage",
            "isSourceVMEncrypted": False,
            "isInstantIlrSessionActive": False,
            "recoveryPointTierDetails": _tiers(world, point),
            "isManagedVirtualMachine": True,
            "virtualMachineSize": machine["vm"]["size"],
            "originalStorageAccountOption": False,
            "osType": machine["os"].capitalize(),
            "isPrivateAccessEnabledOnAnyDisk": private,
            **threat,
        },
    }


def _tiers(world: World, point: Json) -> list[Json]:
    """Where a recovery point lies: the snapshot is kept as long as the policy says, the copy in the vault stays."""
    policy = next(iter(world.policies.values()))
    kept = point["time"] > world.ago(24 * policy["instant_days"])
    tiers = point.get("tiers") or {"InstantRP": "Valid" if kept else "Deleted", "HardenedRP": "Valid"}
    return [{"type": tier, "status": status} for tier, status in tiers.items()]


def start(
    request: Request,
    owner: str,
    done: Done,
    error: tuple[str, str] | None = None,
) -> Answer:
    """202 with the backup service's own paths, below the resource ``owner``."""
    request.world.settle()
    return accepted.start(
        request,
        done,
        owner + "/operationsStatus/{id}",
        owner + "/operationResults/{id}",
        error,
    )
