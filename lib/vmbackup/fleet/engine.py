"""A papermill engine that runs each notebook in a warm kernel: ``papermill --engine vmbackup in.ipynb out.ipynb``.

Kernel start and imports are most of a headless run. Here a zygote has done both once, and each notebook gets a forked
child of it, isolated like any process. What papermill and nbclient do with the messages is theirs, unchanged. Where
processes cannot be forked (Windows), papermill's own engine runs the notebook, and says so in the log.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Any

import nbformat
from jupyter_core.utils import run_sync
from nbclient.exceptions import CellExecutionError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, NotebookExecutionManager
from papermill.iorw import write_ipynb
from papermill.log import logger
from papermill.utils import merge_kwargs, remove_args

from vmbackup import sanitize
from vmbackup.fleet.forked import ForkedKernel
from vmbackup.fleet.nursery import ask_zygote, can_fork

SAVE_EVERY_S = 1.0
KERNEL = "python3"
"""The kernel that a zygote stands for: the interpreter it runs in."""


class WarmClient(PapermillNotebookClient):  # type: ignore[misc]
    """papermill's client with a forked kernel in place of a started one."""

    km: Any
    kc: Any

    @contextlib.contextmanager
    def setup_kernel(self, **kwargs: Any) -> Any:
        """Fork a kernel for one notebook; it is removed whatever happens."""
        self.km = ForkedKernel()
        self.kc = self.km.client()
        try:
            yield
            if self.km.rehearsal:
                answer = self.wait_for_reply(self.kc.ask("modules_request"))
                ask_zygote({"learn": answer["content"]["modules"]})
        finally:
            run_sync(_cancel_what_waits)()
            self.kc.stop_channels()
            self.km.shutdown_kernel(now=True)
            self.kc, self.km = None, None

    async def _async_handle_timeout(self, timeout: int, cell: Any = None) -> Any:
        """As nbclient's, which has no words for a request that is no cell's."""
        if cell is None:
            raise TimeoutError(f"The kernel did not answer for {timeout} s after its last cell.")
        return await super()._async_handle_timeout(timeout, cell)

    def papermill_execute_cells(self) -> None:
        """papermill's loop, in which a cell that timed out or whose kernel died has failed too, and not completed."""
        for index, cell in enumerate(self.nb.cells):
            self.nb_man.cell_start(cell, index)
            try:
                self.execute_cell(cell, index)
            except CellExecutionError as error:
                self.nb_man.cell_exception(self.nb.cells[index], cell_index=index, exception=error)
                break
            except BaseException as error:
                self.nb_man.cell_exception(self.nb.cells[index], cell_index=index, exception=error)
                raise
            finally:
                self.nb_man.cell_complete(self.nb.cells[index], cell_index=index)


async def _cancel_what_waits() -> None:
    """End the tasks that nbclient leaves behind when a cell times out or a kernel dies."""
    waiting = asyncio.all_tasks() - {asyncio.current_task()}
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)


class ThrottledManager(NotebookExecutionManager):  # type: ignore[misc]
    """papermill's record of a run, saved once a second while it runs, and at an error; the end is saved by papermill.

    No secret is in what is saved, whatever the parameters are: papermill keeps those in a cell and in the metadata.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._saved = time.monotonic()
        self._must_save = False

    def save(self, **kwargs: Any) -> None:
        """Save if it is time to."""
        if self._must_save or time.monotonic() - self._saved >= SAVE_EVERY_S:
            if self.output_path:
                write_ipynb(self.without_secrets(), self.output_path)
            self.last_save_time = self.now()
            self._saved, self._must_save = time.monotonic(), False

    def without_secrets(self) -> Any:
        """The notebook without secrets. What the product's pages show was cleaned when they were made."""
        clean = sanitize.without_secrets
        cells = [
            {**cell, "source": clean(cell.source), "outputs": [_clean(output) for output in cell.outputs]}
            if cell.cell_type == "code"
            else cell
            for cell in self.nb.cells
        ]
        return nbformat.from_dict(  # type: ignore[no-untyped-call]
            {**self.nb, "cells": cells, "metadata": sanitize.data(self.nb.metadata, clean)}
        )

    def cell_exception(self, cell: Any, cell_index: int | None = None, **kwargs: Any) -> None:
        """Note the error, and save with the cell's end."""
        super().cell_exception(cell, cell_index, **kwargs)
        self._must_save = True

    def notebook_complete(self, **kwargs: Any) -> None:
        """Note the end. A cell that a dead kernel never ran stays pending, and the one it died in has failed."""
        self._must_save = bool(self.nb.metadata.papermill["exception"])
        pending = [cell for cell in self.nb.cells if cell.metadata.papermill["status"] == self.PENDING]
        super().notebook_complete(**kwargs)
        if self.nb.metadata.papermill["exception"] and pending:
            for cell in pending:
                cell.metadata.papermill["status"] = self.PENDING
            self._must_save = True
            self.save()


def _clean(output: Any) -> Any:
    return output if "data" in output else sanitize.data(output, sanitize.without_secrets)


class WarmEngine(NBClientEngine):  # type: ignore[misc]
    """The engine ``vmbackup``."""

    @classmethod
    def execute_notebook(
        cls,
        nb: Any,
        kernel_name: str,
        output_path: str | None = None,
        progress_bar: Any = True,
        log_output: bool = False,
        autosave_cell_every: int = 30,
        **kwargs: Any,
    ) -> Any:
        """As papermill's engines, with fewer saves."""
        engine = cls if kernel_name == KERNEL and can_fork() else NBClientEngine
        if engine is NBClientEngine:
            why = (
                "this system cannot fork kernels"
                if kernel_name == KERNEL
                else f"the kernel {kernel_name} is not {KERNEL}"
            )
            logger.warning(f"No warm kernel, as {why}: papermill's own engine runs the notebook.")
        manager = ThrottledManager(
            nb,
            output_path=output_path,
            progress_bar=progress_bar,
            log_output=log_output,
            autosave_cell_every=autosave_cell_every,
        )
        manager.notebook_start()
        try:
            engine.execute_managed_notebook(manager, kernel_name, log_output=log_output, **kwargs)
        finally:
            manager.cleanup_pbar()
            manager.notebook_complete()
        return manager.without_secrets()

    @classmethod
    def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> Any:
        """Run the cells in a forked kernel. The options are those of papermill's own engine."""
        options = remove_args(["input_path"], **options)
        timeout = options.get("execution_timeout") or options.get("timeout")
        final = merge_kwargs(
            remove_args(["timeout", "startup_timeout", "execution_timeout", "start_timeout", "shutdown_kernel",
                         "extra_arguments"], **options),
            timeout=timeout,
            kernel_name=kernel_name,
            log=logger,
        )  # fmt: skip
        return WarmClient(nb_man, **final).execute()
