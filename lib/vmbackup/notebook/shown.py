"""Which tool a cell shows: a new one, or that whose remedy or backup of the same VM is still under way."""

from __future__ import annotations

from vmbackup.notebook.frontend import watched
from vmbackup.pages import outcome as summary
from vmbackup.pages.blocks import Page
from vmbackup.runs.run import Examined, Walkthrough
from vmbackup.widgets.guide import Guide

# The last tool of each VM in this kernel.
_tools: dict[str, Guide] = {}


def guide(run: Examined) -> Guide | Page:
    """The tool where a notebook can show it; elsewhere (papermill, nbconvert) the page that says the same.

    A cell that is run again while the tool changes something shows that tool: what it does and finds is not lost.
    """
    if not watched():
        return summary.whole(Walkthrough(run), run.parameters.language)
    vm = run.target.vm_id.lower()
    before = _tools.get(vm)
    if before is None or not before.changing:
        _tools[vm] = Guide(run)
    return _tools[vm]
