"""The site file: what it may say, and every fault of it at once."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import Field, ValidationError, field_validator
from pydantic_core import PydanticCustomError

from optimizer.asset import Asset, Id, Positive, Section
from optimizer.assets import asset_types
from optimizer.groups.connection.schema import Connection
from optimizer.markets.schema import MarketEntry, Product
from optimizer.products import known_products
from optimizer.tariff.schema import TariffEntry
from optimizer.technologies.asset import CURRENCY, lacks_cost
from vpp.devices import LOOPBACK, Broker, Devices, Operators
from vpp.document import Document, read_document
from vpp.domain.errors import Fault
from vpp.faults import did_you_mean, faults_of, path_text, value_text
from vpp.tariff_faults import tariff_faults
from vpp.uncertain import uncertainty_faults

if TYPE_CHECKING:
    AnyAsset = Asset
else:
    AnyAsset = Annotated[Union[tuple(asset_types().values())], Field(discriminator="type")]  # noqa: UP007

RESERVED_IDS = ("dispatcher", "plan", "op", "market", "alarm", "feed", "site")


class Site(Section):
    """The site itself."""

    id: Id
    """Name of the site in files and topics."""
    name: str | None = None
    """Name of the site for people; default: its id."""
    timezone: str
    """IANA time zone, such as `Asia/Shanghai`; days and months follow it."""
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    """ISO 4217 code of the currency of all prices."""
    step_minutes: Literal[1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60] = 15
    """Length of a step of the plan [min]."""

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            hint = did_you_mean(value, sorted(available_timezones()))
            words = {"problem": "not a known time zone", "remedy": f"{hint}Write an IANA name, such as Europe/Berlin."}
            raise PydanticCustomError("fault", "{problem}", words) from error
        return value


class Planning(Section):
    """How exactly and how long to plan."""

    gap_fraction: Annotated[float, Field(ge=0, le=1)] = 1e-7
    """Distance to the best possible net, as a share of it, at which a search may end."""
    time_limit_s: Positive | None = None
    """Longest search [s]; default: none."""
    cvar_weight: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Share of what is maximised that is the mean of the worst scenarios; the rest is the mean of all."""
    cvar_alpha: Annotated[float, Field(ge=0, lt=1)] = 0.95
    """The worst scenarios are those of the last 1 − alpha of all probability."""


class SiteFile(Section):
    """A whole site file."""

    schema_version: Literal[1]
    """Edition of this format."""
    site: Site
    """The site itself."""
    connection: Connection
    """Where the site meets the public grid."""
    assets: Annotated[list[AnyAsset], Field(min_length=1)]
    """Devices of the site."""
    tariff: Annotated[list[TariffEntry], Field(default_factory=list)]
    """What the grid charges, beside the market; default: nothing."""
    markets: Annotated[list[MarketEntry], Field(min_length=1)]
    """Products that the site takes part in."""
    planning: Planning = Planning()
    """How exactly and how long to plan."""
    devices: Devices = Devices()
    """How the site's devices are reached and led."""
    operators: Operators = Operators()
    """Who may override."""


def parse_site(path: Path) -> tuple[Document, SiteFile | None, list[Fault]]:
    """Read a site file and find every fault of what it says.

    Returns:
        The document, the parsed file if it has no fault, and the faults. What the file refers to is not looked at.

    Raises:
        InputError: the file cannot be read as YAML at all.

    """
    document = read_document(path)
    faults, site_file = [], None
    try:
        context = {CURRENCY: document.at(("site", "currency"))}
        site_file = SiteFile.model_validate(document.values, context=context)
    except ValidationError as error:
        faults = faults_of(error, document, SiteFile)
    named = {fault.path for fault in faults}
    faults += [fault for fault in _faults_between(document) if fault.path not in named]
    return document, None if faults else site_file, sorted(faults, key=lambda fault: fault.line or 0)


def product_of(entry: Any) -> Product | None:
    """The product of a market entry, parsed or not; `None` if it cannot be known."""
    product = entry.get("product") if isinstance(entry, dict) else getattr(entry, "product", None)
    if isinstance(product, dict):
        try:
            return Product.model_validate(product)
        except ValidationError:
            return None
    return product if isinstance(product, Product) else known_products().get(str(product))


def _faults_between(document: Document) -> Iterator[Fault]:
    """Faults that only several parts of the file together can have."""
    yield from _ids(document)
    yield from _unpriced_technologies(document)
    yield from _bindings(document)
    yield from tariff_faults(document)
    yield from uncertainty_faults(document)
    markets = document.at(("markets",))
    entries = markets if isinstance(markets, list) else []
    for index, entry in enumerate(entries):
        if isinstance(entry, dict):
            yield from _entry_faults(document, ("markets", index), entry)
    yield from _repeated_products(document, entries)
    yield from _imbalance_faults(document, entries)
    kinds = [product.kind for product in map(product_of, entries) if product is not None]
    if entries and len(kinds) == len(entries) and kinds.count("energy") != 1:
        problem = f"must hold exactly one energy product, and holds {kinds.count('energy')}"
        yield Fault(document.name, "markets", "[…]", problem, "Such as energy_day_ahead.", document.line(("markets",)))


