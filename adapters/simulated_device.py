"""How does a simulated device talk? Births, telemetry, leases and answers around its physics, on any clock."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from adapters.device_lease import DeviceLease
from adapters.device_messages import ack_bytes, birth_bytes, read_command, state_bytes, telemetry_bytes
from adapters.messages import LARGEST_KW, Count, MessageError, Payload, Token, read
from adapters.port import Incoming, Outgoing
from adapters.scenario import Fault
from adapters.simulated_faults import Condition, Garbage, Line, condition_at, next_change_s
from adapters.topics import Topics
from vpp.domain.command import Ack, AckStatus, Command, Presence
from vpp.domain.physics import Physics
from vpp.domain.telemetry import Birth, LiveLimits, Telemetry
from vpp.domain.unit import Kind, Mode, Unit

MODES = (Mode.GFL, Mode.STANDBY)
"""What the simulated inverters can do."""
REACHED_SHARE = 0.01
"""A set-point is reached within this share of the larger rating."""
_ROUNDING_S = 1e-6


class SimulatedDevice:
    """One device. It reads no clock: each call says which time it is.

    Args:
        unit: What it is.
        physics: What it does.
        topics: Topics of its site.
        send: Hands a message to the broker; says whether it was taken.
        now: Wall clock when it is switched on, in UTC.
        mono_s: Monotonic clock then [s]; faults are counted from here.
        faults: What goes wrong with it, and when.
        period_s: Time between two messages of telemetry.
        is_clock_synced: Whether its wall clock may be trusted.

    """

    def __init__(
        self,
        unit: Unit,
        physics: Physics,
        topics: Topics,
        send: Callable[[Outgoing], bool],
        *,
        now: datetime,
        mono_s: float,
        faults: Sequence[Fault] = (),
        period_s: float = 1.0,
        is_clock_synced: bool = True,
    ) -> None:
        self.unit, self.command_topic = unit, topics.cmd(unit.id)
        self._physics, self._send, self._line = physics, send, Line(send)
        self._birth_topic, self._state_topic = topics.birth(unit.id), topics.state(unit.id)
        self._tele_topic, self._ack_topic = topics.tele(unit.id), topics.ack(unit.id)
        self._is_clock_synced, self._period_s, self._faults = is_clock_synced, period_s, faults
        self._lease = DeviceLease(unit, MODES, is_clock_synced=is_clock_synced)
        self._began_s = self._mono_s = self._now_s = mono_s
        self._now = now
        self._condition = Condition()
        self._garbage = Garbage()
        self._stuck: Telemetry | None = None
        self._has_reached = False
        self._wanted_kw: float | None = None
        self._ramp_kw_per_s: float | None = None
        self._fault_s = 0.0
        """When the condition changes next, from the beginning; infinity for never."""
        self._boot_count = 0
        self._boot(mono_s)
        self._change(mono_s)

    @property
    def export_kw(self) -> float:
        """Power that really flows out of the device now, whatever it tells."""
        return 0.0 if self._condition.is_open else self._physics.export_kw

    @property
    def stored_kwh(self) -> float | None:
        """Energy that is really in its store; `None` for what stores nothing."""
        return self._physics.stored_kwh

    def greeting(self) -> Sequence[Outgoing]:
        """What it says on every connection: its birth, and that it is online."""
        if self._condition.is_deaf:
            return ()
        unit = self.unit
        birth = Birth(
            asset_id=unit.id,
            boot_id=self._boot_id,
            at=self._wall(self._mono_s),
            charge_kw=min(unit.charge_kw, LARGEST_KW),
            discharge_kw=min(unit.discharge_kw, LARGEST_KW),
            energy_kwh=unit.energy_capacity_kwh,
            modes=MODES,
            fallback=unit.fallback,
            is_clock_synced=self._is_clock_synced,
            vendor="vpp-dispatcher",
            model=f"simulated {unit.kind}",
        )
        return (Outgoing(self._birth_topic, birth_bytes(birth), is_retained=True), self._presence(is_online=True))

    def will(self) -> Outgoing:
        """What the broker says when it loses the device."""
        return self._presence(is_online=False)

    def receive(self, message: Incoming, now: datetime, mono_s: float) -> None:
        """Take a message; a command is answered at once."""
        self._now, self._now_s = now, mono_s
        self._run(mono_s)
        if self._condition.is_deaf or message.topic != self.command_topic or not message.payload:
            return
        try:
            command = read_command(self.unit.id, message.payload)
        except MessageError as error:
            self._answer_unreadable(message.payload, error)
            return
        refusal = self._refusal() or self._lease.judge(command, self._wall(mono_s), is_retained=message.is_retained)
        if refusal is not None:
            self._answer(command, AckStatus.REJECTED, mono_s, refusal)
            return
        former = self._lease.held
        self._lease.accept(command, self._wall(mono_s), mono_s)
        self._has_reached = False
        self._answer(command, AckStatus.ACCEPTED, mono_s)
        if former is not None:
            self._answer(former.command, AckStatus.SUPERSEDED, mono_s, f"by {command.id}")
        self._follow()

    def advance(self, now: datetime, mono_s: float) -> None:
        """Let time pass up to an instant, and say what is due."""
        self._now, self._now_s = now, mono_s
        self._run(mono_s)
        if mono_s >= self._next_told_s - _ROUNDING_S:
            self._tell(mono_s)
            missed = (mono_s - self._next_told_s + _ROUNDING_S) // self._period_s
            self._next_told_s += self._period_s * (missed + 1)
        self._line.flush(mono_s)

    def _run(self, mono_s: float) -> None:
        """Pass time piece by piece, each under one target and one condition."""
        while True:
            end_s = min(mono_s, self._next_s)
            if end_s > self._mono_s:
                self._physics.advance(self._wanted_kw, self._ramp_kw_per_s, end_s - self._mono_s)
                self._mono_s = end_s
                self._note_reached(end_s)
            if mono_s < self._next_s:
                return
            self._change(end_s)

    def _change(self, at_s: float) -> None:
        """Do what is due at an instant: faults that come and go, a lease that ends, the next step of a lookahead."""
        if at_s >= self._began_s + self._fault_s:
            self._turn(condition_at(self._faults, self._fault_s), at_s)
            self._fault_s = next_change_s(self._faults, self._fault_s)
        ended = self._lease.settle(at_s)
        if ended is not None:
            self._answer(ended, AckStatus.EXPIRED, at_s)
        self._follow()

    def _turn(self, condition: Condition, at_s: float) -> None:
        """Go over to another condition."""
        former, self._condition = self._condition, condition
        if condition.is_tripped and not former.is_tripped and (dropped := self._lease.drop()) is not None:
            self._answer(dropped, AckStatus.EXPIRED, at_s, "tripped")
        if condition.is_off:
            self._lease.drop()
        elif former.is_off:
            self._boot(at_s)
        if condition.is_deaf and not former.is_deaf:
            self._line.lose()
            self._send(self.will())
        elif former.is_deaf and not condition.is_deaf:
            for message in self.greeting():
                self._send(message)
        if condition.is_stuck and self._stuck is None:
            self._stuck = self._measured(at_s)
        elif not condition.is_stuck:
            self._stuck = None

    def _boot(self, at_s: float) -> None:
        """Come up under a new boot id. What was seen of commands is kept, as in a device's permanent memory."""
        self._boot_count += 1
        self._boot_id = f"{int(self._wall(at_s).timestamp() * 1000):x}-{self._boot_count}"
        self._seq, self._next_told_s = 0, at_s

    def _follow(self) -> None:
        """Set the physics to what is to be done from now on."""
        condition, target = self._condition, self._lease.target
        self._next_s = min(self._lease.next_change_s, self._began_s + self._fault_s)
        if condition.is_open:
            self._wanted_kw, self._ramp_kw_per_s = 0.0, None
        elif not condition.ignores:
            wanted_kw = target.export_kw
            self._wanted_kw = None if wanted_kw is None else wanted_kw * condition.gain
            self._ramp_kw_per_s = target.ramp_kw_per_s

    def _refusal(self) -> str | None:
        if self._condition.refuses:
            return "refused: the device takes no commands now"
        return "tripped: its breaker is open" if self._condition.is_tripped else None

    def _note_reached(self, at_s: float) -> None:
        held = self._lease.held
        if held is None or self._has_reached:
            return
        off_kw = self.export_kw - held.export_kw
        if self.unit.kind is not Kind.GENERATION:
            off_kw = abs(off_kw)
        if off_kw <= REACHED_SHARE * max(self.unit.charge_kw, self.unit.discharge_kw):
            self._has_reached = True
            self._answer(held.command, AckStatus.REACHED, at_s)

    def _answer(self, command: Command, status: AckStatus, at_s: float, reason: str = "") -> None:
        ack = Ack(self.unit.id, command.id, command.epoch, command.seq, self._wall(at_s), status, reason)
        self._line.say(Outgoing(self._ack_topic, ack_bytes(ack)), self._condition, at_s)

    def _answer_unreadable(self, payload: bytes, error: MessageError) -> None:
        """Refuse what is no command, by its id where that can be made out."""
        try:
            named = read(_Named, payload)
        except MessageError:
            named = _Named(id="unreadable", epoch=0, seq=0)
        at = self._wall(self._mono_s)
        ack = Ack(self.unit.id, named.id, named.epoch, named.seq, at, AckStatus.REJECTED, str(error)[:500])
        self._line.say(Outgoing(self._ack_topic, ack_bytes(ack)), self._condition, self._mono_s)

    def _tell(self, mono_s: float) -> None:
        """Send telemetry."""
        self._seq += 1
        told = self._measured(mono_s) if self._stuck is None else self._stuck
        told = self._condition.told(told)
        if self._stuck is not None:
            told = replace(told, at=self._wall(mono_s), seq=self._seq)
        payload = telemetry_bytes(told)
        if self._condition.is_garbage:
            payload = self._garbage.of(payload)
        self._line.say(Outgoing(self._tele_topic, payload, qos=0), self._condition, mono_s)

    def _measured(self, mono_s: float) -> Telemetry:
        physics, held, is_open = self._physics, self._lease.held, self._condition.is_open
        stored_kwh, capacity_kwh, temperature_c = physics.stored_kwh, physics.energy_capacity_kwh, physics.temperature_c
        soc_fraction = None if stored_kwh is None or capacity_kwh is None else round(stored_kwh / capacity_kwh, 6)
        limits = physics.live_limits
        resting = Mode.STANDBY if is_open else Mode.GFL
        return Telemetry(
            asset_id=self.unit.id,
            at=self._wall(mono_s),
            boot_id=self._boot_id,
            seq=self._seq,
            export_kw=round(self.export_kw, 3) + 0.0,
            mode=resting if held is None else held.command.mode,
            stored_kwh=None if stored_kwh is None else round(stored_kwh, 4),
            soc_fraction=soc_fraction,
            temperature_c=None if temperature_c is None else round(temperature_c, 2),
            limits=LiveLimits(0.0, 0.0)
            if is_open
            else LiveLimits(round(limits.charge_kw, 3), round(limits.discharge_kw, 3)),
            lease=self._lease.told(mono_s),
        )

    def _presence(self, *, is_online: bool) -> Outgoing:
        presence = Presence(self.unit.id, is_online, self._wall(self._mono_s), self._boot_id)
        return Outgoing(self._state_topic, state_bytes(presence), is_retained=True)

    def _wall(self, at_s: float) -> datetime:
        """The device's own wall clock at an instant."""
        ahead_s = at_s - self._now_s + self._condition.clock_offset_s
        return self._now + timedelta(seconds=ahead_s) if ahead_s else self._now


class _Named(Payload):
    """What of a broken command says which one it is."""

    id: Token
    epoch: Count
    seq: Count
