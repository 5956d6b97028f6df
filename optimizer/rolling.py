"""How is a running site planned again and again?

Each plan looks a day ahead and is followed for a few minutes only. What a store holds at the far end is worth what
the plan before found stored energy to be worth on average, so that no plan empties it just because its horizon ends.
The solver's model stays alive between plans and goes on from its last basis.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

import numpy as np

from optimizer.highs import Ending
from optimizer.loading import Loaded
from optimizer.planner import conclude
from optimizer.problem import Problem
from optimizer.reading import read_money
from optimizer.repair import find
from optimizer.search import search
from vpp.domain.plan import Plan


class Rolling:
    """Plans of one site, one after another."""

    def __init__(self) -> None:
        self._former: Loaded | None = None
        self._worth_per_mwh: dict[str, float] = {}

    def plan(self, problem: Problem, created: datetime) -> Plan:
        """The best plan from now on, verified.

        Args:
            problem: The site, the horizon and what was measured; its own `end_value_per_mwh` is replaced.
            created: Instant of planning, in UTC.

        Raises:
            InfeasibleError: no plan keeps the limits that never give way.
            UnverifiedPlanError: independent arithmetic refutes the plan.

        """
        priced = replace(problem, end_value_per_mwh=self._end_values(problem))
        first = search(priced, former=self._former)
        self._former = first.first
        found, _ = find(priced, found=first)
        made = conclude(found.problem, found, created)
        if not made.repairs:
            self._worth_per_mwh |= {name: float(np.mean(worth)) for name, worth in made.stored_value_per_mwh.items()}
        return made

    def idle_net(self, problem: Problem) -> float | None:
        """What the site would earn with all its stores at rest; `None` where that would break a limit."""
        everyone = frozenset(asset.id for asset in problem.assets)
        found = search(replace(problem, reserves=(), resting=everyone))
        if found.answer.ending is not Ending.OPTIMAL:
            return None
        return read_money(problem, found.assembly, found.prices.value).net

    def _end_values(self, problem: Problem) -> Mapping[str, float]:
        """Worth of a MWh left in each store: as the plan before found, at first the mean price less the losses."""
        mean_price = float(np.mean(problem.energy.import_price_per_mwh))
        stores = [asset for asset in problem.assets if hasattr(asset, "energy_capacity_kwh")]
        return {
            store.id: self._worth_per_mwh.get(store.id, mean_price * store.unit().discharge_efficiency)
            for store in stores
        }
