"""May this request be accepted, and what does it come to?

A request is judged first, then journalled, then put in force: `judge` changes nothing, `enact` does. Whoever is told
"accepted" can rely on it being on disk.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from vpp.dispatch.expected import Expected
from vpp.domain.override import LONGEST_S, SITE, Action, Answer, AnswerStatus, Effect, Override, Request
from vpp.domain.setpoint import Permit, Refusal
from vpp.domain.unit import Mode, Unit

HOLDING = (
    Action.SET_EXPORT_KW,
    Action.LIMIT_KW,
    Action.STOP,
    Action.SET_MODE,
    Action.PAUSE_MARKET,
    Action.SHELVE_ALARM,
)
"""Actions that hold for a time; the others act once."""
ORDERS = (Action.SET_EXPORT_KW, Action.STOP)
"""Of these the latest on an asset replaces the one before."""
FOR_SITE_ONLY = (Action.PAUSE_MARKET, Action.RESUME_MARKET)
OF_ALARMS = (Action.ACK_ALARM, Action.SHELVE_ALARM)
FOR_ISLANDS = (Action.ISLAND, Action.RECONNECT, Action.BLACK_START)

SETTABLE = (Mode.GFL.value, Mode.STANDBY.value)
"""Modes that an operator may choose; the others need set-points that no request holds."""
CLIPPED_KW = 1e-3
"""What is off by more than this is not what was asked for."""

Preview = Callable[[tuple[Override, ...]], Expected]
"""What would come of other overrides now, whatever the ramps."""


class RejectedError(Exception):
    """A request that cannot be accepted."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What becomes of a request."""

    request: Request
    answer: Answer
    added: Override | None = None
    ended: tuple[Override, ...] = ()


