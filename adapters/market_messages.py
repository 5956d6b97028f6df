"""What do sources of prices and forecasts, and market gateways, say to the dispatcher?"""

from typing import Annotated, Literal

from pydantic import Field

from adapters.messages import Id, Instant, MessageError, Payload, Power, Text, Token, json_bytes, one_line, read
from vpp.domain.feed import Feed, FeedAnswer
from vpp.domain.market import Award, Direction, MarketSignal, PriceUnit

LONGEST_FEED = 1_500
"""Steps of one feed: a fortnight of quarter-hours."""


class _Feed(Payload):
    start_utc: Instant
    step_s: Annotated[int, Field(ge=1, le=86_400)]
    values: Annotated[list[Annotated[float, Field(ge=-1e9, le=1e9)]], Field(min_length=1, max_length=LONGEST_FEED)]
    issued_at: Instant


def feed_bytes(feed: Feed) -> bytes:
    """New values of a series as they are sent."""
    return json_bytes(
        {"start_utc": feed.start, "step_s": feed.step_s, "values": feed.values, "issued_at": feed.issued_at}
    )


def read_feed(series: str, payload: bytes) -> Feed:
    """New values that came on the topic of a series.

    Raises:
        MessageError: Where they are refused.

    """
    said = read(_Feed, payload)
    return Feed(series, said.start_utc, said.step_s, tuple(said.values), said.issued_at)


class _FeedAnswer(Payload):
    issued_at: Instant | None
    at: Instant
    status: Literal["accepted", "rejected"]
    code: Token
    message: Text


def feed_answer_bytes(answer: FeedAnswer) -> bytes:
    """An answer to a feed as it is sent."""
    return json_bytes(
        {
            "issued_at": answer.issued_at,
            "at": answer.at,
            "status": "accepted" if answer.is_accepted else "rejected",
            "code": answer.code,
            "message": one_line(answer.message),
        }
    )


def read_feed_answer(series: str, payload: bytes) -> FeedAnswer:
    """An answer that came on the topic of a series.

    Raises:
        MessageError: Where it is refused.

    """
    said = read(_FeedAnswer, payload)
    return FeedAnswer(series, said.at, said.status == "accepted", said.code, said.message, said.issued_at)


class _Award(Payload):
    start_utc: Instant
    end_utc: Instant
    product: Id
    direction: Direction
    quantity_kw: Power
    price: Annotated[float, Field(ge=-1e9, le=1e9)]
    price_unit: PriceUnit


def award_bytes(award: Award) -> bytes:
    """An award as it is sent."""
    return json_bytes(
        {
            "start_utc": award.start,
            "end_utc": award.end,
            "product": award.product,
            "direction": award.direction,
            "quantity_kw": award.quantity_kw,
            "price": award.price,
            "price_unit": award.price_unit,
        }
    )


def read_award(product: str, payload: bytes) -> Award:
    """An award that came on the topic of a product.

    Raises:
        MessageError: Where it is refused.

    """
    said = read(_Award, payload)
    if said.product != product:
        raise MessageError("value", f"product = {said.product!r}: must be {product!r}, as the topic says")
    if said.end_utc <= said.start_utc:
        raise MessageError("value", f"end_utc = {said.end_utc.isoformat()}: must be after start_utc")
    if said.direction is not Direction.NET and said.quantity_kw < 0:
        raise MessageError("value", f"quantity_kw = {said.quantity_kw:g}: must not be negative unless direction is net")
    return Award(
        product=product,
        start=said.start_utc,
        end=said.end_utc,
        direction=said.direction,
        quantity_kw=said.quantity_kw,
        price=said.price,
        price_unit=said.price_unit,
    )


class _Signal(Payload):
    at: Instant
    value: Power


def signal_bytes(signal: MarketSignal) -> bytes:
    """A signal as it is sent."""
    return json_bytes({"at": signal.at, "value": signal.value})


def read_signal(product: str, payload: bytes) -> MarketSignal:
    """A signal that came on the topic of a product.

    Raises:
        MessageError: Where it is refused.

    """
    said = read(_Signal, payload)
    return MarketSignal(product, said.at, said.value)
