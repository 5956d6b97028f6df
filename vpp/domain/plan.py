"""What a plan says, as it is shown, written and followed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property

from vpp.domain.horizon import Horizon
from vpp.domain.inputs import Inputs
from vpp.domain.series import Premise
from vpp.domain.tariff import Billed
from vpp.domain.wear import Shift, Wear, Work

Values = tuple[float, ...]
"""One value per step of the horizon."""


class Status(StrEnum):
    """How good a plan is."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    """The best that was found in the time allowed."""
    REPAIRED = "repaired"
    """A promise could not be kept; `repairs` says which."""
    FALLBACK = "fallback"


@dataclass(frozen=True)
class Money:
    """Money earned (positive) or spent (negative) over the horizon, in the site's currency."""

    currency: str
    energy: float = 0.0
    capacity: float = 0.0
    wear: float = 0.0
    tariff: float = 0.0
    penalties: float = 0.0

    @property
    def net(self) -> float:
        """The sum of the components."""
        return self.energy + self.capacity + self.wear + self.tariff + self.penalties


@dataclass(frozen=True)
class Schedule:
    """What one asset does."""

    asset_id: str
    asset_type: str
    export_kw: Values
    """Power out of the asset at the meter, its own consumption included; negative into it [kW]."""
    available_kw: Values | None
    """Power that could have been generated [kW]; `None` for what cannot be curtailed."""
    stored_kwh: Values | None
    """Energy in the store at the end of each step [kWh]; `None` for what stores nothing."""
    energy_capacity_kwh: float | None
    """Energy between empty and full [kWh]."""
    initial_kwh: float | None
    """Energy in the store at the start [kWh]."""
    floor_kwh: Values | None
    """Lowest energy allowed at the end of each step [kWh]."""
    ceiling_kwh: Values | None
    """Highest energy allowed at the end of each step [kWh]."""
    up_kw: Mapping[str, Values]
    """Upward reserve held, by product [kW]."""
    down_kw: Mapping[str, Values]
    """Downward reserve held, by product [kW]."""
    flows: Mapping[str, Values]
    """What is behind the power, by name, such as `charge_kw`."""
    lacking_kwh: float = 0.0
    """What is stored at the end below what was promised; negative above it [kWh]."""

    @property
    def cut_kw(self) -> Values:
        """Load that is not served, step by step [kW]; empty where none may be cut."""
        return self.flows.get("cut_kw", ())

    @cached_property
    def soc_fraction(self) -> Values | None:
        """State of charge at the end of each step."""
        if self.stored_kwh is None or self.energy_capacity_kwh is None:
            return None
        return tuple(kwh / self.energy_capacity_kwh for kwh in self.stored_kwh)


@dataclass(frozen=True)
class Position:
    """A quantity of one product over one block of time."""

    start: datetime
    end: datetime
    product: str
    direction: str
    """`net`, `up`, `down` or `symmetric`."""
    quantity_kw: float
    price: float
    price_unit: str
    """`per_mwh`, `per_mw_h`, `per_mw_block` or `per_mw_mileage`."""
    cash: float


@dataclass(frozen=True)
class Outcome:
    """What a plan does and earns in one scenario."""

    name: str
    weight: float
    """Probability of the scenario."""
    money: Money
    schedules: tuple[Schedule, ...]
    positions: tuple[Position, ...]
    import_price_per_mwh: Values

    @cached_property
    def site_export_kw(self) -> Values:
        """Power fed into the grid by the whole site; negative where it draws [kW]."""
        return tuple(map(sum, zip(*(schedule.export_kw for schedule in self.schedules), strict=True)))


@dataclass(frozen=True)
class BindingLimit:
    """A limit that the plan runs into, and what it would earn if the limit were wider."""

    owner: str
    """Asset, or part of the site."""
    limit: str
    bound: float | None
    """The limit itself; `None` where it differs from step to step."""
    unit: str
    steps: tuple[int, ...]
    """Steps in which it binds with a price; none for a limit on the plan as a whole."""
    worth_per_unit: float
    """Money over the whole plan if the limit were one unit wider wherever it binds."""
    worths_per_unit: Values = ()
    """The same for each of `steps`, if it were wider in that step alone."""


@dataclass(frozen=True)
class Spread:
    """A plan over scenarios, and how its worst ones count."""

    outcomes: tuple[Outcome, ...]
    shown: int
    """Number of the outcome whose schedule is the plan's."""
    cvar: float
    """Mean net of the worst scenarios."""
    cvar_alpha: float
    """The worst scenarios are those of the last 1 − alpha of all weight."""
    cvar_weight: float
    """Share of the objective that is `cvar`; the rest is the mean of all scenarios."""
    scheduled_kw: Values | None
    """Energy sold ahead, one for all scenarios; `None` where energy is sold as it is metered [kW]."""
    limits: tuple[BindingLimit, ...]
    """What limits the outcome that is shown, worth what it would earn in that one."""
    shortfall_price_per_mwh: Values | None = None
    """Paid there per MWh metered below what was sold ahead; `None` where energy is sold as it is metered."""
    surplus_price_per_mwh: Values | None = None
    """Received there per MWh metered above it."""


