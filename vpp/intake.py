"""What is to be planned? The site file, the files it refers to, and the span that was asked for, as one Problem.

Every fault of all of them is found before anything is said, so that one correction suffices.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from adapters.feeds import Series
from optimizer.markets.schema import Product
from optimizer.problem import Energy, Imbalance, Options, Problem, Reserve, Risk, Scenario, State
from optimizer.technologies.premises import technology_premises
from vpp.document import Document
from vpp.domain.errors import Fault, InputError
from vpp.domain.horizon import Horizon
from vpp.domain.inputs import SERIES, SITE, STATE
from vpp.domain.series import Premise, middle_of
from vpp.readings import Reading, Table, implausible, is_energy_price, premise, read_source, sources, tables
from vpp.site import Site, SiteFile, parse_site, product_of
from vpp.state import Measured, read_state


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
    readings = [read_source(document, reading) for reading in sources(document, request.prices_path)]
    faults += [fault for reading in readings for fault in reading.faults]
    horizon, span_faults = _horizon(document, request, readings, created)
    faults += span_faults
    if horizon is not None:
        faults += [fault for reading in readings for fault in _series_faults(document, reading, horizon)]
    measured = Measured()
    if site_file is not None and request.state_path is not None:
        measured, state_faults = read_state(request.state_path, site_file, request.now)
        faults += state_faults
    if not faults and site_file is not None and horizon is not None:
        series = tables(readings, horizon)
        faults += implausible(document, site_file, readings, series, horizon)
        if not faults:
            problem = _problem_over(site_file, horizon, readings, series, measured)
            read = [premise(reading, horizon) for reading in readings]
            of_library = [p for asset in problem.assets for p in technology_premises(asset, problem.currency)]
            return Case(
                problem, (*read, *of_library, *_coarse_averages(site_file)), _files(document, request, readings)
            )
    faults = list(dict.fromkeys(faults))
    raise InputError(sorted(faults, key=lambda fault: (fault.file != document.name, fault.line or 0)))


def _files(document: Document, request: Request, readings: list[Reading]) -> tuple[tuple[str, str, Path], ...]:
    series = dict.fromkeys(reading.source.file for reading in readings)
    files = [(SITE, request.site_path.name, request.site_path)]
    files += [(SERIES, name, document.place(name)) for name in series]
    if request.state_path is not None:
        files.append((STATE, request.state_path.name, request.state_path))
    return tuple(files)


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


def _coarse_averages(site_file: SiteFile) -> Iterator[Premise]:
    """Peaks whose averages are shorter than a step, so that the average of a step stands for them."""
    for index, entry in enumerate(site_file.tariff):
        if entry.kind == "peak" and entry.average_minutes < site_file.site.step_minutes:
            check = f"an average of {site_file.site.step_minutes} min stands for one of {entry.average_minutes} min"
            yield Premise(f"tariff[{index}]: {entry.id}", None, check, "approximate")


def _problem_over(
    site_file: SiteFile, horizon: Horizon, readings: list[Reading], series: list[Table], measured: Measured
) -> Problem:
    """The problem of all scenarios; its own series are those of the scenario that is shown."""
    problems = [
        replace(problem_of(site_file, horizon, table, measured.states), so_far=measured.so_far) for table in series
    ]
    members = next((r.source.members for r in readings if len(r.source.members) > 1), ())
    if not members:
        return problems[0]
    scenarios = tuple(
        Scenario(member.name, member.weight, each.series, each.energy)
        for member, each in zip(members, problems, strict=True)
    )
    return replace(problems[middle_of([member.weight for member in members])], scenarios=scenarios)


def problem_of(site_file: SiteFile, horizon: Horizon, series: Table, states: Mapping[str, State]) -> Problem:
    """A site file and its series, of which every one has a value for every step, as a problem."""
    site = site_file.site
    reserves: list[Reserve] = []
    energy: Energy | None = None
    settles_at: str | None = None
    beside: dict[str, Imbalance] = {}
    for index, entry in enumerate(site_file.markets):
        product = product_of(entry)
        assert product is not None, "parse_site lets no unknown product pass"
        if product.kind == "energy":
            export_price = series.get(("markets", index, "export_prices"))
            energy, settles_at = Energy(product.id, series["markets", index, "prices"], export_price), product.imbalance
        elif product.kind == "imbalance":
            shortfall = series["markets", index, "prices"]
            surplus = series.get(("markets", index, "export_prices"), shortfall)
            beside[product.id] = Imbalance(product.id, shortfall, surplus)
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
        energy=energy if settles_at is None else replace(energy, imbalance=beside[settles_at]),
        reserves=tuple(reserves),
        tariff=tuple(site_file.tariff),
        series={
            (site_file.assets[int(index)].id, str(key)): values
            for (section, index, key), values in series.items()
            if section == "assets"
        },
        states=states,
        options=Options(site_file.planning.gap_fraction, site_file.planning.time_limit_s),
        risk=Risk(site_file.planning.cvar_weight, site_file.planning.cvar_alpha),
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
