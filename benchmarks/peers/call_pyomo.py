"""Pyomo: the model of `benchmarks/pyomo_peer.py` in an environment of its own, by the faster of its ways into HiGHS."""

from typing import Any

from benchmarks import pyomo_peer
from benchmarks.peers.service import Prepared, serve


def build(fleet: Any) -> Prepared:
    """Up to the moment when HiGHS could start."""
    return lambda: pyomo_peer.ready(fleet, "pyomo.contrib.solver"), lambda _: float("nan")


def solve(fleet: Any) -> Prepared:
    """To the optimum, to compare the models by."""
    return lambda: pyomo_peer.best_net(fleet), float


if __name__ == "__main__":
    serve(("pyomo", "highspy", "numpy"), {"build": build, "solve": solve})
