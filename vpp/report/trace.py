"""What `vpp ageing` prints: cycles by depth, life used and its cost, in words, bars and as a document."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from vpp.domain.trace import Forecast, Gap, Rest, TraceWear
from vpp.report.files import instant
from vpp.report.wear import lasting, share
from vpp.report.wording import NARROW_SPACE, clock, day, listed, money, number

MOST_GAPS = 3
"""So many gaps are told one by one in the text; the document has all."""
WIDEST_BAR = 40
BAR_ROOM = 38
"""Columns beside a bar."""


def trace_text(wears: Sequence[TraceWear], *, timezone: str, currency: str, width: int) -> str:
    """Every store's account, ready to print."""
    lines: list[str] = []
    for wear in wears:
        lines += ["", *_account(wear, timezone, currency, width)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _account(wear: TraceWear, timezone: str, currency: str, width: int) -> Iterator[str]:
    zone = ZoneInfo(timezone)
    start, end = wear.start.astimezone(zone), wear.end.astimezone(zone)
    yield f"  {wear.asset_id}   {_at(start)} – {_at(end)}   {timezone}"
    yield ""
    for told in (_values(wear), _gaps(wear, zone), _cycling(wear, currency), _rest(wear.rest, currency)):
        yield from _lines(told, width)
    yield ""
    yield from _histogram(wear, width)
    if wear.forecast is not None:
        yield ""
        yield from _lines(_forecast(wear.forecast), width)


def _lines(text: str, width: int) -> list[str]:
    lines = textwrap.wrap(text, width - 4, break_long_words=False, break_on_hyphens=False)
    return [f"  {line.replace(NARROW_SPACE, ' ')}" for line in lines]


def _at(at: datetime) -> str:
    return f"{day(at)} {clock(at)}"


def _values(wear: TraceWear) -> str:
    told = f"{wear.value_count:,} values, usually one every {_length(wear.usual_s)}."
    if wear.usual_s > 300:  # noqa: PLR2004 - what the trace was asked to show
        told += " Cycles between two of them are not seen."
    return told


def _gaps(wear: TraceWear, zone: ZoneInfo) -> str:
    if not wear.gaps:
        return ""
    count = len(wear.gaps)
    shown = sorted(wear.gaps, key=lambda gap: -gap.length_s)[:MOST_GAPS]
    named = listed(f"{_length(gap.length_s)} from {_at(gap.start.astimezone(zone))}" for gap in shown)
    which = named if count <= MOST_GAPS else f"the longest {named}"
    each = "It counts" if count == 1 else "Each counts"
    depth = f"{number(100 * wear.gap_depth_fraction)}{NARROW_SPACE}%"
    return (
        f"{count:,} gap{'' if count == 1 else 's'}: {which}. {each} as half a cycle of the worst depth, {depth}; "
        f"together {share(wear.gap_life_used_fraction)} of life, which is in the sum below."
    )


def _length(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.3g}{NARROW_SPACE}{unit}"
    return f"{seconds:.3g}{NARROW_SPACE}s"


def _cycling(wear: TraceWear, currency: str) -> str:
    days = (wear.end - wear.start).total_seconds() / 86_400
    per_mwh = f", {money(wear.cost / wear.discharged_mwh)} per MWh discharged" if wear.discharged_mwh > 0 else ""
    return (
        f"Cycles took {share(wear.life_used_fraction)} of the store's life, worth {money(wear.cost)}{NARROW_SPACE}"
        f"{currency}{per_mwh}. They add up to {number(wear.full_cycle_count, 2)} full cycles, "
        f"{number(wear.full_cycle_count / days, 2)} a day. "
        f"Cycles like these alone last {lasting(wear.life_used_fraction, 24 * days)}."
    )


def _rest(rest: Rest | None, currency: str) -> str:
    if rest is None:
        return ""
    return (
        f"Rest took another {share(rest.life_used_fraction)}, worth {money(rest.cost)}{NARROW_SPACE}{currency}: "
        f"{share(rest.capacity_lost_fraction)} of the capacity at {rest.temperature_c:g}{NARROW_SPACE}°C and an age of "
        f"{rest.age_years:.3g}{NARROW_SPACE}years."
    )


def _forecast(forecast: Forecast) -> str:
    years, resting, cycling = forecast.years, forecast.calendar_loss_fraction, forecast.cycle_loss_fraction
    end, soh = forecast.end_of_life_years, f"{100 * forecast.end_of_life_soh_fraction:g}{NARROW_SPACE}%"
    when = "not within 100 years" if end is None else f"after {number(end, 1)}{NARROW_SPACE}years"
    told = (
        f"Forecast for a cell used like this from new: in {years:g} years {share(resting)} lost by rest and "
        f"{share(cycling)} by cycles; {soh} are left {when}. Packs live 20 to 30{NARROW_SPACE}% shorter than cells."
    )
    if forecast.beyond_tests:
        told += f" Extrapolated: {'; '.join(forecast.beyond_tests)}."
    return told


def _histogram(wear: TraceWear, width: int) -> Iterator[str]:
    """Cycles by depth; the bars are the life that they use."""
    room = max(8, min(WIDEST_BAR, width - BAR_ROOM))
    most = max(depth.life_used_fraction for depth in wear.depths)
    yield f"  {'depth':<10}  {'cycles':>10}  {'life used':>10}"
    for depth in wear.depths:
        bar = "█" * round(room * depth.life_used_fraction / most) if most else ""
        span = f"{100 * depth.from_fraction:.0f}–{100 * depth.to_fraction:.0f} %"
        used = share(depth.life_used_fraction).replace(NARROW_SPACE, " ")
        yield f"  {span:<10}  {_count(depth.cycle_count):>10}  {used:>10}  {bar}"


def _count(cycles: float) -> str:
    return number(cycles, 0 if cycles == int(cycles) else 1)


def trace_document(wears: Sequence[TraceWear], *, site_id: str, trace: str, currency: str) -> dict[str, Any]:
    """What `vpp ageing --json` prints."""
    return {
        "site_id": site_id,
        "trace": trace,
        "currency": currency,
        "assets": [_document(wear) for wear in wears],
    }


def _document(wear: TraceWear) -> dict[str, Any]:
    return {
        "asset": wear.asset_id,
        "start_utc": instant(wear.start),
        "end_utc": instant(wear.end),
        "value_count": wear.value_count,
        "usual_s": wear.usual_s,
        "life_used_fraction": wear.life_used_fraction,
        "cost": wear.cost,
        "full_cycle_count": wear.full_cycle_count,
        "discharged_mwh": wear.discharged_mwh,
        "depths": [asdict(depth) for depth in wear.depths],
        "gaps": [_gap(gap) for gap in wear.gaps],
        "gap_depth_fraction": wear.gap_depth_fraction,
        "gap_life_used_fraction": wear.gap_life_used_fraction,
        "rest": None if wear.rest is None else asdict(wear.rest),
        "forecast": None if wear.forecast is None else asdict(wear.forecast),
    }


def _gap(gap: Gap) -> dict[str, Any]:
    return {"start_utc": instant(gap.start), "length_s": gap.length_s}
