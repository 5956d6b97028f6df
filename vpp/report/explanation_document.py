"""What `vpp explain --json` prints."""

from typing import Any

from vpp.domain.plan import Plan, Schedule
from vpp.report.explanation import Instead, moves, step_text
from vpp.report.files import instant, limit_document
from vpp.report.why import in_words, limits_of, reasons, spells
from vpp.report.wording import NARROW_SPACE


def overview_document(plan: Plan, asset_id: str | None) -> dict[str, Any]:
    """Every asset, or one of them: its spells, and what a MWh is worth to it, step by step."""
    told = [s for s in plan.schedules if asset_id in (None, s.asset_id)]
    return {
        "currency": plan.money.currency,
        "starts_utc": [instant(start) for start in plan.horizon.starts],
        "assets": {s.asset_id: _asset(plan, s) for s in told},
        "limits": [limit_document(plan, limit) for limit in plan.limits if asset_id in (None, limit.owner)],
    }


def _asset(plan: Plan, schedule: Schedule) -> dict[str, Any]:
    account = plan.accounts.get(schedule.asset_id)
    worths = ("meter_per_mwh", "stored_per_mwh", "gives_above_per_mwh", "takes_below_per_mwh")
    return {
        "type": schedule.asset_type,
        "export_kw": schedule.export_kw,
        **{name: None if account is None else getattr(account, name) for name in worths},
        "spells": [
            {
                "start_utc": instant(plan.horizon.starts[spell.first]),
                "end_utc": instant(plan.horizon.ends[spell.after - 1]),
                "does": spell.reason.verb,
                "because": str(spell.reason.because.value),
                "limits": spell.reason.limits,
                "text": in_words(plan, schedule, spell),
            }
            for spell in spells(plan, schedule)
        ],
    }


def step_document(plan: Plan, schedule: Schedule, step: int) -> dict[str, Any]:
    """One step of one asset."""
    account, reason = plan.accounts.get(schedule.asset_id), reasons(plan, schedule)[step]
    worths = ("meter_per_mwh", "stored_per_mwh", "gives_above_per_mwh", "takes_below_per_mwh")
    series = {name: None if account is None else getattr(account, name) for name in worths}
    return {
        "currency": plan.money.currency,
        "asset": schedule.asset_id,
        "start_utc": instant(plan.horizon.starts[step]),
        "end_utc": instant(plan.horizon.ends[step]),
        "export_kw": schedule.export_kw[step],
        "import_price_per_mwh": plan.import_price_per_mwh[step],
        "export_price_per_mwh": plan.export_price_per_mwh[step],
        **{name: None if values is None else values[step] for name, values in series.items()},
        "does": reason.verb,
        "because": str(reason.because.value),
        "limits": [] if account is None else [vars(h) for h in limits_of(plan, schedule.asset_id, account)[step]],
        "text": [sentence.replace(NARROW_SPACE, " ") for sentence in step_text(plan, schedule, step)],
    }


def contrast_document(plan: Plan, instead: Instead) -> dict[str, Any]:
    """What another power in that step comes to."""
    other = instead.plan or instead.nearest_plan
    names = ("net", "energy", "capacity", "wear", "tariff", "penalties")
    return {
        "wanted_kw": instead.wanted_kw,
        "is_possible": instead.plan is not None,
        "conflicts": [
            {"owner": c.owner, "limit": c.limit, "starts_utc": [instant(plan.horizon.starts[k]) for k in c.steps]}
            for c in instead.conflicts
        ],
        "nearest_kw": instead.nearest_kw,
        "cost": None if other is None else plan.money.net - other.money.net,
        "objective": None if other is None else {name: getattr(other.money, name) for name in names},
        "changes": []
        if other is None
        else [
            {
                "asset": move.asset_id,
                "start_utc": instant(plan.horizon.starts[move.first]),
                "end_utc": instant(plan.horizon.ends[move.after - 1]),
                "planned_kw": move.planned_kw,
                "instead_kw": move.instead_kw,
                "energy_kwh": move.energy_kwh,
            }
            for move in moves(plan, other)
        ],
    }
