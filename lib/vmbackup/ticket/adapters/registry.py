"""Which ticket a word names."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from vmbackup.model import SetupError
from vmbackup.ticket.adapters import azuredevops, github, jira, servicenow
from vmbackup.ticket.adapters.base import Ticket
from vmbackup.ticket.adapters.folder import Folder

_SYSTEMS: Mapping[str, Callable[[str], Ticket]] = {
    "folder": Folder,
    "jira": jira.named,
    "servicenow": servicenow.named,
    "github": github.named,
    "azuredevops": azuredevops.named,
}
_EXAMPLES = (
    "folder:PATH",
    "jira:OPS-12",
    "servicenow:INC0012345",
    "github:owner/repo#7",
    "azuredevops:org/project/123",
)


def ticket(named: str) -> Ticket:
    """The ticket that ``--to`` names. Raises SetupError for another word or a missing credential."""
    system, _, which = named.partition(":")
    if system not in _SYSTEMS or not which:
        raise SetupError("error.no_ticket", value=named, examples=_EXAMPLES)
    return _SYSTEMS[system](which)
