"""An independent formulation of the same problems: plain numpy, one row at a time, every exclusivity as a binary.

It shares no code with the model. Only batteries, solar plants and loads at one meter are known here.
"""

from dataclasses import dataclass, field

import highspy
import numpy as np

from optimizer.problem import Problem
from tests.oracle_tariff import charge


@dataclass
class Rows:
    """A mixed-integer program that grows by columns and rows."""

    cost: list[float] = field(default_factory=list)
    lower: list[float] = field(default_factory=list)
    upper: list[float] = field(default_factory=list)
    binary: list[bool] = field(default_factory=list)
    entries: list[dict[int, float]] = field(default_factory=list)
    row_lower: list[float] = field(default_factory=list)
    row_upper: list[float] = field(default_factory=list)

    def column(self, lower: float, upper: float, *, cost: float = 0.0, binary: bool = False) -> int:
        self.lower.append(lower)
        self.upper.append(upper)
        self.cost.append(cost)
        self.binary.append(binary)
        return len(self.cost) - 1

    def row(self, entries: dict[int, float], lower: float, upper: float) -> None:
        self.entries.append(entries)
        self.row_lower.append(lower)
        self.row_upper.append(upper)

    def lowest_cost(self) -> float | None:
        """The optimum, or nothing if there is none."""
        solver = highspy.Highs()
        solver.setOptionValue("output_flag", False)
        solver.setOptionValue("threads", 1)
        solver.setOptionValue("mip_rel_gap", 0.0)
        solver.setOptionValue("mip_abs_gap", 1e-9)
        solver.setOptionValue("mip_feasibility_tolerance", 1e-9)
        start = np.cumsum([0, *map(len, self.entries)]).astype(np.int32)
        index = np.array([c for entries in self.entries for c in entries], dtype=np.int32)
        value = np.array([v for entries in self.entries for v in entries.values()], dtype=float)
        solver.passModel(
            len(self.cost), len(self.entries), value.size, 2, 1, 0.0,
            np.array(self.cost), np.array(self.lower), np.array(self.upper),
            np.array(self.row_lower), np.array(self.row_upper), start, index, value,
            np.array(self.binary, dtype=np.int32),
        )  # fmt: skip
        solver.run()
        status = solver.getModelStatus()
        if status == highspy.HighsModelStatus.kInfeasible:
            return None
        assert status == highspy.HighsModelStatus.kOptimal, status
        return float(solver.getInfo().objective_function_value)


Given = dict[int, dict[int, float]]
"""What is given up by level (0 load that is cut, 2 energy at the end), as columns with their energy per unit."""


def best_net(problem: Problem) -> float | None:
    """Most that the site can earn, in the currency; nothing if no plan keeps every limit."""
    cost = _site(problem, None).lowest_cost()
    return None if cost is None else -cost / 1000  # a price per MWh times kWh


def best_repaired(problem: Problem) -> tuple[dict[int, float], float] | None:
    """Least that is given up of each level, those before it held, and most that can then be earned.

    Nothing if no plan keeps what never gives way.
    """
    least: dict[int, float] = {}
    given: Given = {0: {}, 2: {}}
    rows = _site(problem, given)
    money = list(rows.cost)
    for level, columns in given.items():
        rows.cost = [columns.get(column, 0.0) for column in range(len(money))]
        found = rows.lowest_cost()
        if found is None:
            return None
        least[level] = found
        rows.row(columns, -np.inf, found + 1e-6)  # ten times what a row may be missed by
    rows.cost = money
    cost = rows.lowest_cost()
    assert cost is not None, "what was given up a moment ago is not enough"
    return least, -cost / 1000


def _site(p: Problem, given: Given | None) -> Rows:
    """The whole site; promises give way where `given` is there to be filled."""
    rows = Rows()
    count, h = p.horizon.count, p.horizon.step_hours
    buy = p.energy.import_price_per_mwh
    sell = p.energy.export_price_per_mwh or buy
    site: list[dict[int, float]] = [{} for _ in range(count)]
    fixed = [0.0] * count
    for asset in p.assets:
        kind = type(asset).__name__
        if kind == "Battery":
            _battery(rows, p, asset, site, fixed, given=given)
            continue
        forecast = p.series[asset.id, "forecast"]
        for t in range(count):
            if kind == "Load":
                fixed[t] -= forecast[t]
                if given is not None:
                    cut = rows.column(0.0, (1 - asset.critical_fraction) * forecast[t])
                    site[t][cut], given[0][cut] = 1.0, h[t]
            elif asset.curtailable:
                used = rows.column(0.0, forecast[t])
                site[t][used] = 1.0
                _hold(rows, p, (asset.id, t), {used: 1.0})
            else:
                fixed[t] += forecast[t]
    meter: dict[str, list[int]] = {"import": [], "export": []}
    for t in range(count):
        imported = rows.column(0.0, p.connection.import_limit_kw, cost=buy[t] * h[t])
        exported = rows.column(0.0, p.connection.export_limit_kw, cost=-sell[t] * h[t])
        meter["import"].append(imported)
        meter["export"].append(exported)
        rows.row({**site[t], imported: 1.0, exported: -1.0}, -fixed[t], -fixed[t])
        if sell[t] > buy[t]:
            imports = rows.column(0.0, 1.0, binary=True)
            rows.row({imported: 1.0, imports: -p.connection.import_limit_kw}, -np.inf, 0.0)
            rows.row({exported: 1.0, imports: p.connection.export_limit_kw}, -np.inf, p.connection.export_limit_kw)
    for entry in p.tariff:
        charge(rows, p, entry, meter[entry.of])
    return rows


