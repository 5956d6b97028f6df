"""What is shown while a plan is made: real stages, and of a search its gap, never a share of the time."""

import pytest

from optimizer.highs import Stand
from vpp.output import Output
from vpp.progress import Progress


@pytest.fixture
def output():
    """An output whose stderr is taken for a terminal."""
    made = Output(is_json=False, is_ascii=False)
    made.shows_progress = True
    return made


def shown(progress):
    return None if progress._status is None else progress._status.status


def test_a_stage_is_a_line_with_its_time(output, capsys):
    Progress(output).stage("build", "12 rows, 5 columns", 0.254)
    assert capsys.readouterr().err.split() == ["build", "12", "rows,", "5", "columns", "0.25", "s"]


def test_a_search_shows_nothing_at_first_and_then_its_gap_and_its_best(output):
    with Progress(output) as progress:
        progress.searching(Stand(1.9, -5_000_000.0, -6_000_000.0, 0.2))
        assert shown(progress) is None
        progress.searching(Stand(12.4, -5_000_000.0, -6_000_000.0, 0.2))
        assert shown(progress) == "solve  gap 20.00 %  best 5,000.00  12 s   Ctrl-C takes the best so far"
    assert shown(progress) is None


def test_a_search_without_an_answer_shows_its_size(output):
    with Progress(output) as progress:
        progress.built(1200, 3400)
        progress.searching(Stand(3.0, float("inf"), float("-inf"), float("inf")))
        assert shown(progress) == "solve  1,200 rows, 3,400 columns  3 s   Ctrl-C takes the best so far"


def test_only_many_directions_are_told(output):
    with Progress(output) as progress:
        progress.deciding(1, 96)
        assert shown(progress) is None
        progress.deciding(100, 96)
        assert shown(progress) == "solve  directions of 100 stores over 96 steps"


def test_where_nobody_looks_nothing_is_shown(capsys):
    with Progress(Output(is_json=False, is_ascii=False)) as progress:
        progress.stage("build", "12 rows", 1.0)
        progress.searching(Stand(12.4, -5.0, -6.0, 0.2))
    assert capsys.readouterr().err == ""
