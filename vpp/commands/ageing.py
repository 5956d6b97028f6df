"""`vpp ageing`: counts the cycles of a measured state of charge, and what they took of the store's life."""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path

from adapters.traces import Traces, read_traces
from optimizer.ageing.schema import Ageing
from optimizer.ageing.trace import trace_wear
from optimizer.asset import Asset
from vpp.domain.errors import Fault, InputError
from vpp.domain.trace import Trace
from vpp.faults import did_you_mean
from vpp.output import Output
from vpp.report.trace import trace_document, trace_text
from vpp.site import SiteFile, parse_site

Worn = dict[str, tuple[Asset, Ageing]]
"""Stores with a law of ageing, by id."""


def run(options: argparse.Namespace, output: Output) -> None:
    """Read the site and the trace, count, and print."""
    site_file, traces = _read(options.site, options.trace)
    worn = _worn(site_file)
    chosen = _chosen(options, site_file, worn, traces)
    wears = [trace_wear(*worn[name], trace) for name, trace in chosen.items()]
    site = site_file.site
    text = trace_text(wears, timezone=site.timezone, currency=site.currency, width=output.width)
    output.result(text, trace_document(wears, site_id=site.id, trace=str(options.trace), currency=site.currency))


def _read(site_path: Path, trace_path: Path) -> tuple[SiteFile, Traces]:
    """Both files.

    Raises:
        InputError: with every fault of either.

    """
    _, site_file, faults = parse_site(site_path)
    try:
        traces = read_traces(trace_path)
    except InputError as error:
        raise InputError([*faults, *error.faults], error.consequence) from error
    if site_file is None:
        raise InputError(faults, "nothing was counted")
    return site_file, traces


def _worn(site_file: SiteFile) -> Worn:
    laws = ((asset, getattr(asset, "ageing", None)) for asset in site_file.assets)
    return {asset.id: (asset, law) for asset, law in laws if law is not None}


def _chosen(options: argparse.Namespace, site_file: SiteFile, worn: Worn, traces: Traces) -> Mapping[str, Trace]:
    """The trace of each store that was asked for.

    Raises:
        InputError: a store or its law is missing, or nothing says whose the trace is.

    """
    faults = list(_faults(options, site_file, worn, traces))
    if faults:
        raise InputError(faults, "nothing was counted")
    if not traces.names_assets:
        return {options.asset or next(iter(worn)): traces.by_asset[None]}
    wanted = [options.asset] if options.asset else [name for name in worn if name in traces.by_asset]
    return {name: traces.by_asset[name] for name in wanted}


def _faults(options: argparse.Namespace, site_file: SiteFile, worn: Worn, traces: Traces) -> Iterator[Fault]:
    ids, site, trace = [asset.id for asset in site_file.assets], str(options.site), str(options.trace)
    with_law = f"With one: {', '.join(worn)}." if worn else "See docs/how-to/price-the-wear-of-a-battery.md."
    if options.asset is not None and options.asset not in ids:
        remedy = f"{did_you_mean(options.asset, ids)}Assets: {', '.join(ids)}."
        yield Fault("command line", "--asset", f'"{options.asset}"', "not an asset of this site", remedy)
    elif options.asset is not None and options.asset not in worn:
        path = f"assets[{ids.index(options.asset)}].ageing"
        yield Fault(site, path, "–", f"{options.asset} has no law of ageing", f"Give it `ageing`. {with_law}")
    elif not worn:
        yield Fault(site, "assets", "[…]", "no store has a law of ageing", f"Give one `ageing`. {with_law}")
    elif not traces.names_assets:
        if options.asset is None and len(worn) > 1:
            problem = "several stores have a law of ageing, and the trace has no column 'asset_id'"
            yield Fault("command line", "--asset", "–", problem, f"Name one of {', '.join(worn)}.")
    else:
        strangers = [str(name) for name in traces.by_asset if str(name).split("/")[0] not in ids]
        for name in strangers:
            remedy = f"{did_you_mean(name, ids)}Assets: {', '.join(ids)}."
            yield Fault(trace, "asset_id", f'"{name}"', "not an asset of this site", remedy)
        wanted = [options.asset] if options.asset else list(worn)
        if not strangers and not any(name in traces.by_asset for name in wanted):
            has = ", ".join(str(name) for name in traces.by_asset)
            yield Fault(trace, "asset_id", "–", f"has no values of {' or '.join(wanted)}", f"It has {has}.")
