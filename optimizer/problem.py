"""What is to be planned? One frozen `Problem`, complete: the optimiser reads nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizer.asset import Asset
from optimizer.groups.connection.schema import Connection
from optimizer.priorities import Giving
from optimizer.tariff.schema import TariffEntry
from vpp.domain.horizon import Horizon
from vpp.domain.series import middle_of
from vpp.domain.tariff import SoFar

Array = NDArray[np.float64]
Parameters = dict[str, float | Array]
"""Numbers of one block by name: a float, or an array whose first index is time."""


@dataclass(frozen=True)
class Imbalance:
    """What settles the difference between energy sold ahead and energy metered."""

    product: str
    shortfall_price_per_mwh: tuple[float, ...]
    """Paid per MWh metered below what was sold, one per step."""
    surplus_price_per_mwh: tuple[float, ...]
    """Received per MWh metered above what was sold, one per step; never more than a shortfall costs."""


@dataclass(frozen=True)
class Energy:
    """Energy bought and sold at the meter as a price taker."""

    product: str
    import_price_per_mwh: tuple[float, ...]
    """Paid per MWh drawn from the grid, one per step."""
    export_price_per_mwh: tuple[float, ...] | None = None
    """Received per MWh fed in, one per step; `None` where it is the same price."""
    imbalance: Imbalance | None = None
    """Settles what is metered beside the quantity sold ahead; `None` where the metered quantity itself is sold."""


@dataclass(frozen=True)
class Reserve:
    """A capacity product of which a given quantity is held."""

    product: str
    direction: str
    """`up`, `down` or `symmetric`."""
    hold_kw: tuple[float, ...]
    """Quantity sold, one per step [kW]."""
    power: float = 1.0
    """Power held per quantity sold."""
    energy_up_h: float = 0.0
    """Hours for which the energy behind upward reserve must last."""
    energy_down_h: float = 0.0
    """Hours for which the room behind downward reserve must last."""
    at_start: bool = True
    at_end: bool = True
    """Whether the energy must be there when a step begins and when it ends."""
    includes_losses: bool = False
    """Whether the losses between store and terminals count against the energy held."""


@dataclass(frozen=True)
class State:
    """What was measured at the start of a plan."""

    stored_kwh: float
    discharged_today_kwh: float = 0.0
    """At the AC terminals, since local midnight."""
    export_kw: float | None = None
    """Power at the meter, which tells whether a machine runs; `None` where it is not known."""
    stored_before_kwh: tuple[float, ...] = ()
    """Stored energy at instants before, the oldest first; where it turned is enough."""


@dataclass(frozen=True)
class Wanted:
    """A power that an asset is to have in one step, whatever it costs."""

    asset_id: str
    step: int
    export_kw: float
    is_nearest_enough: bool = False
    """Whether the nearest power that is possible will do."""


@dataclass(frozen=True)
class Options:
    """How exactly and how long to search."""

    gap_fraction: float = 1e-7
    """Distance to the best possible net, as a share of it, at which a search may end."""
    time_limit_s: float | None = None


@dataclass(frozen=True)
class Risk:
    """How much the worst scenarios count."""

    cvar_weight: float = 0.0
    """Share of the objective that is the mean of the worst scenarios; the rest is the mean of all. Below 1."""
    cvar_alpha: float = 0.95
    """The worst scenarios are those of the last 1 − alpha of all weight."""


@dataclass(frozen=True)
class Scenario:
    """One way in which the uncertain series may turn out."""

    name: str
    weight: float
    """Its probability; those of all scenarios sum to one."""
    series: Mapping[tuple[str, str], tuple[float, ...]]
    """Series by asset id and field, the certain ones included."""
    energy: Energy
    """Prices, in this scenario."""


@dataclass(frozen=True)
class Inputs:
    """What a block's parameters are made of, beside the asset itself."""

    step_h: Array
    """Length of each step [h]; shape (steps,)."""
    begins_day: NDArray[np.bool_]
    """Whether a new local day begins with a step; shape (steps,)."""
    series: Mapping[str, Array]
    """The asset's series by field; shape (steps,) each."""
    state: State | None
    """What was measured; `None` for a plan from the site file alone."""
    reserves: tuple[Reserve, ...]
    end_value_per_mwh: float | None = None
    """Worth of energy left after the horizon; `None` where the asset's own end holds instead."""
    gives_way: bool = False
    """Whether the asset's promises may be broken."""


