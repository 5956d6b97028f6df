"""What does a plan pay by each entry of the tariff, and what would one kW more of a peak be worth?"""

from dataclasses import replace

import numpy as np

from optimizer.assembly import tariff_owner
from optimizer.problem import Future
from optimizer.search import Found
from optimizer.tariff.bill import bill
from optimizer.tariff.clock import periods
from optimizer.tariff.peak import PER_KW, REACH
from optimizer.tariff.schema import PeakCharge
from vpp.domain.plan import Schedule
from vpp.domain.tariff import Billed


def read_tariff(future: Future, found: Found, schedules: tuple[Schedule, ...], weight: float) -> tuple[Billed, ...]:
    """The bill of one scenario of a plan, entry by entry; peaks with what limits them.

    Args:
        future: The scenario.
        found: What was found for all of them.
        schedules: What every asset does in it.
        weight: How much its money counts in the objective.

    """
    problem = future.problem
    site_kw = np.sum([schedule.export_kw for schedule in schedules], axis=0).tolist()
    charged = bill(problem.tariff, problem.horizon, site_kw, problem.so_far)
    return tuple(
        _with_worth(future, found, entry, billed, weight) if isinstance(entry, PeakCharge) else billed
        for entry, billed in zip(problem.tariff, charged, strict=True)
    )


def _with_worth(future: Future, found: Found, entry: PeakCharge, billed: Billed, weight: float) -> Billed:
    """The same, with the dual prices of all averages of a period: what one kW more would earn if it were free."""
    part = found.assembly.of(future).parts[tariff_owner(entry)]
    dual = found.prices.row_dual[found.assembly.program.rows(part.stamp, REACH, part.block)]
    of_step, _ = periods(entry.period, future.problem.horizon)
    worth = np.bincount(of_step, np.abs(dual)) / (PER_KW * weight)
    return replace(
        billed, periods=tuple(replace(p, worth_per_kw=float(w)) for p, w in zip(billed.periods, worth, strict=True))
    )
