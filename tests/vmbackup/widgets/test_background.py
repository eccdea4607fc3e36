"""Long work: one at a time, stoppable, and whatever ends it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest
from ipykernel.ipkernel import IPythonKernel
from traitlets.config import Config

from vmbackup.widgets.background import Work


def test_its_result_or_its_error_is_told() -> None:
    told: list[object] = []
    work: Work[int] = Work()
    assert work.start(lambda stopped: 7, told.append, told.append, lambda: None)
    work.wait()
    error = ValueError("no")

    def fails(stopped: Event) -> int:
        raise error

    assert work.start(fails, told.append, told.append, lambda: None)
    work.wait()
    assert told == [7, error]
    assert not work.busy


def test_one_at_a_time_and_it_hears_that_it_should_stop() -> None:
    told: list[str] = []
    work: Work[bool] = Work()
    assert work.start(lambda stopped: stopped.wait(20), lambda heard: told.append(f"{heard}"), print, lambda: None)
    assert work.busy
    assert not work.start(lambda stopped: True, print, print, lambda: None)
    work.stopped.set()
    work.wait()
    assert told == ["True"]


def test_it_ticks_while_it_takes_long() -> None:
    ticked = Event()
    work: Work[bool] = Work()
    work.start(lambda stopped: ticked.wait(20), print, print, ticked.set)
    work.wait()
    assert ticked.is_set()


def message(name: str) -> dict[str, Any]:
    return {"header": {"msg_id": name, "subshell_id": "of a page"}}


@pytest.fixture
def kernel() -> Iterator[IPythonKernel]:
    """A kernel in this process, which nobody is connected to."""
    config = Config()
    config.HistoryManager.enabled = False  # a history would start a thread and open a file
    kernel = IPythonKernel(config=config)
    yield kernel
    type(kernel.shell).clear_instance()


def test_its_end_is_told_from_the_cell_and_not_from_a_page_that_may_be_gone(kernel: IPythonKernel) -> None:
    kernel.set_parent([], message("cell"))

    async def made_in_a_cell() -> dict[str, Any]:
        work: Work[bool] = Work()
        kernel.set_parent([], message("a page says goodbye"))
        told: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        work.start(lambda stopped: True, lambda _: told.set_result(kernel.get_parent()), print, lambda: None)
        return await asyncio.wait_for(told, 20)

    assert asyncio.run(made_in_a_cell())["header"] == {"msg_id": "cell", "subshell_id": None}
