"""How asking and backing up go on, as pages."""

from vmbackup.model import Fact, FactStatus
from vmbackup.pages import progress
from vmbackup.remedies.retry.progress import Progress


def test_facts_that_are_in_and_those_still_out() -> None:
    came = {
        "vm.model": Fact(FactStatus.OK, {}, took_ms=120),
        "vm.activity": Fact(FactStatus.FAILED, why="timeout", details={"seconds": "30"}),
    }
    shown = progress.facts(came, ["vm.model", "vm.activity", "vm.nics"], 3.4, "en").text()
    assert "2 of 3 queries answered after 3 s" in shown
    assert "120 ms" in shown
    assert "outstanding" in shown


def test_a_job_shows_percentage_and_tasks_and_before_it_that_it_starts() -> None:
    assert "being started" in progress.backup(None, 1, "en").text()
    job = Progress("job-1", "InProgress", 40.0, (("Take Snapshot", "Completed"), ("Transfer data", "InProgress")))
    shown = progress.backup(job, 61, "en").text()
    assert "40 %" in shown
    assert "Take Snapshot" in shown
    assert "61 s" in shown


def test_where_azure_says_no_percentage_none_is_shown() -> None:
    assert "%" not in progress.backup(Progress("job-1", "InProgress", None, ()), 61, "en").text()


def test_where_there_is_nothing_else_to_say_the_seconds_are() -> None:
    assert "12 s so far" in progress.waited(12.2, "en").text()
