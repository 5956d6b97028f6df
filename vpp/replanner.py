"""Plans a running site again and again: each plan continues the one before, from what was measured.

It runs in a process of its own, so that no search ever delays a tick:

    python -m vpp.replanner SITE.yaml

reads requests from standard input and writes answers to standard output, one JSON document a line each.
"""

import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from optimizer.problem import Problem, State
from optimizer.rolling import Rolling
from vpp.domain.course import Course
from vpp.domain.errors import InfeasibleError, InputError, UnverifiedPlanError
from vpp.domain.plan import Plan, Schedule
from vpp.domain.series import Premise
from vpp.outlook import look_ahead
from vpp.planning import PlanAnswer, PlanRequest, answer_line, read_request
from vpp.report.repairs import repairs_told
from vpp.report.wording import NARROW_SPACE

CURTAILED_KW = 1e-3
"""Generation that stays below what is there by more than this is curtailed on purpose."""


class Replanner:
    """Plans of one site, one after another.

    Args:
        site_path: The site file, read again for every plan.

    """

    def __init__(self, site_path: Path) -> None:
        self._site_path = site_path
        self._rolling = Rolling()
        self._count = 0

    def plan(self, request: PlanRequest) -> PlanAnswer:
        """The best course of the coming day, or why there is none."""
        states = {
            name: State(s.stored_kwh, s.discharged_today_kwh, s.export_kw, s.stored_before_kwh)
            for name, s in request.stores.items()
        }
        try:
            case = look_ahead(self._site_path, request.now, states, request.feeds)
            problem = replace(case.problem, resting=frozenset(request.excluded), so_far=request.so_far)
            made = self._rolling.plan(problem, request.now)
        except InputError as error:
            return PlanAnswer(None, str(error))
        except (InfeasibleError, UnverifiedPlanError) as error:
            return PlanAnswer(None, str(error))
        self._count += 1
        name = f"{request.now:%Y%m%dT%H%M%SZ}-{self._count}"
        return PlanAnswer(course_of(made, name, request.now, case.premises, self._idle_net(problem)))

    def _idle_net(self, problem: Problem) -> float | None:
        return self._rolling.idle_net(problem)


def course_of(
    plan: Plan, name: str, created: datetime, premises: tuple[Premise, ...], idle_net: float | None
) -> Course:
    """What of a plan is followed."""
    horizon = plan.horizon
    return Course(
        id=name,
        created=created,
        start=horizon.start,
        first_step_s=horizon.first_step_s,
        step_s=horizon.step_s,
        count=horizon.count,
        export_kw={schedule.asset_id: schedule.export_kw for schedule in plan.schedules},
        stored_kwh=_stored(plan.schedules),
        is_curtailed={s.asset_id: _curtailed(s) for s in plan.schedules if s.available_kw is not None},
        import_price_per_mwh=plan.import_price_per_mwh,
        export_price_per_mwh=plan.export_price_per_mwh,
        currency=plan.money.currency,
        status=str(plan.status),
        net=plan.money.net,
        idle_net=idle_net,
        gap_fraction=plan.gap_fraction,
        premises=premises,
        repairs=_broken_promises(plan),
    )


def _broken_promises(plan: Plan) -> tuple[str, ...]:
    """What a plan gives up, for somebody who may sit under another clock."""
    given_up = replace(plan, repairs=tuple(repair for repair in plan.repairs if repair.given_up_kwh))
    clock = f" (clock of {plan.horizon.timezone})."
    return tuple(told.replace(NARROW_SPACE, " ").removesuffix(".") + clock for told in repairs_told(given_up))


def _stored(schedules: tuple[Schedule, ...]) -> Mapping[str, tuple[float, ...]]:
    return {s.asset_id: s.stored_kwh for s in schedules if s.stored_kwh is not None}


def _curtailed(schedule: Schedule) -> tuple[bool, ...]:
    available_kw = schedule.available_kw or schedule.export_kw
    return tuple(could - does > CURTAILED_KW for could, does in zip(available_kw, schedule.export_kw, strict=True))


def serve(site_path: Path, requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until there are no more."""
    replanner = Replanner(site_path)
    for line in requests:
        answers.write(answer_line(replanner.plan(read_request(line))))
        answers.flush()


if __name__ == "__main__":
    serve(Path(sys.argv[1]), sys.stdin.buffer, sys.stdout.buffer)
