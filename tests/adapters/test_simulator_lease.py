"""A simulated device follows a command for as long as its lease lasts, and never longer, older or twice."""

from datetime import timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from adapters.device_messages import command_bytes
from tests.adapters.bench import ACCEPTED, EXPIRED, REACHED, REJECTED, START, SUPERSEDED, Bench, Wire, store
from vpp.domain.command import GridForming
from vpp.domain.unit import Fallback, Mode

GFM = GridForming(0.0, 0.0, 50.0, 1.0, 0.05, 0.05, 2.0, 1.0, -100.0, 100.0, 0.1)


def test_a_command_is_accepted_reached_and_expires_when_its_time_is_over():
    bench = Bench()
    command = bench.command(40.0, ttl_s=10)
    assert bench.tell(command) == [ACCEPTED]
    bench.pass_time(9)
    assert bench.statuses(command) == [ACCEPTED, REACHED]
    assert bench.device.export_kw == 40
    bench.pass_time(3)
    assert bench.statuses(command) == [ACCEPTED, REACHED, EXPIRED]
    assert bench.device.export_kw == 0


def test_a_lease_ends_between_two_ticks_at_its_very_instant():
    bench = Bench()
    bench.tell(bench.command(40.0, ttl_s=10.25))
    bench.pass_time(60, step_s=30)
    assert bench.physics.told[:2] == [(40, 0, 10.25), (0, 10.25, 30)]
    assert bench.acks()[-1].at == START + timedelta(seconds=10.25)


def test_a_newer_command_supersedes_the_one_in_force():
    bench = Bench()
    first, second = bench.command(40.0, seq=1), bench.command(-20.0, seq=2)
    bench.tell(first)
    assert bench.tell(second) == [ACCEPTED, SUPERSEDED]
    assert bench.statuses(first) == [ACCEPTED, SUPERSEDED]
    bench.pass_time(1)
    assert bench.device.export_kw == -20


def test_every_command_is_reached_for_itself():
    bench = Bench()
    first, second = bench.command(40.0, seq=1), bench.command(-20.0, seq=2)
    for command in (first, second):
        bench.tell(command)
        bench.pass_time(2)
    assert bench.statuses(first) == [ACCEPTED, REACHED, SUPERSEDED]
    assert bench.statuses(second) == [ACCEPTED, REACHED]


def test_telemetry_names_the_lease_and_what_is_left_of_it():
    bench = Bench()
    bench.tell(bench.command(seq=7, epoch=3, ttl_s=60))
    bench.pass_time(20)
    lease = bench.telemetry()[-1].lease
    assert (lease.epoch, lease.seq, lease.remaining_ms) == (3, 7, 40_000)
    bench.pass_time(40)
    assert bench.telemetry()[-1].lease is None


@pytest.mark.parametrize(
    ("epoch", "seq", "is_newer"), [(2, 5, False), (2, 4, False), (1, 9, False), (2, 6, True), (3, 1, True)]
)
def test_only_a_greater_epoch_and_seq_is_accepted(epoch, seq, is_newer):
    bench = Bench()
    bench.tell(bench.command(40.0, epoch=2, seq=5))
    assert (bench.tell(bench.command(10.0, epoch=epoch, seq=seq))[0] is ACCEPTED) is is_newer
    bench.pass_time(1)
    assert bench.device.export_kw == (10 if is_newer else 40)


def test_an_old_epoch_is_fenced_off_even_by_a_command_that_was_refused():
    bench = Bench()
    assert bench.tell(bench.command(1e6, epoch=3)) == [REJECTED]
    assert bench.tell(bench.command(10.0, epoch=2)) == [REJECTED]


def test_an_old_epoch_is_fenced_off_across_a_reboot():
    bench = Bench({"fault": "reboot", "at_s": 5, "for_s": 5})
    bench.tell(bench.command(40.0, epoch=3))
    bench.pass_time(20)
    assert bench.tell(bench.command(40.0, epoch=2, seq=9)) == [REJECTED]
    assert bench.tell(bench.command(40.0, epoch=3, seq=2)) == [ACCEPTED]


def test_a_retained_command_is_rejected_and_does_not_count_as_seen():
    bench = Bench()
    assert bench.tell(bench.command(), is_retained=True) == [REJECTED]
    assert bench.acks()[-1].reason.startswith("retained")
    assert bench.tell(bench.command()) == [ACCEPTED]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"export_kw": 100.1}, "out_of_range"),
        ({"export_kw": -100.1}, "out_of_range"),
        ({"mode": Mode.GFM_DROOP, "gfm": GFM}, "mode"),
        ({"gfm": GFM}, "gfm"),
        ({"ahead": ((60, 500.0),)}, "out_of_range"),
        ({"not_before": START + timedelta(seconds=1)}, "early"),
        ({"valid_until": START}, "late"),
    ],
)
def test_a_command_that_cannot_be_followed_is_rejected_with_its_reason(fields, reason):
    bench = Bench()
    assert bench.tell(bench.command(**fields)) == [REJECTED]
    assert bench.acks()[-1].reason.startswith(reason + ":")
    bench.pass_time(2)
    assert bench.device.export_kw == 0