class Desk:
    """Requests that were seen, and overrides in force.

    Args:
        site_id: Requests for another site are rejected.
        units: Assets of the site.
        used_ids: Ids of requests that were answered before.
        last_seq: Highest `seq` seen of each operator.
        overrides: Overrides in force from before a restart.

    """

    def __init__(
        self,
        site_id: str,
        units: tuple[Unit, ...],
        used_ids: Iterable[str] = (),
        last_seq: Mapping[str, int] | None = None,
        overrides: Iterable[Override] = (),
    ) -> None:
        self._site_id = site_id
        self._units = {unit.id: unit for unit in units}
        self._used_ids = set(used_ids)
        self._last_seq = dict(last_seq or {})
        self.overrides: tuple[Override, ...] = tuple(overrides)

    def judge(
        self,
        request: Request,
        *,
        is_retained: bool,
        now: datetime,
        preview: Preview,
        alarms: Collection[tuple[str, str]] = (),
    ) -> Judgement:
        """Say what becomes of a request; nothing is changed yet.

        Args:
            request: What is asked for.
            is_retained: Whether the broker kept it from before.
            now: Wall clock, in UTC.
            preview: What would come of other overrides.
            alarms: Code and asset of each alarm that stands.

        """
        try:
            self._check(request, is_retained=is_retained, now=now)
            _check_alarm(request, alarms)
            return self._judged(request, now, preview)
        except RejectedError as error:
            return Judgement(request, _answer(request, now, AnswerStatus.REJECTED, error.code, str(error)))

    def enact(self, judgement: Judgement) -> None:
        """Put a judgement in force; it has been journalled."""
        request = judgement.request
        if judgement.answer.code in ("used_id", "used_seq", "retained"):
            return
        self._used_ids.add(request.id)
        self._last_seq[request.operator] = max(request.seq, self._last_seq.get(request.operator, request.seq))
        kept = tuple(override for override in self.overrides if override not in judgement.ended)
        self.overrides = kept if judgement.added is None else (*kept, judgement.added)

    def end(self, now: datetime) -> list[Answer]:
        """Take overrides whose time is over out of force, and tell their operators."""
        over = [override for override in self.overrides if override.until <= now]
        self.overrides = tuple(override for override in self.overrides if override.until > now)
        return [
            ended_answer(override, now, "over", "its time is over; automatic operation is back") for override in over
        ]

    def _check(self, request: Request, *, is_retained: bool, now: datetime) -> None:
        if is_retained:
            raise RejectedError("retained", "a request must not be retained")
        if request.site != self._site_id:
            raise RejectedError("wrong_site", f"this is site {self._site_id}, not {request.site}")
        if request.id in self._used_ids:
            raise RejectedError("used_id", f"id {request.id} was used before")
        if request.seq <= self._last_seq.get(request.operator, -1):
            raise RejectedError("used_seq", f"seq must be above {self._last_seq[request.operator]}, the last one seen")
        if request.expires <= now:
            raise RejectedError("expired", f"expired at {request.expires.isoformat()}")
        if request.duration_s > LONGEST_S:
            raise RejectedError("too_long", f"duration_s = {request.duration_s:g}: must be at most {LONGEST_S}")
        if request.duration_s <= 0 and request.action in HOLDING:
            raise RejectedError("no_duration", "duration_s = 0: must say how long it holds")
        if request.asset != SITE and request.asset not in self._units:
            known = ", ".join([*self._units, SITE])
            raise RejectedError("unknown_asset", f"no asset {request.asset}; there are {known}")

    def _judged(self, request: Request, now: datetime, preview: Preview) -> Judgement:
        if request.action is Action.RELEASE:
            return self._released(request, now)
        if request.action is Action.RESUME_MARKET:
            paused = tuple(o for o in self.overrides if o.action is Action.PAUSE_MARKET)
            return Judgement(
                request, _answer(request, now, AnswerStatus.ACCEPTED, "ok", "the plan is followed again"), None, paused
            )
        if request.action in HOLDING:
            return self._held(request, now, preview)
        if request.action in FOR_ISLANDS:
            raise RejectedError("no_island", "this site forms no island")
        return Judgement(request, _answer(request, now, AnswerStatus.ACCEPTED, "ok", "done"))

    def _released(self, request: Request, now: datetime) -> Judgement:
        ended = tuple(o for o in self.overrides if request.asset in (o.asset, SITE))
        count = f"{len(ended)} override{'s' if len(ended) != 1 else ''} ended"
        message = f"{count}; automatic operation is back" if ended else "no override was in force"
        return Judgement(request, _answer(request, now, AnswerStatus.ACCEPTED, "ok", message), None, ended)

    def _held(self, request: Request, now: datetime, preview: Preview) -> Judgement:
        value = self._value(request)
        until = now + timedelta(seconds=request.duration_s)
        added = Override(request.id, request.operator, request.asset, request.action, value, request.reason, now, until)
        replaced = tuple(o for o in self.overrides if o.asset == request.asset and _replaces(added, o))
        others = tuple(o for o in self.overrides if o not in replaced)
        status, code, message, export_kw = _effect(request, value, preview((*others, added)))
        answer = _answer(request, now, status, code, message, effect=Effect(request.asset, export_kw, until))
        return Judgement(request, answer, added, replaced)

    def _value(self, request: Request) -> float | str | None:
        if request.action is Action.SHELVE_ALARM:
            return request.value
        unit = self._units.get(request.asset)
        if unit is not None and not unit.is_controllable:
            raise RejectedError("not_controllable", f"{unit.id} takes no set-points")
        if request.action in FOR_SITE_ONLY and request.asset != SITE:
            raise RejectedError("site_only", f"{request.action} is for the whole site: asset must be {SITE}")
        if request.action is Action.SET_MODE:
            if request.asset == SITE or request.value not in SETTABLE:
                raise RejectedError("bad_value", f"value must be one of {', '.join(SETTABLE)}, and asset one device")
            return request.value
        if request.action not in (Action.SET_EXPORT_KW, Action.LIMIT_KW):
            return None
        if isinstance(request.value, str) or request.value is None:
            raise RejectedError("bad_value", "value must be a number of kW")
        if request.action is Action.LIMIT_KW and request.value < 0:
            raise RejectedError("bad_value", "a limit must be at least 0 kW")
        return float(request.value)


