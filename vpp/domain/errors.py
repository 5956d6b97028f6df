"""What can go wrong with what a user gave us, and how it is told."""

from collections.abc import Sequence
from dataclasses import dataclass

from vpp.domain.horizon import Horizon


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with an input: where, what is there, what is allowed, what to do."""

    file: str
    """Name of the file as the user gave it."""
    path: str
    """Place inside the file, such as `assets[0].min_soc_fraction`."""
    value: str
    """What is there, as it is written."""
    problem: str
    """What is allowed, or what is missing."""
    remedy: str = ""
    """An instruction that mends it; empty where the problem already says it."""
    line: int | None = None
    """Line of `file`, counted from 1."""


class InputError(Exception):
    """Bad input. Carries every fault that was found, never only the first."""

    def __init__(self, faults: Sequence[Fault], consequence: str = "nothing was planned") -> None:
        self.faults = tuple(faults)
        self.consequence = consequence
        super().__init__("; ".join(f"{f.file}: {f.path}: {f.problem}" for f in self.faults))


@dataclass(frozen=True)
class Conflict:
    """One of several limits that contradict one another."""

    owner: str
    """Asset, or part of the site."""
    limit: str
    steps: tuple[int, ...]
    """Steps of the horizon in which it takes part; none for a limit on the plan as a whole."""


class InfeasibleError(Exception):
    """No plan keeps every limit, or none was found in the time allowed.

    Args:
        conflicts: Limits that contradict one another; none where they were not found.
        horizon: Steps that the limits are of.
        is_certain: Whether there is no plan; otherwise none was found in the time allowed.

    """

    def __init__(self, conflicts: tuple[Conflict, ...], horizon: Horizon, *, is_certain: bool = True) -> None:
        self.conflicts, self.horizon, self.is_certain = conflicts, horizon, is_certain
        names = "; ".join(f"{conflict.owner}: {conflict.limit}" for conflict in conflicts)
        told = f"no plan keeps every limit{names and ': '}{names}"
        super().__init__(told if is_certain else "no plan was found in the time allowed")


class UnverifiedPlanError(Exception):
    """The solver returned a plan that independent arithmetic refutes; it must not be used."""

    def __init__(self, violations: tuple[str, ...]) -> None:
        self.violations = violations
        super().__init__("the plan failed its verification: " + "; ".join(violations))


class UnavailableError(Exception):
    """A component that is needed does not answer, or cannot be had."""

    def __init__(self, thing: str, reason: str, remedy: str) -> None:
        self.thing, self.reason, self.remedy = thing, reason, remedy
        super().__init__(f"{thing}: {reason}. {remedy}")


class HeldError(UnavailableError):
    """Another process holds what only one may have, or it cannot be had at all."""
