"""A copy of a shipped site that a demo may run: with a broker of its own, in a folder for temporary files."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from adapters.feeds import read_series
from vpp.series_names import series_of
from vpp.shipped import shipped_site
from vpp.site import SiteFile, parse_site

BEGINS_AT = timedelta(hours=7, minutes=30)
"""Local time of day at which a demo that is watched begins: shortly before the morning's highest prices."""


TICKS_PER_S = 10.0
"""Most ticks in a second of ours."""


@contextmanager
def copied(name: str, broker_url: str, speed: float = 1.0) -> Iterator[Path]:
    """A site file and its series in a folder of their own, gone at the end.

    Args:
        name: Of a shipped site.
        broker_url: Where the copy finds its broker.
        speed: Seconds of the site's time in one of ours; ticks get longer with it, so that each has time enough.

    Raises:
        InputError: no site has this name.

    """
    shipped = shipped_site(name)
    with tempfile.TemporaryDirectory(prefix="vpp-demo-") as folder:
        copy = Path(folder) / shipped.name
        tick_s = max(1.0, speed / TICKS_PER_S)
        lease_s = max(60.0, 10 * tick_s)
        devices = f'devices:\n  broker: {{url: "{broker_url}"}}\n  tick_s: {tick_s:g}\n  lease_s: {lease_s:g}\n'
        copy.write_text(f"{shipped.read_text('utf-8')}\n{devices}", "utf-8")
        for series in filter(Path.is_dir, shipped.parent.iterdir()):  # a site may share the series of another
            shutil.copytree(series, Path(folder) / series.name)
        yield copy


def parsed(path: Path) -> SiteFile:
    """A site file that is known to have no fault."""
    _, site_file, faults = parse_site(path)
    assert site_file is not None, faults
    return site_file


def first_midnight(path: Path, site_file: SiteFile) -> datetime:
    """First local midnight from which on every series of a site has values, in UTC."""
    zone = ZoneInfo(site_file.site.timezone)
    starts = [int(read_series(source, path.parent).start_s[0]) for _, source in series_of(site_file).values()]
    first = datetime.fromtimestamp(max(starts, default=0), UTC).astimezone(zone)
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    if midnight < first:
        midnight += timedelta(days=1)
    return midnight.astimezone(UTC)