def _check_alarm(request: Request, alarms: Collection[tuple[str, str]]) -> None:
    if request.action in OF_ALARMS and (request.value, request.asset) not in alarms:
        raise RejectedError("no_alarm", f"no alarm {request.value} of {request.asset} stands")


def _replaces(new: Override, old: Override) -> bool:
    if new.action is Action.SHELVE_ALARM:
        return old.action is new.action and old.value == new.value
    return new.action is old.action or (new.action in ORDERS and old.action in ORDERS)


Told = tuple[AnswerStatus, str, str, float | None]
"""Status, code, message and power of a request that is put in force."""


def _effect(request: Request, value: float | str | None, expected: Expected) -> Told:
    if request.action is Action.SHELVE_ALARM:
        message = f"{value} of {request.asset} is not shown for {request.duration_s:,.0f} s"
        return AnswerStatus.ACCEPTED, "ok", message, None
    if request.asset == SITE:
        return _effect_on_site(request, value, expected)
    answer = expected.outcome.get(request.asset)
    if not isinstance(answer, Permit):
        why = answer.why if isinstance(answer, Refusal) else "it has no set-point"
        return AnswerStatus.ACCEPTED, "not_heard", f"takes effect when it can: {why}", None
    asked_kw = value if request.action is Action.SET_EXPORT_KW and isinstance(value, float) else answer.export_kw
    if abs(answer.export_kw - asked_kw) > CLIPPED_KW:
        return _clipped(asked_kw, answer.export_kw, answer.narrowed_by or answer.why)
    return AnswerStatus.ACCEPTED, "ok", f"{request.asset} goes to {answer.export_kw:,.4g} kW", answer.export_kw


def _effect_on_site(request: Request, value: float | str | None, expected: Expected) -> Told:
    refused = [answer.asset_id for answer in expected.outcome.values() if isinstance(answer, Refusal)]
    note = f"; not heard: {', '.join(refused)}" if refused else ""
    if request.action is Action.SET_EXPORT_KW and isinstance(value, float):
        site_kw = expected.site_kw
        if site_kw is None:
            return _clipped(value, 0.0, "the site is stopped")
        if abs(site_kw - value) > CLIPPED_KW:
            return _clipped(value, site_kw, f"{expected.narrowed_by or 'limits of its assets'}{note}")
        return AnswerStatus.ACCEPTED, "ok", f"the site goes to {site_kw:,.4g} kW{note}", site_kw
    count = len(expected.outcome) - len(refused)
    return AnswerStatus.ACCEPTED, "ok", f"{request.action} holds for {count} assets{note}", None


def _clipped(value: float, export_kw: float, why: str) -> Told:
    return AnswerStatus.CLIPPED, "clipped", f"from {value:,g} to {export_kw:,.4g} kW ({why})", export_kw


def _answer(
    request: Request,
    now: datetime,
    status: AnswerStatus,
    code: str,
    message: str,
    *,
    effect: Effect | None = None,
) -> Answer:
    return Answer(request.id, request.operator, now, status, code, message, effect)


def ended_answer(override: Override, now: datetime, code: str, message: str) -> Answer:
    """What the operator of an override is told when it ends."""
    return Answer(
        override.request_id,
        override.operator,
        now,
        AnswerStatus.ENDED,
        code,
        message,
        Effect(override.asset, None, None),
    )


def without_journal(judgement: Judgement) -> Judgement:
    """The same request, rejected because it could not be put on disk."""
    message = "the journal cannot be written, so nothing new is accepted; what is in force goes on"
    answer = replace(judgement.answer, status=AnswerStatus.REJECTED, code="no_journal", message=message, effective=None)
    return Judgement(judgement.request, answer)
