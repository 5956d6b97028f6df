"""Machines that a limit turned down are left there for a while, not told to start every few seconds."""

from collections.abc import Mapping, Sequence

from vpp.domain.setpoint import Permit
from vpp.domain.snapshot import Decision, Outcome, Span
from vpp.domain.unit import Unit

LEFT_S = 600.0
"""A machine that a limit turned down is left there for so long: at most six starts an hour."""
LEAST_SHARE = 1e-4
"""What a machine cannot run at is a power from which it is away by more than this share of its larger rating."""


class Restarts:
    """What a limit has made of machines that cannot run at any power.

    Where a plan goes up to a limit, what is measured swings about it. A battery gives way by as much; a pump stops, and
    would start again at once.
    """

    def __init__(self, units: Sequence[Unit]) -> None:
        self._units = {unit.id: unit for unit in units if unit.least_charge_kw > 0 or unit.least_discharge_kw > 0}
        self._left: dict[str, tuple[float, Span]] = {}

    def note(self, decision: Decision, outcome: Outcome, mono_s: float) -> None:
        """Remember what was turned down to a power at which it cannot run, at an instant of the monotonic clock."""
        for name, unit in self._units.items():
            permit = outcome.get(name)
            if not isinstance(permit, Permit):
                continue
            wanted_kw, left_kw = decision.setpoints[name].export_kw, unit.settled_kw(permit.export_kw)
            is_less = abs(permit.export_kw) < abs(wanted_kw)
            if is_less and abs(left_kw - permit.export_kw) > LEAST_SHARE * max(unit.charge_kw, unit.discharge_kw):
                is_charging = wanted_kw < permit.export_kw
                span = (left_kw, unit.discharge_kw) if is_charging else (-unit.charge_kw, left_kw)
                self._left[name] = (mono_s + LEFT_S, span)

    def left(self, mono_s: float) -> Mapping[str, Span]:
        """Lowest and highest export of the machines that are left where a limit turned them down [kW]."""
        return {name: span for name, (until_s, span) in self._left.items() if mono_s < until_s}
