"""Under load Azure refuses, breaks off and falls silent: by shares, the same for the same requests, and by a limit."""

from __future__ import annotations

import pytest

from azuresim.answer import Cut, Refused
from azuresim.storm import Bucket, Storm
from simulated import Caller

ASKED = 400


def weather(storm: Storm) -> list[str]:
    caller = Caller("healthy_linux")
    caller.azure.storm = storm
    found = []
    for _ in range(ASKED):
        answer = caller.ask("GET", caller.vm)
        cut = isinstance(answer.body, Cut) and len(answer.body.data) < answer.body.promised
        found.append("hung" if answer.delay_s else "cut" if cut else str(answer.status))
    return found


def test_each_share_of_the_requests_meets_its_trouble_and_the_same_ones_again() -> None:
    storm = Storm(throttled=0.2, cut=0.1, hung=0.05)
    found = weather(storm)
    assert found == weather(storm)
    for what, share in (("429", 0.2), ("cut", 0.1), ("hung", 0.05)):
        assert found.count(what) == pytest.approx(ASKED * share, rel=0.6), what
    assert set(weather(Storm())) == {"200"}


def test_what_is_cut_or_hangs_was_done_all_the_same() -> None:
    caller = Caller("healthy_linux")
    caller.azure.storm = Storm(cut=1.0)
    assert isinstance(caller.ask("POST", f"{caller.vm}/deallocate").body, (Cut, type(None)))
    assert caller.subject["vm"]["power"] == "deallocating"


def test_a_limit_says_what_is_left_refuses_what_is_beyond_it_and_fills_again() -> None:
    now = [0.0]
    bucket = Bucket(3, 2.0, clock=lambda: now[0])
    assert [bucket.take("reads") for _ in range(3)] == [2, 1, 0]
    with pytest.raises(Refused) as refused:
        bucket.take("reads")
    assert refused.value.answer.headers["x-ms-retry-after-ms"] == "500"
    assert (bucket.take("writes"), bucket.refused) == (2, 1)
    now[0] = 1.0
    assert bucket.take("reads") == 1


def test_each_answer_says_what_the_limit_leaves() -> None:
    caller = Caller("healthy_linux")
    caller.azure.storm = Storm(allowed=Bucket(2, 0.001))
    said = [caller.ask("GET", caller.vm) for _ in range(3)]
    left = [each.headers["x-ms-ratelimit-remaining-subscription-reads"] for each in said[:2]]
    assert (left, [each.status for each in said]) == (["1", "0"], [200, 200, 429])
