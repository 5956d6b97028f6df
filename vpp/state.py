"""Reads what was measured at the start of a plan: `{"bess1": {"stored_kwh": 812.5}}`, and what a tariff counted."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError

from optimizer.asset import NonNegative, Section
from optimizer.problem import State
from optimizer.tariff.bill import said
from optimizer.tariff.register import Register, registers
from vpp.document import Document, Path_, read_document
from vpp.domain.errors import Fault
from vpp.domain.tariff import SoFar
from vpp.faults import did_you_mean, faults_of, path_text, value_text
from vpp.site import SiteFile

TARIFF = "tariff"
"""Key of what the tariff has counted, unless the site has a store of that name."""
OF_PEAKS, OF_BLOCKS = ("so_far_kw", "average_so_far_kwh"), "so_far_kwh"
"""Keys of the entries that count something."""


class MeasuredState(Section):
    """What was measured of one asset."""

    stored_kwh: NonNegative
    """Energy in the store [kWh]."""
    discharged_today_kwh: NonNegative = 0.0
    """Energy discharged since local midnight, at the AC terminals [kWh]."""
    export_kw: float | None = None
    """Power at the meter [kW], which tells whether a machine runs; default: neither does."""
    stored_before_kwh: tuple[NonNegative, ...] = Field(default=(), strict=False)
    """Energy in the store before, the oldest first; where it turned is enough [kWh]."""


class MeasuredEntry(Section):
    """What one entry of the tariff has counted; what is left out is taken from the site file."""

    so_far_kw: NonNegative | None = None
    """Of a peak: highest average of the running period [kW]."""
    average_so_far_kwh: NonNegative | None = None
    """Of a peak: energy since the running average began [kWh]."""
    so_far_kwh: NonNegative | None = None
    """Of energy in blocks: energy of the running period [kWh]."""


class StoresFile(RootModel[dict[str, MeasuredState]]):
    """What was measured, by asset id."""


class StateFile(BaseModel):
    """What was measured, by asset id, and what the tariff has counted."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, MeasuredState] = Field(init=False)
    tariff: Annotated[dict[str, MeasuredEntry], Field(default_factory=dict)]
    """By id of the entry."""


@dataclass(frozen=True)
class Measured:
    """What a state file says."""

    states: Mapping[str, State] = field(default_factory=dict)
    """By asset id."""
    so_far: Mapping[str, SoFar] = field(default_factory=dict)
    """By id of the entry of the tariff."""


def read_state(path: Path, site_file: SiteFile, now: datetime | None) -> tuple[Measured, list[Fault]]:
    """Read a state file and compare it with the site.

    Args:
        path: The file.
        site_file: The site's stores and tariff.
        now: When it was measured.

    Raises:
        InputError: the file cannot be read at all.

    """
    document = read_document(path)
    has_store_of_that_name = any(asset.id == TARIFF for asset in site_file.assets)
    model = StoresFile if has_store_of_that_name else StateFile
    try:
        read = model.model_validate(document.values)
    except ValidationError as error:
        return Measured(), faults_of(error, document, model)
    stores, entries = (read.root, {}) if isinstance(read, StoresFile) else (read.__pydantic_extra__, read.tariff)
    own = {register.entry.id: register for register in registers(site_file.tariff, site_file.site.timezone)}
    faults = [*_store_faults(document, site_file, stores), *_unknown_entries(document, site_file, own, entries)]
    known = {name: entry for name, entry in entries.items() if name in own}
    for name, entry in known.items():
        faults += _entry_faults(document, own[name], entry)
        faults += _average_faults(document, site_file, own[name], entry, now)
    states = {
        name: State(s.stored_kwh, s.discharged_today_kwh, s.export_kw, s.stored_before_kwh)
        for name, s in stores.items()
    }
    return Measured(states, {name: _so_far(own[name], entry) for name, entry in known.items()}), faults


def _so_far(register: Register, told: MeasuredEntry) -> SoFar:
    in_file = said(register.entry)
    return SoFar(
        peak_kw=in_file.peak_kw if told.so_far_kw is None else told.so_far_kw,
        energy_kwh=in_file.energy_kwh if told.so_far_kwh is None else told.so_far_kwh,
        block_kwh=told.average_so_far_kwh,
    )


def _fault(document: Document, path: Path_, problem: str, remedy: str) -> Fault:
    value = value_text(document.at(path))
    return Fault(document.name, path_text(path), value, problem, remedy, document.line(path))


def _store_faults(document: Document, site_file: SiteFile, stores: Mapping[str, MeasuredState]) -> Iterator[Fault]:
    capacity_kwh = {
        asset.id: float(asset.energy_capacity_kwh)
        for asset in site_file.assets
        if hasattr(asset, "energy_capacity_kwh")
    }
    for name, state in stores.items():
        if name not in capacity_kwh:
            remedy = f"{did_you_mean(name, list(capacity_kwh))}Stores of this site: {', '.join(capacity_kwh)}."
            yield Fault(document.name, name, "", "not a store of this site", remedy, document.line((name,)))
            continue
        places = [(name, "stored_kwh"), *((name, "stored_before_kwh", k) for k in range(len(state.stored_before_kwh)))]
        for place, kwh in zip(places, (state.stored_kwh, *state.stored_before_kwh), strict=True):
            if kwh > capacity_kwh[name]:
                problem = f"must be 0 to {capacity_kwh[name]:g}, the store's energy_capacity_kwh"
                yield _fault(document, place, problem, "")
    for name in capacity_kwh:
        if name not in stores:
            yield Fault(document.name, name, "–", "no measured energy", "Every store of the site needs one.")


def _unknown_entries(
    document: Document, site_file: SiteFile, own: Mapping[str, Register], entries: Mapping[str, MeasuredEntry]
) -> Iterator[Fault]:
    """Entries that the tariff does not have, or that count nothing."""
    for name in entries:
        if name in own:
            continue
        if any(entry.id == name for entry in site_file.tariff):
            yield _fault(document, (TARIFF, name), "counts nothing: it is an energy fee without tiers", "Leave it out.")
            continue
        known = f"Entries that count something: {', '.join(own)}." if own else "The site's tariff counts nothing."
        yield _fault(document, (TARIFF, name), "not an entry of the site's tariff", did_you_mean(name, [*own]) + known)


def _entry_faults(document: Document, register: Register, told: MeasuredEntry) -> Iterator[Fault]:
    is_peak = register.entry.kind == "peak"
    what, allowed = ("a peak", [*OF_PEAKS]) if is_peak else ("energy in blocks", [OF_BLOCKS])
    for key in sorted(told.model_fields_set - set(allowed)):
        problem, remedy = f"means nothing for {what}", f"Known: {', '.join(allowed)}."
        yield _fault(document, (TARIFF, register.entry.id, key), problem, remedy)


def _average_faults(
    document: Document, site_file: SiteFile, register: Register, told: MeasuredEntry, now: datetime | None
) -> Iterator[Fault]:
    """What is said of a running average where none runs, or where a plan takes another."""
    entry, step_minutes = register.entry, site_file.site.step_minutes
    if entry.kind != "peak" or not told.average_so_far_kwh:
        return
    place = (TARIFF, entry.id, "average_so_far_kwh")
    if entry.average_minutes < step_minutes:
        problem = f"cannot be used: averages of {entry.average_minutes} minutes are planned as steps of {step_minutes}"
        yield _fault(document, place, problem, "Leave it out.")
    elif now is not None and register.start_of_average(now) == now:
        yield _fault(document, place, "must be 0: an average begins at this instant", "Leave it out.")
