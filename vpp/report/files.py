"""Writes a plan as files: `plan.csv`, `positions.csv`, `plan.json` and `report.html`."""

import csv
import hashlib
import io
import json
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from vpp.domain.horizon import Horizon
from vpp.domain.inputs import Inputs
from vpp.domain.plan import Alternative, BindingLimit, Money, Plan, Repair, Schedule, Spread
from vpp.domain.series import Premise
from vpp.domain.tariff import Billed
from vpp.domain.wear import Work
from vpp.report.page import report_page
from vpp.report.repairs import repair_message
from vpp.report.wording import NARROW_SPACE

SCHEMA_VERSION = 1


def write_plan(plan: Plan, folder: Path) -> tuple[Plan, dict[str, Any], list[Path]]:
    """Write all files of a plan, each of them whole or not at all, once all of them are made.

    Returns:
        The plan with the time that making its tables took, the content of `plan.json`, and the files.

    """
    started = time.perf_counter()
    tables = plan_tables(plan)
    plan = replace(plan, timing=replace(plan.timing, write=time.perf_counter() - started))
    digests = {name: digest(text) for name, text in tables.items()}
    document = plan_document(plan, digests)
    texts = {**tables, "plan.json": json_text(document), "report.html": report_page(plan, document["seal"])}
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        _write(folder / name, text)
    return plan, document, [folder / name for name in texts]


def plan_tables(plan: Plan) -> dict[str, str]:
    """The tables of a plan by the names of their files; one of all scenarios only where something is uncertain."""
    tables = {"plan.csv": plan_csv(plan), "positions.csv": positions_csv(plan)}
    return tables if plan.spread is None else tables | {"scenarios.csv": scenarios_csv(plan, plan.spread)}


def plan_csv(plan: Plan) -> str:
    """One row per step and asset: power, stored energy, state of charge, and every reserve held."""
    columns, head = _reserve_columns(plan)
    return _csv(head, _schedule_rows(plan, plan.schedules, columns))


def scenarios_csv(plan: Plan, spread: Spread) -> str:
    """The rows of `plan.csv` for every scenario, one after the other."""
    columns, head = _reserve_columns(plan)
    rows = (
        [outcome.name, *row] for outcome in spread.outcomes for row in _schedule_rows(plan, outcome.schedules, columns)
    )
    return _csv(["scenario", *head], rows)


def _reserve_columns(plan: Plan) -> tuple[list[tuple[str, str]], list[str]]:
    """Every reserve and way, and the names of all columns."""
    reserves = list(dict.fromkeys((p.product, p.direction) for p in plan.positions if p.direction != "net"))
    columns = [
        (product, way) for product, direction in reserves for way in ("up", "down") if direction in (way, "symmetric")
    ]
    head = ["start_utc", "asset_id", "export_kw", "stored_kwh", "soc_fraction"]
    return columns, [*head, *(f"{product}_{way}_kw" for product, way in columns)]


def _schedule_rows(
    plan: Plan, schedules: Sequence[Schedule], columns: Sequence[tuple[str, str]]
) -> Iterator[list[str]]:
    for step, start in enumerate(plan.horizon.starts):
        for schedule in schedules:
            held = {"up": schedule.up_kw, "down": schedule.down_kw}
            values = [schedule.export_kw, schedule.stored_kwh, schedule.soc_fraction]
            values += [held[way].get(product) for product, way in columns]
            yield [instant(start), schedule.asset_id, *("" if v is None else decimal(v[step]) for v in values)]


def positions_csv(plan: Plan) -> str:
    """One row per product and block: what is bought (negative) or sold (positive), at which price, for how much."""
    head = ["start_utc", "end_utc", "product", "direction", "quantity_kw", "price", "price_unit", "cash"]
    return _csv(
        head,
        (
            [
                instant(p.start),
                instant(p.end),
                p.product,
                p.direction,
                decimal(p.quantity_kw),
                decimal(p.price),
                p.price_unit,
                decimal(p.cash),
            ]
            for p in plan.positions
        ),
    )


def plan_document(plan: Plan, digests: dict[str, str]) -> dict[str, Any]:
    """The content of `plan.json`.

    `seal` is a digest of everything else in the document, and through `files` of the tables beside it.
    """
    document: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "site_id": plan.site_id,
        "created_utc": instant(plan.created),
        "horizon": _horizon(plan.horizon),
        "status": str(plan.status),
        "objective": _objective(plan.money),
        "bound": _finite(plan.bound),
        "gap_fraction": _finite(plan.gap_fraction),
        "idle_net": plan.idle_net,
        "timing_s": {stage: round(seconds, 6) for stage, seconds in asdict(plan.timing).items()},
        "premises": [_premise(premise) for premise in plan.premises],
        "inputs": None if plan.inputs is None else _inputs(plan.inputs),
        "repairs": [_repair(plan, repair) for repair in plan.repairs],
        **_uncertainty(plan.spread),
        "reserve_cost": dict(plan.reserve_cost or {}),
        "tariff": [_billed(plan, billed) for billed in plan.tariff],
        **({"ageing": _ageing(plan)} if plan.ageing else {}),
        "work": [_work(work) for work in plan.work],
        "shift": None if plan.shift is None else asdict(plan.shift) | {"net": plan.shift.net},
        "limits": [limit_document(plan, limit) for limit in plan.limits],
        "stored_value_per_mwh": {
            name: [round(value, 6) + 0.0 for value in values] for name, values in plan.stored_value_per_mwh.items()
        },
        "verification": asdict(plan.verification),
        "security": [],
        "files": digests,
    }
    return document | {"seal": digest(json_text(document))}


