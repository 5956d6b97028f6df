"""How does the solver's answer become schedules, positions and money?"""

from dataclasses import replace

import numpy as np

from optimizer.assembly import RESERVES, Assembly
from optimizer.asset import Asset
from optimizer.assets import type_of
from optimizer.evaluation import money_earned, port_values
from optimizer.expression import Array
from optimizer.ports import MONEY, PORTS, PROSPECT
from optimizer.problem import Problem
from optimizer.stamp import Stamp
from optimizer.template import Name, Template
from vpp.domain.plan import Money, Position, Schedule, Values

Ports = dict[tuple[Stamp, Name], Array]
"""What each stamp offers; shape (N, steps) each."""
DECIMALS = 9
"""Powers and energies are rounded to this many decimals, far below what the solver can tell apart."""


def read_schedules(problem: Problem, assembly: Assembly, value: Array) -> tuple[Schedule, ...]:
    """What every asset does, in the order of the site."""
    ports = {
        (stamp, port): port_values(assembly.program, value, stamp, port)
        for stamp in dict.fromkeys(part.stamp for part in assembly.parts.values())
        for port in stamp.template.ports
    }
    return tuple(_read_schedule(problem, assembly, value, asset, ports) for asset in problem.assets)


def _read_schedule(problem: Problem, assembly: Assembly, value: Array, asset: Asset, ports: Ports) -> Schedule:
    part = assembly.parts[asset.id]
    template, own = part.stamp.template, slice(part.block, part.block + 1)

    def port(name: str, *key: int) -> Array | None:
        values = ports.get((part.stamp, (name, key)))
        return None if values is None else values[part.block]

    def reserves(name: str) -> dict[str, Values]:
        held = {r.product: (port(name, k), r.power) for k, r in enumerate(problem.reserves)}
        return {product: _values(kw / power) for product, (kw, power) in held.items() if kw is not None}

    lower, upper = (bound[0] for bound in part.stamp.bounds(own))

    def bounds(name: str) -> tuple[Values, Values] | tuple[None, None]:
        if (name, ()) not in template.columns:
            return None, None
        places = part.stamp.columns((name, ()))
        return _values(lower[places]), _values(upper[places])

    stored_kwh, export_kw = port("stored_kwh"), port("export_kw")
    floor_kwh, ceiling_kwh = bounds("stored_kwh")
    assert export_kw is not None, f"{asset.id}: an asset without the port export_kw"
    return Schedule(
        asset_id=asset.id,
        asset_type=type_of(asset),
        export_kw=_values(export_kw),
        available_kw=bounds("export_kw")[1],
        stored_kwh=None if stored_kwh is None else _values(stored_kwh),
        energy_capacity_kwh=getattr(asset, "energy_capacity_kwh", None),
        initial_kwh=None if stored_kwh is None else float(part.stamp.values["initial_kwh"][part.block]),
        floor_kwh=floor_kwh,
        ceiling_kwh=ceiling_kwh,
        up_kw=reserves("up_kw"),
        down_kw=reserves("down_kw"),
        flows={
            name: _values(assembly.column(value, asset.id, name))
            for (name, key), column in template.columns.items()
            if not key and column.timed and name not in PORTS and (part.is_decision or not column.is_integer)
        },
        lacking_kwh=_lacking_kwh(assembly, value, asset, template),
    )


def _lacking_kwh(assembly: Assembly, value: Array, asset: Asset, template: Template) -> float:
    """What a store holds at the end below what it shall; negative above it."""
    if ("lacking_kwh", ()) not in template.columns:
        return 0.0
    lacking, exceeding = (assembly.column(value, asset.id, f"{name}_kwh")[0] for name in ("lacking", "exceeding"))
    return round(float(lacking - exceeding), DECIMALS) + 0.0


def held(problem: Problem, assembly: Assembly, value: Array) -> Problem:
    """The problem with the capacity that an answer holds, which is less than was sold where promises give way."""
    if problem.giving is None or not problem.reserves:
        return problem
    part = assembly.parts[RESERVES]
    columns = [
        assembly.program.columns(part.stamp, ("missing_kw", (k,)), part.block) for k in range(len(problem.reserves))
    ]
    missing = [value[places] / reserve.power for places, reserve in zip(columns, problem.reserves, strict=True)]
    return replace(
        problem,
        reserves=tuple(
            replace(reserve, hold_kw=_values(np.maximum(np.array(reserve.hold_kw) - kw, 0.0)))
            for reserve, kw in zip(problem.reserves, missing, strict=True)
        ),
    )


def _values(array: Array) -> Values:
    """Rounded, and without negative zeros."""
    return tuple((np.round(array, DECIMALS) + 0.0).tolist())


def read_money(problem: Problem, assembly: Assembly, value: Array) -> Money:
    """Money by component, as the model counts it."""
    earned = money_earned(assembly.program, value, frozenset(MONEY), assembly.stamps)
    return Money(problem.currency, **{component: earned.get(component, 0.0) / 1000 + 0.0 for component in MONEY})


def read_prospect(assembly: Assembly, value: Array) -> float:
    """Worth of what is left in the stores after the horizon, in the site's currency."""
    found = money_earned(assembly.program, value, frozenset({PROSPECT}), assembly.stamps)
    return found.get(PROSPECT, 0.0) / 1000


def read_positions(
    problem: Problem, schedules: tuple[Schedule, ...], scheduled_kw: Array | None = None
) -> tuple[Position, ...]:
    """Energy bought and sold, step by step, then the reserves held.

    Energy is sold as it is metered; or, where a quantity was sold ahead, that quantity, and what is metered beside it.
    """
    site_kw = np.round(np.sum([schedule.export_kw for schedule in schedules], axis=0), DECIMALS) + 0.0
    horizon, energy = problem.horizon, problem.energy
    if energy.imbalance is None or scheduled_kw is None:
        export_price = energy.export_price_per_mwh or energy.import_price_per_mwh
        positions = _energy_positions(problem, energy.product, site_kw, export_price, energy.import_price_per_mwh)
    else:
        ahead_kw, price = np.round(scheduled_kw, DECIMALS) + 0.0, energy.import_price_per_mwh
        beside = energy.imbalance
        positions = _energy_positions(problem, energy.product, ahead_kw, price, price)
        positions += _energy_positions(
            problem,
            beside.product,
            np.round(site_kw - ahead_kw, DECIMALS) + 0.0,
            beside.surplus_price_per_mwh,
            beside.shortfall_price_per_mwh,
        )
    for reserve in problem.reserves:
        for span, quantity_kw in zip(zip(horizon.starts, horizon.ends, strict=True), reserve.hold_kw, strict=True):
            positions.append(Position(*span, reserve.product, reserve.direction, quantity_kw, 0.0, "per_mw_h", 0.0))
    return tuple(positions)


def _energy_positions(
    problem: Problem, product: str, quantity_kw: Array, sold_per_mwh: Values, bought_per_mwh: Values
) -> list[Position]:
    price = np.where(quantity_kw >= 0, sold_per_mwh, bought_per_mwh)
    cash = quantity_kw * problem.step_h / 1000 * price + 0.0
    numbers = zip(quantity_kw.tolist(), price.tolist(), cash.tolist(), strict=True)
    spans = zip(problem.horizon.starts, problem.horizon.ends, strict=True)
    return [
        Position(*span, product, "net", quantity, per_mwh, "per_mwh", earned)
        for span, (quantity, per_mwh, earned) in zip(spans, numbers, strict=True)
    ]
