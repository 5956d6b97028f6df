"""Reads what was measured at the start of a plan: `{"bess1": {"stored_kwh": 812.5}}`."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import RootModel, ValidationError

from optimizer.asset import Asset, NonNegative, Section
from optimizer.problem import State
from vpp.document import read_document
from vpp.domain.errors import Fault
from vpp.faults import did_you_mean, faults_of, path_text, value_text


class MeasuredState(Section):
    """What was measured of one asset."""

    stored_kwh: NonNegative
    """Energy in the store [kWh]."""
    discharged_today_kwh: NonNegative = 0.0
    """Energy discharged since local midnight, at the AC terminals [kWh]."""


class StateFile(RootModel[dict[str, MeasuredState]]):
    """What was measured, by asset id."""


def read_state(path: Path, assets: Sequence[Asset]) -> tuple[dict[str, State], list[Fault]]:
    """Read measured states and compare them with the site's stores.

    Raises:
        InputError: the file cannot be read at all.

    """
    document = read_document(path)
    try:
        measured = StateFile.model_validate(document.values).root
    except ValidationError as error:
        return {}, faults_of(error, document, StateFile)
    stores = {asset.id: float(asset.energy_capacity_kwh) for asset in assets if hasattr(asset, "energy_capacity_kwh")}
    faults = []
    for name, state in measured.items():
        if name not in stores:
            remedy = f"{did_you_mean(name, list(stores))}Stores of this site: {', '.join(stores)}."
            faults.append(Fault(document.name, name, "", "not a store of this site", remedy, document.line((name,))))
        elif state.stored_kwh > stores[name]:
            place = (name, "stored_kwh")
            problem = f"must be 0 to {stores[name]:g}, the store's energy_capacity_kwh"
            line = document.line(place)
            faults.append(Fault(document.name, path_text(place), value_text(state.stored_kwh), problem, "", line))
    faults += [
        Fault(document.name, name, "–", "no measured energy", "Every store of the site needs one.")
        for name in stores
        if name not in measured
    ]
    return {name: State(s.stored_kwh, s.discharged_today_kwh) for name, s in measured.items()}, faults
