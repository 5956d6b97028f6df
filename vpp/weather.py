"""What do sun, wind and loads really do at a simulated site? What its forecasts say, and noise on top."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from adapters.feeds import Series, read_series
from adapters.substitutes import filled
from vpp.dispatch.feeds import Bounds
from vpp.domain.errors import Fault, InputError
from vpp.series_names import bounds_of, series_of
from vpp.site import SiteFile

STEP_S = 900
"""A value holds for so long."""

Available = Callable[[float], float]
"""Power that is there at an instant, in seconds since 1970 [kW]."""


def weather(site_path: Path, site_file: SiteFile) -> dict[str, Available]:
    """What drives each asset that has a forecast.

    Raises:
        InputError: a series has no values.
        UnreadableSeriesError: a series cannot be read.

    """
    bounds, driven = bounds_of(site_file), {}
    for name, ((section, index, _), source) in series_of(site_file).items():
        if section == "assets":
            series = read_series(source, site_path.parent)
            driven[site_file.assets[int(index)].id] = _held(series, bounds[name], source.file)
    return driven


def _held(series: Series, bounds: Bounds, file: str) -> Available:
    known: dict[int, float] = {}

    def at(utc_s: float) -> float:
        step = int(utc_s // STEP_S)
        if step not in known:
            found = filled([series], STEP_S * np.array([step, step + 1.0]), bounds.lowest, bounds.highest)
            if found is None:
                raise InputError([Fault(file, "", "", "has no values")], "nothing was simulated")
            known[step] = found.values[0]
        return known[step]

    return at
