"""A dispatcher that is killed at any instant loses no request that it answered, and does none twice or late."""

from tests.running.rounds import kill_again_and_again

ROUNDS = 15


def test_no_answered_request_is_lost_done_twice_or_done_after_its_end(site):
    site.simulate()
    outcome = kill_again_and_again(site, ROUNDS, seed=1)
    assert outcome.is_clean, outcome
    assert outcome.said_yes >= ROUNDS, "too few requests were answered to prove anything"
    assert outcome.commanded >= ROUNDS / 2