def _hold(rows: Rows, p: Problem, place: tuple[str, int], power: dict[int, float], standing_kw: float = 0.0) -> None:
    """The power that is wanted of an asset in one step."""
    if p.wanted is not None and (p.wanted.asset_id, p.wanted.step) == place:
        rows.row(power, p.wanted.export_kw + standing_kw, p.wanted.export_kw + standing_kw)


def _battery(rows: Rows, p: Problem, a, site: list[dict[int, float]], fixed: list[float], **soft: Given | None) -> None:
    given = soft.get("given")
    count, h, capacity = p.horizon.count, p.horizon.step_hours, a.energy_capacity_kwh
    days = [at.date() for at in p.horizon.local_starts]
    before, discharged = None, {day: {} for day in days}
    segments = None if a.ageing is None else _held_at_first(a)
    for t in range(count):
        charge = rows.column(0.0, a.charge_power_kw)
        discharge = rows.column(0.0, a.discharge_power_kw, cost=a.throughput_cost_per_mwh * h[t])
        low, high = a.min_soc_fraction * capacity, a.max_soc_fraction * capacity
        ends = [low, high]
        if t == count - 1:
            end = a.initial_soc_fraction if a.final_soc_fraction is None else a.final_soc_fraction
            ends[0] = max(low, end * capacity)
            ends[1] = min(high, high if a.final_soc_max_fraction is None else a.final_soc_max_fraction * capacity)
        stored = rows.column(*(ends if given is None else (low, high)))
        if given is not None and t == count - 1:
            lacking, exceeding = rows.column(0.0, np.inf), rows.column(0.0, np.inf)
            rows.row({stored: 1.0, lacking: 1.0, exceeding: -1.0}, *ends)
            given[2] |= {lacking: 1.0, exceeding: 1.0}
        keep = 1 - a.self_discharge_fraction_per_h * h[t]
        flow = {stored: 1.0, charge: -h[t] * a.charge_efficiency, discharge: h[t] / a.discharge_efficiency}
        if before is None:
            rows.row(flow, keep * a.initial_soc_fraction * capacity, keep * a.initial_soc_fraction * capacity)
        else:
            rows.row({**flow, before: -keep}, 0.0, 0.0)
        if a.exclusive_charge_discharge != "never":
            charges = rows.column(0.0, 1.0, binary=True)
            rows.row({charge: 1.0, charges: -a.charge_power_kw}, -np.inf, 0.0)
            rows.row({discharge: 1.0, charges: a.discharge_power_kw}, -np.inf, a.discharge_power_kw)
        if segments is not None:
            segments = _segments(rows, a, h[t], segments, (charge, discharge))
            for band in a.ageing.bands:
                resting = rows.column(0.0, np.inf, cost=band.price_per_mwh_h * h[t])
                rows.row({resting: 1.0, stored: -1.0}, -band.above_soc_fraction * capacity, np.inf)
        site[t] |= {charge: -1.0, discharge: 1.0}
        _hold(rows, p, (a.id, t), {charge: -1.0, discharge: 1.0}, a.standing_load_kw)
        fixed[t] -= a.standing_load_kw
        discharged[days[t]][discharge] = h[t]
        before = stored
    if a.daily_discharge_limit_kwh is not None:
        for entries in discharged.values():
            rows.row(entries, -np.inf, a.daily_discharge_limit_kwh)


def _held_at_first(a) -> list[float]:
    """Energy of each depth segment at the start, crumb by crumb: the floor from below, the rest from above."""
    count = a.ageing.segment_count
    size = a.energy_capacity_kwh / count
    held = [0.0] * count
    floor = min(a.initial_soc_fraction, a.min_soc_fraction) * a.energy_capacity_kwh
    for j in reversed(range(count)):
        held[j] = min(size, max(0.0, floor - size * (count - 1 - j)))
    left = a.initial_soc_fraction * a.energy_capacity_kwh - floor
    for j in range(count):
        added = min(left, size - held[j])
        held[j] += added
        left -= added
    return held


def _segments(rows: Rows, a, h: float, before: list, moves: tuple[int, int]) -> list[int]:
    """One step of every segment, each with a charge and a discharge of its own."""
    (charge, discharge), count, law = moves, a.ageing.segment_count, a.ageing
    life = 1 / law.cycle_life_count if law.cycle_coefficient is None else law.cycle_coefficient
    charges, discharges, stored = {charge: -1.0}, {discharge: -1.0}, []
    for j in range(count):
        deeper = ((j + 1) / count) ** law.depth_exponent - (j / count) ** law.depth_exponent
        price = 1000 * law.replacement_cost_per_kwh * life * deeper * count / a.discharge_efficiency
        own_charge, own_discharge = rows.column(0.0, np.inf), rows.column(0.0, np.inf, cost=price * h)
        stored.append(rows.column(0.0, a.energy_capacity_kwh / count))
        keep = 1 - a.self_discharge_fraction_per_h * h
        flow = {stored[j]: 1.0, own_charge: -h * a.charge_efficiency, own_discharge: h / a.discharge_efficiency}
        if isinstance(before[j], float):
            rows.row(flow, keep * before[j], keep * before[j])
        else:
            rows.row({**flow, before[j]: -keep}, 0.0, 0.0)
        charges[own_charge] = discharges[own_discharge] = 1.0
    rows.row(charges, 0.0, 0.0)
    rows.row(discharges, 0.0, 0.0)
    return stored
