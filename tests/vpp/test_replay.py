import json
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from math import nan
from pathlib import Path

import pytest

from tests.vpp.bodies import NOW, decided
from vpp.cli import main
from vpp.control.decide import decide
from vpp.domain.course import Course
from vpp.domain.snapshot import Decision, Outcome, Snapshot
from vpp.journal import Journal
from vpp.records import Body, Decided, Entry, Planned, Record
from vpp.replay import replay
from vpp.safety import permits

COURSE = Course(
    "p1", NOW, NOW, 900, 900, 2, {"b1": (40.0, -20.0)}, {"b1": (90.0, 95.0)}, {}, (50.0, 20.0), (50.0, 20.0), "EUR",
    "optimal", 1.0, 0.0, 0.0,
)  # fmt: skip
TICK = decided()


def records(*bodies: Body) -> list[Record]:
    return [Record(seq, NOW, body, "") for seq, body in enumerate(bodies, 1)]


def as_planned(snapshot: Snapshot, course: Course | None) -> Decision:
    """A stand-in for control: what the course says for now."""
    assert course is not None
    step = course.step_at(snapshot.now)
    assert step is not None
    setpoint = replace(TICK.decision.setpoints["b1"], export_kw=course.export_kw["b1"][step])
    return replace(TICK.decision, setpoints={"b1": setpoint})


def as_wanted(snapshot: Snapshot, decision: Decision) -> Outcome:
    """A stand-in for safety: everything is permitted."""
    return {"b1": replace(TICK.outcome["b1"], export_kw=decision.setpoints["b1"].export_kw)}


def test_a_decision_that_comes_out_the_same_is_no_difference() -> None:
    later = decided(NOW + timedelta(minutes=15), -20.0)
    assert list(replay(records(Planned(COURSE), TICK, later), as_planned, as_wanted)) == []


def test_a_value_that_comes_out_otherwise_is_named() -> None:
    (found,) = replay(records(Planned(COURSE), decided(export_kw=41.0)), as_planned, as_wanted)
    assert (found.seq, found.path) == (2, "decision.setpoints.b1.export_kw")
    assert (found.journalled, found.recomputed) == ("41.0", "40.0")


def test_a_permit_that_comes_out_otherwise_is_named_beside_the_decision() -> None:
    body = replace(TICK, outcome={"b1": replace(TICK.outcome["b1"], narrowed_by="ramp")})
    (found,) = replay(records(Planned(COURSE), body), as_planned, as_wanted)
    assert (found.path, found.journalled, found.recomputed) == ("outcome.b1.narrowed_by", "ramp", "None")


def test_an_asset_on_one_side_only_is_a_difference() -> None:
    body = replace(TICK, decision=replace(TICK.decision, setpoints={}))
    found = list(replay(records(Planned(COURSE), body), as_planned, lambda *_: TICK.outcome))
    assert [(one.path, one.journalled) for one in found] == [("decision.setpoints.b1", "nothing")]


def test_the_last_bit_and_the_sign_of_zero_count_and_no_number_equals_itself() -> None:
    def shifted(to: float) -> list[str]:
        decision = replace(TICK.decision, residual_kw=to)
        return [d.path for d in replay(records(Planned(COURSE), TICK), lambda *_: decision, as_wanted)]

    assert shifted(5e-324) == ["decision.residual_kw"]
    assert shifted(-0.0) == ["decision.residual_kw"]
    assert shifted(0) == []
    body = replace(TICK, decision=replace(TICK.decision, residual_kw=nan))
    assert list(replay(records(Planned(COURSE), body), lambda *_: body.decision, as_wanted)) == []


def test_a_plan_that_is_not_in_the_journal_is_named() -> None:
    (found,) = replay(records(TICK), as_planned, as_wanted)
    assert (found.path, found.journalled, found.recomputed) == (
        "snapshot.course_id",
        "p1",
        "no such plan in the journal",
    )


def journal(folder: Path, *bodies: Body) -> None:
    folder.mkdir()
    with closing(Journal(folder / "journal.sqlite")) as written:
        written.append([Entry(NOW, body) for body in bodies])


def real(export_kw: float | None = None) -> Decided:
    """A tick as the program itself decides it, and perhaps one value changed."""
    snapshot = replace(TICK.snapshot, permits={})
    decision = decide(snapshot, COURSE)
    outcome = permits(snapshot, decision)
    if export_kw is not None:
        outcome = {"b1": replace(outcome["b1"], export_kw=export_kw)}
    return Decided(snapshot, decision, outcome)


def test_the_command_finds_no_difference_in_what_this_program_decided(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal(tmp_path / "s", Planned(COURSE), real(), real())
    assert main(["replay", "--state", str(tmp_path / "s")]) == 0
    assert "2 decisions, 0 differences" in capsys.readouterr().out


def test_the_command_prints_a_difference_and_exits_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal(tmp_path / "s", Planned(COURSE), real(), real(33.0))
    assert main(["replay", "--json", "--state", str(tmp_path / "s")]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["decision_count"] == 2
    assert [(d["seq"], d["path"], d["journalled"]) for d in document["differences"]] == [
        (3, "outcome.b1.export_kw", "33.0")
    ]
