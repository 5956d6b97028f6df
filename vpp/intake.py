"""What is to be planned? The site file, the files it refers to, and the span that was asked for, as one Problem.

Every fault of all of them is found before anything is said, so that one correction suffices.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from math import inf
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from adapters.feeds import Series, UnreadableSeriesError, read_series
from optimizer.markets.schema import Product
from optimizer.problem import Energy, Options, Problem, Reserve, State
from optimizer.technologies.premises import technology_premises
from vpp.document import Document, Path_
from vpp.domain.errors import Fault, InputError
from vpp.domain.horizon import Horizon
from vpp.domain.inputs import SERIES, SITE, STATE
from vpp.domain.series import Premise, SeriesSource
from vpp.faults import path_text, value_text
from vpp.site import Site, SiteFile, parse_site, product_of
from vpp.state import read_state

LARGEST_PRICE_PER_MWH = 1e12
"""No price of any currency comes near it; a solver would stumble over more."""


@dataclass(frozen=True)
class Request:
    """Which span to plan, and from what."""

    site_path: Path
    first: date | None = None
    """First local day; default: the first day that the prices cover from today on, else their first."""
    last: date | None = None
    """Last local day; default: the first."""
    prices_path: Path | None = None
    """Replaces the file of the energy product."""
    now: datetime | None = None
    """Plan the rest of the span from this instant on."""
    state_path: Path | None = None
    """What was measured at `now`."""
    moved: Mapping[str, Path] = field(default_factory=dict)
    """Where series lie that are not where the site file says, by the name that it gives them."""


@dataclass(frozen=True)
class Case:
    """A problem, and what it rests on."""

    problem: Problem
    premises: tuple[Premise, ...]
    files: tuple[tuple[str, str, Path], ...] = ()
    """Every file that was read: what it is to the plan, its name there, and where it lies."""


@dataclass
class Reading:
    """A series that the document refers to."""

    path: Path_
    source: SeriesSource
    series: Series | None = None
    faults: list[Fault] = field(default_factory=list)

    def fault(self, document: Document, part: str, problem: str, remedy: str = "") -> Fault:
        """A fault of one part of the source: `file`, `column` or `where`."""
        path, value = (*self.path, part), getattr(self.source, part)
        return Fault(document.name, path_text(path), value_text(value), problem, remedy, document.line(path))


def take_in(request: Request, created: datetime) -> Case:
    """Read everything that a plan rests on.

    Args:
        request: The site and the span.
        created: Instant of planning, in UTC; tells which day is today.

    Raises:
        InputError: with every fault of the site file and of all it refers to.

    """
    document, site_file, faults = parse_site(request.site_path)
    document = replace(document, moved=request.moved)
    readings = [read_source(document, reading) for reading in sources(document, request)]
    faults += [fault for reading in readings for fault in reading.faults]
    horizon, span_faults = _horizon(document, request, readings, created)
    faults += span_faults
    if horizon is not None:
        faults += [fault for reading in readings for fault in _series_faults(document, reading, horizon)]
    states: dict[str, State] = {}
    if site_file is not None and request.state_path is not None:
        states, state_faults = read_state(request.state_path, site_file.assets)
        faults += state_faults
    if not faults and site_file is not None and horizon is not None:
        series = {r.path: r.series.over(horizon) for r in readings if r.series is not None}
        faults += _implausible(document, site_file, readings, series, horizon)
        if not faults:
            problem = problem_of(site_file, horizon, series, states)
            read = [_premise(reading, horizon) for reading in readings]
            of_library = [p for asset in problem.assets for p in technology_premises(asset, problem.currency)]
            return Case(
                problem, (*read, *of_library, *_coarse_averages(site_file)), _files(document, request, readings)
            )
    raise InputError(sorted(faults, key=lambda fault: (fault.file != document.name, fault.line or 0)))


def _files(document: Document, request: Request, readings: list[Reading]) -> tuple[tuple[str, str, Path], ...]:
    series = dict.fromkeys(reading.source.file for reading in readings)
    files = [(SITE, request.site_path.name, request.site_path)]
    files += [(SERIES, name, document.place(name)) for name in series]
    if request.state_path is not None:
        files.append((STATE, request.state_path.name, request.state_path))
    return tuple(files)


def sources(document: Document, request: Request) -> Iterator[Reading]:
    """Every well-formed series source of the document, whatever else is wrong with it."""
    for section in ("assets", "markets"):
        entries = document.at((section,))
        for index, entry in enumerate(entries if isinstance(entries, list) else []):
            for key, value in entry.items() if isinstance(entry, dict) else ():
                if isinstance(value, dict) and "file" in value:
                    try:
                        source = TypeAdapter(SeriesSource).validate_python(value)
                    except ValidationError:
                        continue
                    yield Reading((section, index, key), _replaced(document, request, (section, index, key), source))


def _replaced(document: Document, request: Request, path: Path_, source: SeriesSource) -> SeriesSource:
    """The source with the file that the command line names, where it is the energy product's."""
    if request.prices_path is None or not is_energy_price(document, path):
        return source
    return replace(source, file=str(request.prices_path.resolve()))


def is_energy_price(document: Document, path: Path_) -> bool:
    """Whether a series is the price of the energy product."""
    if path[0] != "markets" or path[2] != "prices":
        return False
    product = product_of(document.at(path[:2]))
    return product is not None and product.kind == "energy"


def read_source(document: Document, reading: Reading) -> Reading:
    """Read a series, and note what keeps it from being read."""
    try:
        source = replace(reading.source, file=str(document.place(reading.source.file)))
        reading.series = read_series(source, Path())
    except UnreadableSeriesError as error:
        reading.faults.append(reading.fault(document, error.part, error.problem.text, error.problem.remedy))
    return reading


