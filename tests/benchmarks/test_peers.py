"""What is measured beside other programs: the same problem on both sides, and nothing passed over in silence."""

import sys
from pathlib import Path

import pytest

from benchmarks import raw
from benchmarks.fleet import CREATED, problem_of
from benchmarks.peers.conversation import Peer, PeerEndedError
from benchmarks.peers.days import days, site_of
from benchmarks.peers.measurements import Beside, planned, table, with_reserve
from benchmarks.timing import compared
from optimizer.planner import plan
from tests.oracle import best_net

EQUAL = 1e-9


@pytest.mark.parametrize("is_ever_negative", [False, True])
def test_a_day_of_one_battery_earns_what_an_independent_formulation_finds(is_ever_negative):
    *_, day = days(1, 3, is_ever_negative=is_ever_negative)
    assert (day.price_per_mwh.min() < 0) == is_ever_negative
    assert planned(day).net == pytest.approx(best_net(site_of(day)), rel=EQUAL)


def test_a_day_of_ten_batteries_earns_what_arrays_filled_by_hand_find():
    (day,) = days(10, 1)
    net, _ = raw.solved(raw.loaded(raw.filled(day)))
    assert planned(day).net == pytest.approx(net, rel=EQUAL)


def test_each_day_has_prices_of_its_own_and_the_same_batteries():
    first, second = days(10, 2)
    assert (first.power_kw == second.power_kw).all()
    assert (first.price_per_mwh != second.price_per_mwh).any()


def test_a_battery_ends_with_the_energy_it_began_with_even_where_more_would_pay():
    for day in days(1, 4, is_ever_negative=True):
        (schedule,) = plan(site_of(day), CREATED).schedules
        assert schedule.soc_fraction[-1] == pytest.approx(0.5)


def test_a_peer_in_a_process_of_its_own_earns_the_same_with_the_same_fleet(tmp_path):
    (fleet,) = with_reserve(2)(1)
    with Peer(Path(sys.executable), "call_pyomo", tmp_path / "peer.log") as peer:
        answer = peer.ask("solve", fleet)
        built = peer.ask("build", fleet)
    assert {"pyomo", "highspy", "numpy", "python"} == set(peer.versions)
    assert answer.net == pytest.approx(plan(problem_of(fleet), CREATED).money.net, rel=EQUAL)
    assert 0 < answer.solver_s < answer.elapsed_s
    assert built.solver_s == 0


def test_a_peer_that_cannot_start_says_why(tmp_path):
    with pytest.raises(PeerEndedError, match="No module named 'emhass'"):
        Peer(Path(sys.executable), "call_emhass", tmp_path / "peer.log")


@pytest.mark.parametrize(
    ("ours_s", "peer_net", "verdict"), [(1.0, 100.0, "reached"), (1.0, 100.001, "MISSED"), (2.0, 100.0, "MISSED")]
)
def test_a_figure_is_missed_if_it_is_late_or_if_the_objectives_differ(ours_s, peer_net, verdict):
    samples = [((ours_s, 100.0), (30.0, peer_net))] * 5
    beside = Beside(compared("ten batteries", "a peer", samples, most=1 / 20), 0.5, 29.0)
    assert table([beside]).endswith(verdict)
    assert beside.is_reached == (verdict == "reached")
