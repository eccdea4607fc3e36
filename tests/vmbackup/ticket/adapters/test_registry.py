from __future__ import annotations

import pytest

from vmbackup.model import SetupError
from vmbackup.ticket.adapters.registry import ticket


@pytest.mark.parametrize("named", ["jira:../x", "jira:", "servicenow:a/b", "mail:x", "", "jira:OPS-12"])
def test_what_names_no_ticket_or_lacks_a_credential_is_refused(named: str) -> None:
    with pytest.raises(SetupError):
        ticket(named)
