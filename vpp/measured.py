"""What was measured before a start: what the last plan was told, and the telemetry since."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from optimizer.tariff.register import registers
from vpp.domain.horizon import local_midnight
from vpp.domain.reversals import extended
from vpp.domain.tariff import Counted
from vpp.records import Planned, Record
from vpp.site import SiteFile
from vpp.telemetry_store import TelemetryStore

BELIEVED_SHARE = 1.1
"""Power beyond an asset's rating by more than this factor is not believed."""


def discharged_today_kwh(
    planned: Record | None, store: TelemetryStore, site_file: SiteFile, now: datetime
) -> Mapping[str, float]:
    """What the last plan was told of this local day, and what was measured since."""
    timezone = site_file.site.timezone
    start = local_midnight(now.astimezone(ZoneInfo(timezone)).date(), timezone)
    before_kwh: Mapping[str, float] = {}
    if planned is not None and isinstance(planned.body, Planned) and start <= planned.at <= now:
        start, before_kwh = planned.at, planned.body.discharged_today_kwh
    since_kwh = store.discharged_kwh([asset.id for asset in site_file.assets], start, now)
    return {name: before_kwh.get(name, 0.0) + kwh for name, kwh in since_kwh.items()}


def stored_before_kwh(
    planned: Record | None, store: TelemetryStore, site_file: SiteFile, now: datetime
) -> Mapping[str, tuple[float, ...]]:
    """Where the energy of each store had turned when the last plan was made, and where it turned since."""
    if planned is None or not isinstance(planned.body, Planned):
        return {}
    found = {}
    for unit in (asset.unit() for asset in site_file.assets):
        if unit.energy_capacity_kwh is not None:
            turned_kwh = planned.body.stored_before_kwh.get(unit.id, ())
            for kwh in store.stored_by_minute(unit.id, planned.at, now, unit.energy_capacity_kwh):
                turned_kwh = extended(turned_kwh, kwh)
            found[unit.id] = turned_kwh
    return found


def counted(planned: Record | None, store: TelemetryStore, site_file: SiteFile, now: datetime) -> Mapping[str, Counted]:
    """What entries of the tariff had counted when the last plan was made, and what passed the meter since."""
    if planned is None or not isinstance(planned.body, Planned):
        return {}
    found = dict(planned.body.counted)
    own = [r for r in registers(site_file.tariff, site_file.site.timezone) if r.entry.id in found]
    for start, end, export_kw in _exchanged(store, site_file, planned.at, now) if own else ():
        for register in own:
            name = register.entry.id
            found[name] = register.counted_on(found[name], start, end, export_kw)
    return found


def _exchanged(
    store: TelemetryStore, site_file: SiteFile, start: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime, float]]:
    """Spans in which every asset was measured, each within a minute, and the power at the meter [kW]."""
    units = [asset.unit() for asset in site_file.assets]
    told = [
        store.by_minute(unit.id, start, end, -BELIEVED_SHARE * unit.charge_kw, BELIEVED_SHARE * unit.discharge_kw)
        for unit in units
    ]
    for minute in sorted(set(told[0]).intersection(*told[1:])):
        of_assets = [minutes[minute] for minutes in told]
        first = max(minute, start)
        after = first + timedelta(seconds=min(seconds for _, seconds in of_assets))
        yield first, min(after, end), sum(mean_kw for mean_kw, _ in of_assets)
