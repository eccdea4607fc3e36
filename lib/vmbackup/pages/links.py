"""Links to pages elsewhere: the sources, the VM in the portal, the other runbooks. Pure.

What is not an https address of a known host or the name of a runbook beside this one stays text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from vmbackup import catalog
from vmbackup.model import AzureSource, Step, data_of
from vmbackup.runs.state import State
from vmbackup.sanitize import escaped

HOSTS = frozenset({"learn.microsoft.com", "github.com", "portal.azure.com", "portal.azure.us", "portal.azure.cn"})
_RUNBOOK = re.compile(r"[0-9]{2}_[a-z_]+\.ipynb")


@dataclass(frozen=True, slots=True)
class Links:
    """Pages elsewhere, each with its words and its address, under a label. Only HTML links."""

    label: str
    links: Sequence[tuple[str, str]]
    note: str = ""

    @property
    def words(self) -> str:
        """The words of all, and the note."""
        return f"{' · '.join(words for words, _ in self.links)} {self.note}".rstrip()

    @property
    def summary(self) -> str:
        """Label and words, where nothing links."""
        return f"{self.label} {self.words}"

    def html(self) -> str:
        """Each a link that opens beside the notebook."""
        anchors = " · ".join(_anchor(escaped(words), url) for words, url in self.links)
        return f"<p><strong>{escaped(self.label)}</strong> {anchors} {escaped(self.note)}</p>"


def _anchor(words: str, url: str) -> str:
    parts = urlsplit(url)
    if not (parts.scheme == "https" and parts.netloc in HOSTS or _RUNBOOK.fullmatch(url)):
        return words
    return f'<a href="{html.escape(url)}" target="_blank" rel="noopener noreferrer">{words}</a>'


def sources(judged: Step, language: str) -> Links:
    """What the cause and its checks rest on."""
    entries = [catalog.causes()[judged.cause], *(catalog.checks()[finding.check] for finding in judged.findings)]
    keys = {key: None for entry in entries for key in entry["sources"]}
    as_of = catalog.text("label.as_of", language, date=max(entry["as_of"] for entry in entries))
    found = [(str(catalog.sources()[key]["title"]), str(catalog.sources()[key]["url"])) for key in keys]
    return Links(catalog.text("label.sources", language), found, f"({as_of})")


def portal(state: State, host: str) -> Links | None:
    """The VM, its serial console and its vault in the portal at ``host``; None where there is no real VM."""
    if state.parameters.azure != AzureSource.LIVE:
        return None
    blades = [("vm", state.target.vm_id, "overview"), ("serial_console", state.target.vm_id, "serialConsole")]
    protection = data_of(state.evidence, "backup.protection")
    if protection:
        blades.append(("vault", protection["vault_id"], "overview"))
    found = [(catalog.text(f"link.{key}", state.language), _blade(host, id, blade)) for key, id, blade in blades]
    return Links(catalog.text("link.portal", state.language), found)


def _blade(host: str, resource_id: str, blade: str) -> str:
    return f"https://{host}/#@/resource{quote(resource_id)}/{blade}"


def runbooks(sections: Iterable[str], language: str) -> Links:
    """The runbooks of these sections, beside this one."""
    entries = [catalog.sections()[section] for section in sections]
    found = [(str(entry["title"][language]), f"{entry['notebook']}.ipynb") for entry in entries]
    return Links(catalog.text("link.runbooks", language), found)