def test_a_refused_command_leaves_the_one_in_force():
    bench = Bench()
    bench.tell(bench.command(40.0))
    bench.tell(bench.command(500.0, seq=2))
    bench.pass_time(30)
    assert bench.device.export_kw == 40


def test_what_takes_no_set_points_rejects_all():
    bench = Bench(unit=store(is_controllable=False))
    assert bench.tell(bench.command(0.0)) == [REJECTED]


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"1e999", b'"40"', b"null"])
def test_a_power_that_is_no_finite_number_is_rejected_under_the_id_of_its_command(number):
    bench = Bench()
    bench.tell(bench.command(40.0, seq=1))
    whole = command_bytes(bench.command(50.0, seq=2))
    broken = whole.replace(b'"export_kw":50.0', b'"export_kw":' + number)
    assert broken != whole
    assert bench.tell(broken) == [REJECTED]
    bench.pass_time(1)
    assert bench.device.export_kw == 40


@pytest.mark.parametrize("payload", [b"{}", b"[]", b"\xff", b"40", b"[" * 5000, b'{"id":"a b","epoch":1,"seq":1}'])
def test_what_is_no_command_at_all_is_rejected(payload):
    bench = Bench()
    assert bench.tell(payload) == [REJECTED]
    assert bench.acks()[-1].id == "unreadable"


def test_the_emptying_of_a_retained_topic_is_no_command():
    bench = Bench()
    assert bench.tell(b"", is_retained=True) == []


def test_the_lease_is_the_shorter_of_time_to_live_and_validity():
    bench = Bench()
    bench.tell(bench.command(40.0, ttl_s=60, valid_until=bench.now + timedelta(seconds=10)))
    bench.pass_time(11)
    assert bench.device.export_kw == 0


def test_a_device_without_a_clock_counts_the_time_to_live_alone():
    bench = Bench(is_clock_synced=False)
    a_day_ago = bench.now - timedelta(days=1)
    bench.tell(bench.command(40.0, ttl_s=60, issued_at=a_day_ago, not_before=a_day_ago, valid_until=a_day_ago))
    bench.pass_time(59)
    assert bench.device.export_kw == 40
    bench.pass_time(2)
    assert bench.device.export_kw == 0


def test_a_wall_clock_that_jumps_does_not_move_the_end_of_a_lease():
    bench = Bench({"fault": "clock_offset", "offset_s": -3600, "at_s": 5})
    bench.tell(bench.command(40.0, ttl_s=60))
    bench.pass_time(59)
    assert bench.device.export_kw == 40
    bench.pass_time(2)
    assert bench.device.export_kw == 0


def test_standby_means_no_power():
    bench = Bench()
    bench.tell(bench.command(40.0, mode=Mode.STANDBY))
    bench.pass_time(2)
    assert bench.device.export_kw == 0
    assert bench.telemetry()[-1].mode is Mode.STANDBY


@pytest.mark.parametrize(
    ("fallback", "wanted_kw"),
    [(Fallback.RAMP_TO_ZERO, 0.0), (Fallback.HOLD, 40.0), (Fallback.LOCAL_CONTROL, None), (Fallback.ISLAND_HOLD, None)],
)
def test_after_its_lease_a_device_does_what_its_fallback_says(fallback, wanted_kw):
    bench = Bench(unit=store(fallback))
    bench.tell(bench.command(40.0, ttl_s=10))
    bench.pass_time(20)
    assert bench.physics.told[-1][0] == wanted_kw


def test_after_its_lease_a_device_follows_the_lookahead_for_fifteen_minutes():
    bench = Bench()
    bench.tell(bench.command(40.0, ttl_s=60, ahead=((60, 30.0), (300, -10.0))))
    bench.pass_time(2000)
    followed = [(0, 60, 40), (60, 300, 30), (300, 960, -10), (960, 2000, 0)]
    assert [(begin, end, kw) for kw, begin, end in merged(bench.physics.told)] == followed


def test_before_the_first_step_of_a_lookahead_the_fallback_holds():
    bench = Bench()
    bench.tell(bench.command(40.0, ttl_s=60, ahead=((90, 30.0),)))
    bench.pass_time(120)
    assert [kw for kw, _, _ in merged(bench.physics.told)] == [40, 0, 30]


def test_a_new_command_ends_the_lookahead():
    bench = Bench()
    bench.tell(bench.command(40.0, ttl_s=10, ahead=((10, 30.0),)))
    bench.pass_time(20)
    bench.tell(bench.command(5.0, seq=2, ttl_s=10))
    bench.pass_time(20)
    assert [kw for kw, _, _ in merged(bench.physics.told)] == [40, 30, 5, 0]


