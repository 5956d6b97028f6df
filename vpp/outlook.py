"""What does a plan of a running site rest on? The next day from now, whatever is missing.

Day-ahead planning refuses a gap. Here every gap gets a substitute, and the plan says which input has one.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from adapters.feeds import Series
from adapters.substitutes import Filled, filled
from optimizer.problem import State
from vpp.domain.errors import InputError
from vpp.domain.feed import Feed
from vpp.domain.horizon import Horizon, local_midnight
from vpp.domain.series import Premise
from vpp.intake import Case, problem_of
from vpp.readings import Reading, Table, read_source, sources
from vpp.series_names import bounds_of, series_of
from vpp.site import parse_site

AHEAD = timedelta(hours=24)
"""So far ahead a running site is planned. The number of steps never changes, so that one model serves all plans."""
NEAR = timedelta(hours=4)
"""A substitute within so short a time is a fault of the input; beyond it may not be known yet."""


def rolling_horizon(now: datetime, timezone: str, step_s: int) -> Horizon:
    """A day from now, in steps counted from the local midnight; the first is what is left of one."""
    now_s = int(now.timestamp())
    midnight_s = round(local_midnight(now.astimezone(ZoneInfo(timezone)).date(), timezone).timestamp())
    first_step_s = step_s - (now_s - midnight_s) % step_s
    count = 1 + round(AHEAD.total_seconds()) // step_s
    return Horizon(datetime.fromtimestamp(now_s, UTC), step_s, count, timezone, first_step_s)


def look_ahead(
    site_path: Path, now: datetime, states: Mapping[str, State], feeds: Mapping[str, tuple[Feed, ...]]
) -> Case:
    """The problem of the next day from now on.

    Args:
        site_path: The site file; it and all it refers to is read again.
        now: Where the plan begins, in UTC.
        states: What was measured of each store.
        feeds: What came in by topic, by name of the series, the newest last.

    Raises:
        InputError: the site file has a fault, or an input has no value of any week.

    """
    document, site_file, faults = parse_site(site_path)
    if site_file is None:
        raise InputError(faults)
    horizon = rolling_horizon(now, site_file.site.timezone, site_file.site.step_minutes * 60)
    names = {path: name for name, (path, _) in series_of(site_file).items()}
    bounds, edges = bounds_of(site_file), np.array([edge.timestamp() for edge in horizon.edges])
    series: Table = {}
    premises: list[Premise] = []
    for reading in (read_source(document, r) for r in sources(document) if r.is_shown):
        own = [_of_feed(feed) for feed in reversed(feeds.get(names[reading.path], ()))]
        candidates = own + ([reading.series] if reading.series is not None else [])
        may_be = bounds[names[reading.path]]
        values = filled(candidates, edges, may_be.lowest, may_be.highest)
        if values is None:
            faults += reading.faults or [
                reading.fault(document, "file", "has no values, and no earlier ones to stand for them")
            ]
            continue
        series[reading.path] = values.values
        premises.append(_premise(reading, values, candidates, horizon, now))
    if faults:
        raise InputError(faults)
    return Case(problem_of(site_file, horizon, series, states), tuple(premises))


def _of_feed(feed: Feed) -> Series:
    start_s = round(feed.start.timestamp()) + np.arange(len(feed.values), dtype=np.int64) * round(feed.step_s)
    return Series(start_s, np.array(feed.values), {}, feed.issued_at)


def _premise(reading: Reading, values: Filled, candidates: list[Series], horizon: Horizon, now: datetime) -> Premise:
    changed = max(candidate.changed for candidate in candidates)
    known = sum(values.is_known)
    near = [known for known, start in zip(values.is_known, horizon.starts, strict=True) if start < now + NEAR]
    before = f"{' or '.join(map(_span, values.days_back))} before"
    check = f"{known} of {horizon.count} steps" + ("" if known == horizon.count else f", the rest from {before}")
    verdict = "ok" if all(near) else f"substituted by {before}"
    if len(reading.source.members) > 1:
        check += f"; of {len(reading.source.members)} scenarios this one alone, until the next plan"
    return Premise(reading.told, max(0.0, (now - changed).total_seconds()), check, verdict)


def _span(days: int) -> str:
    count, word = (days // 7, "week") if days % 7 == 0 else (days, "day")
    return f"{count} {word}{'' if count == 1 else 's'}"
