"""What every ticket can do, and the two ways in which it may fail."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

from vmbackup.model import RunbookError


class Refused(RunbookError):
    """The ticket system does not accept this, and will not later either: the type, the size or the length is wrong."""


class NotNow(RunbookError):
    """It may accept it later: not signed in, too many requests, a server error, no response."""


class Ticket(ABC):
    """One ticket. Every method raises Refused or NotNow."""

    __slots__ = ()

    def public(self) -> bool:
        """Whether everybody may read it. Most systems show a ticket only to their own users."""
        return False

    @abstractmethod
    def limit(self) -> int | None:
        """The largest file that it accepts, in bytes; None where it does not say."""

    @abstractmethod
    def notes(self) -> Sequence[str]:
        """The texts that were added, as the system gives them back; it may have changed their markup."""

    @abstractmethod
    def note(self, text: str) -> None:
        """Add a text."""

    @abstractmethod
    def files(self) -> Mapping[str, int | None]:
        """The attached files with their sizes, as far as it gives them."""

    @abstractmethod
    def attach(self, name: str, content: bytes, kind: str) -> None:
        """Attach a file."""
