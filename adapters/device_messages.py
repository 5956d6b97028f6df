"""What do a device and the dispatcher say to each other: births, presence, telemetry, commands, acks?"""

from typing import Annotated, Any, Literal

from pydantic import Field

from adapters.messages import (
    LONGEST_TTL_MS,
    Count,
    Energy,
    Fraction,
    Frequency,
    Id,
    Instant,
    MessageError,
    Payload,
    Power,
    PowerLimit,
    Text,
    Token,
    instant_text,
    json_bytes,
    one_line,
    read,
)
from vpp.domain.command import Ack, AckStatus, Command, GridForming, Lookahead, Presence
from vpp.domain.telemetry import Birth, Lease, LiveLimits, Quality, Telemetry
from vpp.domain.unit import Fallback, Mode

VERSION = 1
_Positive = Annotated[float, Field(gt=0, le=1e6)]
_NotNegative = Annotated[float, Field(ge=0, le=1e6)]


class _Maker(Payload):
    vendor: Text = ""
    model: Text = ""
    firmware: Text = ""


class _Capabilities(Payload):
    charge_kw: PowerLimit
    discharge_kw: PowerLimit
    energy_kwh: Energy | None = None
    modes: Annotated[list[Mode], Field(min_length=1, max_length=len(Mode))]


class _Birth(Payload):
    v: Literal[1]
    asset: Id
    boot_id: Token
    at: Instant
    device: _Maker = _Maker()
    capabilities: _Capabilities
    clock: Literal["synced", "none"]
    fallback: Fallback


def birth_bytes(birth: Birth) -> bytes:
    """A birth as it is sent."""
    return json_bytes(
        {
            "v": VERSION,
            "asset": birth.asset_id,
            "boot_id": birth.boot_id,
            "at": birth.at,
            "device": {
                "vendor": one_line(birth.vendor),
                "model": one_line(birth.model),
                "firmware": one_line(birth.firmware),
            },
            "capabilities": {
                "charge_kw": birth.charge_kw,
                "discharge_kw": birth.discharge_kw,
                "energy_kwh": birth.energy_kwh,
                "modes": birth.modes,
            },
            "clock": "synced" if birth.is_clock_synced else "none",
            "fallback": birth.fallback,
        }
    )


def read_birth(asset_id: str, payload: bytes) -> Birth:
    """A birth that came on an asset's topic.

    Raises:
        MessageError: Where it is refused.

    """
    said = read(_Birth, payload)
    if said.asset != asset_id:
        raise MessageError("value", f"asset = {said.asset!r}: must be {asset_id!r}, as the topic says")
    return Birth(
        asset_id=asset_id,
        boot_id=said.boot_id,
        at=said.at,
        charge_kw=said.capabilities.charge_kw,
        discharge_kw=said.capabilities.discharge_kw,
        energy_kwh=said.capabilities.energy_kwh,
        modes=tuple(said.capabilities.modes),
        fallback=said.fallback,
        is_clock_synced=said.clock == "synced",
        vendor=said.device.vendor,
        model=said.device.model,
        firmware=said.device.firmware,
    )


class _State(Payload):
    online: bool
    at: Instant
    boot_id: Token


def state_bytes(presence: Presence) -> bytes:
    """A device's presence as it is sent."""
    return json_bytes({"online": presence.is_online, "at": presence.at, "boot_id": presence.boot_id})


def read_state(asset_id: str, payload: bytes) -> Presence:
    """A presence that came on an asset's topic.

    Raises:
        MessageError: Where it is refused.

    """
    said = read(_State, payload)
    return Presence(asset_id, said.online, said.at, said.boot_id)


class _Limits(Payload):
    charge_kw: PowerLimit
    discharge_kw: PowerLimit


class _Lease(Payload):
    epoch: Count
    seq: Count
    remaining_ms: Annotated[int, Field(ge=0, le=LONGEST_TTL_MS)]


class _Telemetry(Payload):
    at: Instant
    boot_id: Token
    seq: Count
    export_kw: Power
    mode: Mode
    quality: Quality
    reactive_kvar: Power | None = None
    stored_kwh: Energy | None = None
    soc_fraction: Fraction | None = None
    frequency_hz: Frequency | None = None
    voltage_pu: Annotated[float, Field(ge=0, le=5)] | None = None
    temperature_c: Annotated[float, Field(ge=-100, le=2000)] | None = None
    limits: _Limits | None = None
    lease: _Lease | None = None


def telemetry_bytes(telemetry: Telemetry) -> bytes:
    """Telemetry as it is sent; what is not measured is left out."""
    document: dict[str, Any] = {
        "at": instant_text(telemetry.at),
        "boot_id": telemetry.boot_id,
        "seq": telemetry.seq,
        "export_kw": telemetry.export_kw,
        "reactive_kvar": telemetry.reactive_kvar,
        "stored_kwh": telemetry.stored_kwh,
        "soc_fraction": telemetry.soc_fraction,
        "frequency_hz": telemetry.frequency_hz,
        "voltage_pu": telemetry.voltage_pu,
        "temperature_c": telemetry.temperature_c,
        "mode": telemetry.mode,
        "quality": telemetry.quality,
    }
    if (limits := telemetry.limits) is not None:
        document["limits"] = {"charge_kw": limits.charge_kw, "discharge_kw": limits.discharge_kw}
    if (lease := telemetry.lease) is not None:
        document["lease"] = {"epoch": lease.epoch, "seq": lease.seq, "remaining_ms": lease.remaining_ms}
    return json_bytes({key: value for key, value in document.items() if value is not None})