def _ids(document: Document) -> Iterator[Fault]:
    assets = document.at(("assets",))
    listed = assets if isinstance(assets, list) else []
    ids = [asset.get("id") if isinstance(asset, dict) else None for asset in listed]
    counts = Counter(str(name) for name in ids)
    for index, name in enumerate(ids):
        path = ("assets", index, "id")
        place = (document.name, path_text(path), value_text(name))
        if name in RESERVED_IDS:
            yield Fault(*place, "is reserved", "Choose another id.", document.line(path))
        elif name is not None and counts[str(name)] > 1 and name in ids[:index]:
            first = document.line(("assets", ids.index(name), "id"))
            yield Fault(*place, f"already the id of an asset (line {first})", "Ids must differ.", document.line(path))


def _unpriced_technologies(document: Document) -> Iterator[Fault]:
    """Technologies whose wear neither the library nor the file can price in the site's currency."""
    assets, currency = document.at(("assets",)), document.at(("site", "currency"))
    for index, asset in enumerate(assets if isinstance(assets, list) else []):
        problem = lacks_cost(asset, str(currency)) if isinstance(asset, dict) else None
        if problem is not None:
            path = ("assets", index, "technology")
            remedy = "Give ageing: {replacement_cost_per_kwh: …}, or throughput_cost_per_mwh."
            value = value_text(asset["technology"])
            yield Fault(document.name, path_text(path), value, problem, remedy, document.line(path))


def _bindings(document: Document) -> Iterator[Fault]:
    assets, bindings = document.at(("assets",)), document.at(("devices", "bindings"))
    listed = [asset.get("id") for asset in assets if isinstance(asset, dict)] if isinstance(assets, list) else []
    ids = [name for name in listed if isinstance(name, str)]
    for name in bindings if isinstance(bindings, dict) else ():
        if name not in ids:
            path = ("devices", "bindings", name)
            remedy = f"{did_you_mean(name, ids)}Assets: {', '.join(ids)}."
            yield Fault(document.name, path_text(path), "", "not an asset of this site", remedy, document.line(path))
    try:
        broker = Broker.model_validate(document.at(("devices", "broker")))
    except ValidationError:
        return
    if not broker.is_loopback:
        path = ("devices", "broker", "url")
        problem = "operators.mode is open, which is for brokers on this machine only"
        remedy = f"Use a broker on {LOOPBACK[0]}."
        yield Fault(document.name, path_text(path), value_text(broker.url), problem, remedy, document.line(path))


def _repeated_products(document: Document, entries: list[Any]) -> Iterator[Fault]:
    lines: dict[str, int | None] = {}
    for index, product in enumerate(map(product_of, entries)):
        if product is None or product.kind == "energy":
            continue
        path = ("markets", index, "product")
        if product.id in lines:
            problem = f"already the product of an entry (line {lines[product.id]})"
            yield Fault(
                document.name, path_text(path), f'"{product.id}"', problem, "Ids must differ.", document.line(path)
            )
        lines.setdefault(product.id, document.line(path))


def _imbalance_faults(document: Document, entries: list[Any]) -> Iterator[Fault]:
    """An energy product and what settles beside it need one another, and what is sold ahead has one price."""
    products = list(enumerate(map(product_of, entries)))
    offered = {product.id for _, product in products if product is not None and product.kind == "imbalance"}
    settled = {product.imbalance for _, product in products if product is not None and product.imbalance is not None}
    for index, product in products:
        path = ("markets", index, "product")
        place = (document.name, path_text(path), f'"{product.id}"' if product is not None else "")
        if product is not None and product.imbalance is not None:
            if product.imbalance not in offered:
                problem = f"settles beside itself at {product.imbalance}, which has no entry"
                remedy = f"Add an entry of {product.imbalance} with its prices, or sell energy as it is metered."
                yield Fault(*place, problem, remedy, document.line(path))
            if entries[index].get("export_prices") is not None:
                at = ("markets", index, "export_prices")
                written = value_text(entries[index]["export_prices"])
                problem = "means nothing for energy that is sold ahead, which has one price"
                yield Fault(document.name, path_text(at), written, problem, "Leave it out.", document.line(at))
        elif product is not None and product.kind == "imbalance" and product.id not in settled:
            problem = "settles what is metered beside an energy product, and none names it"
            yield Fault(*place, problem, "Such as energy_scheduled.", document.line(path))


def _entry_faults(document: Document, path: tuple[str | int, ...], entry: dict[str, Any]) -> Iterator[Fault]:
    name = entry.get("product")
    if isinstance(name, str) and name not in known_products():
        known = sorted(known_products())
        remedy = f"{did_you_mean(name, known)}Known: {', '.join(known)}."
        at = (*path, "product")
        yield Fault(document.name, path_text(at), value_text(name), "not a known product", remedy, document.line(at))
    product = product_of(entry)
    if product is None:
        return
    required, useless = {
        "energy": (("prices",), ("hold_kw",)),
        "capacity": (("hold_kw",), ("prices", "export_prices")),
        "imbalance": (("prices",), ("hold_kw",)),
    }[product.kind]
    for key in required:
        if entry.get(key) is None:
            problem = f"{key} is required for a product of kind {product.kind}"
            yield Fault(document.name, path_text((*path, key)), "–", problem, "", document.line(path))
    for key in useless:
        if entry.get(key) is not None:
            at = (*path, key)
            problem = f"means nothing for a product of kind {product.kind}"
            yield Fault(
                document.name, path_text(at), value_text(entry[key]), problem, "Leave it out.", document.line(at)
            )
