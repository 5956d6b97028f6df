"""Which series does a site file refer to, what do they say, and can it be believed?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from adapters.feeds import Series, UnreadableSeriesError, read_series
from vpp.document import Document, Path_
from vpp.domain.errors import Fault
from vpp.domain.horizon import Horizon
from vpp.domain.series import QUANTILE_WEIGHTS, Member, Premise, SeriesSource
from vpp.faults import path_text, value_text
from vpp.site import SiteFile, product_of
from vpp.uncertain import faults_of_series, series_in

LARGEST_PRICE_PER_MWH = 1e12
"""No price of any currency comes near it; a solver would stumble over more."""

Table = dict[Path_, tuple[float, ...]]
"""Values by where the document tells them; one per step."""


@dataclass
class Reading:
    """A series that the document refers to; of one that is uncertain, one of its scenarios."""

    path: Path_
    source: SeriesSource
    number: int = 0
    """Which of the source's members it is."""
    series: Series | None = None
    faults: list[Fault] = field(default_factory=list)

    @property
    def member(self) -> Member:
        """The column that is read."""
        return self.source.members[self.number]

    @property
    def is_shown(self) -> bool:
        """Whether it is the scenario that is planned on where there can be only one."""
        return self.member == self.source.middle

    @property
    def told(self) -> str:
        """Where it stands and what it is, for people."""
        name = f"{path_text(self.path)}: {self.source.file}"
        return f"{name} {self.member.name}" if self.member.name else name

    def fault(self, document: Document, part: str, problem: str, remedy: str = "") -> Fault:
        """A fault of one part of the source: `file`, `column` or `where`."""
        if part == "column":
            path, value = (*self.path, *self.member.place), self.member.column
        else:
            path, value = (*self.path, part), getattr(self.source, part)
        return Fault(document.name, path_text(path), value_text(value), problem, remedy, document.line(path))


def sources(document: Document, prices_path: Path | None = None) -> Iterator[Reading]:
    """Every well-formed series source of the document, whatever else is wrong with it; one for each scenario.

    Args:
        document: The site file.
        prices_path: Replaces the file of the energy product.

    """
    for path, value in series_in(document):
        try:
            source = TypeAdapter(SeriesSource).validate_python(value)
        except ValidationError:
            continue
        if next(faults_of_series(document, path, value), None) is None:
            if prices_path is not None and is_energy_price(document, path):
                source = replace(source, file=str(prices_path.resolve()))
            yield from (Reading(path, source, number) for number in range(len(source.members)))


def is_energy_price(document: Document, path: Path_) -> bool:
    """Whether a series is the price of the energy product."""
    if path[0] != "markets" or path[2] != "prices":
        return False
    product = product_of(document.at(path[:2]))
    return product is not None and product.kind == "energy"


def read_source(document: Document, reading: Reading) -> Reading:
    """Read a series, and note what keeps it from being read."""
    try:
        source = replace(reading.source, file=str(document.place(reading.source.file)), column=reading.member.column)
        reading.series = read_series(source, Path())
    except UnreadableSeriesError as error:
        reading.faults.append(reading.fault(document, error.part, error.problem.text, error.problem.remedy))
    return reading


def premise(reading: Reading, horizon: Horizon) -> Premise:
    """How old a series is, and how its rows make up the steps."""
    assert reading.series is not None, "only readable series become premises"
    age_s = (horizon.start - reading.series.changed).total_seconds()
    return Premise(reading.told, max(0.0, age_s), reading.series.describe(horizon), "ok")


def tables(readings: Sequence[Reading], horizon: Horizon) -> list[Table]:
    """The values of each scenario; a series that is certain is the same in all of them."""
    count = max((len(reading.source.members) for reading in readings), default=1)
    found: list[Table] = [{} for _ in range(count)]
    for reading in readings:
        assert reading.series is not None, "only readable series are put together"
        values = reading.series.over(horizon)
        for table in found if len(reading.source.members) == 1 else [found[reading.number]]:
            table[reading.path] = values
    return found


def implausible(
    document: Document, site_file: SiteFile, readings: Sequence[Reading], found: Sequence[Table], horizon: Horizon
) -> Iterator[Fault]:
    """Values that an asset or a product cannot have, and those that contradict one another."""
    for reading in readings:
        table = found[reading.number]
        yield from _out_of_bounds(document, site_file, reading, table[reading.path], horizon)
        if reading.number and reading.member.name in QUANTILE_WEIGHTS:
            before = found[reading.number - 1][reading.path]
            problem = f"is below {reading.source.members[reading.number - 1].name}"
            remedy = "In every step p10 is the lowest value and p90 the highest."
            yield from _above(document, reading, (before, table[reading.path]), horizon, (problem, remedy))
        if reading.path[2] == "export_prices":
            product = product_of(site_file.markets[int(reading.path[1])])
            if product is not None and product.kind == "imbalance":
                costs = table[*reading.path[:2], "prices"]
                words = ("a surplus brings more than a shortfall costs", "Then missing the schedule would pay.")
                yield from _above(document, reading, (table[reading.path], costs), horizon, words)


def _out_of_bounds(
    document: Document, site_file: SiteFile, reading: Reading, values: tuple[float, ...], horizon: Horizon
) -> Iterator[Fault]:
    section, index, key = reading.path
    lowest, highest = -inf, inf
    if section == "assets":
        lowest, highest = site_file.assets[int(index)].plausible(str(key))
    elif key == "hold_kw":
        lowest = 0.0
    else:
        lowest, highest = -LARGEST_PRICE_PER_MWH, LARGEST_PRICE_PER_MWH
    wrong = [step for step, value in enumerate(values) if not lowest <= value <= highest]
    if wrong:
        bounds = f"{lowest:g} to {highest:g}" if highest < inf else f"at least {lowest:g}"
        problem = f"must be {bounds}, and is {values[wrong[0]]:g} at {_places(wrong, horizon)}"
        yield reading.fault(document, "column", problem, "If the file is in another unit, give a scale.")


def _above(
    document: Document,
    reading: Reading,
    values: tuple[tuple[float, ...], tuple[float, ...]],
    horizon: Horizon,
    words: tuple[str, str],
) -> Iterator[Fault]:
    """A fault where the first values are above the second."""
    wrong = [step for step, (low, high) in enumerate(zip(*values, strict=True)) if low > high]
    if wrong:
        yield reading.fault(document, "column", f"{words[0]} at {_places(wrong, horizon)}", words[1])


def _places(wrong: Sequence[int], horizon: Horizon) -> str:
    at = horizon.starts[wrong[0]].strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"{at} and in {len(wrong) - 1:,} more steps" if len(wrong) > 1 else at