def merged(told):
    """Set-points with the time that each was followed in one go."""
    spans = []
    for kw, begin_s, end_s in told:
        if spans and spans[-1][0] == kw:
            spans[-1] = (kw, spans[-1][1], end_s)
        else:
            spans.append((kw, begin_s, end_s))
    return spans


class LeaseMachine(RuleBasedStateMachine):
    """Commands of any order and age, against a list of who may be followed when."""

    @initialize(is_clock_synced=st.booleans(), reboots=st.lists(st.integers(0, 300), max_size=2))
    def begin(self, is_clock_synced, reboots):
        faults = [{"fault": "reboot", "at_s": at_s, "for_s": 3} for at_s in reboots]
        self.bench = Bench(*faults, physics=Wire(), is_clock_synced=is_clock_synced)
        self.is_clock_synced, self.reboots = is_clock_synced, reboots
        self.known = {}
        self.accepted = []
        """Of each accepted command: order, power, begin and end of its lease."""

    @rule(
        epoch=st.integers(1, 3),
        seq=st.integers(1, 6),
        ttl_s=st.sampled_from([0.5, 3.0, 20.0]),
        valid_s=st.sampled_from([-5.0, 1.0, 60.0]),
        is_retained=st.booleans(),
    )
    def send(self, epoch, seq, ttl_s, valid_s, is_retained):
        """The power of a command names it, so that what is followed says who is."""
        bench = self.bench
        power_kw = self.known.setdefault((epoch, seq), float(len(self.known) + 1))
        command = bench.command(power_kw, seq, epoch, ttl_s=ttl_s, valid_until=bench.now + timedelta(seconds=valid_s))
        statuses = bench.tell(command, is_retained=is_retained)
        if self.is_off(bench.elapsed_s):
            assert statuses == []
            return
        assert len([status for status in statuses if status in (ACCEPTED, REJECTED)]) == 1
        if statuses[0] is ACCEPTED:
            assert not is_retained
            lease_s = min(ttl_s, valid_s) if self.is_clock_synced else ttl_s
            assert lease_s > 0
            self.accepted.append(((epoch, seq), power_kw, bench.elapsed_s, bench.elapsed_s + lease_s))

    @rule(seconds=st.floats(0.01, 30), step_s=st.sampled_from([0.1, 1.0, 50.0]))
    def wait(self, seconds, step_s):
        self.bench.pass_time(seconds, max(step_s, seconds / 20))

    @precondition(lambda self: self.accepted)
    @rule(data=st.data(), is_retained=st.booleans())
    def repeat(self, data, is_retained):
        (epoch, seq), power_kw, *_ = data.draw(st.sampled_from(self.accepted))
        statuses = self.bench.tell(self.bench.command(power_kw, seq, epoch), is_retained=is_retained)
        assert statuses == ([] if self.is_off(self.bench.elapsed_s) else [REJECTED])

    def is_off(self, elapsed_s):
        return any(at_s <= elapsed_s < at_s + 3 for at_s in self.reboots)

    @invariant()
    def accepted_orders_only_rise(self):
        orders = [order for order, *_ in self.accepted]
        assert orders == sorted(set(orders))

    @invariant()
    def nothing_is_followed_but_the_newest_command_within_its_lease(self):
        for kw, begin_s, end_s in self.bench.physics.told:
            if not kw:
                continue
            in_force = [one for one in self.accepted if one[2] <= begin_s + 1e-6]
            _, power_kw, _, lease_end_s = in_force[-1]
            assert kw == power_kw
            assert end_s <= lease_end_s + 1e-6
            for at_s in self.reboots:
                assert end_s <= at_s + 1e-6 or begin_s >= at_s + 3 - 1e-6
                assert not in_force[-1][2] < at_s <= begin_s

    @invariant()
    def the_newest_command_is_followed_while_it_holds(self):
        bench = self.bench
        if not self.accepted or not bench.physics.told or bench.physics.told[-1][2] < bench.elapsed_s - 1e-6:
            return
        _, power_kw, begin_s, end_s = self.accepted[-1]
        lost = any(begin_s < at_s <= bench.elapsed_s for at_s in self.reboots)
        if begin_s + 1e-6 < bench.elapsed_s < end_s - 1e-6 and not lost:
            assert bench.device.export_kw == power_kw

    @invariant()
    def every_accepted_command_ends_once(self):
        for order, *_ in self.accepted:
            statuses = [ack.status for ack in self.bench.acks() if (ack.epoch, ack.seq) == order]
            assert statuses.count(ACCEPTED) == 1
            assert statuses.count(REACHED) <= 1
            assert statuses.count(EXPIRED) + statuses.count(SUPERSEDED) <= 1


LeaseMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestLeaseMachine = LeaseMachine.TestCase
