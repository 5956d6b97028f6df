"""Why is there no plan? The limits that contradict one another, in words."""

from collections.abc import Iterator

from optimizer.highs import Ending
from optimizer.search import Found
from optimizer.template import Column, Row, is_timed
from vpp.domain.errors import Conflict, InfeasibleError


def conflicts(found: Found) -> tuple[Conflict, ...]:
    """Limits of which one must give way; empty if they were not found, or the search ended for lack of time."""
    if found.answer.ending is not Ending.INFEASIBLE:
        return ()
    conflict = found.solver.conflict()
    steps: dict[tuple[str, str], list[int]] = {}
    for owner, line, place in _lines(found, rows=True):
        _note(steps, owner, line, place, conflict.rows)
    for owner, line, place in _lines(found, rows=False):
        _note(steps, owner, line, place, conflict.columns)
    return tuple(Conflict(owner, limit, tuple(at)) for (owner, limit), at in steps.items())


def refusal(found: Found) -> InfeasibleError:
    """Why a search has no plan, to be raised."""
    is_certain = found.answer.ending is Ending.INFEASIBLE
    return InfeasibleError(conflicts(found), found.problem.horizon, is_certain=is_certain)


def _lines(found: Found, *, rows: bool) -> Iterator[tuple[str, Row | Column, slice]]:
    program = found.assembly.program
    for owner, part in found.assembly.parts.items():
        if rows:
            for name, row in part.stamp.template.rows.items():
                yield owner, row, program.rows(part.stamp, name, part.block)
        else:
            for name, column in part.stamp.template.columns.items():
                yield owner, column, program.columns(part.stamp, name, part.block)


def _note(
    steps: dict[tuple[str, str], list[int]],
    owner: str,
    line: Row | Column,
    place: slice,
    sides: dict[int, tuple[str, ...]],
) -> None:
    if line.label is None:
        return
    for index in range(place.start, place.stop):
        for side in sides.get(index, ()):
            if line.label.side(side):
                at = steps.setdefault((owner, line.label.side(side)), [])
                at += [index - place.start] if is_timed(line) else []
