"""An independent answer for a store with two machines: every way of switching them, each as a small linear program.

Nothing here knows the model, its rows or its binaries. A way of switching is one letter per step: the number of units
that charge, `d`ischarging or `-` at rest; starts (of each unit), hours and the rest between the two are counted on the
letters.
"""

from collections.abc import Iterator
from itertools import groupby, pairwise, product

from optimizer.problem import Problem
from tests.oracle import Rows


def best_net(problem: Problem) -> float | None:
    """Most that a site of one such store can earn, in the currency; nothing if no way of switching keeps every limit.

    Up to one reserve product, one price in both directions, no measured power.
    """
    found = [net for way in _ways(problem) if (net := _net_of(problem, way)) is not None]
    return max(found, default=None)


def _ways(problem: Problem) -> Iterator[str]:
    store, hours = problem.assets[0].machines(), problem.horizon.step_hours
    charging = "".join(str(count + 1) for count in range(store.charger_count))
    for letters in product("-d" + charging, repeat=problem.horizon.count):
        way = "".join(letters)
        if all(rest_h >= store.min_idle_h - 1e-9 for rest_h in _rests(way, hours)):
            yield way


def _rests(way: str, hours: tuple[float, ...]) -> Iterator[float]:
    """How long it rests at each change between charging and discharging."""
    ran, rest_h = "", 0.0
    for letter, h in zip(way, hours, strict=True):
        if letter == "-":
            rest_h += h
            continue
        if ran and (ran == "d") != (letter == "d"):
            yield rest_h
        ran, rest_h = letter, 0.0


def _fixed_cost(problem: Problem, way: str) -> float:
    """Cost of starts and of hours."""
    store = problem.assets[0].machines()
    units = [int(letter) if letter.isdigit() else 0 for letter in way]
    starts = store.charger.cost_per_start * sum(max(0, now - before) for before, now in pairwise([0, *units]))
    starts += store.discharger.cost_per_start * [letter for letter, _ in groupby(way)].count("d")
    per_h = {"d": store.discharger.cost_per_h, "-": 0.0}
    hours = zip(way, problem.horizon.step_hours, strict=True)
    return starts + sum(per_h.get(letter, store.charger.cost_per_h) * h for letter, h in hours)


def _net_of(problem: Problem, way: str) -> float | None:
    store, rows, connection = problem.assets[0].machines(), Rows(), problem.connection
    window, price = store.window, problem.energy.import_price_per_mwh
    state = problem.states.get(problem.assets[0].id)
    before: tuple[int | None, float] = (None, window.initial_kwh if state is None else state.stored_kwh)
    constant = 0.0
    inflow = problem.series.get((problem.assets[0].id, "inflow"), (0.0,) * problem.horizon.count)
    for t, (switch, h) in enumerate(zip(way, problem.horizon.step_hours, strict=True)):
        units, letter = (int(switch), "c") if switch.isdigit() else (1, switch)
        machine = {"c": store.charger, "d": store.discharger}.get(letter)
        most_kw = store.charger.power_kw / store.charger_count if letter == "c" else store.discharger.power_kw
        power = rows.column(units * machine.min_power_kw, units * most_kw) if machine else None
        other = {"c": store.discharger, "d": store.charger}.get(letter)
        own_kw = store.standing_load_kw
        own_kw += machine.load_on_kw + other.load_off_kw if machine else store.charger.load_off_kw
        own_kw += 0.0 if machine else store.discharger.load_off_kw
        per_kw = {"c": -(1 + store.charger.load_per_kw), "d": 1 - store.discharger.load_per_kw}.get(letter, 0.0)
        exported = {} if power is None else {power: per_kw}
        rows.row(exported, -connection.import_limit_kw + own_kw, connection.export_limit_kw + own_kw)
        constant -= price[t] * h * own_kw / 1000
        if power is not None:
            wear = store.throughput_cost_per_mwh if letter == "d" else 0.0
            rows.cost[power] = h * (wear - price[t] * per_kw) / 1000
        kept = 1 - store.self_discharge_fraction_per_h * h
        stored = rows.column(window.floor_kwh, window.ceiling_kwh)
        entries, bound = {stored: 1.0}, 0.0
        if before[0] is None:
            bound += kept * before[1]
        else:
            entries[before[0]] = -kept
        if machine is not None and power is not None:
            entries[power] = -h * machine.efficiency if letter == "c" else h / machine.efficiency
            bound -= h * machine.loss_on_kw
        inflow_kw = store.kw_per_inflow * inflow[t]
        entries[rows.column(0, inflow_kw)] = h
        bound += h * inflow_kw
        rows.row(entries, bound, bound)
        _reserve(problem, rows, t, switch, power=power, before=before, stored=stored)
        before = (stored, 0.0)
    rows.row({before[0]: 1.0}, window.least_final_kwh, window.most_final_kwh)
    cost = rows.lowest_cost()
    return None if cost is None else constant - cost - _fixed_cost(problem, way)


def _reserve(
    problem: Problem,
    rows: Rows,
    t: int,
    switch: str,
    *,
    power: int | None,
    before: tuple[int | None, float],
    stored: int,
) -> None:
    """What the machine that runs could add and take back, and the energy that it would need."""
    if not problem.reserves:
        return
    (reserve,), store = problem.reserves, problem.assets[0].machines()
    held_kw, window = reserve.hold_kw[t] * reserve.power, store.window
    up, down = rows.column(0, 1e9), rows.column(0, 1e9)
    rows.row({up: 1.0}, held_kw, 1e9)
    rows.row({down: 1.0}, held_kw, 1e9)
    if power is None:
        rows.row({up: 1.0}, 0, 0)
        rows.row({down: 1.0}, 0, 0)
    elif switch == "d":
        share = 1 - store.discharger.load_per_kw
        rows.row({up: 1.0, power: share}, 0, share * store.discharger.power_kw)
        rows.row({down: 1.0, power: -share}, -1e9, -share * store.discharger.min_power_kw)
    else:
        share, units = 1 + store.charger.load_per_kw, int(switch)
        rows.row({up: 1.0, power: -share}, -1e9, -share * units * store.charger.min_power_kw)
        rows.row({down: 1.0, power: share}, 0, share * units * store.charger.power_kw / store.charger_count)
    out = 1 / store.discharger.efficiency if reserve.includes_losses else 1.0
    into = store.charger.efficiency if reserve.includes_losses else 1.0
    for holds, at in ((reserve.at_start, before), (reserve.at_end, (stored, 0.0))):
        if holds:
            energy = {} if at[0] is None else {at[0]: 1.0}
            rows.row({**energy, up: -reserve.energy_up_h * out}, window.floor_kwh - at[1], 1e9)
            rows.row({**energy, down: reserve.energy_down_h * into}, -1e9, window.ceiling_kwh - at[1])
