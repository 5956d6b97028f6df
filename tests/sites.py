"""Small problems for tests, with as little written as possible."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from optimizer.assets.battery.schema import Battery
from optimizer.assets.load.schema import Load
from optimizer.assets.solar.schema import Solar
from optimizer.groups.connection.schema import Connection
from optimizer.problem import Energy, Options, Problem, Reserve, State
from vpp.domain.horizon import Horizon
from vpp.domain.series import SeriesSource

CREATED = datetime(2026, 11, 22, 6, tzinfo=UTC)
NOWHERE = SeriesSource("none.csv", "none")
P24 = (
    *(260, 240, 230, 225, 230, 250, 280, 300, 220, 120, 60, 40),
    *(40, 50, 80, 160, 280, 420, 560, 600, 540, 430, 340, 290),
)
"""Hourly prices of a reference day [yuan/MWh]."""


def battery(name: str = "bess1", **fields: Any) -> Battery:
    """A battery of 100 kW and 200 kWh, unless told otherwise."""
    given: dict[str, Any] = {"energy_capacity_kwh": 200.0, "charge_power_kw": 100.0, "discharge_power_kw": 100.0}
    return Battery(id=name, type="battery", **given | fields)


def load(name: str = "load1", **fields: Any) -> Load:
    """A load; its series is given to the problem."""
    return Load(id=name, type="load", forecast=NOWHERE, **fields)


def solar(name: str = "pv1", **fields: Any) -> Solar:
    """A photovoltaic plant; its series is given to the problem."""
    return Solar(id=name, type="solar", capacity_kw=1e6, forecast=NOWHERE, **fields)


def hours(count: int, step_minutes: int = 60, first: date = date(2026, 11, 23), timezone: str = "UTC") -> Horizon:
    """So many steps from a local midnight on."""
    start = Horizon.of_local_days(first, first, timezone, step_minutes * 60).start
    return Horizon(start, step_minutes * 60, count, timezone, step_minutes * 60)


def problem(
    assets: Sequence[Any],
    prices: Sequence[float],
    *,
    export_prices: Sequence[float] | None = None,
    series: dict[str, Sequence[float]] | None = None,
    import_limit_kw: float = 1e6,
    export_limit_kw: float = 1e6,
    step_minutes: int = 60,
    horizon: Horizon | None = None,
    reserves: tuple[Reserve, ...] = (),
    states: dict[str, State] | None = None,
    options: Options | None = None,
) -> Problem:
    """A site at one meter; `series` holds the forecast of each asset by its id."""
    return Problem(
        site_id="site",
        site_name="Site",
        currency="EUR",
        horizon=horizon or hours(len(prices), step_minutes),
        connection=Connection(import_limit_kw=import_limit_kw, export_limit_kw=export_limit_kw),
        assets=tuple(assets),
        energy=Energy(
            "energy_day_ahead",
            tuple(map(float, prices)),
            None if export_prices is None else tuple(map(float, export_prices)),
        ),
        reserves=reserves,
        series={(name, "forecast"): tuple(map(float, values)) for name, values in (series or {}).items()},
        states=states or {},
        options=options or Options(),
    )


def station(soc_fraction: float, **fields: Any) -> Problem:
    """Station R of the requirement sheets: 100 MW, 200 MWh, usable 20 to 180 MWh, hourly prices P24."""
    store = battery(
        energy_capacity_kwh=200_000.0,
        charge_power_kw=100_000.0,
        discharge_power_kw=100_000.0,
        charge_efficiency=0.95,
        discharge_efficiency=0.95,
        min_soc_fraction=0.1,
        max_soc_fraction=0.9,
        initial_soc_fraction=soc_fraction,
        exclusive_charge_discharge="always",
        **fields,
    )
    return problem([store], P24)
