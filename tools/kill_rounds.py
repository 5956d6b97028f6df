"""Kills a dispatcher at 200 random instants while an operator asks for things, and says what became of every request.

python -m tools.kill_rounds [--rounds 200] [--seed 1]

It takes about two seconds a round. The same with few rounds is part of the test suite.
"""

import argparse
import sys
import tempfile
import time
from dataclasses import fields
from pathlib import Path

from tests.brokers import MOSQUITTO, Embedded, Mosquitto
from tests.running.ear import Ear
from tests.running.invariants import check
from tests.running.processes import Site
from tests.running.rounds import Outcome, kill_again_and_again
from tests.running.site_copy import write_copy


def main() -> int:
    """Do the rounds; 1 if a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="vpp-rounds-") as name:
        folder = Path(name)
        with Embedded() if MOSQUITTO is None else Mosquitto(folder) as broker, Ear(broker.port) as ear:
            site = Site(write_copy(folder, broker.url), ear)
            try:
                site.simulate()
                outcome = kill_again_and_again(site, options.rounds, options.seed, _told)
            finally:
                site.end()
            check(ear.heard, site.state)
    _print(outcome, time.monotonic() - began_s)
    return 0 if outcome.is_clean else 1


def _told(number: int) -> None:
    print(f"round {number}", end="\r", file=sys.stderr, flush=True)


def _print(outcome: Outcome, seconds: float) -> None:
    for field in fields(outcome):
        value = getattr(outcome, field.name)
        print(f"{field.name:<12} {len(value) if isinstance(value, tuple) else value}")
    for name in (*outcome.lost, *outcome.twice, *outcome.late, *outcome.unended):
        print(f"broken for   {name}")
    print(f"{'seconds':<12} {seconds:.0f}")


if __name__ == "__main__":
    sys.exit(main())
