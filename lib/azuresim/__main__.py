"""``python -m azuresim <scenario>... [--latency-ms N] [--port N]``: serve until interrupted."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys

from azuresim.loading import load_world, scenario_names
from azuresim.schema import WorldError
from azuresim.serve import Simulator

ENDING = {signal.SIGINT, signal.SIGTERM}


def main(words: list[str] | None = None) -> int:
    """Serve the named worlds and print how to reach them."""
    parser = argparse.ArgumentParser(prog="azuresim", description="An embedded simulator of Azure Resource Manager.")
    parser.add_argument("scenario", nargs="*", help="names of worlds or YAML files; none lists the names")
    parser.add_argument("--latency-ms", type=int, default=0, help="delay added to every answer")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; a free one by default")
    parser.add_argument("--seed", type=int, default=0, help="seed of all ids")
    options = parser.parse_args(words)
    if not options.scenario:
        print("\n".join(scenario_names()))
        return 0
    try:
        worlds = [load_world(name, options.seed) for name in options.scenario]
    except WorldError as exc:
        print(exc, file=sys.stderr)
        return 2
    # Held back from here on, for sigwait below: they may come while the lines are still being printed.
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    with Simulator(worlds, options.latency_ms, options.port) as simulator:
        print(f"# {simulator.endpoint}")
        for name, value in simulator.environment.items():
            print(f"export {name}={shlex.quote(value)}")
        for world in worlds:
            print(f"# {world.name}: {world.vm_id(world.machines[0])}")
        sys.stdout.flush()
        signal.sigwait(ENDING)
    return 0


if __name__ == "__main__":
    sys.exit(main())
