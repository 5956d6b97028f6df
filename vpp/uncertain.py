"""What is wrong with how a site file tells uncertainty? Of each series by itself, and of all of them together."""

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

from pydantic import TypeAdapter, ValidationError

from vpp.document import Document, Path_
from vpp.domain.errors import Fault
from vpp.domain.series import QUANTILE_WEIGHTS, SeriesSource
from vpp.faults import path_text, value_text

OFF_ONE = 1e-6
"""Weights may miss a sum of one by so much."""
CERTAIN_KEYS = {"hold_kw": "what is held was sold"}
"""Series that cannot be uncertain, and why."""


def uncertainty_faults(document: Document) -> Iterator[Fault]:
    """Everything that keeps the document's series from saying what may come, and how likely it is."""
    first: tuple[Path_, SeriesSource] | None = None
    for path, value in series_in(document):
        found = list(faults_of_series(document, path, value))
        yield from found
        try:
            source = TypeAdapter(SeriesSource).validate_python(value)
        except ValidationError:
            continue
        if found or source.column is not None:
            continue
        if first is None:
            first = path, source
        else:
            yield from _between(document, path, source, *first)


def series_in(document: Document) -> Iterator[tuple[Path_, Mapping[str, Any]]]:
    """Every place of the document where a series is told, well or badly."""
    for section in ("assets", "markets"):
        entries = document.at((section,))
        for index, entry in enumerate(entries if isinstance(entries, list) else []):
            for key, value in entry.items() if isinstance(entry, dict) else ():
                if isinstance(value, dict) and "file" in value:
                    yield (section, index, key), value


def faults_of_series(document: Document, path: Path_, value: Mapping[str, Any]) -> Iterator[Fault]:
    """What is wrong with how one series tells what may come."""

    def fault(place: Path_, problem: str, remedy: str = "", written: str | None = None) -> Fault:
        at = (*path, *place)
        text = value_text(document.at(at)) if written is None else written
        return Fault(document.name, path_text(at), text, problem, remedy, document.line(at) or document.line(path))

    is_certain = str(path[-1]) in CERTAIN_KEYS
    quantiles = [name for name in QUANTILE_WEIGHTS if value.get(name) is not None]
    ways = [name for name in ("column", *quantiles[:1], "scenarios") if value.get(name) is not None]
    if not ways:
        others = "" if is_certain else " Or p10, p50 and p90, or scenarios, of what is uncertain."
        yield fault(("column",), "column is required", f"Column that holds the values.{others}", "–")
    for name in ways[1:]:
        yield fault(
            (name,), f"stands beside {ways[0]}", "Tell a series by column, by p10, p50 and p90, or by scenarios."
        )
    if quantiles:
        for name in QUANTILE_WEIGHTS:
            if name not in quantiles:
                yield fault((name,), f"{name} is required beside {quantiles[0]}", "Three quantiles make a series.", "–")
    if is_certain and ways and ways != ["column"]:
        yield fault((), f"cannot be uncertain: {CERTAIN_KEYS[str(path[-1])]}", "Name one column.")
    yield from _of_scenarios(value, fault)


def _of_scenarios(value: Mapping[str, Any], fault: Any) -> Iterator[Fault]:
    names, weights = value.get("scenarios"), value.get("weights")
    if isinstance(names, list):
        if not names:
            yield fault(("scenarios",), "must name at least 1 column")
        for k, name in enumerate(names):
            if name in names[:k]:
                yield fault(("scenarios", k), "is named twice", "Add their weights up.")
    if weights is None:
        return
    if names is None:
        yield fault(("weights",), "means nothing without scenarios", "Leave it out.")
    if not isinstance(weights, list) or not all(isinstance(w, int | float) and isfinite(w) for w in weights):
        return
    negative = [k for k, weight in enumerate(weights) if weight < 0]
    for k in negative:
        yield fault(("weights", k), "must be at least 0")
    if isinstance(names, list) and len(names) != len(weights):
        yield fault(("weights",), f"must be {len(names)} numbers, one for each scenario, and are {len(weights)}")
    elif not negative and abs(sum(weights) - 1) > OFF_ONE:
        scaled = ", ".join(f"{weight / sum(weights):.4g}" for weight in weights) if sum(weights) else ""
        remedy = f"In the same proportions they are {scaled}." if scaled else ""
        yield fault(("weights",), f"must sum to 1, and sum to {sum(weights):.9g}", remedy)


def _between(
    document: Document, path: Path_, source: SeriesSource, first_path: Path_, first: SeriesSource
) -> Iterator[Fault]:
    """All uncertain series turn out together, so that they have the same number of scenarios and the same weights."""
    own, other = source.members, first.members
    place = f"{path_text(first_path)} (line {document.line(first_path)})"
    if len(own) != len(other):
        problem = f"has {len(own)} scenarios, and {place} has {len(other)}"
    elif any(abs(a.weight - b.weight) > OFF_ONE for a, b in zip(own, other, strict=True)):
        weights = [", ".join(f"{member.weight:.6g}" for member in members) for members in (own, other)]
        problem = f"weighs its scenarios {weights[0]}, and {place} {weights[1]}"
    else:
        return
    remedy = "All uncertain series turn out together: give them the same number of scenarios with the same weights."
    yield Fault(document.name, path_text(path), "{…}", problem, remedy, document.line(path))
