"""Which limits cost most, and how are they named?"""

from dataclasses import dataclass

from vpp.domain.plan import BindingLimit, Plan
from vpp.report.wording import NARROW_SPACE, quantity, rate

WIDENED = 0.01
"""Share by which a limit is widened to say what it is worth."""


@dataclass(frozen=True)
class Told:
    """A limit in words."""

    name: str
    """Owner, name and size."""
    steps: tuple[int, ...]
    unit: str
    worth_per_unit: float
    worth_of_hundredth: float | None
    """What widening it by a hundredth would earn; `None` where the limit is zero or differs from step to step."""


def told_limits(plan: Plan) -> list[Told]:
    """The limits, the one whose widening by a hundredth earns most first.

    A limit that enters the model twice, such as the energy behind a reserve at the start and at the end of a step, is
    one limit.
    """
    groups: dict[tuple[str, str, float | None], list[BindingLimit]] = {}
    for limit in plan.limits:
        groups.setdefault((limit.owner, limit.limit, limit.bound), []).append(limit)
    found = []
    for (owner, name, bound), members in groups.items():
        unit, worth = members[0].unit, sum(member.worth_per_unit for member in members)
        size = "" if bound is None else f" {quantity(bound)}{NARROW_SPACE}{unit}"
        steps = tuple(sorted({step for member in members for step in member.steps}))
        hundredth = None if not bound else WIDENED * bound * worth
        found.append(Told(f"{owner}: {name}{size}", steps, unit, worth, hundredth))
    return sorted(found, key=lambda told: -(told.worth_of_hundredth or WIDENED * told.worth_per_unit))


def worth(plan: Plan, told: Told) -> str:
    """What one unit more of a limit would earn over the whole plan."""
    return f"{rate(told.worth_per_unit)} {plan.money.currency}/{told.unit}"
