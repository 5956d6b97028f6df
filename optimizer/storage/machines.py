"""Which numbers describe a store with one machine that charges it and one that discharges it?"""

from dataclasses import dataclass
from math import floor

ROUNDING = 1e-6
"""A power that lacks no more than this share of a unit suffices for it."""


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine that is off, or runs within its range. Powers are those at its terminals, its own consumption apart."""

    power_kw: float
    """Highest power."""
    min_power_kw: float
    """Lowest power while it runs."""
    efficiency: float
    """Energy into the store per energy drawn, or energy delivered per energy out of the store."""
    load_on_kw: float = 0.0
    """Own consumption while it runs."""
    load_per_kw: float = 0.0
    """Further own consumption per kW of its power."""
    load_off_kw: float = 0.0
    """Own consumption while it does not run."""
    loss_on_kw: float = 0.0
    """Energy lost inside the store while it runs."""
    cost_per_h: float = 0.0
    """Cost of an hour in which it runs."""
    cost_per_start: float = 0.0
    """Cost of each start, of each unit where there are several."""


@dataclass(frozen=True, slots=True)
class Window:
    """What a store holds, and between which energies it is planned."""

    energy_capacity_kwh: float
    floor_kwh: float
    """Lowest stored energy in a plan."""
    ceiling_kwh: float
    """Highest stored energy in a plan."""
    initial_kwh: float
    """Stored energy at the start, where none was measured."""
    least_final_kwh: float
    most_final_kwh: float


@dataclass(frozen=True, slots=True)
class TwoMachines:
    """A store, the machine that charges it and the machine that discharges it. Only one of them runs at a time."""

    window: Window
    charger: Machine
    discharger: Machine
    self_discharge_fraction_per_h: float = 0.0
    standing_load_kw: float = 0.0
    """Own consumption at all times, beside that of the machines."""
    throughput_cost_per_mwh: float = 0.0
    """Cost per MWh that the discharging machine delivers."""
    min_idle_h: float = 0.0
    """Shortest time at rest between charging and discharging."""
    charger_count: int = 1
    """Number of equal units that charge; the highest power of `charger` is that of all, its lowest that of one."""
    kw_per_inflow: float = 0.0
    """What flows into the store by itself, per unit of the series `inflow`; a store without that series has none."""

    @property
    def charger_unit_kw(self) -> float:
        """Highest power of one unit that charges."""
        return self.charger.power_kw / self.charger_count

    @property
    def rest_load_kw(self) -> float:
        """Drawn at the meter while neither machine runs."""
        return self.standing_load_kw + self.charger.load_off_kw + self.discharger.load_off_kw

    def drawn_kw(self, charge_kw: float) -> float:
        """Power drawn at the meter while the charging machine has a power."""
        machine = self.charger
        own_kw = machine.load_on_kw + machine.load_per_kw * charge_kw + self.discharger.load_off_kw
        return charge_kw + own_kw + self.standing_load_kw

    def given_kw(self, discharge_kw: float) -> float:
        """Power fed in at the meter while the discharging machine has a power; negative where its loads need more."""
        machine = self.discharger
        own_kw = machine.load_on_kw + machine.load_per_kw * discharge_kw + self.charger.load_off_kw
        return discharge_kw - own_kw - self.standing_load_kw

    def moved_kw(self, export_kw: float) -> float:
        """Power of the machines that gives a power at the meter: positive discharges, 0 where neither would run."""
        if export_kw > -self.rest_load_kw:
            moved_kw = (export_kw - self.given_kw(0.0)) / (1 - self.discharger.load_per_kw)
            return moved_kw if moved_kw >= self.discharger.min_power_kw else 0.0
        return -self.chargeable_kw((-export_kw - self.drawn_kw(0.0)) / (1 + self.charger.load_per_kw))

    def chargeable_kw(self, most_kw: float) -> float:
        """The most that whole units charge at without drawing more than a power; 0 where it is too little for one."""
        lowest_kw = self.charger.min_power_kw
        count = floor(most_kw / lowest_kw + ROUNDING) if lowest_kw > 0 else self.charger_count
        count = min(count, self.charger_count)
        return min(max(most_kw, count * lowest_kw), count * self.charger_unit_kw) if most_kw > 0 else 0.0
