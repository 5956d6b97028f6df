"""What are the series of a site called, where new values come in by topic?"""

from optimizer.asset import Section
from vpp.dispatch.feeds import Bounds
from vpp.document import Path_
from vpp.domain.series import SeriesSource
from vpp.site import SiteFile

ENDINGS = {"forecast": "", "prices": "", "export_prices": "-export", "hold_kw": "-hold"}
"""What follows the id of the asset or product in a series' name."""


def series_of(site_file: SiteFile) -> dict[str, tuple[Path_, SeriesSource]]:
    """Every series by its name: where it stands in the site file, and where its values come from.

    An asset's forecast is called like the asset, the price of a product like the product.
    """
    owners: list[tuple[str, int, str, Section]] = [
        ("assets", index, asset.id, asset) for index, asset in enumerate(site_file.assets)
    ]
    owners += [
        ("markets", index, entry.product if isinstance(entry.product, str) else entry.product.id, entry)
        for index, entry in enumerate(site_file.markets)
    ]
    return {
        f"{name}{ENDINGS.get(key, f'-{key}')}": ((section, index, key), getattr(owner, key))
        for section, index, name, owner in owners
        for key in type(owner).model_fields
        if isinstance(getattr(owner, key), SeriesSource)
    }


def bounds_of(site_file: SiteFile) -> dict[str, Bounds]:
    """What values of each series may be, by its name."""
    bounds = {}
    for name, ((section, index, key), _) in series_of(site_file).items():
        if section == "assets":
            bounds[name] = Bounds(*site_file.assets[int(index)].plausible(str(key)))
        else:
            bounds[name] = Bounds(lowest=0.0) if key == "hold_kw" else Bounds()
    return bounds
