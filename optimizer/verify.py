"""Is the plan true? Energy, limits, reserves and money once more, with numpy alone.

Nothing here or in the assets' `check.py` comes from the model: a mistake in the mathematics shows as a disagreement.
"""

from collections.abc import Iterator

import numpy as np

from optimizer.assets import check_of
from optimizer.problem import Problem
from optimizer.tariff.bill import bill
from vpp.domain.errors import UnverifiedPlanError
from vpp.domain.plan import Money, Position, Schedule, Verification

TOLERANCE_KW = 1e-6
TOLERANCE_SHARE = 1e-7
"""A violation is noise up to `TOLERANCE_KW` plus this share of the largest power or energy in the plan."""
TOLERANCE_MONEY_SHARE = 1e-6
"""Money may differ by this share of all money moved."""


def verify(
    problem: Problem, schedules: tuple[Schedule, ...], positions: tuple[Position, ...], money: Money
) -> Verification:
    """Check a plan against the problem it answers.

    Raises:
        UnverifiedPlanError: a limit, a balance or a sum of money is wrong beyond rounding.

    """
    found = [(name, float(amount)) for name, amount in _violations(problem, schedules)]
    wrong_money = list(_wrong_money(problem, schedules, positions, money))
    allowed = TOLERANCE_KW + TOLERANCE_SHARE * _scale(schedules)
    broken = [f"{name} by {amount:.3g}" for name, amount in found if not amount <= allowed]
    if broken or wrong_money:
        raise UnverifiedPlanError((*broken, *wrong_money))
    return Verification(passed=True, worst_violation=max(0.0, *(amount for _, amount in found)))


def _scale(schedules: tuple[Schedule, ...]) -> float:
    values = [value for s in schedules for series in (s.export_kw, s.stored_kwh or ()) for value in series]
    return float(np.abs(values).max(initial=1.0))


def _violations(problem: Problem, schedules: tuple[Schedule, ...]) -> Iterator[tuple[str, float]]:
    for asset, schedule in zip(problem.assets, schedules, strict=True):
        if asset.id in problem.resting:
            continue  # it does not answer: where it stands is not the plan's doing
        for name, amount in check_of(asset).violations(asset, problem.inputs_of(asset), schedule):
            yield f"{asset.id}: {name}", amount
    site_kw = _site_export_kw(schedules)
    yield "connection: export limit", (site_kw - problem.connection.highest_export_kw).max()
    yield "connection: import limit", (-site_kw - problem.connection.import_limit_kw).max()
    for reserve in problem.reserves:
        for direction in ("up", "down"):
            if reserve.direction in (direction, "symmetric"):
                held = [getattr(s, f"{direction}_kw").get(reserve.product) for s in schedules]
                total = np.sum([values for values in held if values is not None], axis=0)
                yield f"{reserve.product}: {direction}", (np.array(reserve.hold_kw) - total).max()


def _site_export_kw(schedules: tuple[Schedule, ...]) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    total: np.ndarray[tuple[int], np.dtype[np.float64]] = np.sum([s.export_kw for s in schedules], axis=0)
    return total


def _energy_cash(
    problem: Problem, site_kw: "np.ndarray[tuple[int], np.dtype[np.float64]]", positions: tuple[Position, ...]
) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """What energy earns in each step: as it is metered, or as it was sold ahead and is metered beside that."""
    energy = problem.energy
    price = np.array(energy.import_price_per_mwh)
    ahead_cash, metered_mwh = np.zeros(site_kw.size), site_kw * problem.step_h / 1000
    sold_price, bought_price = np.array(energy.export_price_per_mwh or energy.import_price_per_mwh), price
    if energy.imbalance is not None:
        ahead_kw = np.array([p.quantity_kw for p in positions if p.product == energy.product])
        ahead_cash = ahead_kw * problem.step_h / 1000 * price
        metered_mwh = (site_kw - ahead_kw) * problem.step_h / 1000
        sold_price = np.array(energy.imbalance.surplus_price_per_mwh)
        bought_price = np.array(energy.imbalance.shortfall_price_per_mwh)
    cash: np.ndarray[tuple[int], np.dtype[np.float64]] = (
        ahead_cash + np.minimum(metered_mwh, 0) * bought_price + np.maximum(metered_mwh, 0) * sold_price
    )
    return cash


def _wrong_money(
    problem: Problem, schedules: tuple[Schedule, ...], positions: tuple[Position, ...], money: Money
) -> Iterator[str]:
    site_kw = _site_export_kw(schedules)
    cash = _energy_cash(problem, site_kw, positions)
    wear = sum(
        check_of(asset).wear(asset, problem.inputs_of(asset), schedule)
        for asset, schedule in zip(problem.assets, schedules, strict=True)
    )
    fees = sum(billed.cash for billed in bill(problem.tariff, problem.horizon, site_kw.tolist(), problem.so_far))
    allowed = TOLERANCE_MONEY_SHARE * (1 + float(np.abs(cash).sum()) + wear - fees)
    in_positions = sum(position.cash for position in positions)
    for name, told, true in (
        ("energy", money.energy, float(cash.sum())),
        ("wear", money.wear, -wear),
        ("tariff", money.tariff, fees),
        ("positions", in_positions, money.energy + money.capacity),
    ):
        if not abs(told - true) <= allowed:
            yield f"money: {name} is {told:.6f}, by plain arithmetic {true:.6f}"
