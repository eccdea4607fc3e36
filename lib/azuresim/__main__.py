"""``python -m azuresim <scenario>... [--latency-ms N] [--port N]``: serve until interrupted.

``--fleet N`` serves so many VMs instead (see :mod:`azuresim.fleet`), ``--keep FOLDER`` lets the next one go on where
this one is killed (see :mod:`azuresim.kept`).
"""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
from pathlib import Path

from azuresim.fleet import MIX, fleet
from azuresim.loading import load_world, scenario_names
from azuresim.schema import WorldError
from azuresim.serve import Simulator
from azuresim.storm import Storm
from azuresim.world import World

ENDING = {signal.SIGINT, signal.SIGTERM}
_MOST_SHOWN = 200


def main(words: list[str] | None = None) -> int:
    """Serve the named worlds and print how to reach them."""
    parser = argparse.ArgumentParser(prog="azuresim", description="An embedded simulator of Azure Resource Manager.")
    parser.add_argument("scenario", nargs="*", help="names of worlds or YAML files; none lists the names")
    parser.add_argument("--latency-ms", type=int, default=0, help="delay added to every answer")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; a free one by default")
    parser.add_argument("--seed", type=int, default=0, help="seed of all ids")
    parser.add_argument("--fleet", type=int, default=0, help="this many VMs; the scenarios are what is wrong with them")
    parser.add_argument("--vaults", type=int, default=1, help="vaults of the fleet in each subscription")
    parser.add_argument("--subscriptions", type=int, default=1, help="over how many subscriptions it is spread")
    parser.add_argument("--healthy", type=float, default=0.9, help="the share of the fleet that is healthy, 0 to 1")
    parser.add_argument("--throttle", type=float, default=0, help="the share of requests that is refused with 429")
    parser.add_argument("--cut", type=float, default=0, help="the share of answers that break off in the middle")
    parser.add_argument("--hang", type=float, default=0, help="the share of requests that are never answered")
    parser.add_argument("--keep", type=Path, help="folder of which the next one goes on, also after this one is killed")
    options = parser.parse_args(words)
    if not options.scenario and not options.fleet:
        print("\n".join(scenario_names()))
        return 0
    try:
        worlds = _worlds(options)
    except WorldError as exc:
        print(exc, file=sys.stderr)
        return 2
    # Held back from here on, for sigwait below: they may come while the lines are still being printed.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    storm = Storm(options.throttle, options.cut, options.hang)
    given = (worlds, options.latency_ms, options.port, None if storm == Storm() else storm, options.keep)
    with Simulator(*given) as simulator:
        print(f"# {simulator.endpoint}")
        for name, value in {"VMBACKUP_ARM_ENDPOINT": simulator.endpoint, **simulator.environment}.items():
            print(f"export {name}={shlex.quote(value)}")
        for vault in dict.fromkeys(world.vault_id for world in worlds) if options.fleet else ():
            print(f"# vault: {vault}")
        for world in worlds[:_MOST_SHOWN]:
            print(f"# {world.name}: {world.vm_id(world.machines[0])}")
        print("# ready", flush=True)
        signal.sigwait(ENDING)
    return 0


def _worlds(options: argparse.Namespace) -> list[World]:
    if not options.fleet:
        return [load_world(name, options.seed) for name in options.scenario]
    mix = options.scenario or MIX
    places = {"vaults": options.vaults, "subscriptions": options.subscriptions}
    return list(fleet(options.fleet, **places, seed=options.seed, healthy=options.healthy, mix=mix))


if __name__ == "__main__":
    sys.exit(main())