@dataclass(frozen=True)
class Problem:
    """A site, a horizon and everything known about it."""

    site_id: str
    site_name: str
    currency: str
    horizon: Horizon
    connection: Connection
    assets: tuple[Asset, ...]
    energy: Energy
    reserves: tuple[Reserve, ...] = ()
    tariff: tuple[TariffEntry, ...] = ()
    """What the grid charges beside the market."""
    so_far: Mapping[str, SoFar] = field(default_factory=dict)
    """What entries of the tariff have counted before the horizon, by their id; default: what they say themselves."""
    series: Mapping[tuple[str, str], tuple[float, ...]] = field(default_factory=dict)
    """Series by asset id and field."""
    states: Mapping[str, State] = field(default_factory=dict)
    """Measured states by asset id."""
    options: Options = Options()
    resting: frozenset[str] = frozenset()
    """Assets that are left alone: stores that do not answer, or all of them for the plan to compare with."""
    end_value_per_mwh: Mapping[str, float] = field(default_factory=dict)
    """Worth of energy left in a store after the horizon, by asset; it takes the place of an energy demanded then."""
    scenarios: tuple[Scenario, ...] = ()
    """How the series may turn out; none where all are certain. `series` and `energy` are those of `shown`."""
    risk: Risk = Risk()
    wanted: Wanted | None = None
    """What one asset is to do in one step, in every scenario; `None` where only the money decides."""
    giving: Giving | None = None
    """How far promises give way; `None` where all are kept."""

    @cached_property
    def futures(self) -> "tuple[Future, ...]":
        """Every scenario as a problem without uncertainty; without scenarios the problem itself."""
        if not self.scenarios:
            return (Future(self),)
        return tuple(Future(replace(self, **self._in_scenario(s)), s.name, s.weight) for s in self.scenarios)

    def _in_scenario(self, scenario: Scenario) -> dict[str, Any]:
        """Fields that differ in one scenario."""
        giving = None if self.giving is None else self.giving.within(scenario.name)
        own = {"series": scenario.series, "energy": scenario.energy, "giving": giving}
        return {**own, "scenarios": (), "risk": Risk()}

    @property
    def shown(self) -> int:
        """Number of the scenario whose schedule is shown: the heaviest, of equally heavy ones the middle one."""
        return middle_of([scenario.weight for scenario in self.scenarios]) if self.scenarios else 0

    @property
    def step_h(self) -> Array:
        """Length of each step [h]; shape (steps,)."""
        return _steps_of(self.horizon)[0]

    def inputs_of(self, asset: Asset) -> Inputs:
        """What the parameters of one asset are made of."""
        own = {name: np.array(values) for (owner, name), values in self.series.items() if owner == asset.id}
        end_value = self.end_value_per_mwh.get(asset.id)
        step_h, begins_day = _steps_of(self.horizon)
        gives_way = self.giving is not None and asset.id not in self.giving.kept
        return Inputs(step_h, begins_day, own, self.states.get(asset.id), self.reserves, end_value, gives_way)


@dataclass(frozen=True)
class Future:
    """A problem without uncertainty, as one scenario makes it."""

    problem: Problem
    name: str = ""
    """Name of the scenario; empty where there is none."""
    weight: float = 1.0

    def owner(self, name: str) -> str:
        """An asset, market or bus as this scenario has it, such as `bess1 in p10`."""
        return f"{name} in {self.name}" if self.name else name


@lru_cache(maxsize=16)
def _steps_of(horizon: Horizon) -> tuple[Array, NDArray[np.bool_]]:
    """Length of each step [h], and whether a new local day begins with it; not to be written to."""
    step_h, begins_day = np.array(horizon.step_hours), np.array(horizon.begins_local_day)
    step_h.flags.writeable = begins_day.flags.writeable = False
    return step_h, begins_day
