"""An independent formulation of tariffs: every averaging window and every kWh counted by hand, one row at a time.

It shares no code with the model, nor with the arithmetic that verifies it.
"""

from datetime import timedelta

import numpy as np

NAMES = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
FORMS = {"day": "%x", "month": "%Y %m", "year": "%Y"}


def holds(when, at) -> bool:
    first, last = when.months
    months = range(first, last + 1) if first <= last else [*range(first, 13), *range(1, last + 1)]
    days = {"all": NAMES, "weekdays": NAMES[:5], "weekends": NAMES[5:]}
    allowed = days[when.weekdays] if isinstance(when.weekdays, str) else when.weekdays
    begins, ends = when.hours.split("-")
    now = at.strftime("%H:%M")
    in_hours = begins <= now < ends if begins < ends else now >= begins or now < ends
    return at.month in months and NAMES[at.weekday()] in allowed and in_hours


def charge(rows, p, entry, flow: list[int]) -> None:
    """Cost of one entry, given the columns of the power that it charges."""
    groups: dict[str, list[int]] = {}
    for t, at in enumerate(p.horizon.local_starts):
        groups.setdefault(at.strftime(FORMS[entry.period or "year"]), []).append(t)
    if entry.kind == "energy":
        _energy(rows, p, entry, flow, list(groups.values()))
    else:
        _peak(rows, p, entry, flow, list(groups.values()))


def _energy(rows, p, entry, flow, groups) -> None:
    h, starts = p.horizon.step_hours, p.horizon.local_starts
    tiers = [(t.up_to_kwh, t.price_per_mwh) for t in entry.tiers] or [(None, entry.price_per_mwh)]
    used = p.so_far[entry.id].energy_kwh if entry.id in p.so_far else entry.so_far_kwh
    for group in groups:
        total = rows.column(used, np.inf)
        rows.row({total: 1.0, **{flow[t]: -h[t] for t in group if holds(entry.when, starts[t])}}, used, used)
        most = used + sum(h[t] for t in group) * max(p.connection.import_limit_kw, p.connection.export_limit_kw)
        _staircase(rows, total, tiers, used, most)
        used = 0.0


def _staircase(rows, total: int, tiers, owed: float, most: float) -> None:
    """Cost of a quantity by blocks: the quantity lies in exactly one block, whose line it pays."""
    lines, start, paid = [], 0.0, 0.0
    for end, price in tiers:
        lines.append((start, most if end is None else min(end, most), paid - price * start, price))
        paid += price * ((end or 0.0) - start)
        start = end
    at_owed = next(c + price * owed for low, high, c, price in lines if owed <= high or high == most)
    rows.column(1.0, 1.0, cost=-at_owed)
    chosen, shares = {}, {total: -1.0}
    for low, high, constant, price in lines:
        if high < low:
            continue
        here = rows.column(0.0, 1.0, cost=constant, binary=True)
        within = rows.column(0.0, most, cost=price)
        rows.row({within: 1.0, here: -high}, -np.inf, 0.0)
        rows.row({within: 1.0, here: -low}, 0.0, np.inf)
        chosen[here], shares[within] = 1.0, 1.0
    rows.row(chosen, 1.0, 1.0)
    rows.row(shares, 0.0, 0.0)


def _peak(rows, p, entry, flow, groups) -> None:
    h, starts = p.horizon.step_hours, p.horizon.local_starts
    tiers = [(t.up_to_kw, t.price_per_kw) for t in entry.tiers] or [(None, entry.price_per_kw)]
    known = p.so_far.get(entry.id)
    before = entry.so_far_kw if known is None else known.peak_kw
    share, peaks, first = entry.ratchet_fraction or 0.0, [], before
    limit = max(p.connection.import_limit_kw, p.connection.export_limit_kw)
    for number, group in enumerate(groups):
        own = rows.column(0.0 if number else before, np.inf)
        for steps in _windows(p, entry, group):
            hours = sum(h[t] for t in steps)
            metered = 0.0
            if 0 in steps and known is not None and known.block_kwh is not None:
                since_s = (starts[0].minute * 60 + starts[0].second) % _length(p, entry)
                hours, metered = hours + since_s / 3600, known.block_kwh
            if holds(entry.when, starts[steps[0]]):
                rows.row({own: hours, **{flow[t]: -h[t] for t in steps}}, metered, np.inf)
        year, month = starts[group[0]].year, starts[group[0]].month
        near = [column for y, m, column in peaks if 12 * (year - y) + month - m <= 11] if share else []
        floor = share * max(entry.earlier_peak_kw or 0.0, first if near and near[0] == peaks[0][2] else 0.0)
        owed = floor if number else max(before, floor)
        most = max(limit, owed, before) + 1.0 + (known.block_kwh if known and known.block_kwh else 0.0) * 60
        billed = rows.column(owed, most)
        rows.row({billed: 1.0, own: -1.0}, 0.0, np.inf)
        for column in near:
            rows.row({billed: 1.0, column: -share}, 0.0, np.inf)
        _staircase(rows, billed, [(end, 1000 * price) for end, price in tiers], owed, most)
        peaks.append((year, month, own))


def _length(p, entry) -> int:
    return max(60 * entry.average_minutes, p.horizon.step_s)


def _windows(p, entry, group):
    """Steps of a group, cut where a full averaging time since the full hour is over."""
    found: dict[str, list[int]] = {}
    for t in group:
        at = p.horizon.local_starts[t]
        since_s = (at.minute * 60 + at.second) % _length(p, entry)
        found.setdefault((at - timedelta(seconds=since_s)).strftime("%x %X %z"), []).append(t)
    return found.values()
