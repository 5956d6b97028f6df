"""What does a running site look like in a terminal? From the published status alone."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from vpp.report.wording import MISSING, clock, money, number, signed

MARKS = {1: "◆ 1", 2: "▲ 2", 3: "■ 3"}
MOST_ROWS = 12
RUNGS = {1: "plan", 2: "previous plan", 3: "rule", 4: "safe stop"}


def status_text(status: Mapping[str, Any], name: str, zone: str, *, shows_all: bool) -> str:
    """The whole status.

    Args:
        status: Content of `dispatcher/status`.
        name: Of the site, for people.
        zone: The site's time zone.
        shows_all: Whether assets that need no attention are shown too.

    """
    at = local(status["at"], zone)
    lines = ["", f"  {name}   {at:%H:%M:%S}   {in_control(status, zone)}", *_plan(status), *_site(status), ""]
    lines += [*_alarms(status, at), *_overrides(status, zone), *_assets(status, shows_all=shows_all)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def local(instant: str, zone: str) -> datetime:
    """An instant in the site's time zone."""
    return datetime.fromisoformat(instant).astimezone(ZoneInfo(zone))


def in_control(status: Mapping[str, Any], zone: str) -> str:
    """Who is in control, and until when."""
    plan, who = status["plan"], str(status["in_control"]).upper()
    if status["in_control"] == "override":
        until = max((local(o["until"], zone) for o in status.get("overrides", [])), default=None)
        return f"{who} in control" + ("" if until is None else f" until {clock(until)}")
    if status["in_control"] == "plan" and plan is not None:
        return f"{who} in control until {clock(local(plan['until'], zone))}"
    return f"{who} in control ({RUNGS[status['rung']]})"


def _plan(status: Mapping[str, Any]) -> Iterator[str]:
    plan = status["plan"]
    if plan is None:
        yield "  no plan"
        return
    worth = "" if plan["idle_net"] is None else f", {money(plan['net'] - plan['idle_net'])} more than stores at rest"
    age = f"{plan['age_s'] / 60:.0f} min" if plan["age_s"] >= 60 else f"{plan['age_s']:.0f} s"  # noqa: PLR2004
    yield f"  plan {plan['status']}, age {age}, expects {money(plan['net'])} {plan['currency']}{worth}"
    if status.get("planner", "ok") != "ok":
        yield f"  planner: {status['planner']}"


def _site(status: Mapping[str, Any]) -> Iterator[str]:
    site = status.get("site")
    if not site:
        return
    export_kw = site["export_kw"]
    if export_kw is None:
        yield "  grid  not known: a device is silent"
    else:
        way, limit_kw = ("export", site["export_limit_kw"]) if export_kw >= 0 else ("import", site["import_limit_kw"])
        yield f"  grid  {signed(export_kw)} kW {way} (limit {number(limit_kw)})"
    if site["target_kw"] is not None:
        short = f", {number(abs(site['residual_kw']))} kW cannot be delivered" if abs(site["residual_kw"]) >= 1 else ""
        yield f"  target {signed(site['target_kw'])} kW{short}"


def _alarms(status: Mapping[str, Any], at: datetime) -> Iterator[str]:
    if not status["alarms"]:
        yield "  No alarms."
    for alarm in status["alarms"]:
        minutes = (at - datetime.fromisoformat(alarm["since"])).total_seconds() / 60
        seen = "" if alarm["acknowledged_by"] is None else f", seen by {alarm['acknowledged_by']}"
        yield f"  {MARKS[alarm['severity']]}  {alarm['message']}, {minutes:.0f} min{seen}"
        yield f"         {alarm['remedy']}"
    yield ""


def _overrides(status: Mapping[str, Any], zone: str) -> Iterator[str]:
    for o in status.get("overrides", []):
        value = "" if o["value"] is None else f" {o['value']:g}" if isinstance(o["value"], float) else f" {o['value']}"
        until = clock(local(o["until"], zone))
        yield f'  {o["operator"]}: {o["asset"]} {o["action"]}{value} until {until}   "{o["reason"]}"'
    if status.get("overrides"):
        yield ""


def _assets(status: Mapping[str, Any], *, shows_all: bool) -> Iterator[str]:
    assets: Mapping[str, Mapping[str, Any]] = status["assets"]
    if not assets:
        return
    order = sorted(assets, key=lambda name: (-_trouble(assets[name]), name))
    shown = order if shows_all else order[:MOST_ROWS]
    width = max(5, *(len(name) for name in shown))
    yield f"  {'asset':<{width}}  {'plan':>8}  {'does':>8}  {'permitted':>9}  {'stored':>6}  {'lease':>5}  why"
    for name in shown:
        asset = assets[name]
        stored = MISSING if asset["soc_fraction"] is None else f"{100 * asset['soc_fraction']:.0f} %"
        lease = MISSING if asset["lease_s"] is None else f"{asset['lease_s']:.0f} s"
        does = _kw(asset["export_kw"]) if asset["verdict"] == "fresh" else f"({_kw(asset['export_kw'])})"
        mark = "◆ " if _trouble(asset) >= 1 else ""
        yield (
            f"  {name:<{width}}  {_kw(asset['planned_kw']):>8}  {does:>8}  {_kw(asset['permitted_kw']):>9}  "
            f"{stored:>6}  {lease:>5}  {mark}{asset['why']}"
        )
    if len(order) > len(shown):
        yield f"  … {len(order) - len(shown):,} more (--all)"


def _trouble(asset: Mapping[str, Any]) -> float:
    """How much attention an asset needs: 1 and more where something is wrong, else its deviation."""
    if asset["verdict"] != "fresh" or not asset["follows"]:
        return 2.0
    if asset["permitted_kw"] is None or asset["kind"] != "storage":
        return 0.0
    off_kw = abs(float(asset["export_kw"]) - float(asset["permitted_kw"]))
    return min(0.99, off_kw / max(1.0, abs(float(asset["permitted_kw"]))))


def _kw(value: float | None) -> str:
    return MISSING if value is None else signed(value)
