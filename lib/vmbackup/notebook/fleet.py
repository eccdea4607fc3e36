"""What ``90_many_vms`` begins with: a fleet's run opened from the notebook's variables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vmbackup import catalog
from vmbackup.catalog.words import put_into_words
from vmbackup.many_vms import ManyVms, fleet_of, path_to
from vmbackup.model import RunbookError
from vmbackup.parameters import language_in


def open_fleet(namespace: Mapping[str, Any]) -> ManyVms:
    """Open the notebook from its variables (``globals()``). Without a folder it shows a simulated fleet."""
    language = language_in(namespace)
    folder, earlier = (str(namespace.get(name) or "") for name in ("folder", "earlier_folder"))
    try:
        if not folder:
            return _simulated(language)
        return fleet_of(folder, language, earlier, path_to(folder))
    except RunbookError as error:
        raise put_into_words(error, language) from None


def _simulated(language: str) -> ManyVms:
    from vmbackup.notebook.simulated_fleet import simulated

    return ManyVms(simulated(language), None, language, "", catalog.text("fleet.demo", language))
