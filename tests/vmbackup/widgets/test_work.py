"""Long work: one at a time, stoppable, and whatever ends it is told."""

from threading import Event

from vmbackup.widgets.work import Work


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
