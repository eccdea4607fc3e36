"""A parameters cell that did not run: what its variables held before must not be taken for what it says now."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import Any

from IPython.core.getipython import get_ipython

from vmbackup.model import SetupError
from vmbackup.notebook import frontend
from vmbackup.parameters import Parameters

_SETS = re.compile(rf"^({'|'.join(field.name for field in fields(Parameters))})\s*(:[^=\n]*)?=", re.MULTILINE)


class ParametersCell:
    """Watches, once it has been asked to, whether the cells that set parameters run."""

    def __init__(self) -> None:
        self._watched = False
        self._error: BaseException | None = None

    def require(self) -> None:
        """Raises SetupError where the last cell that set parameters did not run; watches from now on."""
        shell = get_ipython()
        if shell is not None and not self._watched:
            shell.events.register("post_run_cell", self.note)
            self._watched = True
        if self._error is not None:
            message = f"{type(self._error).__name__}: {self._error}"
            raise SetupError("notebook.parameters_broken", message=message)

    def note(self, result: Any) -> None:
        """How a cell ended. Where somebody watches, the cells after a broken one run all the same: each shows that
        there is no VM, instead of what it found before."""
        if not _SETS.search(result.info.raw_cell or ""):
            return
        self._error = result.error_before_exec or result.error_in_exec
        if self._error is not None and frontend.watched():
            result.error_before_exec = result.error_in_exec = None


cell = ParametersCell()
"""That of this kernel."""
