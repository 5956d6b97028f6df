"""May this request be accepted, and what does it come to?

A request is judged first, then journalled, then put in force: `judge` changes nothing, `enact` does. Whoever is told
"accepted" can rely on it being on disk.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from vpp.domain.override import SITE, Action, Answer, AnswerStatus, Effect, Override, Request
from vpp.domain.setpoint import Permit, Refusal
from vpp.domain.unit import Mode, Unit

HOLDING = (Action.SET_EXPORT_KW, Action.LIMIT_KW, Action.STOP, Action.SET_MODE, Action.PAUSE_MARKET)
"""Actions that hold for a time; the others act once."""
ORDERS = (Action.SET_EXPORT_KW, Action.STOP)
"""Of these the latest on an asset replaces the one before."""
FOR_SITE_ONLY = (Action.PAUSE_MARKET, Action.RESUME_MARKET)
FOR_ISLANDS = (Action.ISLAND, Action.RECONNECT, Action.BLACK_START)

Preview = Callable[[tuple[Override, ...]], Mapping[str, Permit | Refusal]]
"""What safety would permit now under other overrides, whatever the ramps."""


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

    def judge(self, request: Request, *, is_retained: bool, now: datetime, preview: Preview) -> Judgement:
        """Say what becomes of a request; nothing is changed yet."""
        try:
            self._check(request, is_retained=is_retained, now=now)
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
        replaced = tuple(o for o in self.overrides if o.asset == request.asset and _replaces(request.action, o.action))
        others = tuple(o for o in self.overrides if o not in replaced)
        outcome = preview((*others, added))
        status, code, message, export_kw = _effect(request, value, outcome)
        answer = _answer(request, now, status, code, message, effect=Effect(request.asset, export_kw, until))
        return Judgement(request, answer, added, replaced)

    def _value(self, request: Request) -> float | str | None:
        unit = self._units.get(request.asset)
        if unit is not None and not unit.is_controllable:
            raise RejectedError("not_controllable", f"{unit.id} takes no set-points")
        if request.action in FOR_SITE_ONLY and request.asset != SITE:
            raise RejectedError("site_only", f"{request.action} is for the whole site: asset must be {SITE}")
        if request.action is Action.SET_MODE:
            modes = [mode.value for mode in Mode]
            if request.asset == SITE or request.value not in modes:
                raise RejectedError("bad_value", f"value must be one of {', '.join(modes)}, and asset one device")
            return request.value
        if request.action not in (Action.SET_EXPORT_KW, Action.LIMIT_KW):
            return None
        if isinstance(request.value, str) or request.value is None:
            raise RejectedError("bad_value", "value must be a number of kW")
        if request.action is Action.LIMIT_KW and request.value < 0:
            raise RejectedError("bad_value", "a limit must be at least 0 kW")
        return float(request.value)


def _replaces(new: Action, old: Action) -> bool:
    return new is old or (new in ORDERS and old in ORDERS)


def _effect(
    request: Request, value: float | str | None, outcome: Mapping[str, Permit | Refusal]
) -> tuple[AnswerStatus, str, str, float | None]:
    """Status, code, message and power of a request that is put in force."""
    if request.asset == SITE:
        permitted = [permit for permit in outcome.values() if isinstance(permit, Permit)]
        refused = [refusal.asset_id for refusal in outcome.values() if isinstance(refusal, Refusal)]
        note = f"; not heard: {', '.join(refused)}" if refused else ""
        return AnswerStatus.ACCEPTED, "ok", f"{request.action} holds for {len(permitted)} assets{note}", None
    answer = outcome.get(request.asset)
    if not isinstance(answer, Permit):
        why = answer.why if isinstance(answer, Refusal) else "it has no set-point"
        return AnswerStatus.ACCEPTED, "not_heard", f"takes effect when it can: {why}", None
    if request.action is Action.SET_EXPORT_KW and answer.narrowed_by is not None:
        message = f"from {value:,g} to {answer.export_kw:,.4g} kW ({answer.narrowed_by})"
        return AnswerStatus.CLIPPED, "clipped", message, answer.export_kw
    return AnswerStatus.ACCEPTED, "ok", f"{request.asset} goes to {answer.export_kw:,.4g} kW", answer.export_kw


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
