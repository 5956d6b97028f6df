"""What is planned in the measurements? Seeded batteries behind one meter, as plain numbers and as a `Problem`."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np
from numpy.typing import NDArray

from optimizer.assets.battery.schema import Battery
from optimizer.groups.connection.schema import Connection
from optimizer.problem import Energy, Options, Problem, Reserve
from vpp.domain.horizon import Horizon

Array = NDArray[np.float64]

CREATED = datetime(2026, 11, 22, 6, tzinfo=UTC)
RESERVE_H = 0.5
"""Hours for which the energy behind the reserve must last at the end of each step."""


@dataclass(frozen=True)
class Fleet:
    """N batteries over T steps.

    Attributes:
        step_h: Length of a step [h].
        price_per_mwh: Price at which energy is bought and sold; shape (T,).
        power_kw, capacity_kwh, charge_efficiency, discharge_efficiency, wear_per_mwh: shape (N,); the state of charge
            stays within 0.1 and 0.9 and starts and ends at 0.5.
        limit_kw: Most that may pass the meter in either direction.
        hold_kw: Reserve held in both directions in every step by all batteries together; 0 for none.

    """

    step_h: float
    price_per_mwh: Array
    power_kw: Array
    capacity_kwh: Array
    charge_efficiency: Array
    discharge_efficiency: Array
    wear_per_mwh: Array
    limit_kw: float
    hold_kw: float

    @property
    def count(self) -> int:
        """N."""
        return self.power_kw.size

    @property
    def steps(self) -> int:
        """T."""
        return self.price_per_mwh.size


def seeded(
    count: int,
    steps: int,
    *,
    seed: int,
    step_h: float = 0.25,
    limit_share: float = 0.6,
    hold_share: float = 0.0,
    is_ever_negative: bool = False,
) -> Fleet:
    """A fleet whose meter carries `limit_share` of its power and which holds `hold_share` of it as reserve."""
    rng = np.random.default_rng(seed)
    hour = np.arange(steps) * step_h
    base_per_mwh, lowest_per_mwh = (25.0, -80.0) if is_ever_negative else (60.0, 1.0)
    daily = base_per_mwh + 25 * np.sin((hour - 15) * 2 * np.pi / 12) - 15 * np.cos(hour * 2 * np.pi / 24)
    power_kw = np.round(rng.uniform(50, 500, count), 1)
    return Fleet(
        step_h=step_h,
        price_per_mwh=np.maximum(np.round(daily + rng.normal(0, 8, steps), 2), lowest_per_mwh),
        power_kw=power_kw,
        capacity_kwh=np.round(power_kw * rng.uniform(1.5, 4, count), 1),
        charge_efficiency=np.round(rng.uniform(0.92, 0.98, count), 4),
        discharge_efficiency=np.round(rng.uniform(0.92, 0.98, count), 4),
        wear_per_mwh=np.round(rng.uniform(1, 12, count), 2),
        limit_kw=float(power_kw.sum() * limit_share),
        hold_kw=float(power_kw.sum() * hold_share),
    )


def problem_of(fleet: Fleet) -> Problem:
    """The same fleet as a site."""
    batteries = [
        Battery(
            id=f"b{k:04d}",
            type="battery",
            energy_capacity_kwh=float(fleet.capacity_kwh[k]),
            charge_power_kw=float(fleet.power_kw[k]),
            discharge_power_kw=float(fleet.power_kw[k]),
            charge_efficiency=float(fleet.charge_efficiency[k]),
            discharge_efficiency=float(fleet.discharge_efficiency[k]),
            min_soc_fraction=0.1,
            max_soc_fraction=0.9,
            throughput_cost_per_mwh=float(fleet.wear_per_mwh[k]),
        )
        for k in range(fleet.count)
    ]
    step_s = round(3600 * fleet.step_h)
    start = Horizon.of_local_days(date(2026, 1, 1), date(2026, 1, 1), "UTC", step_s).start
    hold_kw = (fleet.hold_kw,) * fleet.steps
    reserve = Reserve("reserve", "symmetric", hold_kw, energy_up_h=RESERVE_H, energy_down_h=RESERVE_H, at_start=False)
    return Problem(
        site_id="fleet",
        site_name="Fleet",
        currency="EUR",
        horizon=Horizon(start, step_s, fleet.steps, "UTC", step_s),
        connection=Connection(import_limit_kw=fleet.limit_kw, export_limit_kw=fleet.limit_kw),
        assets=tuple(batteries),
        energy=Energy("energy_day_ahead", tuple(fleet.price_per_mwh.tolist())),
        reserves=(reserve,) if fleet.hold_kw else (),
        options=Options(),
    )
