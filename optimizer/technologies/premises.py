"""What does a plan rest on where an asset names a technology? The values used, and how well they are known."""

from collections.abc import Iterator

from optimizer.asset import Asset
from optimizer.technologies.asset import TechnologyAsset, Used
from vpp.domain.series import ASSUMED, OUTSIDE_RANGE, Premise


def technology_premises(asset: Asset, currency: str) -> Iterator[Premise]:
    """What an asset takes from the library: what is known of it, what is assumed, and what lies outside its range."""
    if not isinstance(asset, TechnologyAsset) or asset.technology is None:
        return
    name = f"technology {asset.technology} of {asset.id}"
    used = list(asset.used_values())
    told = [(value.record.quality, _told(value)) for value in used if value.is_of_library]
    cost = asset.used_cost(currency)
    if cost is not None:
        told.append((cost[1], f"ageing.replacement_cost_per_kwh {cost[0]:g} {currency} of {cost[2]}"))
    known = [text for quality, text in told if quality != "assumed"]
    assumed = [text for quality, text in told if quality == "assumed"]
    outside = [f"{_told(value)} (library: {value.range_text})" for value in used if not value.is_allowed]
    if known:
        yield Premise(name, None, ", ".join(known), "ok")
    if assumed:
        yield Premise(name, None, ", ".join(assumed), ASSUMED)
    if outside:
        yield Premise(name, None, f"{', '.join(outside)}: {asset.range_override_reason}", OUTSIDE_RANGE)


def _told(value: Used) -> str:
    return f"{value.field} {value.given:g}"