def _horizon(horizon: Horizon) -> dict[str, Any]:
    return {
        "start_utc": instant(horizon.start),
        "step_s": horizon.step_s,
        "count": horizon.count,
        "first_step_s": horizon.first_step_s,
        "timezone": horizon.timezone,
    }


def _objective(money: Money) -> dict[str, Any]:
    return {
        "currency": money.currency,
        "net": money.net,
        "energy": money.energy,
        "capacity": money.capacity,
        "wear": money.wear,
        "tariff": money.tariff,
        "penalties": money.penalties,
    }


def _premise(premise: Premise) -> dict[str, Any]:
    return {
        "input": premise.input,
        "age_s": None if premise.age_s is None else round(premise.age_s),
        "check": premise.check,
        "verdict": premise.verdict,
    }


def _repair(plan: Plan, repair: Repair) -> dict[str, Any]:
    return {
        "constraint": repair.constraint,
        "asset": repair.asset_id,
        "amount": repair.amount,
        "unit": repair.unit,
        "message": repair_message(plan, repair).replace(NARROW_SPACE, " "),
        "promised": repair.promised,
        "steps": list(repair.steps),
        "is_least": repair.is_least,
        **({"scenario": repair.scenario} if repair.scenario else {}),
        "alternatives": [_alternative(alternative) for alternative in repair.alternatives],
    }


def _inputs(inputs: Inputs) -> dict[str, Any]:
    return {
        "first_day": inputs.first_day.isoformat(),
        "last_day": inputs.last_day.isoformat(),
        "now_utc": None if inputs.now_utc is None else instant(inputs.now_utc),
        "prices": inputs.prices,
        "files": [asdict(file) for file in inputs.files],
    }


def _ageing(plan: Plan) -> dict[str, Any]:
    """What the plan takes of its stores' lives; costs are positive."""
    return {
        "rainflow_cost": sum(wear.rainflow_cost for wear in plan.ageing),
        "cycling_cost": sum(wear.cycling_cost for wear in plan.ageing),
        "resting_cost": sum(wear.resting_cost for wear in plan.ageing),
        "assets": [
            {
                "asset": wear.asset_id,
                "cycling_cost": wear.cycling_cost,
                "resting_cost": wear.resting_cost,
                "rainflow_cost": wear.rainflow_cost,
                "life_used_fraction": wear.life_used_fraction,
                "full_cycle_count": wear.full_cycle_count,
            }
            for wear in plan.ageing
        ],
    }


def _work(work: Work) -> dict[str, Any]:
    """What a store does; costs are positive."""
    own = asdict(work)
    return {"asset": own.pop("asset_id"), **own, "cost_per_mwh": work.cost_per_mwh}


def json_text(document: Any) -> str:
    """A JSON document as text, with a line break at its end."""
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def instant(at: datetime) -> str:
    """An instant in RFC 3339, in UTC."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def decimal(value: float) -> str:
    """With up to twelve decimals, and none that say nothing."""
    text = f"{value:.12f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _uncertainty(spread: Spread | None) -> dict[str, Any]:
    """What comes of the plan in each scenario, and of the worst of them."""
    if spread is None:
        return {"scenarios": [], "risk": None}
    return {
        "scenarios": [
            {"name": o.name, "weight": o.weight, "net": o.money.net, "is_shown": place == spread.shown}
            for place, o in enumerate(spread.outcomes)
        ],
        "risk": {"cvar": spread.cvar, "cvar_alpha": spread.cvar_alpha, "cvar_weight": spread.cvar_weight},
    }


def _alternative(way: Alternative) -> dict[str, Any]:
    value = way.value.strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(way.value, datetime) else way.value
    return {**asdict(way), "value": value}


def limit_document(plan: Plan, limit: BindingLimit) -> dict[str, Any]:
    """A limit, when it binds, and what one more unit of it would earn."""
    return {
        "owner": limit.owner,
        "limit": limit.limit,
        "bound": limit.bound,
        "unit": limit.unit,
        "starts_utc": [instant(plan.horizon.starts[step]) for step in limit.steps],
        "worth_per_unit": limit.worth_per_unit,
        "worths_per_unit": list(limit.worths_per_unit),
    }


def _billed(plan: Plan, billed: Billed) -> dict[str, Any]:
    unit = "kw" if billed.kind == "peak" else "kwh"
    return {
        "id": billed.entry,
        "kind": billed.kind,
        "of": billed.of,
        "cash": billed.cash,
        "energy_kwh": billed.energy_kwh,
        "periods": [
            {
                "period": each.period,
                f"reached_{unit}": each.reached,
                f"owed_{unit}": each.owed,
                f"billed_{unit}": each.billed,
                "cash": each.cash,
            }
            | (
                {
                    "starts_utc": [instant(plan.horizon.starts[step]) for step in each.steps],
                    "worth_per_kw": each.worth_per_kw,
                }
                if billed.kind == "peak"
                else {}
            )
            for each in billed.periods
        ],
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _csv(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue()


def digest(text: str) -> str:
    """A digest of a text, with the name of its method before it."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _write(path: Path, text: str) -> None:
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_text(text, "utf-8")
    unfinished.replace(path)
