"""What would come of a decision, were there no ramps?"""

from dataclasses import dataclass

from vpp.domain.setpoint import Permit, Setpoint
from vpp.domain.snapshot import Decision, Outcome, Snapshot
from vpp.domain.unit import Kind, Unit


@dataclass(frozen=True, slots=True)
class Expected:
    """What assets would do, and the site where somebody asked it for a power."""

    outcome: Outcome
    site_kw: float | None = None
    """Export of the site; `None` where nobody asked for any."""
    narrowed_by: str | None = None
    """What keeps the site from the power it is asked for; `None` where nothing does."""


def expected(snapshot: Snapshot, decision: Decision, outcome: Outcome) -> Expected:
    """What comes of a decision: control may find no asset for a part of it, and safety may take another part away."""
    if decision.target_kw is None:
        return Expected(outcome)
    site_kw, narrowed_by = decision.target_kw - decision.residual_kw, None
    if abs(decision.residual_kw) > 0:
        narrowed_by = "its assets can do no more"
    for unit in snapshot.units:
        answer, setpoint = outcome.get(unit.id), decision.setpoints.get(unit.id)
        if isinstance(answer, Permit) and setpoint is not None and answer.narrowed_by is not None:
            taken_kw = _taken_kw(snapshot, unit, setpoint, answer)
            site_kw -= taken_kw
            narrowed_by = answer.narrowed_by if taken_kw else narrowed_by
    return Expected(outcome, site_kw, narrowed_by)


def _taken_kw(snapshot: Snapshot, unit: Unit, setpoint: Setpoint, permit: Permit) -> float:
    """What safety takes of an asset's export; a ceiling above what sun or wind give takes nothing."""
    told = snapshot.readings[unit.id].fresh
    most_kw = told.export_kw if told is not None and unit.kind is Kind.GENERATION else unit.discharge_kw
    return min(setpoint.export_kw, most_kw) - min(permit.export_kw, most_kw)
