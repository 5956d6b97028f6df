"""Which commands are due, and which are in force?

A set-point is a lease. It is renewed after a third of its time, and sent at once where it changes by more than a dead
band; but a device that has just refused one is asked again only when the lease would be renewed, or to stop. What is
not answered is sent anew, because a device that came back later than we did never heard it.
`(epoch, seq)` rises with every command, so that a device can tell the newer of two.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from adapters.protocols import Stamp
from vpp.domain.command import Ack, AckStatus
from vpp.domain.setpoint import Permit
from vpp.domain.snapshot import Outcome
from vpp.domain.unit import Unit
from vpp.safety import RAMP

DEAD_BAND_SHARE = 0.005
"""A change below this share of an asset's larger rating waits for the renewal."""
NEGLIGIBLE_KW = 1e-3
"""Where the ramp or a limit of the site moves the set-point, only a change below this waits."""
AT_ONCE = (RAMP, "export limit of the site", "import limit of the site")
"""What narrows a set-point that may not wait: a slow ramp would never begin, and a site must not exceed its limit."""
RENEWED_AFTER = 1 / 3
"""Share of its time after which a lease is renewed."""
ANSWERED_WITHIN_S = 3.0
"""After so long a command without an answer is sent anew; then after twice as long, and so on up to the renewal."""


@dataclass
class _Sent:
    permit: Permit
    stamp: Stamp
    at_s: float
    former: "_Sent | None"
    patience_s: float
    is_answered: bool = False
    is_refused: bool = False
    is_in_doubt: bool = False
    """Whether it may have been lost with a connection."""


class Leases:
    """The commands of one term of the dispatcher.

    Args:
        units: Assets of the site.
        epoch: The term; greater than that of every dispatcher before.

    """

    def __init__(self, units: tuple[Unit, ...], epoch: int) -> None:
        self.epoch = epoch
        self._dead_band_kw = {
            unit.id: DEAD_BAND_SHARE * max(unit.charge_kw, unit.discharge_kw) for unit in units if unit.is_controllable
        }
        self._seq = {unit.id: count(1) for unit in units}
        self._sent: dict[str, _Sent] = {}

    def due(self, outcome: Outcome, now: datetime, mono_s: float) -> list[tuple[Permit, Stamp]]:
        """Permits that must go out as commands now. They count as in force once `sent` is called."""
        permits = [permit for permit in outcome.values() if isinstance(permit, Permit)]
        return [
            (permit, Stamp(self.epoch, next(self._seq[permit.asset_id]), now))
            for permit in permits
            if self._is_due(permit, mono_s)
        ]

    def sent(self, permit: Permit, stamp: Stamp, mono_s: float) -> None:
        """Note a command that goes to the broker now."""
        former, patience_s = self._sent.get(permit.asset_id), ANSWERED_WITHIN_S
        if former is not None:
            former.former = None
            patience_s = ANSWERED_WITHIN_S if former.is_answered else 2 * former.patience_s
        self._sent[permit.asset_id] = _Sent(permit, stamp, mono_s, former, patience_s)

    def unsent(self, asset_id: str) -> None:
        """The broker did not take the last command: the one before it is still the last."""
        former = self._sent.pop(asset_id).former
        if former is not None:
            self._sent[asset_id] = former

    def in_force(self, mono_s: float) -> Mapping[str, Permit]:
        """Permits whose lease has not run out."""
        return {
            name: sent.permit
            for name, sent in self._sent.items()
            if mono_s < sent.at_s + sent.permit.lease_s and not sent.is_refused
        }

    def remaining_s(self, asset_id: str, mono_s: float) -> float | None:
        """Time left of an asset's lease; `None` where there is none."""
        sent = self._sent.get(asset_id)
        left_s = -1.0 if sent is None or sent.is_refused else sent.at_s + sent.permit.lease_s - mono_s
        return left_s if left_s > 0 else None

    def acknowledged(self, ack: Ack) -> bool:
        """Take note of a device's answer.

        Returns:
            Whether it refuses the latest command.

        """
        sent = self._sent.get(ack.asset_id)
        if sent is None or (sent.stamp.epoch, sent.stamp.seq) != (ack.epoch, ack.seq):
            return False
        sent.is_answered, sent.is_refused = True, ack.status is AckStatus.REJECTED
        return sent.is_refused

    def forget(self, asset_id: str) -> None:
        """A device came up anew, and follows nobody."""
        self._sent.pop(asset_id, None)

    def doubt(self) -> None:
        """A connection was lost, and perhaps commands with it: all are due anew, and count as in force until then."""
        for sent in self._sent.values():
            sent.is_in_doubt = True

    def _is_due(self, permit: Permit, mono_s: float) -> bool:
        sent = self._sent.get(permit.asset_id)
        if sent is None or sent.is_in_doubt:
            return True
        since_s = mono_s - sent.at_s
        if since_s >= RENEWED_AFTER * permit.lease_s or (not sent.is_answered and since_s >= sent.patience_s):
            return True
        change_kw = abs(permit.export_kw - sent.permit.export_kw)
        is_stop = permit.export_kw == 0.0 and change_kw > 0
        if is_stop or permit.mode is not sent.permit.mode:
            return True
        if sent.is_refused:
            return False
        dead_band_kw = NEGLIGIBLE_KW if permit.narrowed_by in AT_ONCE else self._dead_band_kw[permit.asset_id]
        return change_kw > dead_band_kw
