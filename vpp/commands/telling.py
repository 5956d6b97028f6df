"""Tells on stderr what changes at a running site: who is in control, plans, alarms. One line each, no more."""

from vpp.dispatch.tick import Tick
from vpp.domain.alarm import Alarm
from vpp.operation import Operation
from vpp.output import Output
from vpp.report.wording import money

MARKS = {1: "◆ 1", 2: "▲ 2", 3: "■ 3"}
"""How an alarm's severity is shown: shape and number, so that no colour is needed."""


class Teller:
    """Watches ticks for changes."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._operation: Operation | None = None
        self._in_control: tuple[object, ...] = ()
        self._course_id: str | None = None
        self._alarms: dict[tuple[str, str], Alarm] = {}

    def follow(self, operation: Operation) -> None:
        """Tell of this operation from now on."""
        self._operation = operation

    def tick(self, tick: Tick) -> None:
        """Say what is different from the tick before."""
        at = f"{tick.snapshot.now:%H:%M:%SZ}"
        in_control = (tick.decision.in_control, tick.decision.rung)
        if in_control != self._in_control:
            self._in_control = in_control
            self._output.say(f"{at}  {tick.decision.in_control.upper()} in control, rung {tick.decision.rung}")
        if self._operation is None:
            return
        self._tell_course(at, self._operation)
        self._tell_alarms(at, self._operation)

    def _tell_course(self, at: str, operation: Operation) -> None:
        course = operation.dispatcher.course
        if course is None or course.id == self._course_id:
            return
        self._course_id = course.id
        worth = "" if course.idle_net is None else f", {money(course.net - course.idle_net)} more than stores at rest"
        self._output.say(f"{at}  plan until {course.end:%d %b %H:%MZ}: {money(course.net)} {course.currency}{worth}")

    def _tell_alarms(self, at: str, operation: Operation) -> None:
        standing = {(alarm.code, alarm.asset): alarm for alarm in operation.dispatcher.alarms.standing()}
        for key, alarm in standing.items():
            if key not in self._alarms:
                self._output.say(f"{at}  {MARKS[alarm.severity]}  {alarm.message}   {alarm.remedy}")
        for key, alarm in self._alarms.items():
            if key not in standing:
                self._output.say(f"{at}  cleared: {alarm.message}")
        self._alarms = standing