def _horizon(
    document: Document, request: Request, readings: list[Reading], created: datetime
) -> tuple[Horizon | None, list[Fault]]:
    try:
        site = Site.model_validate(document.at(("site",)))
    except ValidationError:
        return None, []
    zone, step_s = ZoneInfo(site.timezone), site.step_minutes * 60
    first = request.first
    if first is None and request.now is not None:
        first = request.now.astimezone(zone).date()
    if first is None:
        prices = [r.series for r in readings if r.series is not None and is_energy_price(document, r.path)]
        first = _first_day(prices[0], site, created.astimezone(zone).date()) if prices else None
    if first is None:
        return None, []
    try:
        horizon = Horizon.of_local_days(first, request.last or first, site.timezone, step_s)
    except ValueError as error:
        return None, [Fault("command line", "--from, --to", f"{first} … {request.last or first}", str(error))]
    if request.now is None:
        return horizon, []
    try:
        return horizon.starting_at(request.now), []
    except ValueError as error:
        return None, [Fault("command line", "--now", request.now.isoformat(), str(error))]


def _first_day(prices: Series, site: Site, today: date) -> date | None:
    """The first day that the prices cover from today on, else their first, else the day on which they begin."""
    days = prices.local_days(site.timezone)
    coming = [day for day in days if day >= today]
    for day in (*coming, *days):
        try:
            horizon = Horizon.of_local_days(day, day, site.timezone, site.step_minutes * 60)
        except ValueError:
            continue
        if prices.covers(horizon):
            return day
    return days[0] if days else None


def _series_faults(document: Document, reading: Reading, horizon: Horizon) -> Iterator[Fault]:
    for problem in reading.series.problems(horizon) if reading.series is not None else ():
        yield reading.fault(document, "file", problem.text, problem.remedy)


def _implausible(
    document: Document,
    site_file: SiteFile,
    readings: list[Reading],
    series: dict[Path_, tuple[float, ...]],
    horizon: Horizon,
) -> Iterator[Fault]:
    """Values that an asset or a product cannot have."""
    for reading in readings:
        section, index, key = reading.path
        lowest, highest = -inf, inf
        if section == "assets":
            lowest, highest = site_file.assets[int(index)].plausible(str(key))
        elif key == "hold_kw":
            lowest = 0.0
        else:
            lowest, highest = -LARGEST_PRICE_PER_MWH, LARGEST_PRICE_PER_MWH
        values = series[reading.path]
        wrong = [step for step, value in enumerate(values) if not lowest <= value <= highest]
        if wrong:
            step, bounds = wrong[0], f"{lowest:g} to {highest:g}" if highest < inf else f"at least {lowest:g}"
            at = horizon.starts[step].strftime("%Y-%m-%dT%H:%M:%SZ")
            more = f" and in {len(wrong) - 1:,} more steps" if len(wrong) > 1 else ""
            problem = f"must be {bounds}, and is {values[step]:g} at {at}{more}"
            yield reading.fault(document, "column", problem, "If the file is in another unit, give a scale.")


def _premise(reading: Reading, horizon: Horizon) -> Premise:
    assert reading.series is not None, "only readable series become premises"
    age_s = (horizon.start - reading.series.changed).total_seconds()
    name = f"{path_text(reading.path)}: {reading.source.file}"
    return Premise(name, max(0.0, age_s), reading.series.describe(horizon), "ok")


def _coarse_averages(site_file: SiteFile) -> Iterator[Premise]:
    """Peaks whose averages are shorter than a step, so that the average of a step stands for them."""
    for index, entry in enumerate(site_file.tariff):
        if entry.kind == "peak" and entry.average_minutes < site_file.site.step_minutes:
            check = f"an average of {site_file.site.step_minutes} min stands for one of {entry.average_minutes} min"
            yield Premise(f"tariff[{index}]: {entry.id}", None, check, "approximate")


def problem_of(
    site_file: SiteFile, horizon: Horizon, series: dict[Path_, tuple[float, ...]], states: dict[str, State]
) -> Problem:
    """A site file and its series, of which every one has a value for every step, as a problem."""
    site = site_file.site
    reserves: list[Reserve] = []
    energy: Energy | None = None
    for index, entry in enumerate(site_file.markets):
        product = product_of(entry)
        assert product is not None, "parse_site lets no unknown product pass"
        if product.kind == "energy":
            export_price = series.get(("markets", index, "export_prices"))
            energy = Energy(product.id, series["markets", index, "prices"], export_price)
        else:
            held = entry.hold_kw
            constant = (held,) * horizon.count if isinstance(held, float | int) else ()
            reserves.append(_reserve(product, series.get(("markets", index, "hold_kw"), constant)))
    assert energy is not None, "parse_site demands one energy product"
    return Problem(
        site_id=site.id,
        site_name=site.name or site.id,
        currency=site.currency,
        horizon=horizon,
        connection=site_file.connection,
        assets=tuple(site_file.assets),
        energy=energy,
        reserves=tuple(reserves),
        tariff=tuple(site_file.tariff),
        series={
            (site_file.assets[int(index)].id, str(key)): values
            for (section, index, key), values in series.items()
            if section == "assets"
        },
        states=states,
        options=Options(site_file.planning.gap_fraction, site_file.planning.time_limit_s),
    )


def _reserve(product: Product, hold_kw: tuple[float, ...]) -> Reserve:
    rule = product.reserve
    return Reserve(
        product=product.id,
        direction=product.direction,
        hold_kw=hold_kw,
        power=rule.power,
        energy_up_h=rule.energy_up_h,
        energy_down_h=rule.energy_down_h,
        at_start=rule.at != "end",
        at_end=rule.at != "start",
        includes_losses=rule.efficiency,
    )
