"""Which stamps make up a site?"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizer import promises, risk
from optimizer.asset import Asset
from optimizer.assets import model_of
from optimizer.blocks import Exclusion
from optimizer.compile import compile_block
from optimizer.groups.connection import model as connection_model
from optimizer.markets import capacity, energy, imbalance, scheduled
from optimizer.ports import AC_BUS, FIRST_STAGE_BUS, GRID_BUS
from optimizer.problem import Array, Future, Parameters, Problem
from optimizer.program import Program
from optimizer.stamp import CERTAIN, Chance, Stamp
from optimizer.tariff import fee, peak
from optimizer.tariff.bill import said
from optimizer.tariff.schema import TariffEntry

CONNECTION, ENERGY, RESERVES, PROMISES = "grid connection", "energy market", "reserve market", "all promises"
"""Owners of the blocks that are no assets; no id of an asset has a space."""
SCHEDULED, RISK = "energy sold ahead", "worst scenarios"
"""Owners of the blocks that all scenarios share."""

Exclusive = Mapping[str, NDArray[np.bool_]]
"""Owners whose two directions exclude each other, and the steps in which they must; elsewhere they are relaxed."""


@dataclass(frozen=True)
class Part:
    """One block of the program."""

    stamp: Stamp
    block: int
    exclusion: Exclusion | None = None
    is_decision: bool = False
    """Whether its binaries are decisions from the start, and not only where directions exclude each other."""


@dataclass(frozen=True)
class Assembly:
    """A site as a program, and where to find its parts."""

    program: Program
    parts: dict[str, Part]
    """Every asset by its id, and the connection and the markets by their names; as each scenario has them, if any."""
    is_integer: NDArray[np.bool_]
    """Columns that take whole numbers only; shape (columns,)."""
    plain: Mapping[str, str] = field(default_factory=dict)
    """The names of parts that belong to a scenario, without it."""

    @property
    def stamps(self) -> tuple[Stamp, ...]:
        """The stamps of all parts, in the order of the program."""
        return tuple(dict.fromkeys(part.stamp for part in self.parts.values()))

    def of(self, future: Future) -> "Assembly":
        """What one scenario sees: its own parts by their plain names, and those that all share."""
        if not future.name:
            return self
        own = {name: part for key, part in self.parts.items() if future.owner(name := self.plain.get(key, key)) == key}
        shared = {key: part for key, part in self.parts.items() if key not in self.plain}
        return replace(self, parts=own | shared)

    def column(self, value: Array, owner: str, name: str) -> Array:
        """Values of one part's column family; shape (steps,)."""
        part = self.parts[owner]
        return value[self.program.columns(part.stamp, (name, ()), part.block)]


def assemble(problem: Problem, exclusive: Exclusive) -> Assembly:
    """Stamp every asset, the connection and the markets of a site, once for each scenario, and what scenarios share."""
    parts: dict[str, Part] = {}
    plain: dict[str, str] = {}
    for number, future in enumerate(problem.futures):
        chance = Chance(number, future.weight, 1 - problem.risk.cvar_weight) if future.name else CERTAIN
        for name, part in _parts(future, _of_future(exclusive, future), chance).items():
            parts[future.owner(name)] = part
            plain |= {future.owner(name): name} if future.name else {}
    parts |= _shared(problem)
    program = Program(list(dict.fromkeys(part.stamp for part in parts.values())), problem.horizon.count)
    return Assembly(program, parts, _integers(program, parts, exclusive), plain)


def _of_future(exclusive: Exclusive, future: Future) -> Exclusive:
    """The exclusions of one scenario, by plain names."""
    if not future.name:
        return exclusive
    names = (*(asset.id for asset in future.problem.assets), *_other_models(future.problem, {}))
    return {name: exclusive[future.owner(name)] for name in names if future.owner(name) in exclusive}


def _parts(future: Future, exclusive: Exclusive, chance: Chance) -> dict[str, Part]:
    """The assets, the connection and the markets as one scenario has them."""
    problem, assets = future.problem, dict[str, Part]()
    for (model, options), group in _alike(problem, exclusive).items():
        template = compile_block(model.build, options, problem.horizon.count)
        stamp = Stamp(
            template,
            problem.horizon.count,
            {asset.id: asset_parameters(problem, asset) for asset in group},
            step_h=problem.step_h,
            bus=future.owner(AC_BUS),
            inlet_bus=future.owner(AC_BUS),
            chance=chance,
        )
        for block, asset in enumerate(group):
            exclusion = model.exclusion(asset)
            assets[asset.id] = Part(stamp, block, exclusion, is_decision=exclusion is None)
    return assets | _others(future, exclusive, chance)


def _shared(problem: Problem) -> dict[str, Part]:
    """What all scenarios share: the first stage, and how much the worst of them count."""
    count, parts = problem.horizon.count, dict[str, Part]()
    for owner, parameters in shared_parameters(problem).items():
        build, options = (scheduled.build, None) if owner == SCHEDULED else (risk.build, _risk_options(problem))
        template = compile_block(build, options, count)
        parts[owner] = Part(
            Stamp(template, count, {owner: parameters}, step_h=problem.step_h, bus=FIRST_STAGE_BUS), block=0
        )
    return parts


