"""How much of the energy that went into a store came out again?"""

from vpp.domain.plan import Schedule

SPILL = "spill_kw"
"""Flow of a store into which energy comes by itself: what of it is lost unused."""
SAME_SHARE = 1e-3
"""A store that ends as it began, up to this share of what it charged, has a round trip."""


def round_trip(out: float, into: float) -> float | None:
    """Energy out over energy in, in one unit; `None` where nothing went in."""
    return out / into if into > 0 else None


def round_trips(schedule: Schedule, step_h: tuple[float, ...]) -> tuple[float, float] | None:
    """The efficiency of a store at its terminals, and with its own consumption at the meter.

    Args:
        schedule: What a store does.
        step_h: Length of each step [h].

    Returns:
        Nothing where the store does not move, ends with another energy than it began with, or has an inflow.

    """
    charge_kw, discharge_kw = schedule.flows.get("charge_kw"), schedule.flows.get("discharge_kw")
    if charge_kw is None or discharge_kw is None or schedule.stored_kwh is None or schedule.initial_kwh is None:
        return None
    if SPILL in schedule.flows:
        return None
    charged_kwh = _energy_kwh(charge_kw, step_h)
    if abs(schedule.stored_kwh[-1] - schedule.initial_kwh) > SAME_SHARE * charged_kwh:
        return None
    at_terminals = round_trip(_energy_kwh(discharge_kw, step_h), charged_kwh)
    out_kwh = _energy_kwh(tuple(max(0.0, kw) for kw in schedule.export_kw), step_h)
    overall = round_trip(out_kwh, _energy_kwh(tuple(max(0.0, -kw) for kw in schedule.export_kw), step_h))
    return None if at_terminals is None or overall is None else (at_terminals, overall)


def _energy_kwh(power_kw: tuple[float, ...], step_h: tuple[float, ...]) -> float:
    return sum(kw * h for kw, h in zip(power_kw, step_h, strict=True))
