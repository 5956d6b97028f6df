"""The arrows between packages, and the names and texts that a site file is made of."""

import ast
import dataclasses
import os
import subprocess
import sys
import typing

import pytest
from pydantic import BaseModel

import vpp.site
import vpp.state
from optimizer.asset import Section
from optimizer.markets.schema import Market
from tests.vpp.command import ROOT
from vpp.domain.series import SeriesSource

UNITS = (
    "_kw", "_kva", "_kvar", "_kwh", "_hz", "_pu", "_s", "_h", "_minutes", "_years", "_per_mwh", "_per_kw", "_c",
    "_fraction", "_fraction_per_h", "_per_start", "_kg", "_m3", "_m", "_efficiency", "_factor",
)  # fmt: skip
DIMENSIONLESS = {
    "SeriesSource.scale": "a factor",
    "SeriesSource.weights": "probabilities",
    "Planning.cvar_weight": "a share of the objective",
    "Planning.cvar_alpha": "a probability",
    "ReserveRule.power": "kilowatts held per kilowatt sold",
    "Value.value": "in the unit beside it",
    "Value.range": "in the unit beside it",
    "Ageing.cycle_life_count": "a number of cycles",
    "Ageing.cycle_coefficient": "a share of life per cycle",
    "Ageing.depth_exponent": "an exponent",
}


def sections(root=Section):
    """Every part of a site file or a market file."""
    for section in root.__subclasses__():
        yield section
        yield from sections(section)


SECTIONS = sorted({section for section in sections() if section.model_fields}, key=lambda section: section.__qualname__)


def is_number(annotation):
    if typing.get_args(annotation):
        return any(is_number(argument) for argument in typing.get_args(annotation))
    return annotation is float


def test_the_sections_of_a_site_file_are_found():
    names = {section.__name__ for section in SECTIONS}
    assert names >= {"SiteFile", "Site", "Connection", "Battery", "Load", "Solar", "Wind", "MarketEntry", "Product"}
    assert issubclass(Market, BaseModel)
    assert vpp.site.SiteFile in SECTIONS
    assert vpp.state.MeasuredState in SECTIONS


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.__name__)
def test_every_field_says_what_it_is(section):
    assert section.__doc__
    for name, field in section.model_fields.items():
        assert field.description, f"{section.__name__}.{name} has no docstring"


@pytest.mark.parametrize("section", [*SECTIONS, SeriesSource], ids=lambda section: section.__name__)
def test_every_number_names_its_unit_unless_it_has_none(section):
    if dataclasses.is_dataclass(section):
        annotations = {name: field.type for name, field in section.__dataclass_fields__.items()}
    else:
        annotations = {name: field.annotation for name, field in section.model_fields.items()}
    for name, annotation in annotations.items():
        if is_number(annotation) and f"{section.__name__}.{name}" not in DIMENSIONLESS:
            assert name.endswith(UNITS), f"{section.__name__}.{name} does not end in its unit"


def test_the_known_exceptions_exist():
    known = {f"{section.__name__}.{name}" for section in SECTIONS for name in section.model_fields}
    known |= {f"SeriesSource.{name}" for name in SeriesSource.__dataclass_fields__}
    assert set(DIMENSIONLESS) <= known


def test_the_contracts_between_packages_are_kept(tmp_path):
    """In a process of its own: it reads every module and keeps them."""
    script = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True,
        text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


SOURCES = [path for package in ("vpp", "optimizer", "adapters") for path in sorted((ROOT / package).rglob("*.py"))]
LONGEST_FILE = 400


def test_every_file_says_what_it_is_for_and_stays_short_enough_to_read():
    assert len(SOURCES) > 50
    for path in SOURCES:
        text = path.read_text("utf-8")
        assert len(text.splitlines()) <= LONGEST_FILE, path
        assert ast.get_docstring(ast.parse(text)), path


def test_a_command_is_imported_when_it_is_called():
    """So that `vpp --help` and a refused command line do not wait for a solver."""
    script = (
        "import sys; from vpp.cli import main; main(['plan', '--day', 'x']);"
        "print(*[name for name in ('pyomo', 'highspy', 'pandas', 'numpy', 'pydantic') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True,
        text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.strip() == ""
