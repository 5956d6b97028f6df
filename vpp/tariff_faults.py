"""Which entries of a tariff contradict one another, or the site's steps?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from pydantic import TypeAdapter, ValidationError

from optimizer.tariff.schema import DAY_MINUTES, EnergyFee, PeakCharge, TariffEntry, When
from vpp.document import Document, Path_
from vpp.domain.errors import Fault
from vpp.faults import path_text, value_text

_ENTRY: TypeAdapter[TariffEntry] = TypeAdapter(TariffEntry)
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True)
class _Placed:
    """An entry, and where it stands."""

    index: int
    entry: TariffEntry


def tariff_faults(document: Document) -> Iterator[Fault]:
    """Faults that only several entries, or an entry and the site's steps, can have together."""
    written = document.at(("tariff",))
    placed: list[_Placed] = []
    for index, values in enumerate(written if isinstance(written, list) else []):
        try:
            placed.append(_Placed(index, _ENTRY.validate_python(values)))
        except ValidationError:
            continue
    yield from _repeated_ids(document, placed)
    minutes = document.at(("site", "step_minutes"))
    step_minutes = 15 if minutes is None else minutes
    if isinstance(step_minutes, int) and step_minutes > 0:
        for each in placed:
            yield from _off_steps(document, each, step_minutes)
    groups: dict[tuple[str, str | None], list[_Placed]] = {}
    for each in placed:
        if isinstance(each.entry, EnergyFee):
            groups.setdefault((each.entry.of, each.entry.group), []).append(each)
    for (_, name), members in groups.items():
        yield from _overlaps(document, members)
        if name is not None and len(members) > 1:
            yield from _holes(document, members)


def _fault(document: Document, each: _Placed, key: str, problem: str, remedy: str) -> Fault:
    path: Path_ = ("tariff", each.index)
    for part in key.split("."):
        below = document.at(path)
        path = (*path, part) if isinstance(below, dict) and part in below else path
    return Fault(document.name, path_text(path), value_text(document.at(path)), problem, remedy, document.line(path))


def _named(document: Document, each: _Placed) -> str:
    return f'"{each.entry.id}" (line {document.line(("tariff", each.index))})'


def _repeated_ids(document: Document, placed: Sequence[_Placed]) -> Iterator[Fault]:
    first: dict[str, _Placed] = {}
    for each in placed:
        if each.entry.id in first:
            line = document.line(("tariff", first[each.entry.id].index))
            yield _fault(document, each, "id", f"already the id of an entry (line {line})", "Ids must differ.")
        first.setdefault(each.entry.id, each)


def _off_steps(document: Document, each: _Placed, step_minutes: int) -> Iterator[Fault]:
    """Hours that begin or end within a step or an average, and averages that are no whole number of steps."""
    entry, length = each.entry, step_minutes
    if isinstance(entry, PeakCharge):
        length = max(step_minutes, entry.average_minutes)
        if length % step_minutes:
            problem = f"is no whole number of the site's steps of {step_minutes} minutes"
            yield _fault(document, each, "average_minutes", problem, "Choose another site.step_minutes.")
            return
    if any(bound % length for bound in entry.when.bounds_minutes):
        what = "step" if length == step_minutes else "average"
        problem = f"must begin and end with {'a step' if what == 'step' else 'an average'}, every {length} minutes"
        yield _fault(document, each, "when.hours", problem, "Round the hours, or choose a shorter site.step_minutes.")


def _moments(members: Sequence[_Placed]) -> Iterator[tuple[int, int, int]]:
    """Month, weekday and minute of the day: every combination that some window may tell apart."""
    edges = {0, *(bound % DAY_MINUTES for each in members for bound in each.entry.when.bounds_minutes)}
    return product(range(1, 13), range(7), sorted(edges))


def _holds(when: When, month: int, weekday: int, minute: int) -> bool:
    return when.holds_in(month) and when.holds_on(weekday) and when.holds_at(minute)


def _overlaps(document: Document, members: Sequence[_Placed]) -> Iterator[Fault]:
    for one, other in combinations(members, 2):
        for moment in _moments(members):
            if _holds(one.entry.when, *moment) and _holds(other.entry.when, *moment):
                problem = (
                    f"overlaps {_named(document, one)}, such as on {_told(moment)}: two prices for the same energy"
                )
                remedy = "Part the windows; if both are to be paid, give one of them a group of its own."
                yield _fault(document, other, "when", problem, remedy)
                break


def _holes(document: Document, members: Sequence[_Placed]) -> Iterator[Fault]:
    for moment in _moments(members):
        if not any(_holds(each.entry.when, *moment) for each in members):
            problem = f"has no price at all times: none on {_told(moment)}"
            remedy = "Add an entry of this group for the rest, with price_per_mwh: 0 where nothing is charged."
            yield _fault(document, members[0], "group", problem, remedy)
            return


def _told(moment: tuple[int, int, int]) -> str:
    month, weekday, minute = moment
    return f"a {_DAYS[weekday]} in {_MONTHS[month - 1]} at {minute // 60:02}:{minute % 60:02}"
