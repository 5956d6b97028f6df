"""What do operators and the dispatcher say to each other: requests, answers, alarms, the dispatcher's presence?"""

from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field

from adapters.messages import (
    Count,
    Id,
    Instant,
    MessageError,
    Payload,
    Power,
    Text,
    Token,
    json_bytes,
    one_line,
    read,
)
from vpp.domain.alarm import Alarm
from vpp.domain.command import Presence
from vpp.domain.override import Action, Answer, AnswerStatus, Effect, Request

DISPATCHER = "dispatcher"
"""Owner of the dispatcher's own presence."""


class _DispatcherState(Payload):
    online: bool
    at: Instant
    instance: Token
    epoch: Count


def dispatcher_state_bytes(presence: Presence) -> bytes:
    """The dispatcher's presence as it is sent."""
    return json_bytes(
        {
            "online": presence.is_online,
            "at": presence.at,
            "instance": presence.boot_id,
            "epoch": presence.epoch,
        }
    )


def read_dispatcher_state(payload: bytes) -> Presence:
    """The presence of a dispatcher.

    Raises:
        MessageError: Where it is refused.

    """
    said = read(_DispatcherState, payload)
    return Presence(DISPATCHER, said.online, said.at, said.instance, said.epoch)


class _Request(Payload):
    model_config = ConfigDict(extra="forbid")

    id: Token
    operator: Id
    site: Id
    asset: Id
    action: Action
    value: Annotated[float, Field(ge=-1e9, le=1e9)] | Text | None = None
    at: Instant
    expires: Instant
    duration_s: Annotated[float, Field(ge=0, le=1e9)]
    reason: Text
    seq: Count


def request_bytes(request: Request) -> bytes:
    """An operator's request as it is sent in open mode, or signed."""
    document = {
        "id": request.id,
        "operator": request.operator,
        "site": request.site,
        "asset": request.asset,
        "action": request.action,
        "value": request.value,
        "at": request.at,
        "expires": request.expires,
        "duration_s": request.duration_s,
        "reason": one_line(request.reason),
        "seq": request.seq,
    }
    if request.value is None:
        del document["value"]
    return json_bytes(document)


def read_request(operator: str, payload: bytes) -> Request:
    """A request that came on an operator's topic. Whether it may be accepted is for others to say.

    Raises:
        MessageError: Where it is refused.

    """
    said = read(_Request, payload)
    if said.operator != operator:
        raise MessageError("value", f"operator = {said.operator!r}: must be {operator!r}, as the topic says")
    return Request(
        id=said.id,
        operator=operator,
        site=said.site,
        asset=said.asset,
        action=said.action,
        at=said.at,
        expires=said.expires,
        duration_s=said.duration_s,
        reason=said.reason,
        seq=said.seq,
        value=said.value,
    )


class _Identified(Payload):
    id: Token


def request_id(payload: bytes) -> str | None:
    """The id of a request that may be refused otherwise, so that it can be answered; `None` where it has none."""
    try:
        return read(_Identified, payload).id
    except MessageError:
        return None


class _Effect(Payload):
    asset: Id
    export_kw: Power | None
    until: Instant | None


class _Answer(Payload):
    id: Token
    at: Instant
    status: AnswerStatus
    code: Token
    message: Text
    effective: _Effect | None


def answer_bytes(answer: Answer) -> bytes:
    """An answer to an operator as it is sent."""
    effect = answer.effective
    return json_bytes(
        {
            "id": answer.id,
            "at": answer.at,
            "status": answer.status,
            "code": answer.code,
            "message": one_line(answer.message),
            "effective": None
            if effect is None
            else {"asset": effect.asset, "export_kw": effect.export_kw, "until": effect.until},
        }
    )


def read_answer(operator: str, payload: bytes) -> Answer:
    """An answer that came on an operator's topic.

    Raises:
        MessageError: Where it is refused.

    """
    said = read(_Answer, payload)
    effect = said.effective
    return Answer(
        id=said.id,
        operator=operator,
        at=said.at,
        status=said.status,
        code=said.code,
        message=said.message,
        effective=None if effect is None else Effect(effect.asset, effect.export_kw, effect.until),
    )


class _Alarm(Payload):
    severity: Annotated[int, Field(ge=1, le=3)]
    message: Text
    cause: Text
    consequence: Text
    remedy: Text
    since: Instant
    cleared_when: Text
    act_within_s: Annotated[float, Field(ge=0, le=1e9)] | None = None
    acknowledged_by: Text | None = None


def alarm_bytes(alarm: Alarm, at: datetime) -> bytes:
    """An alarm as it is sent at an instant; an empty payload clears it."""
    document = {
        "at": at,
        "severity": alarm.severity,
        "message": one_line(alarm.message),
        "cause": one_line(alarm.cause),
        "consequence": one_line(alarm.consequence),
        "remedy": one_line(alarm.remedy),
        "act_within_s": alarm.act_within_s,
        "since": alarm.since,
        "cleared_when": one_line(alarm.cleared_when),
        "acknowledged_by": alarm.acknowledged_by,
    }
    return json_bytes({key: value for key, value in document.items() if value is not None})


def read_alarm(code: str, asset: str, payload: bytes) -> Alarm | None:
    """An alarm that came on its topic; `None` where it is cleared.

    Raises:
        MessageError: Where it is refused.

    """
    if not payload:
        return None
    said = read(_Alarm, payload)
    return Alarm(
        code=code,
        asset=asset,
        severity=said.severity,
        message=said.message,
        cause=said.cause,
        consequence=said.consequence,
        remedy=said.remedy,
        since=said.since,
        cleared_when=said.cleared_when,
        act_within_s=said.act_within_s,
        acknowledged_by=said.acknowledged_by,
    )
