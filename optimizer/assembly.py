"""Which stamps make up a site?"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizer.asset import Asset
from optimizer.assets import model_of
from optimizer.blocks import Exclusion
from optimizer.compile import compile_block
from optimizer.groups.connection import model as connection_model
from optimizer.markets import capacity, energy
from optimizer.ports import AC_BUS, GRID_BUS
from optimizer.problem import Array, Parameters, Problem
from optimizer.program import Program
from optimizer.stamp import Stamp

CONNECTION, ENERGY, RESERVES = "grid connection", "energy market", "reserve market"
"""Owners of the blocks that are no assets; no id of an asset has a space."""

Exclusive = Mapping[str, NDArray[np.bool_]]
"""Owners whose two directions exclude each other, and the steps in which they must; elsewhere they are relaxed."""


@dataclass(frozen=True)
class Part:
    """One block of the program."""

    stamp: Stamp
    block: int
    exclusion: Exclusion | None = None


@dataclass(frozen=True)
class Assembly:
    """A site as a program, and where to find its parts."""

    program: Program
    parts: dict[str, Part]
    """Every asset by its id, and the connection and the markets by their names."""
    is_binary: NDArray[np.bool_]
    """Columns that must be 0 or 1; shape (columns,)."""

    def column(self, value: Array, owner: str, name: str) -> Array:
        """Values of one part's column family; shape (steps,)."""
        part = self.parts[owner]
        return value[self.program.columns(part.stamp, (name, ()), part.block)]


def assemble(problem: Problem, exclusive: Exclusive) -> Assembly:
    """Stamp every asset, the connection and the markets of a site."""
    stamps: list[Stamp] = []
    assets: dict[str, Part] = {}
    for (model, options), group in _alike(problem, exclusive).items():
        template = compile_block(model.build, options, problem.horizon.count)
        stamp = Stamp(
            template,
            problem.horizon.count,
            {asset.id: asset_parameters(problem, asset) for asset in group},
            step_h=problem.step_h,
        )
        stamps.append(stamp)
        assets |= {asset.id: Part(stamp, block, model.exclusion(asset)) for block, asset in enumerate(group)}
    others = _others(problem, exclusive)
    stamps += [part.stamp for part in others.values()]
    program = Program(stamps, problem.horizon.count)
    return Assembly(program, assets | others, _binaries(program, assets | others, exclusive))


def _alike(problem: Problem, exclusive: Exclusive) -> dict[tuple[ModuleType, Any], list[Asset]]:
    """Assets whose blocks differ in numbers only."""
    groups: dict[tuple[ModuleType, Any], list[Asset]] = {}
    for asset in problem.assets:
        model = model_of(asset)
        options = model.options(asset, problem.inputs_of(asset), is_exclusive=asset.id in exclusive)
        groups.setdefault((model, options), []).append(asset)
    return groups


def asset_parameters(problem: Problem, asset: Asset) -> Parameters:
    """Numbers of one asset's block."""
    model = model_of(asset)
    parameters: Parameters = model.parameters(asset, problem.inputs_of(asset))
    if asset.id in problem.resting:
        parameters |= {name: np.full_like(parameters[name], value) for name, value in model.IDLE.items()}
    return parameters


def other_parameters(problem: Problem) -> dict[str, Parameters]:
    """Numbers of the blocks that are no assets."""
    parameters = {
        CONNECTION: connection_model.parameters(problem.connection),
        ENERGY: energy.parameters(problem.energy),
    }
    return parameters | ({RESERVES: capacity.parameters(problem.reserves)} if problem.reserves else {})


def shape_of(problem: Problem, exclusive: Exclusive) -> Hashable:
    """Everything about a site's model but its numbers: two problems of one shape differ in parameters alone."""
    assets = tuple((block, tuple(asset.id for asset in group)) for block, group in _alike(problem, exclusive).items())
    others = tuple(_other_models(problem, exclusive).items())
    steps = tuple((owner, chosen.tobytes()) for owner, chosen in exclusive.items())
    return problem.horizon.count, assets, others, steps


def _other_models(problem: Problem, exclusive: Exclusive) -> dict[str, tuple[ModuleType, Any]]:
    """Blocks that are no assets, with their options."""
    has_two_prices = problem.energy.export_price_per_mwh is not None
    return {
        CONNECTION: (connection_model, connection_model.Options(has_two_prices, CONNECTION in exclusive)),
        ENERGY: (energy, energy.Options(has_two_prices)),
        RESERVES: (capacity, capacity.Options(len(problem.reserves))),
    }


def _others(problem: Problem, exclusive: Exclusive) -> dict[str, Part]:
    has_two_prices = problem.energy.export_price_per_mwh is not None
    models, parts = _other_models(problem, exclusive), {}
    for owner, parameters in other_parameters(problem).items():
        model, options = models[owner]
        stamp = Stamp(
            compile_block(model.build, options, problem.horizon.count),
            problem.horizon.count,
            {owner: parameters},
            step_h=problem.step_h,
            bus=GRID_BUS,
            inlet_bus=GRID_BUS if owner == ENERGY and has_two_prices else AC_BUS,
        )
        parts[owner] = Part(stamp, 0, connection_model.EXCLUSION if owner == CONNECTION and has_two_prices else None)
    return parts


def _binaries(program: Program, parts: dict[str, Part], exclusive: Exclusive) -> NDArray[np.bool_]:
    is_binary = np.zeros(program.column_count, dtype=bool)
    for owner, steps in exclusive.items():
        stamp, block = parts[owner].stamp, parts[owner].block
        for name, column in stamp.template.columns.items():
            if column.is_binary:
                is_binary[program.columns(stamp, name, block)] = steps
    return is_binary