@dataclass(frozen=True)
class Account:
    """What a MWh is worth to an asset, step by step, in the site's currency; why it does what it does.

    A plan without uncertainty is meant; where there are scenarios, the one that is shown.
    """

    meter_per_mwh: Values
    """One more MWh out of the asset: the price, and what limits and charges of the site add to it."""
    stored_per_mwh: Values | None
    """One more MWh in the store at the end of the step; `None` for what stores nothing."""
    gives_above_per_mwh: Values | None
    """Giving power pays while a MWh out of the asset is worth more; `None` for what only takes."""
    takes_below_per_mwh: Values | None
    """Taking power pays while a MWh out of the asset is worth less; `None` for what only gives."""
    drawn_per_given: Values | None = None
    """MWh taken from the store for each that is given; `None` for what stores nothing."""
    stored_per_taken: Values | None = None
    """MWh that reach the store of each that is taken."""


@dataclass(frozen=True)
class Alternative:
    """A change that was tried: with it, and all else as planned, the promise is kept."""

    change: str
    """What is changed: `later`, or the name of a limit."""
    value: float | datetime
    """The end by which the promise is kept, in UTC; the limit that is enough; or how much wider it has to be."""
    unit: str
    """Unit of a limit; `utc` for an instant."""
    owner: str = ""
    """Asset, or part of the site, that has the limit."""
    instead_of: float | None = None
    """What the limit is; `None` where it differs from step to step, and `value` is how much wider it has to be."""


@dataclass(frozen=True)
class Repair:
    """A promise that could not be kept."""

    level: int
    """Its priority among promises; 0 is kept longest."""
    constraint: str
    """Name of the promise."""
    asset_id: str | None
    amount: float
    """What is missing of it; of power, at most in any step."""
    unit: str
    promised: float
    """What was promised, in the same unit."""
    given_up_kwh: float
    """The same as an energy over the whole plan."""
    steps: tuple[int, ...]
    """Steps in which it is broken."""
    scenario: str = ""
    """The scenario in which most is missing; empty where nothing is uncertain."""
    alternatives: tuple[Alternative, ...] = ()
    is_least: bool = True
    """Whether no plan gives up less; not known where the search ended before."""


@dataclass(frozen=True)
class Verification:
    """What independent arithmetic found."""

    passed: bool
    worst_violation: float
    """Largest excess over any limit, or error in any balance [kW or kWh]."""


@dataclass(frozen=True)
class Timing:
    """Seconds spent on each stage."""

    read: float = 0.0
    build: float = 0.0
    solve: float = 0.0
    verify: float = 0.0
    write: float = 0.0


@dataclass(frozen=True)
class Plan:
    """A verified plan of a site over a horizon."""

    site_id: str
    site_name: str
    created: datetime
    horizon: Horizon
    status: Status
    money: Money
    bound: float
    """No plan earns more."""
    gap_fraction: float
    """Distance between `bound` and what the plan earns, as a share of the latter."""
    schedules: tuple[Schedule, ...]
    positions: tuple[Position, ...]
    import_price_per_mwh: Values
    export_price_per_mwh: Values
    import_limit_kw: float
    export_limit_kw: float
    limits: tuple[BindingLimit, ...]
    """What limits it, the most valuable first."""
    stored_value_per_mwh: Mapping[str, Values]
    """What one more MWh in a store would earn at the end of each step, by asset."""
    verification: Verification
    tariff: tuple[Billed, ...] = ()
    """What the grid charges, entry by entry."""
    accounts: Mapping[str, Account] = field(default_factory=dict)
    """What a MWh is worth to each asset that can do otherwise; none where nobody asked."""
    premises: tuple[Premise, ...] = ()
    inputs: Inputs | None = None
    """The files that it was made from; `None` for a plan of a running site."""
    repairs: tuple[Repair, ...] = ()
    most_given_up_kwh: Mapping[tuple[str, int], float] = field(default_factory=dict)
    """How far promises gave way, by scenario (empty where there is none) and priority; none where all are kept."""
    reserve_cost: Mapping[str, float] | None = None
    """What holding each capacity product costs."""
    ageing: tuple[Wear, ...] = ()
    """What the plan takes of the lives of those stores that have a law of ageing."""
    work: tuple[Work, ...] = ()
    """What each store does that trades energy."""
    shift: Shift | None = None
    """What the price of wear changes; `None` where a single store does all the work, or wear costs nothing."""
    idle_net: float | None = None
    """What the site would earn with its stores left alone; `None` where that would break a limit."""
    spread: Spread | None = None
    """What the plan does and earns in each scenario; `None` where nothing is uncertain. Its money is the mean of all,
    its schedules those of one of them, its positions what is sold ahead and the mean of what is metered."""
    timing: Timing = Timing()
    model_rows: int = 0
    model_columns: int = 0

    @cached_property
    def site_export_kw(self) -> Values:
        """Power fed into the grid by the whole site; negative where it draws [kW]."""
        return tuple(map(sum, zip(*(schedule.export_kw for schedule in self.schedules), strict=True)))
