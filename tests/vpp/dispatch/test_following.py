"""A device that does not do what it was permitted is not counted on, longer each time."""

import pytest

from tests.snapshots import battery, solar
from vpp.dispatch.following import Following

LEASE_S = 1e6


def following(unit=None):
    return Following(unit or battery(), tick_s=1.0)


def disobey(compared: Following, until_s: float, since_s: float = 0.0) -> None:
    """Told to discharge 80 kW, and at rest each second."""
    for second in range(int(since_s), int(until_s)):
        compared.measured(0.0, float(second))


def test_a_device_within_three_percent_of_its_rating_follows():
    compared = following()
    compared.permitted(80.0, LEASE_S, 0.0)
    for second in range(20):
        compared.measured(83.0, float(second))
    assert compared.off_by_kw is None
    assert compared.follows(20.0)


def test_a_device_has_three_ticks_to_reach_a_new_set_point():
    compared = following()
    compared.permitted(80.0, LEASE_S, 0.0)
    compared.measured(0.0, 2.9)
    assert compared.follows(2.9)
    compared.measured(0.0, 3.0)
    assert not compared.follows(3.0)
    assert compared.off_by_kw == -80.0


def test_a_device_has_its_ramp_beside_to_reach_a_new_set_point():
    compared = following(battery(ramp_s=60.0))
    compared.permitted(80.0, LEASE_S, 0.0)
    compared.measured(0.0, 62.9)
    assert compared.follows(62.9)
    compared.measured(0.0, 63.0)
    assert not compared.follows(63.0)


def test_a_device_on_its_way_from_one_set_point_to_the_next_follows():
    compared = following()
    compared.permitted(0.0, LEASE_S, 0.0)
    compared.permitted(80.0, LEASE_S, 100.0)
    compared.measured(40.0, 102.0)
    assert compared.off_by_kw is None
    compared.measured(40.0, 103.0)
    assert compared.off_by_kw == -40.0


def test_a_device_that_comes_nearer_at_its_own_slow_pace_follows_until_it_stops_short():
    compared = following()
    compared.permitted(80.0, LEASE_S, 0.0)
    for second in range(1, 12):
        compared.measured(4.0 * second, float(second))
        assert compared.off_by_kw is None
    compared.measured(44.0, 12.0)
    assert compared.off_by_kw == -36.0


def test_a_device_that_creeps_by_less_than_its_tolerance_does_not_follow():
    compared = following()
    compared.permitted(80.0, LEASE_S, 0.0)
    for second in range(1, 6):
        compared.measured(2.9 * second, float(second))
    assert not compared.follows(5.0)


def test_a_device_on_its_slow_way_back_from_an_earlier_set_point_follows():
    compared = following()
    compared.permitted(80.0, LEASE_S, 0.0)
    compared.measured(80.0, 50.0)
    compared.permitted(0.0, LEASE_S, 50.0)
    for second in range(1, 16):
        compared.measured(80.0 - 5.0 * second, 50.0 + second)
        assert compared.off_by_kw is None


def test_sun_below_its_ceiling_follows_and_above_it_does_not():
    compared = following(solar())
    compared.permitted(50.0, LEASE_S, 0.0)
    compared.measured(5.0, 10.0)
    assert compared.off_by_kw is None
    compared.measured(60.0, 11.0)
    assert compared.off_by_kw == 10.0


def test_it_is_held_off_for_thirty_seconds_then_twice_as_long_up_to_ten_minutes():
    compared = following()
    compared.permitted(80.0, LEASE_S, 0.0)
    held_s, failed_s = [], 3
    for _ in range(6):
        compared.measured(0.0, float(failed_s))
        again_s = next(second for second in range(failed_s, failed_s + 1000) if compared.follows(float(second)))
        held_s.append(again_s - failed_s)
        failed_s = again_s
    assert held_s == [30, 60, 120, 240, 480, 600]


def test_an_hour_without_failing_forgives():
    compared = following()
    compared.permitted(80.0, LEASE_S, 0.0)
    compared.measured(0.0, 3.0)
    compared.measured(80.0, 34.0)
    compared.measured(0.0, 3603.0)
    assert not compared.follows(3603.0 + 29.9)
    assert compared.follows(3603.0 + 30.0)


def test_an_operator_forgives_at_once():
    compared = following()
    compared.permitted(80.0, LEASE_S, 0.0)
    disobey(compared, 5)
    compared.forgive()
    assert compared.follows(5.0)


@pytest.mark.parametrize("fallen_back_kw", [0.0, -100.0])
def test_what_a_device_does_after_its_lease_is_no_disobedience(fallen_back_kw):
    compared = following()
    compared.permitted(80.0, 60.0, 0.0)
    compared.measured(80.0, 59.0)
    for second in range(60, 120):
        compared.measured(fallen_back_kw, float(second))
    assert compared.off_by_kw is None
    assert compared.follows(120.0)


def test_a_command_after_a_lease_that_ended_gives_time_again():
    compared = following()
    compared.permitted(80.0, 60.0, 0.0)
    compared.permitted(80.0, 60.0, 100.0)
    compared.measured(0.0, 102.0)
    assert compared.follows(102.0)
