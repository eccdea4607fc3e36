"""Backup jobs: reading, starting one on demand, cancelling."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from azuresim import accepted, conditions, effects
from azuresim.answer import Answer, Json, Refused, ok
from azuresim.handlers.backup_items import ITEM, ITEM_RIGHT, find_item, item_id, start
from azuresim.handlers.vaults import RIGHT, VAULT
from azuresim.history import consistency, job_error, job_errors, new_job, recovery_point
from azuresim.ids import guid, span, stamp
from azuresim.odata import moment, terms
from azuresim.routing import Request, route
from azuresim.world import World

_RUNNING = ("InProgress", "Cancelling")
# Azure Backup takes no more than nine attempts on demand for one VM and day (UTC).
MOST_ON_DEMAND = 9


@route("GET", VAULT + "/backupJobs", RIGHT + "/backupJobs/read")
def list_jobs(request: Request) -> Answer:
    """The jobs of a vault that the filter lets through, newest first; no tasks in a list."""
    # They are kept from the first page to the last.
    question = (request.path.lower(), request.query.get("$filter", ""))
    jobs = request.azure.queries.pop(question, None) if "$skiptoken" in request.query else None
    jobs = _listed(request) if jobs is None else jobs
    answer = request.page(jobs, partial(job_json, detail=False))
    if isinstance(answer.body, dict) and "nextLink" in answer.body:
        request.azure.queries[question] = jobs
    return answer


def _listed(request: Request) -> list[tuple[World, Json, Json]]:
    every = [(world, machine) for world in request.candidates for machine in world.machines]
    jobs = [(world, machine, job) for world, machine in every for job in machine["jobs"]]
    for name, operator, value in terms(request.query.get("$filter", "")):
        if operator != "eq":
            raise Refused(
                400, "BMSUserErrorInvalidFilter", f"Filter is not valid: the operator must be eq, not {operator}."
            )
        jobs = [each for each in jobs if _fits(each[2], name, value)]
    for world, machine, job in jobs:
        with world.lock:
            progress(world, machine, job)
    return sorted(jobs, key=lambda each: str(each[2]["start"]), reverse=True)


def _fits(job: Json, name: str, value: str) -> bool:
    if name == "starttime":
        return bool(job["start"] >= moment(value))
    if name == "endtime":
        return bool((job["end"] or job["start"]) <= moment(value))
    if name == "backupmanagementtype":
        return value.lower() == "azureiaasvm"
    if name in ("status", "operation"):
        return bool(job[name].lower() == value.lower())
    if name == "jobid":
        return bool(job["name"] == value.lower())
    raise Refused(400, "BMSUserErrorInvalidFilter", f"Filter is not valid: {name} cannot be filtered by.")


@route("GET", VAULT + "/backupJobs/{job}", RIGHT + "/backupJobs/read")
def get_job(request: Request) -> Answer:
    """One job with its tasks. Each look lets a running job go on."""
    machine, job = _find(request)
    progress(request.world, machine, job)
    return ok(job_json(request.world, machine, job, True))


def _find(request: Request) -> tuple[Json, Json]:
    for machine in request.world.machines:
        for job in machine["jobs"]:
            if job["name"] == request.params["job"].lower():
                return machine, job
    raise Refused(404, "BMSUserErrorJobNotFound", f"The job '{request.params['job']}' was not found.")


def job_json(world: World, machine: Json, job: Json, detail: bool) -> Json:
    """A job on the wire."""
    policy = next(iter(world.policies.values()))
    end = job["end"]
    properties: Json = {
        "jobType": "AzureIaaSVMJobV2" if policy["type"] == "V2" else "AzureIaaSVMJob",
        "actionsInfo": ["Cancellable"] if job["status"] == "InProgress" else [],
        "containerName": f"iaasvmcontainerv2;{world.resource_group};{machine['name']}".lower(),
        "duration": span((end or world.now) - job["start"]),
        "virtualMachineVersion": "Compute",
        "entityFriendlyName": machine["name"],
        "backupManagementType": "AzureIaasVM",
        "operation": job["operation"],
        "status": job["status"],
        "startTime": stamp(job["start"]),
        "activityId": guid(job["name"], "activity"),
    }
    if policy["type"] == "V1":
        # The jobs of Enhanced policies do not tell.
        properties["isUserTriggered"] = job["user_triggered"]
    if end is not None:
        properties["endTime"] = stamp(end)
    if job["errors"]:
        properties["errorDetails"] = [_error(entry) for entry in job["errors"]]
    if detail:
        properties["extendedInfo"] = _extended(machine, job)
    return {
        "id": f"{world.vault_id}/backupJobs/{job['name']}",
        "name": job["name"],
        "type": "Microsoft.RecoveryServices/vaults/backupJobs",
        "properties": properties,
    }


def _error(entry: Json) -> Json:
    whole: Json = {"errorCode": entry.get("code"), "errorTitle": entry.get("title"), "errorString": entry.get("text")}
    return {key: value for key, value in whole.items() if value is not None} | {
        "recommendations": entry["recommendations"]
    }


def _extended(machine: Json, job: Json) -> Json:
    length = span(timedelta(seconds=job["snapshot_s"]))
    tasks = [{"taskId": "Take Snapshot", "duration": length, "status": job["snapshot"]}]
    tasks.append({"taskId": "Transfer data to vault", "duration": "PT0S", "status": job["transfer"]})
    info: Json = {
        "tasksList": tasks,
        "propertyBag": {"VM Name": machine["name"]},
        "internalPropertyBag": {"IsInstantRpJob": "True"},
    }
    if job["dynamic_message"]:
        info["dynamicErrorMessage"] = job["dynamic_message"]
    return info


# --- on demand -----------------------------------------------------------------------------------------------------


@route("POST", ITEM + "/backup", ITEM_RIGHT + "/backup/action")
def backup_now(request: Request) -> Answer:
    """Start a backup on demand: 202, then an operation that names the job, then a job that proceeds by polls."""
    world, machine = request.world, find_item(request)
    running = [job for job in machine["jobs"] if job["status"] in _RUNNING]
    today = [job for job in machine["jobs"] if job["user_triggered"] and job["start"].date() == world.now.date()]
    refusal = _refusal(machine, running, today)
    job = new_job(
        world,
        machine,
        world.now,
        name=request.new_id("job"),
        user_triggered=True,
        polls_left=world.setting("job_polls", 2),
    )
    if refusal is None:
        machine["jobs"].insert(0, job)
    named = {"objectType": "OperationStatusJobExtendedInfo", "jobId": job["name"]}
    return start(request, item_id(world, machine), lambda: named, refusal)


def _refusal(machine: Json, running: list[Json], today: list[Json]) -> tuple[str, str] | None:
    if machine["item"].get("protection_state") in ("ProtectionStopped", "ProtectionPaused", "BackupsSuspended"):
        return (
            "UserErrorBcmDatasourceNotPresent",
            "Backup failed: This virtual machine is not (actively) protected by Azure Backup.",
        )
    if running:
        return (
            "UserErrorBackupOperationInProgress",
            "Unable to initiate backup as another backup operation is currently in progress",
        )
    if len(today) >= MOST_ON_DEMAND:
        return ("UserErrorAdhocBackupLimitReached", "The limit of on-demand backups for this day is reached.")
    return None


def progress(world: World, machine: Json, job: Json) -> None:
    """One look at a job that was started on demand; the last one ends it."""
    if job["polls_left"] is None:
        return
    if job["polls_left"] > 0:
        job["polls_left"] -= 1
        job["snapshot"], job["transfer"] = "Completed", "InProgress"
        return
    job["polls_left"] = None
    failure = world.spec.get("failure")
    default = [{"always": True}] if failure else []
    fails = conditions.holds(world, machine, world.spec.get("backup_fails_while", default))
    world.advance(minutes=25)
    job["end"] = world.now
    job["snapshot_s"] = 240.0
    if fails:
        job |= {"status": "Failed", "snapshot": "Failed", "transfer": "NotStarted"}
        job["errors"] = job_errors(failure or {"code": "BackUpOperationFailed"})
        job["dynamic_message"] = (failure or {}).get("dynamic_message", "")
        return
    job |= {"status": "Completed", "snapshot": "Completed", "transfer": "Completed"}
    kind = consistency(world, machine)
    if conditions.holds(world, machine, world.spec.get("crash_consistent_while", [])):
        kind = "CrashConsistent"
    machine["recovery_points"].append(recovery_point(world, machine, job["start"] + timedelta(minutes=4), kind))
    effects.apply(world, machine, "backup_completed")


@route("POST", VAULT + "/backupJobs/{job}/cancel", RIGHT + "/backupJobs/cancel/action")
def cancel_job(request: Request) -> Answer:
    """Cancel a running job; refused when it is over."""
    machine, job = _find(request)
    if job["status"] != "InProgress":
        raise Refused(400, "BMSUserErrorJobCannotBeCancelled", "The job is not running and cannot be cancelled.")
    world = request.world
    job["status"] = "Cancelling"

    def done() -> None:
        job.update(status="Cancelled", end=world.now, polls_left=None, snapshot="Cancelled")
        job["errors"] = [job_error({"code": "UserErrorJobSuccessfullyCancelled"})]
        effects.apply(world, machine, "job_cancelled")

    return start(request, f"{world.vault_id}/backupJobs/{job['name']}", done)


# --- operations of the backup service ------------------------------------------------------------------------------


@route("GET", ITEM + "/operationsStatus/{operation}", ITEM_RIGHT + "/operationsStatus/read")
@route("GET", VAULT + "/backupJobs/{job}/operationsStatus/{operation}", RIGHT + "/backupJobs/operationsStatus/read")
@route("GET", VAULT + "/backupOperations/{operation}", RIGHT + "/backupOperations/read")
@route(
    "GET", VAULT + "/backupPolicies/{policy}/operationsStatus/{operation}", RIGHT + "/backupPolicies/operations/read"
)
def operation_status(request: Request) -> Answer:
    """Where Azure-AsyncOperation points: the backup service has a body of its own."""
    operation = request.azure.operations.get(request.params["operation"])
    status = operation.poll()
    body: Json = {
        "id": operation.id,
        "name": operation.id,
        "status": status,
        "startTime": stamp(operation.started),
        "endTime": stamp(operation.world.now) if status != "InProgress" else "0001-01-01T00:00:00Z",
    }
    if operation.error and status == "Failed":
        body["error"] = {"code": operation.error[0], "message": operation.error[1]}
    elif isinstance(operation.result, dict) and "jobId" in operation.result:
        body["properties"] = operation.result
    headers = operation.world.wait if status == "InProgress" else {}
    return Answer(200, body, headers)


@route("GET", ITEM + "/operationResults/{operation}", ITEM_RIGHT + "/operationResults/read")
@route("GET", VAULT + "/backupJobs/{job}/operationResults/{operation}", RIGHT + "/backupJobs/operationResults/read")
@route(
    "GET",
    VAULT + "/backupPolicies/{policy}/operationResults/{operation}",
    RIGHT + "/backupPolicies/operationResults/read",
)
def operation_result(request: Request) -> Answer:
    """Where Location points: 202 until it is over, then the resource, or nothing after a trigger."""
    answer = accepted.result(request, request.params["operation"])
    if answer.status == 200 and "jobId" in (answer.body or {}):
        return Answer(204)
    return answer
