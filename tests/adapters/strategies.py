"""Any value that a message of the interface may hold."""

from datetime import UTC

from hypothesis import strategies as st

from adapters.messages import LARGEST_COUNT, LARGEST_KW, LARGEST_KWH
from vpp.domain.alarm import Alarm
from vpp.domain.command import Ack, AckStatus, Command, GridForming, Lookahead, Presence
from vpp.domain.feed import Feed, FeedAnswer
from vpp.domain.market import Award, Direction, MarketSignal, PriceUnit
from vpp.domain.override import Action, Answer, AnswerStatus, Effect, Request
from vpp.domain.telemetry import Birth, Lease, LiveLimits, Quality, Telemetry
from vpp.domain.unit import Fallback, Mode

instants = st.datetimes(timezones=st.just(UTC))
ids = st.text("abcXYZ019_-", min_size=1, max_size=64)
tokens = st.text("abcXYZ019_.:-", min_size=1, max_size=64)
texts = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=500)
counts = st.integers(0, LARGEST_COUNT)
powers = st.floats(-LARGEST_KW, LARGEST_KW)
limits = st.floats(0, LARGEST_KW)
energies = st.floats(0, LARGEST_KWH)
fractions = st.floats(0, 1)
frequencies = st.floats(30, 80)
money = st.floats(-1e9, 1e9)


def _maybe(strategy):
    return st.none() | strategy


births = st.builds(
    Birth,
    asset_id=ids,
    boot_id=tokens,
    at=instants,
    charge_kw=limits,
    discharge_kw=limits,
    energy_kwh=_maybe(energies),
    modes=st.lists(st.sampled_from(Mode), min_size=1, max_size=6).map(tuple),
    fallback=st.sampled_from(Fallback),
    is_clock_synced=st.booleans(),
    vendor=texts,
    model=texts,
    firmware=texts,
)
device_presences = st.builds(Presence, owner=ids, is_online=st.booleans(), at=instants, boot_id=tokens)
dispatcher_presences = st.builds(
    Presence, owner=st.just("dispatcher"), is_online=st.booleans(), at=instants, boot_id=tokens, epoch=counts
)
telemetry = st.builds(
    Telemetry,
    asset_id=ids,
    at=instants,
    boot_id=tokens,
    seq=counts,
    export_kw=powers,
    mode=st.sampled_from(Mode),
    quality=st.sampled_from(Quality),
    reactive_kvar=_maybe(powers),
    stored_kwh=_maybe(energies),
    soc_fraction=_maybe(fractions),
    frequency_hz=_maybe(frequencies),
    voltage_pu=_maybe(st.floats(0, 5)),
    temperature_c=_maybe(st.floats(-100, 2000)),
    limits=_maybe(st.builds(LiveLimits, limits, limits)),
    lease=_maybe(st.builds(Lease, counts, counts, st.integers(0, 86_400_000))),
)
grid_forming = st.builds(
    GridForming,
    p0_kw=powers,
    q0_kvar=powers,
    f_ref_hz=frequencies,
    v_ref_pu=st.floats(0.1, 5),
    droop_fraction=fractions,
    voltage_droop_fraction=fractions,
    inertia_s=st.floats(0, 1e6),
    damping_pu=st.floats(0, 1e6),
    p_min_kw=powers,
    p_max_kw=powers,
    power_filter_s=st.floats(0, 1e6),
)
commands = st.builds(
    Command,
    asset_id=ids,
    id=tokens,
    epoch=counts,
    seq=counts,
    issued_at=instants,
    not_before=instants,
    valid_until=instants,
    ttl_ms=st.integers(1, 86_400_000),
    mode=st.sampled_from(Mode),
    export_kw=powers,
    ramp_kw_per_s=_maybe(st.floats(1e-6, 1e6)),
    reason=texts,
    reactive_kvar=_maybe(powers),
    gfm=_maybe(grid_forming),
    lookahead=st.lists(st.builds(Lookahead, instants, powers), max_size=15).map(tuple),
)
acks = st.builds(
    Ack,
    asset_id=ids,
    id=tokens,
    epoch=counts,
    seq=counts,
    at=instants,
    status=st.sampled_from(AckStatus),
    reason=texts,
)
requests = st.builds(
    Request,
    id=tokens,
    operator=ids,
    site=ids,
    asset=ids,
    action=st.sampled_from(Action),
    at=instants,
    expires=instants,
    duration_s=st.floats(0, 1e9),
    reason=texts,
    seq=counts,
    value=st.none() | money | texts,
)
answers = st.builds(
    Answer,
    id=tokens,
    operator=ids,
    at=instants,
    status=st.sampled_from(AnswerStatus),
    code=tokens,
    message=texts,
    effective=_maybe(st.builds(Effect, asset=ids, export_kw=_maybe(powers), until=_maybe(instants))),
)
alarms = st.builds(
    Alarm,
    code=ids,
    asset=ids,
    severity=st.integers(1, 3),
    message=texts,
    cause=texts,
    consequence=texts,
    remedy=texts,
    since=instants,
    cleared_when=texts,
    act_within_s=_maybe(st.floats(0, 1e9)),
    acknowledged_by=_maybe(ids),
)
feeds = st.builds(
    Feed,
    series=ids,
    start=instants,
    step_s=st.integers(1, 86_400),
    values=st.lists(money, min_size=1, max_size=100).map(tuple),
    issued_at=instants,
)
feed_answers = st.builds(
    FeedAnswer,
    series=ids,
    at=instants,
    is_accepted=st.booleans(),
    code=tokens,
    message=texts,
    issued_at=_maybe(instants),
)
awards = st.builds(
    Award,
    product=ids,
    start=instants,
    end=instants,
    direction=st.sampled_from(Direction),
    quantity_kw=limits,
    price=money,
    price_unit=st.sampled_from(PriceUnit),
).filter(lambda award: award.start < award.end)
signals = st.builds(MarketSignal, product=ids, at=instants, value=powers)
