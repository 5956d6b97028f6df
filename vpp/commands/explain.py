"""`vpp explain`: says why each set-point of a plan is as it is, and what another one would have cost."""

import argparse
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from optimizer.contrast import contrast
from optimizer.planner import explained
from optimizer.problem import Problem, Wanted
from optimizer.repair import settled
from vpp.domain.errors import Fault, InputError
from vpp.domain.horizon import Horizon
from vpp.domain.plan import Plan, Schedule
from vpp.faults import did_you_mean
from vpp.intake import take_in
from vpp.output import Output
from vpp.progress import Progress
from vpp.recorded import Recorded, opened
from vpp.report.explanation import Instead, contrast_text, overview, step_text
from vpp.report.explanation_document import contrast_document, overview_document, step_document
from vpp.report.files import digest, plan_csv
from vpp.report.terminal import sentences
from vpp.report.wording import Calendar

CONSEQUENCE = "nothing was explained"
MADE_OTHERWISE = (
    "Made again, the plan is not the one in plan.csv: by other versions of the program or the solver, or because a "
    "search ended for lack of time. What follows is about the plan as it is made now."
)
_CLOCK = re.compile(r"(?P<hour>[01]\d|2[0-3]):(?P<minute>[0-5]\d)(?P<which>[AB]?)")


def run(options: argparse.Namespace, output: Output) -> None:
    """Make the plan again from what it was made from, and say why it is as it is."""
    _refuse_halves(options)
    with opened(options.plan, CONSEQUENCE) as recorded:
        created = datetime.now(UTC)
        case = take_in(recorded.request, created)
        schedule_id, step = _chosen(case.problem, options)
        with Progress(output) as progress:
            made = replace(explained(case.problem, created, progress), premises=case.premises)
    notes = _notes(recorded, made)
    head = {"site_id": made.site_id, "created_utc": recorded.document["created_utc"], "is_as_written": not notes}
    if step is None:
        text = overview(made, schedule_id, notes, width=output.width)
        output.result(text, head | overview_document(made, schedule_id))
        return
    schedule = next(s for s in made.schedules if s.asset_id == schedule_id)
    problem = settled(case.problem, made)
    instead = None if options.want is None else _instead(problem, schedule.asset_id, step, options.want, created)
    text = _step(made, schedule, step, instead, notes=notes, width=output.width)
    document = head | step_document(made, schedule, step)
    output.result(text, document | {"instead": None if instead is None else contrast_document(made, instead)})


def _instead(problem: Problem, asset_id: str, step: int, wanted_kw: float, created: datetime) -> Instead:
    found = contrast(problem, Wanted(asset_id, step, wanted_kw), created)
    return Instead(wanted_kw, found.plan, found.conflicts, found.nearest_kw, found.nearest_plan)


def _notes(recorded: Recorded, made: Plan) -> list[str]:
    if recorded.document["files"].get("plan.csv") == digest(plan_csv(made)):
        return []
    return [MADE_OTHERWISE]


def _step(
    made: Plan, schedule: Schedule, step: int, instead: Instead | None, *, notes: Sequence[str], width: int
) -> str:
    calendar = Calendar(made.horizon)
    lines = ["", f"  Why: {made.site_name}, {calendar.title()}", ""]
    lines += [line for note in notes for line in (*sentences(note, width), "")]
    lines += [line for sentence in step_text(made, schedule, step) for line in sentences(sentence, width)]
    if instead is not None:
        lines += ["", *contrast_text(made, schedule, step, instead, width=width)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _refuse_halves(options: argparse.Namespace) -> None:
    """Options that mean something together only.

    Raises:
        InputError: one of them stands alone.

    """
    faults = []
    if options.at is not None and options.asset is None:
        faults.append(Fault("command line", "--at", options.at, "needs --asset", "Name the asset that is meant."))
    if options.want is not None and options.at is None:
        faults.append(
            Fault("command line", "--want", f"{options.want:g}", "needs --at", "Name the step that is meant.")
        )
    if faults:
        raise InputError(faults, CONSEQUENCE)


def _chosen(problem: Problem, options: argparse.Namespace) -> tuple[str | None, int | None]:
    """The asset and the step that are meant.

    Raises:
        InputError: there is no such asset, or the time names no step of the plan.

    """
    faults, step = [], None
    ids = [asset.id for asset in problem.assets]
    if options.asset is not None and options.asset not in ids:
        remedy = f"{did_you_mean(options.asset, ids)}Assets of this plan: {', '.join(ids)}."
        faults.append(Fault("command line", "--asset", options.asset, "not an asset of this plan", remedy))
    if options.at is not None:
        found = _step_at(problem.horizon, options.at)
        if isinstance(found, Fault):
            faults.append(found)
        else:
            step = found
    if faults:
        raise InputError(faults, CONSEQUENCE)
    return options.asset, step


def _step_at(horizon: Horizon, text: str) -> int | Fault:
    """The step that contains an instant, or that begins at or before a local time of the plan's only day."""

    def fault(problem: str, remedy: str) -> Fault:
        return Fault("command line", "--at", text, problem, remedy)

    first, last = horizon.local_starts[0], horizon.local_ends[-1]
    span = f"The plan covers {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}, {horizon.timezone}."
    found = _CLOCK.fullmatch(text)
    if found:
        days = sorted({start.date() for start in horizon.local_starts})
        if len(days) > 1:
            return fault("is a time of several days", f"Write the day too, such as {days[0]}T{text}.")
        at = datetime(days[0].year, days[0].month, days[0].day, int(found["hour"]), int(found["minute"]))  # noqa: DTZ001
        at = at.replace(tzinfo=ZoneInfo(horizon.timezone), fold=found["which"] == "B")
        if at.replace(fold=0).utcoffset() != at.replace(fold=1).utcoffset() and not found["which"]:
            return fault("is passed twice, or never, on this day", f"Write {text}A or {text}B, or an instant in UTC.")
    else:
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            return fault("is no time", "Write 17:15, or an instant such as 2026-11-23T09:15:00Z.")
        at = at if at.tzinfo is not None else at.replace(tzinfo=ZoneInfo(horizon.timezone))
    at = at.astimezone(UTC)
    for step, (start, end) in enumerate(zip(horizon.starts, horizon.ends, strict=True)):
        if start <= at < end:
            return step
    return fault("is outside the plan", span)
