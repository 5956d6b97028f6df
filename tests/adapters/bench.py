"""A simulated device on a bench: a clock turned by hand, and everything that it says."""

from datetime import UTC, datetime, timedelta
from math import inf

from adapters.device_messages import command_bytes, read_ack, read_telemetry
from adapters.messages import MessageError
from adapters.port import Incoming
from adapters.scenario import Scenario
from adapters.simulated_device import SimulatedDevice
from adapters.topics import Topics
from vpp.domain.command import AckStatus, Command, Lookahead
from vpp.domain.telemetry import LiveLimits
from vpp.domain.unit import Fallback, Kind, Mode, Unit

TOPICS = Topics("site")
START = datetime(2026, 7, 1, 12, tzinfo=UTC)
START_S = 5000.0
"""What the monotonic clock of the bench shows first."""


class Wire:
    """A physics that does at once what it is told, and remembers when it was told what."""

    stored_kwh = 50.0
    energy_capacity_kwh = 100.0
    temperature_c = None
    live_limits = LiveLimits(100.0, 100.0)

    def __init__(self):
        self.export_kw = 0.0
        self.told = []
        """Set-point, its begin and its end, by the time since the start."""
        self.clock_s = 0.0

    def advance(self, wanted_kw, ramp_kw_per_s, seconds):
        self.told.append((wanted_kw, self.clock_s, self.clock_s + seconds))
        self.clock_s += seconds
        self.export_kw = wanted_kw or 0.0


def store(fallback=Fallback.RAMP_TO_ZERO, **fields):
    """A store of 100 kW and 100 kWh."""
    given = {
        "id": "bess1",
        "kind": Kind.STORAGE,
        "charge_kw": 100.0,
        "discharge_kw": 100.0,
        "is_controllable": True,
        "ramp_kw_per_s": inf,
        "energy_capacity_kwh": 100.0,
        "floor_kwh": 0.0,
        "ceiling_kwh": 100.0,
    }
    return Unit(fallback=fallback, **given | fields)


class Bench:
    """One device, its clock, and what it said."""

    def __init__(self, *faults, unit=None, physics=None, **options):
        self.unit, self.physics = unit or store(), physics or Wire()
        self.elapsed_s, self.sent, self.takes = 0.0, [], True
        listed = [{"asset": self.unit.id, "at_s": 0} | fault for fault in faults]
        scenario = Scenario.model_validate({"schema_version": 1, "faults": listed})
        self.device = SimulatedDevice(
            self.unit,
            self.physics,
            TOPICS,
            self._take,
            now=START,
            mono_s=START_S,
            faults=scenario.faults_of(self.unit.id),
            **options,
        )

    @property
    def now(self):
        return START + timedelta(seconds=self.elapsed_s)

    def _take(self, message):
        if self.takes:
            self.sent.append(message)
        return self.takes

    def pass_time(self, seconds, step_s=1.0):
        """Advance the device step by step."""
        end_s = self.elapsed_s + seconds
        while self.elapsed_s < end_s:
            self.elapsed_s = min(self.elapsed_s + step_s, end_s)
            self.device.advance(self.now, START_S + self.elapsed_s)

    def command(self, export_kw=40.0, seq=1, epoch=1, ttl_s=60.0, ahead=(), **fields):
        """A command that is issued now."""
        given = {
            "asset_id": self.unit.id,
            "id": f"{epoch}-{seq}",
            "epoch": epoch,
            "seq": seq,
            "issued_at": self.now,
            "not_before": self.now,
            "valid_until": self.now + timedelta(seconds=ttl_s),
            "ttl_ms": round(ttl_s * 1000),
            "mode": Mode.GFL,
            "export_kw": export_kw,
            "ramp_kw_per_s": None,
            "reason": "test",
            "lookahead": tuple(Lookahead(self.now + timedelta(seconds=s), kw) for s, kw in ahead),
        }
        return Command(**given | fields)

    def tell(self, command, *, is_retained=False):
        """Send a command, or any bytes; the statuses that were answered since."""
        payload = command if isinstance(command, bytes) else command_bytes(command)
        return self.deliver(Incoming(TOPICS.cmd(self.unit.id), payload, is_retained))

    def deliver(self, message):
        heard = len(self.acks())
        self.device.receive(message, self.now, START_S + self.elapsed_s)
        return [ack.status for ack in self.acks()[heard:]]

    def said(self, topic):
        """Payloads on a topic so far."""
        return [message.payload for message in self.sent if message.topic == topic]

    def acks(self):
        return [read_ack(self.unit.id, payload) for payload in self.said(TOPICS.ack(self.unit.id))]

    def statuses(self, command):
        """What became of a command, in order."""
        return [ack.status for ack in self.acks() if (ack.epoch, ack.seq) == (command.epoch, command.seq)]

    def telemetry(self):
        """Telemetry that was valid."""
        told = []
        for payload in self.said(TOPICS.tele(self.unit.id)):
            try:
                told.append(read_telemetry(self.unit.id, payload))
            except MessageError:
                continue
        return told


ACCEPTED, REJECTED, REACHED = AckStatus.ACCEPTED, AckStatus.REJECTED, AckStatus.REACHED
EXPIRED, SUPERSEDED = AckStatus.EXPIRED, AckStatus.SUPERSEDED