def shared_parameters(problem: Problem) -> dict[str, Parameters]:
    """Numbers of the blocks that all scenarios share."""
    parameters = {}
    if problem.energy.imbalance is not None:
        parameters[SCHEDULED] = scheduled.parameters(problem.connection)
    if problem.scenarios and problem.risk.cvar_weight:
        parameters[RISK] = risk.parameters(problem)
    return parameters


def _risk_options(problem: Problem) -> risk.Options:
    return risk.Options(len(problem.scenarios))


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
        ENERGY: (imbalance if problem.energy.imbalance else energy).parameters(problem.energy),
    }
    if problem.reserves:
        kept = frozenset[str]() if problem.giving is None else problem.giving.kept
        parameters[RESERVES] = capacity.parameters(problem.reserves, kept)
    if problem.giving is not None:
        parameters[PROMISES] = promises.parameters(problem.giving)
    for entry in problem.tariff:
        own = (problem.horizon, problem.so_far.get(entry.id, said(entry)), problem.connection)
        parameters[tariff_owner(entry)] = (
            fee.parameters(entry, *own) if entry.kind == "energy" else peak.parameters(entry, *own)
        )
    return parameters


def tariff_owner(entry: TariffEntry) -> str:
    """Owner of the block of an entry of the tariff."""
    return f"tariff {entry.id}"


def tells_directions(problem: Problem) -> bool:
    """Whether import and export at the meter are told apart, because they cost or earn differently."""
    return problem.energy.export_price_per_mwh is not None or bool(problem.tariff)


def every_parameters(problem: Problem) -> dict[str, Parameters]:
    """Numbers of every part, by its name in `Assembly.parts`."""
    found: dict[str, Parameters] = {}
    for future in problem.futures:
        own = {asset.id: asset_parameters(future.problem, asset) for asset in future.problem.assets}
        found |= {future.owner(name): p for name, p in (own | other_parameters(future.problem)).items()}
    return found | shared_parameters(problem)


def shape_of(problem: Problem, exclusive: Exclusive) -> Hashable:
    """Everything about a site's model but its numbers: two problems of one shape differ in parameters alone."""
    futures = tuple((f.name, f.weight, *_blocks_of(f, _of_future(exclusive, f))) for f in problem.futures)
    steps = tuple((owner, chosen.tobytes()) for owner, chosen in exclusive.items())
    return problem.horizon.count, futures, problem.risk, steps


def _blocks_of(future: Future, exclusive: Exclusive) -> tuple[Hashable, Hashable]:
    problem = future.problem
    assets = tuple((block, tuple(asset.id for asset in group)) for block, group in _alike(problem, exclusive).items())
    return assets, tuple(_other_models(problem, exclusive).items())


def _other_models(problem: Problem, exclusive: Exclusive) -> dict[str, tuple[ModuleType, Any]]:
    """Blocks that are no assets, with their options."""
    has_two_prices = problem.energy.export_price_per_mwh is not None
    models: dict[str, tuple[ModuleType, Any]] = {
        CONNECTION: (connection_model, connection_model.Options(tells_directions(problem), CONNECTION in exclusive)),
        ENERGY: (imbalance, None) if problem.energy.imbalance else (energy, energy.Options(has_two_prices)),
        RESERVES: (capacity, capacity.Options(len(problem.reserves), gives_way=problem.giving is not None)),
        PROMISES: (promises, None),
    }
    for entry in problem.tariff:
        models[tariff_owner(entry)] = (
            (fee, fee.options(entry, problem.horizon))
            if entry.kind == "energy"
            else (peak, peak.options(entry, problem.horizon))
        )
    return models


def _others(future: Future, exclusive: Exclusive, chance: Chance) -> dict[str, Part]:
    problem = future.problem
    has_two_prices = problem.energy.export_price_per_mwh is not None
    at_the_meter = {tariff_owner(entry) for entry in problem.tariff} | ({ENERGY} if has_two_prices else set())
    models, parts = _other_models(problem, exclusive), {}
    for owner, parameters in other_parameters(problem).items():
        model, options = models[owner]
        stamp = Stamp(
            compile_block(model.build, options, problem.horizon.count),
            problem.horizon.count,
            {owner: parameters},
            step_h=problem.step_h,
            bus=future.owner(GRID_BUS if owner == CONNECTION else AC_BUS),
            inlet_bus=future.owner(GRID_BUS if owner in at_the_meter else AC_BUS),
            chance=chance,
        )
        is_meter = owner == CONNECTION and tells_directions(problem)
        parts[owner] = Part(
            stamp, 0, connection_model.EXCLUSION if is_meter else None, is_decision=model in (fee, peak)
        )
    return parts


def _integers(program: Program, parts: dict[str, Part], exclusive: Exclusive) -> NDArray[np.bool_]:
    is_integer = np.zeros(program.column_count, dtype=bool)
    for part in parts.values():
        if part.is_decision:
            width = part.stamp.layout.column_count
            is_integer[program.column_at[part.stamp] + part.block * width :][:width] = part.stamp.is_integer()
    for owner, steps in exclusive.items():
        stamp, block = parts[owner].stamp, parts[owner].block
        for name, column in stamp.template.columns.items():
            if column.is_integer:
                is_integer[program.columns(stamp, name, block)] = steps
    return is_integer