def read_telemetry(asset_id: str, payload: bytes) -> Telemetry:
    """Telemetry that came on an asset's topic.

    Raises:
        MessageError: Where it is refused.

    """
    said = read(_Telemetry, payload)
    limits, lease = said.limits, said.lease
    return Telemetry(
        asset_id=asset_id,
        at=said.at,
        boot_id=said.boot_id,
        seq=said.seq,
        export_kw=said.export_kw,
        mode=said.mode,
        quality=said.quality,
        reactive_kvar=said.reactive_kvar,
        stored_kwh=said.stored_kwh,
        soc_fraction=said.soc_fraction,
        frequency_hz=said.frequency_hz,
        voltage_pu=said.voltage_pu,
        temperature_c=said.temperature_c,
        limits=None if limits is None else LiveLimits(limits.charge_kw, limits.discharge_kw),
        lease=None if lease is None else Lease(lease.epoch, lease.seq, lease.remaining_ms),
    )


class _GridForming(Payload):
    p0_kw: Power
    q0_kvar: Power
    f_ref_hz: Frequency
    v_ref_pu: Annotated[float, Field(gt=0, le=5)]
    droop_fraction: Fraction
    voltage_droop_fraction: Fraction
    inertia_s: _NotNegative
    damping_pu: _NotNegative
    p_min_kw: Power
    p_max_kw: Power
    power_filter_s: _NotNegative


class _Lookahead(Payload):
    at: Instant
    export_kw: Power


class _Command(Payload):
    v: Literal[1]
    id: Token
    epoch: Count
    seq: Count
    issued_at: Instant
    not_before: Instant
    valid_until: Instant
    ttl_ms: Annotated[int, Field(gt=0, le=LONGEST_TTL_MS)]
    mode: Mode
    export_kw: Power
    reactive_kvar: Power | None
    ramp_kw_per_s: _Positive | None
    gfm: _GridForming | None
    lookahead: Annotated[list[_Lookahead], Field(max_length=100)]
    reason: Text


def command_bytes(command: Command) -> bytes:
    """A command as it is sent."""
    gfm = command.gfm
    return json_bytes(
        {
            "v": VERSION,
            "id": command.id,
            "epoch": command.epoch,
            "seq": command.seq,
            "issued_at": command.issued_at,
            "not_before": command.not_before,
            "valid_until": command.valid_until,
            "ttl_ms": command.ttl_ms,
            "mode": command.mode,
            "export_kw": command.export_kw,
            "reactive_kvar": command.reactive_kvar,
            "ramp_kw_per_s": command.ramp_kw_per_s,
            "gfm": None if gfm is None else {name: getattr(gfm, name) for name in _GridForming.model_fields},
            "lookahead": [{"at": step.at, "export_kw": step.export_kw} for step in command.lookahead],
            "reason": one_line(command.reason),
        }
    )


def read_command(asset_id: str, payload: bytes) -> Command:
    """A command that came on an asset's topic.

    Raises:
        MessageError: Where it is refused.

    """
    said = read(_Command, payload)
    return Command(
        asset_id=asset_id,
        id=said.id,
        epoch=said.epoch,
        seq=said.seq,
        issued_at=said.issued_at,
        not_before=said.not_before,
        valid_until=said.valid_until,
        ttl_ms=said.ttl_ms,
        mode=said.mode,
        export_kw=said.export_kw,
        ramp_kw_per_s=said.ramp_kw_per_s,
        reason=said.reason,
        reactive_kvar=said.reactive_kvar,
        gfm=None if said.gfm is None else GridForming(**said.gfm.model_dump()),
        lookahead=tuple(Lookahead(step.at, step.export_kw) for step in said.lookahead),
    )


class _Ack(Payload):
    id: Token
    epoch: Count
    seq: Count
    at: Instant
    status: AckStatus
    reason: Text = ""


def ack_bytes(ack: Ack) -> bytes:
    """An answer to a command as it is sent."""
    return json_bytes(
        {
            "id": ack.id,
            "epoch": ack.epoch,
            "seq": ack.seq,
            "at": ack.at,
            "status": ack.status,
            "reason": one_line(ack.reason),
        }
    )


def read_ack(asset_id: str, payload: bytes) -> Ack:
    """An answer to a command that came on an asset's topic.

    Raises:
        MessageError: Where it is refused.

    """
    said = read(_Ack, payload)
    return Ack(asset_id, said.id, said.epoch, said.seq, said.at, said.status, said.reason)
