"""An incident of ServiceNow as a ticket."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from vmbackup.model import SetupError
from vmbackup.ticket.adapters.base import Refused, Ticket
from vmbackup.ticket.adapters.rest import address, basic, credential, request


@dataclass(frozen=True, slots=True)
class ServiceNow(Ticket):
    """A record of ServiceNow's table ``incident``, by its number."""

    url: str
    number: str
    headers: Mapping[str, str]

    def limit(self) -> int | None:
        """The property ``com.glide.attachment.max_size`` in MB, which needs a right of its own to read."""
        query = "sysparm_query=name=com.glide.attachment.max_size&sysparm_fields=value"
        try:
            found = request("GET", f"{self.url}/api/now/table/sys_properties?{query}", self.headers).get("result", [])
        except Refused:
            return None
        value = found[0].get("value", "") if found else ""
        return int(value) * 1024**2 if str(value).isdigit() else None

    def notes(self) -> Sequence[str]:
        """The work notes."""
        query = quote(f"element_id={self._id()}^element=work_notes")
        url = f"{self.url}/api/now/table/sys_journal_field?sysparm_query={query}"
        return [str(each.get("value")) for each in request("GET", url, self.headers).get("result", [])]

    def note(self, text: str) -> None:
        """As a work note, in which nothing is taken for HTML. One that is too long is rejected, or silently lost."""
        literal = re.sub(r"(?i)\[(?=/?code\])", "[ ", text)
        url = f"{self.url}/api/now/table/incident/{self._id()}"
        request("PATCH", url, self.headers, json={"work_notes": literal})

    def files(self) -> Mapping[str, int | None]:
        """The record's attachments."""
        query = quote(f"table_name=incident^table_sys_id={self._id()}")
        found = request("GET", f"{self.url}/api/now/attachment?sysparm_query={query}", self.headers).get("result", [])
        return {each["file_name"]: int(each["size_bytes"]) if each.get("size_bytes") else None for each in found}

    def attach(self, name: str, content: bytes, kind: str) -> None:
        """As a raw body, whose type is kept."""
        where = f"table_name=incident&table_sys_id={self._id()}&file_name={quote(name)}"
        headers = {**self.headers, "Content-Type": kind}
        request("POST", f"{self.url}/api/now/attachment/file?{where}", headers, data=content)

    def _id(self) -> str:
        query = quote(f"number={self.number}")
        url = f"{self.url}/api/now/table/incident?sysparm_query={query}&sysparm_fields=sys_id"
        found = request("GET", url, self.headers).get("result", [])
        if not found:
            raise Refused("ticket.no_incident", number=self.number)
        return str(found[0]["sys_id"])


def named(number: str) -> ServiceNow:
    """The incident with this number, ``INC0012345``. Raises SetupError for another word or a missing credential."""
    if not re.fullmatch(r"[A-Za-z]+\d+", number):
        raise SetupError("error.no_ticket", value=number, examples="servicenow:INC0012345")
    headers = basic(credential("SERVICENOW_USER"), credential("SERVICENOW_PASSWORD"))
    return ServiceNow(address("SERVICENOW_URL"), number, {**headers, "Accept": "application/json"})
