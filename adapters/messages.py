"""How does JSON from outside become a checked payload, and a document become JSON?

What is sent to us may be damaged, hostile or from another version. It is refused with a code and a text that names the
field, the value and what is allowed, or it is exactly what its model says.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, NoReturn, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError

LARGEST_BYTES = 20_000
"""Longer payloads are not looked at."""
LARGEST_KW = 1e7
LARGEST_KWH = 1e9
LARGEST_COUNT = 2**53 - 1
"""What every JSON library can hold as a whole number."""
LONGEST_TTL_MS = 86_400_000
LONGEST_TEXT = 500

_SHOWN = 80
_NAMED_AT_MOST = 5
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|\+00:00)", re.ASCII)


class MessageError(Exception):
    """A message that is refused.

    Attributes:
        code: `topic`, `size`, `encoding`, `json`, `version`, `missing`, `unknown_key` or `value`.
        text: The field, the value and what is allowed, on one line.

    """

    def __init__(self, code: str, text: str) -> None:
        self.code, self.text = code, text
        super().__init__(f"{code}: {text}")


def _instant(value: Any) -> datetime:
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise ValueError("must be an instant in UTC such as 2026-01-31T12:00:00Z")
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise ValueError("must be an instant of the calendar") from None


Instant = Annotated[datetime, PlainValidator(_instant, json_schema_input_type=str)]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Token = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]
"""A name that another program made up."""
Text = Annotated[str, Field(max_length=LONGEST_TEXT, pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$")]
"""Words for people, on one line: what a terminal or a log would obey is not among them."""
Count = Annotated[int, Field(ge=0, le=LARGEST_COUNT)]
Power = Annotated[float, Field(ge=-LARGEST_KW, le=LARGEST_KW)]
PowerLimit = Annotated[float, Field(ge=0, le=LARGEST_KW)]
Energy = Annotated[float, Field(ge=0, le=LARGEST_KWH)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Frequency = Annotated[float, Field(ge=30, le=80)]


class Payload(BaseModel):
    """What every payload has in common; keys that a newer device adds are passed over."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", allow_inf_nan=False, hide_input_in_errors=True)


Model = TypeVar("Model", bound=BaseModel)


def read(model: type[Model], payload: bytes) -> Model:
    """A payload as its model.

    Raises:
        MessageError: Where it is too long, no JSON object, has a key twice, or breaks its model.

    """
    text = _text(payload)
    _object(text)
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise _refusal(error) from None


def read_document(payload: bytes, largest_bytes: int = LARGEST_BYTES) -> dict[str, Any]:
    """Any JSON object.

    Raises:
        MessageError: Where it is too long or no JSON object, or has a key twice.

    """
    return _object(_text(payload, largest_bytes))


def json_bytes(document: Mapping[str, Any]) -> bytes:
    """A document as UTF-8 JSON on one line; instants as RFC 3339 in UTC.

    Raises:
        MessageError: Where it holds a number that is not finite, or text that is no Unicode.

    """
    try:
        return _ENCODE(document).encode()
    except (ValueError, TypeError) as error:
        raise MessageError("value", f"cannot be sent: {error}") from None


def one_line(text: str) -> str:
    """Words for people as a payload holds them: on one line, without control characters, cut where they are long."""
    text = _CONTROL.sub(" ", text)
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


def instant_text(at: datetime) -> str:
    """An instant as RFC 3339 in UTC, such as `2026-01-31T12:00:00.250Z`.

    Raises:
        ValueError: Where it has no time zone.

    """
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone")
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _encodable(value: Any) -> Any:
    if isinstance(value, datetime):
        return instant_text(value)
    raise TypeError(f"{type(value).__name__} is nothing that JSON can hold")


_ENCODE = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_encodable).encode


def _text(payload: bytes, largest_bytes: int = LARGEST_BYTES) -> str:
    if len(payload) > largest_bytes:
        raise MessageError("size", f"{len(payload):,} bytes are too many; at most {largest_bytes:,}")
    try:
        return payload.decode()
    except UnicodeDecodeError as error:
        raise MessageError("encoding", f"no UTF-8 at byte {error.start}") from None


def _object(text: str) -> dict[str, Any]:
    try:
        document = _DECODE(text)
    except json.JSONDecodeError as error:
        raise MessageError("json", f"{error.msg} at character {error.pos}") from None
    except RecursionError:
        raise MessageError("json", "nested too deeply") from None
    except ValueError as error:
        raise MessageError("json", f"{error}"[:_SHOWN]) from None
    if not isinstance(document, dict):
        raise MessageError("json", f"must be an object, and is {_shown(document)}")
    return document


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for index, key in enumerate(keys) if key in keys[:index])
        raise MessageError("json", f"key {_shown(twice)} stands twice")
    return document


def _no_number(constant: str) -> NoReturn:
    raise MessageError("json", f"{constant} is no number in JSON")


_DECODE = json.JSONDecoder(object_pairs_hook=_pairs, parse_constant=_no_number).decode


def _refusal(error: ValidationError) -> MessageError:
    """What a model refused, in words."""
    found = error.errors(include_url=False)
    texts = []
    for detail in found[:_NAMED_AT_MOST]:
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in detail["loc"]).lstrip(".")
        allowed = detail["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
        match detail["type"]:
            case "missing":
                texts.append(f"{path} is missing")
            case "extra_forbidden":
                texts.append(f"{path[:_SHOWN]} is no known key")
            case "json_invalid":
                texts.append(allowed)
            case _:
                texts.append(f"{path} = {_shown(detail['input'])}: {allowed}")
    if len(found) > _NAMED_AT_MOST:
        texts.append(f"and {len(found) - _NAMED_AT_MOST} more")
    return MessageError(_CODES.get(found[0]["type"], "value"), "; ".join(texts))


_CODES = {"missing": "missing", "extra_forbidden": "unknown_key", "json_invalid": "json"}


def _shown(value: Any) -> str:
    """A value on one line, short and without anything that a terminal obeys."""
    text = "{…}" if isinstance(value, dict) else "[…]" if isinstance(value, list) else ascii(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
