"""What holds for every asset type that is found, whoever wrote it."""

import re
from typing import Any, get_args

import numpy as np
import pyomo.environ as pyo
import pytest
from pydantic import ValidationError
from pyomo.repn import generate_standard_repn

from optimizer.asset import Asset
from optimizer.assets import asset_types, check_of, model_of, type_of
from optimizer.compile import _contents, _Listing, compile_block
from optimizer.planner import plan
from optimizer.stamp import Stamp
from tests.sites import CREATED, NOWHERE, hours, problem
from vpp.domain.series import SeriesSource

UNITS = (
    *("_kw", "_kwh", "_fraction", "_fraction_per_h", "_per_mwh", "_efficiency", "_factor", "_h", "_s", "_hz", "_pu"),
    *("_minutes", "_per_start", "_kg", "_m3", "_m", "_count"),
)
WITHOUT_UNIT = {"id", "type", "curtailable", "forecast", "exclusive_charge_discharge"}
TYPES = sorted(asset_types())
SIZES = {
    "hydrogen_storage": {"tank_capacity_kg": 100 / 33.33},
    "pumped_hydro": {"reservoir_volume_m3": 100 / (100 * 9.81 / 3600), "pump_unit_count": 2},
}
"""Stores whose size is no energy, in sizes that hold 100 kWh; two pumps."""


def example(kind: str, **fields: Any) -> Asset:
    """An asset with 100 in every required field."""
    schema = asset_types()[kind]
    given: dict[str, Any] = {"id": "one", "type": kind} | SIZES.get(kind, {})
    for name, info in schema.model_fields.items():
        if info.is_required() and name not in given:
            given[name] = NOWHERE if info.annotation is SeriesSource else 100.0
    return schema(**given | fields)


def site_of(asset: Asset, steps: int = 30, **fields: Any):
    series = {asset.id: [50.0 + (k % 7) for k in range(steps)]}
    prices = [40.0 + 30 * np.sin(k / 3) for k in range(steps)]
    return problem([asset], prices, series=series, horizon=hours(steps, 15), **fields)


def is_number(annotation: Any) -> bool:
    if get_args(annotation):
        return any(is_number(argument) for argument in get_args(annotation))
    return annotation in (int, float)


@pytest.mark.parametrize("kind", TYPES)
def test_the_folder_is_called_like_the_type(kind):
    assert type_of(example(kind)) == kind


@pytest.mark.parametrize("kind", TYPES)
def test_every_field_says_what_it_is_and_every_number_its_unit(kind):
    for name, info in asset_types()[kind].model_fields.items():
        assert info.description, f"{kind}.{name} has no docstring"
        if is_number(info.annotation) and name not in WITHOUT_UNIT:
            assert name.endswith(UNITS), f"{kind}.{name} does not end in its unit"


@pytest.mark.parametrize("kind", TYPES)
def test_an_unknown_key_and_a_word_for_a_number_are_refused(kind):
    with pytest.raises(ValidationError):
        example(kind, nonsense=1)
    numbers = [n for n, i in asset_types()[kind].model_fields.items() if is_number(i.annotation)]
    for name in numbers:
        with pytest.raises(ValidationError):
            example(kind, **{name: "ninety"})


@pytest.mark.parametrize("kind", TYPES)
def test_an_asset_survives_being_written_and_read(kind):
    asset = example(kind)
    assert type(asset).model_validate_json(asset.model_dump_json()) == asset


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("is_exclusive", [False, True])
def test_the_pattern_along_time_is_the_block_itself(kind, is_exclusive):
    asset = example(kind)
    model = model_of(asset)
    chosen = model.options(asset, site_of(asset).inputs_of(asset), is_exclusive=is_exclusive)
    template = compile_block(model.build, chosen, 30)
    assert _contents(template, 30) == _contents(_Listing(model.build, chosen, 30).as_it_is(), 30)


def members(block: Any, families: dict[Any, int]):
    """Each variable or constraint of a block with its place, family by family, given the first place of each."""
    for (name, key), start in families.items():
        for index, member in block.component(name).items():
            step, *others = index if isinstance(index, tuple) else (index or 0,)
            if tuple(others) == key:
                yield start + step, member


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("steps", [1, 2, 11, 26])
def test_the_stamped_numbers_are_those_that_pyomo_computes(kind, steps):
    asset = example(kind)
    given = site_of(asset, steps)
    model, inputs = model_of(asset), given.inputs_of(asset)
    chosen = model.options(asset, inputs, is_exclusive=False)
    parameters = model.parameters(asset, inputs)
    stamp = Stamp(compile_block(model.build, chosen, steps), steps, {"one": parameters}, step_h=given.step_h)

    block = pyo.ConcreteModel()
    block.time = pyo.RangeSet(0, steps - 1)
    block.step_h = pyo.Param(block.time, mutable=True, initialize=lambda b, t: given.step_h[t])
    model.build(block, chosen)
    for name, value in parameters.items():
        component = block.component(name)
        if component is not None and component.is_indexed() and component.index_set() is block.time:
            component.store_values({t: float(value[t]) for t in range(steps)})
        elif component is not None and not component.is_indexed():
            component.set_value(float(value))

    place = {id(v): column for column, v in members(block, stamp.layout.column_at)}
    lower, upper = (bound[0] for bound in stamp.bounds())
    for column, variable in members(block, stamp.layout.column_at):
        assert (lower[column], upper[column]) == (
            -np.inf if variable.lb is None else variable.lb,
            np.inf if variable.ub is None else variable.ub,
        )
    matrix, entry = stamp.matrix()[0], 0
    row_lower, row_upper = (bound[0] for bound in stamp.row_bounds())
    for row, constraint in members(block, stamp.layout.row_at):
        linear = generate_standard_repn(constraint.body, compute_values=True)
        told = {place[id(v)]: c for v, c in zip(linear.linear_vars, linear.linear_coefs, strict=True)}
        size = stamp.layout.entries_of_row[row]
        columns = stamp.layout.entry_column[entry : entry + size]
        stamped = dict(zip(columns.tolist(), matrix[entry : entry + size].tolist(), strict=True))
        assert {c: v for c, v in stamped.items() if v} == pytest.approx({c: v for c, v in told.items() if v})
        low = -np.inf if constraint.lb is None else constraint.lb
        high = np.inf if constraint.ub is None else constraint.ub
        assert row_lower[row] == pytest.approx(low - linear.constant)
        assert row_upper[row] == pytest.approx(high - linear.constant)
        entry += size


@pytest.mark.parametrize("kind", TYPES)
def test_a_plan_with_one_such_asset_is_verified(kind):
    made = plan(site_of(example(kind)), CREATED)
    assert made.verification.passed
    assert made.schedules[0].asset_type == kind


@pytest.mark.parametrize("kind", TYPES)
def test_idle_parameters_are_parameters_of_the_model(kind):
    asset = example(kind)
    known = model_of(asset).parameters(asset, site_of(asset).inputs_of(asset))
    assert set(model_of(asset).IDLE) <= set(known)


@pytest.mark.parametrize("kind", TYPES)
def test_every_check_of_a_plan_names_what_it_checks(kind):
    asset = example(kind)
    given = site_of(asset)
    schedule = plan(given, CREATED).schedules[0]
    names = [name for name, _ in check_of(asset).violations(asset, given.inputs_of(asset), schedule)]
    assert names
    assert all(re.fullmatch(r"[a-z ]+", name) for name in names)
