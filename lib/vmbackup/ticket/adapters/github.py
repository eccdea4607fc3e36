"""An issue on GitHub as a ticket."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from vmbackup.model import SetupError
from vmbackup.ticket.adapters.base import Refused, Ticket
from vmbackup.ticket.adapters.rest import bearer, credential, request

_PAGE = 100


@dataclass(frozen=True, slots=True)
class GitHub(Ticket):
    """An issue on GitHub. Its API attaches no files: only the text is added."""

    url: str
    repository: str
    number: str
    headers: Mapping[str, str]

    def public(self) -> bool:
        """Whether the repository is; one that does not say counts as public."""
        return request("GET", f"{self.url}/repos/{self.repository}", self.headers).get("private") is not True

    def limit(self) -> int | None:
        """No file at all."""
        return 0

    def notes(self) -> Sequence[str]:
        """Every comment; the newest are on the last page."""
        comments: list[str] = []
        for page in count(1):
            listed = request("GET", f"{self._comments}?per_page={_PAGE}&page={page}", self.headers).get("list", [])
            comments += [str(each.get("body")) for each in listed]
            if len(listed) < _PAGE:
                break
        return comments

    def note(self, text: str) -> None:
        """As a comment, in a code fence so that it is shown as it is."""
        fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
        request("POST", self._comments, self.headers, json={"body": f"{fence}text\n{text}\n{fence}"})

    def files(self) -> Mapping[str, int | None]:
        """None."""
        return {}

    def attach(self, name: str, content: bytes, kind: str) -> None:
        """Raises Refused."""
        raise Refused("ticket.no_files")

    @property
    def _comments(self) -> str:
        return f"{self.url}/repos/{self.repository}/issues/{self.number}/comments"


def named(issue: str) -> GitHub:
    """The issue ``owner/repo#7``. Raises SetupError for another word or a missing credential."""
    match = re.fullmatch(r"([A-Za-z0-9][\w-]*/[A-Za-z0-9_][\w.-]*)#(\d+)", issue)
    if not match:
        raise SetupError("error.no_ticket", value=issue, examples="github:owner/repo#7")
    url = os.environ.get("GITHUB_API_URL", "https://api.github.com").rstrip("/")
    return GitHub(url, match[1], match[2], bearer(credential("GITHUB_TOKEN")))
