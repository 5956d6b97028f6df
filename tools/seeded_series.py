"""Writes the series of the shipped sites. They are invented; a fixed seed makes every run write the same bytes.

python tools/seeded_series.py site_configs
"""

import math
import random
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

Row = tuple[datetime, float]
"""Local time and value."""
STATION_PRICES = (
    *(260, 240, 230, 225, 230, 250, 280, 300, 220, 120, 60, 40),
    *(40, 50, 80, 160, 280, 420, 560, 600, 540, 430, 340, 290),
)
"""A photovoltaic-rich spot day, hour by hour [currency/MWh]."""


def local_steps(first: str, days: int, timezone: str, minutes: int) -> Iterator[datetime]:
    """Starts of the steps of some local days."""
    zone = ZoneInfo(timezone)
    instant = datetime.fromisoformat(first).replace(tzinfo=zone).astimezone(UTC)
    last_day = (datetime.fromisoformat(first) + timedelta(days=days)).date()
    while instant.astimezone(zone).date() < last_day:
        yield instant.astimezone(zone)
        instant += timedelta(minutes=minutes)


def hour(at: datetime) -> float:
    """Local time of day [h]."""
    return at.hour + at.minute / 60


def bell(at: datetime, centre_h: float, width_h: float) -> float:
    """A smooth bump of height 1 around an hour of the day."""
    return math.exp(-(((hour(at) - centre_h) / width_h) ** 2))


def write(path: Path, column: str, steps: Iterator[datetime], value: Callable[[datetime], float]) -> None:
    """Write one series as a CSV file."""
    write_together(path, (column,), steps, lambda at: (value(at),))


