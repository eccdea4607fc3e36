from __future__ import annotations

from vmbackup.collectors import COLLECTORS, actions
from vmbackup.facts.azure import FACTS


def test_every_fact_has_one_collector_and_names_its_rights() -> None:
    given = [name for each in COLLECTORS for name in each.gives if not name.startswith("_")]
    assert sorted(given) == sorted(FACTS)
    assert all(actions()[name] for name in FACTS)
