"""A copy of the tiny site whose dearest quarter-hour is now, so that everybody knows what its battery must do.

It holds half of what it can, 1,000 kWh, and prices fall from quarter to quarter. So it sells at its full 1,000 kW for
three quarters of an hour, which is longer than any test takes.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.vpp.site_folder import table

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "site_configs" / "tiny.yaml"
TICK_S = 0.25
LEASE_S = 3.0
FULL_KW = 1000.0
"""What the plan wants of the battery."""
QUARTER = timedelta(minutes=15)
BEFORE, AFTER = 24 * 4, 2 * 24 * 4
"""Quarter-hours that the series cover before and after now."""


def quarters(now: datetime | None = None) -> list[datetime]:
    """Starts of the quarter-hours that the series cover."""
    now = now or datetime.now(UTC)
    first = datetime.fromtimestamp(now.timestamp() // 900 * 900, UTC) - BEFORE * QUARTER
    return [first + k * QUARTER for k in range(BEFORE + AFTER)]


def falling_prices() -> list[float]:
    """Money per MWh: 2,000 now and less from quarter to quarter, down to 100."""
    return [max(100.0, 2000.0 - 20.0 * max(0, k - BEFORE)) for k in range(BEFORE + AFTER)]


def write_copy(
    folder: Path,
    broker: str,
    *,
    tick_s: float = TICK_S,
    lease_s: float = LEASE_S,
    planning: str = "",
    batteries: Sequence[str] = ("bess1",),
) -> Path:
    """Write the site file and its series.

    Args:
        folder: Where.
        broker: Its address, or `embedded`.
        tick_s: Time from one decision to the next.
        lease_s: How long a set-point holds.
        planning: Content of that section of the site file, if any.
        batteries: Names of equal batteries; the connection carries them all.

    """
    at = broker if broker == "embedded" else f'{{url: "{broker}"}}'
    devices = f"devices:\n  broker: {at}\n  tick_s: {tick_s:g}\n  lease_s: {lease_s:g}\n"
    text = TINY.read_text("utf-8").replace("limit_kw: 2000", f"limit_kw: {2000 * len(batteries)}")
    head, block, tail = _parts(text)
    text = head + "".join(block.replace("bess1", name) for name in batteries) + tail
    path = folder / "tiny.yaml"
    path.write_text(f"{text}\n{devices}{f'planning: {planning}' if planning else ''}\n", "utf-8")
    (folder / "tiny").mkdir(exist_ok=True)
    write_prices(folder, falling_prices())
    _write(folder, "load.csv", "load_kw", [200.0] * (BEFORE + AFTER))
    _write(folder, "pv.csv", "pv_kw", [300.0] * (BEFORE + AFTER))
    return path


def _parts(text: str) -> tuple[str, str, str]:
    """The site file before its battery, the battery, and the rest."""
    first, last = text.index("  - id: bess1"), text.index("  - id: pv1")
    return text[:first], text[first:last], text[last:]


def write_prices(folder: Path, values: list[float] | list[str]) -> None:
    """Write the file of prices, beginning a day before now."""
    _write(folder, "prices.csv", "price_per_mwh", values)


def _write(folder: Path, name: str, column: str, values: list[float] | list[str]) -> None:
    place = folder / "tiny" / name
    fresh = place.with_suffix(".new")
    fresh.write_text(table(column, quarters()[: len(values)], values), "utf-8")
    fresh.replace(place)