def write_together(
    path: Path, columns: tuple[str, ...], steps: Iterator[datetime], values: Callable[[datetime], tuple[float, ...]]
) -> None:
    """Write several series as one CSV file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ},{','.join(f'{v:.2f}' for v in values(at))}" for at in steps]
    path.write_text("\n".join([",".join(("start_utc", *columns)), *rows]) + "\n", "utf-8")


def spot_price(seed: int, level: float, spread: float, sunday_sun: float) -> Callable[[datetime], float]:
    """A spot price with a morning and an evening peak and a trough at noon, deeper on Sundays."""
    noise = random.Random(seed)

    def price(at: datetime) -> float:
        weekend = at.isoweekday() == 7  # noqa: PLR2004 - Sunday
        shape = 0.5 * bell(at, 8, 1.8) + bell(at, 19, 2.4) - (1.0 + sunday_sun * weekend) * bell(at, 12.7, 2.6)
        return level + spread * shape + noise.gauss(0, 0.03 * spread)

    return price


def sun(seed: int, capacity_kw: float, half_day_h: float) -> Callable[[datetime], float]:
    """Photovoltaic power under passing clouds."""
    noise, clouds = random.Random(seed), [0.0]

    def power_kw(at: datetime) -> float:
        height = math.cos((hour(at) - 12.2) / half_day_h * math.pi / 2) if abs(hour(at) - 12.2) < half_day_h else 0.0
        clouds[0] = 0.85 * clouds[0] + noise.gauss(0, 0.07)
        return capacity_kw * max(0.0, 0.78 * height**1.3 * (1 - abs(clouds[0])))

    return power_kw


def sun_quantiles(seed: int, capacity_kw: float, half_day_h: float) -> Callable[[datetime], tuple[float, ...]]:
    """What photovoltaic power one, five and nine times in ten stays below."""
    middle, noise = sun(seed, capacity_kw, half_day_h), random.Random(seed + 100)
    doubt = [0.4]

    def power_kw(at: datetime) -> tuple[float, ...]:
        doubt[0] = min(0.7, max(0.15, doubt[0] + noise.gauss(0, 0.02)))
        likely = middle(at)
        return likely * (1 - doubt[0]), likely, min(0.9 * capacity_kw, likely * (1 + 0.6 * doubt[0]))

    return power_kw


def imbalance(seed: int, price: Callable[[datetime], float]) -> Callable[[datetime], tuple[float, ...]]:
    """A spot price, what a shortfall costs above it, and what a surplus brings below it."""
    noise = random.Random(seed)

    def prices(at: datetime) -> tuple[float, ...]:
        spot = price(at)
        return spot, spot + 18 + abs(noise.gauss(0, 14)), spot - 12 - abs(noise.gauss(0, 9))

    return prices


def wind(seed: int, capacity_kw: float) -> Callable[[datetime], float]:
    """Wind power: a slow random walk through a power curve."""
    noise, speed = random.Random(seed), [7.5]

    def power_kw(at: datetime) -> float:  # noqa: ARG001 - wind keeps no hours
        speed[0] += 0.04 * (8 - speed[0]) + noise.gauss(0, 0.45)
        return capacity_kw * min(1.0, max(0.0, (speed[0] - 3) / 9) ** 2.2)

    return power_kw


def load(seed: int, base_kw: float, work_kw: float) -> Callable[[datetime], float]:
    """Consumption of a workplace, less on Sundays."""
    noise = random.Random(seed)

    def power_kw(at: datetime) -> float:
        works = 0.35 if at.isoweekday() == 7 else 1.0  # noqa: PLR2004 - Sunday
        shape = bell(at, 10, 2.2) + 0.9 * bell(at, 15.5, 2.4) + 0.45 * bell(at, 20, 2.0)
        return base_kw + works * work_kw * shape + noise.gauss(0, 0.02 * work_kw)

    return power_kw


def write_all(folder: Path) -> None:
    """Write the series of every shipped site."""
    week = ("2026-11-23", 7)
    tiny, shop, park = folder / "tiny", folder / "shop", folder / "wind_park"
    shanghai, berlin, chicago = "Asia/Shanghai", "Europe/Berlin", "America/Chicago"
    write(tiny / "prices.csv", "price_per_mwh", local_steps(*week, shanghai, 15), spot_price(1, 290, 260, 0.5))
    write(tiny / "pv.csv", "pv_kw", local_steps(*week, shanghai, 15), sun(2, 1000, 5.0))
    write(tiny / "load.csv", "load_kw", local_steps(*week, shanghai, 15), load(3, 40, 80))

    station = folder / "station" / "prices.csv"
    write(station, "price_per_mwh", local_steps("2026-11-23", 1, shanghai, 60), lambda at: STATION_PRICES[at.hour])

    spot = spot_price(4, 85, 70, 0.9)
    clock_change = ("2026-10-24", 3)
    prices = {at.astimezone(UTC): spot(at) for at in local_steps(*clock_change, berlin, 15)}
    write(shop / "prices.csv", "import_per_mwh", iter(prices), lambda at: prices[at] + 142.0)
    write(shop / "feed_in.csv", "export_per_mwh", iter(prices), lambda at: prices[at])
    write(shop / "pv.csv", "pv_kw", local_steps(*clock_change, berlin, 15), sun(5, 80, 4.9))
    write(shop / "load.csv", "load_kw", local_steps(*clock_change, berlin, 15), load(6, 12, 34))

    solar, madrid = folder / "solar_park", "Europe/Madrid"
    ahead = imbalance(10, spot_price(9, 76, 40, 0.8))
    names = ("price_per_mwh", "shortfall_per_mwh", "surplus_per_mwh")
    write_together(solar / "prices.csv", names, local_steps(*week, madrid, 15), ahead)
    quantiles = sun_quantiles(11, 10_000, 4.8)
    write_together(solar / "pv.csv", ("p10_kw", "p50_kw", "p90_kw"), local_steps(*week, madrid, 15), quantiles)

    write(park / "prices.csv", "price_per_mwh", local_steps(*week, chicago, 60), spot_price(7, 24, 42, 0.4))
    write(park / "wind.csv", "wind_kw", local_steps(*week, chicago, 15), wind(8, 50_000))

    mixed = folder / "mixed_storage" / "prices.csv"
    noise = random.Random(12)
    day = local_steps(*week, shanghai, 60)
    write(mixed, "price_per_mwh", day, lambda at: max(40.0, STATION_PRICES[at.hour] + noise.gauss(0, 12)))

    mine, lima = folder / "high_mine", "America/Lima"
    write(mine / "prices.csv", "price_per_mwh", local_steps(*week, lima, 60), spot_price(31, 70, 55, 0.5))
    write(mine / "pv.csv", "pv_kw", local_steps(*week, lima, 60), sun(32, 14000, 5.8))
    write(mine / "wind.csv", "wind_kw", local_steps(*week, lima, 60), wind(33, 16000))
    write(mine / "load.csv", "load_kw", local_steps(*week, lima, 60), load(34, 4500, 2500))
    write(mine / "inflow.csv", "m3_per_s", local_steps(*week, lima, 60), lambda at: 0.35 + 0.2 * bell(at, 15, 4))

    factory = folder / "factory"
    write(factory / "prices.csv", "price_per_mwh", local_steps(*week, berlin, 15), spot_price(9, 90, 60, 0.6))
    write(factory / "pv.csv", "pv_kw", local_steps(*week, berlin, 15), sun(10, 300, 4.2))
    write(factory / "load.csv", "load_kw", local_steps(*week, berlin, 15), load(11, 120, 480))


if __name__ == "__main__":
    write_all(Path(sys.argv[1]))
