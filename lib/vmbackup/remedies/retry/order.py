"""The request that starts a backup, the job that results, and the request that cancels it."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from vmbackup import clock
from vmbackup.arm.audit import allow_changes, rows
from vmbackup.arm.client import Response
from vmbackup.arm.errors import RequestRefused, ResponseLost
from vmbackup.arm.wire import text
from vmbackup.model import Target
from vmbackup.remedies.executor import ChangeContext
from vmbackup.remedies.receipt import BACKUP
from vmbackup.remedies.retry.backups import Backups, began
from vmbackup.remedies.scope import belonging
from vmbackup.remedies.values import RETAIN_DAYS

CLOCKS_DIFFER = timedelta(minutes=5)
"""How far the clocks of Azure's services may be apart."""
_POLLED_S = 300


class NotStarted(Exception):
    """Azure did not start the backup, in its own words."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Order:
    """One order for a backup. ``known_jobs`` are the jobs from before it: none of them is its own. ``request_ids`` are
    those of the requests it sent."""

    def __init__(
        self, context: ChangeContext, target: Target, backups: Backups, item: str, vault: str, language: str
    ) -> None:
        self.context, self.target, self.backups, self.language = context, target, backups, language
        self.item, self.vault = item, vault
        self.known_jobs: list[str] = []
        self.request_ids: list[str] = []

    def start(self, operation: str, at: datetime) -> str | None:
        """Order a backup; returns its job if it can be found. Raises NotStarted, and ResponseLost where the outcome is
        unknown."""
        self.context.journal.sending(operation, 0)
        expiry = clock.stamp(at + timedelta(days=RETAIN_DAYS))
        body = {"properties": {"objectType": "IaasVMBackupRequest", "recoveryPointExpiryTimeInUTC": expiry}}
        try:
            response, _ = self._change("POST", self._started_by, body)
        except RequestRefused as error:
            raise NotStarted(error.code, error.message) from None
        except ResponseLost:
            job = self.job_since(at)
            if job is None:
                raise
            return job
        self.context.journal.accepted(operation, 0, response.operation, response.time)
        return self.job_of(response.operation) or self.job_since(at)

    def job_of(self, url: str | None) -> str | None:
        """The job of an accepted order. Raises NotStarted."""
        if not url:
            return None
        try:
            result = self.context.arm.poll(url, _POLLED_S)
        except (RequestRefused, ResponseLost):
            return None
        if result.how == "failed":
            raise NotStarted(result.code, result.message)
        return text(result.body, "properties", "jobId")

    def job_since(self, start: datetime) -> str | None:
        """The newest on-demand job of this VM since the order was given, and not known before it."""
        since = start - CLOCKS_DIFFER
        try:
            jobs = self.backups.jobs()
        except RequestRefused as error:
            raise ResponseLost(error.key, **error.values) from None
        fresh = (each for each in jobs if began(each) >= since and each["name"] not in self.known_jobs)
        return next((each["name"] for each in fresh if self.backups.on_demand[each["name"]] is not False), None)

    def cancel(self, job: str) -> None:
        """Ask Azure to cancel; whether it did is seen in the job itself."""
        with suppress(RequestRefused, ResponseLost):
            name = belonging("job", {"job": job}, self.target, self.language)
            response, row = self._change("POST", f"{self.vault}/backupJobs/{name}/cancel")
            if response.operation:
                ended = self.context.arm.poll(response.operation, _POLLED_S)
                self.context.audit.finished(row, ended.how, f"{ended.code} {ended.message}".strip())

    def finished(self, outcome: str, message: str) -> None:
        """Complete the audit's row of the request that started the backup, which an earlier run may have sent."""
        ours = [row for row in rows(self.context.audit.log) if row.get("resource") == self._started_by]
        if ours and ours[-1]["outcome"] in ("accepted", "unknown"):
            self.context.audit.finished(ours[-1]["id"], outcome, message)

    @property
    def _started_by(self) -> str:
        return f"{self.item}/backup"

    def _change(self, method: str, path: str, body: Any = None) -> tuple[Response, str]:
        self.context.before_send()
        with allow_changes(self.context.audit, BACKUP) as permit:
            response = self.context.arm.request(method, path, body)
        self.request_ids.append(response.request_id)
        return response, permit.row
