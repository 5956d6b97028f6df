"""`vpp plan`: plans a local day, or a span of days, and writes the plan."""

import argparse
import os
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from optimizer.planner import compare, explained
from vpp.bundle import write_bundle
from vpp.domain.errors import Fault, InputError
from vpp.domain.inputs import Inputs
from vpp.domain.plan import Plan, Status
from vpp.domain.series import Premise
from vpp.intake import Case, Request, take_in
from vpp.output import Output
from vpp.progress import Progress
from vpp.recorded import inputs_of
from vpp.report.files import write_plan
from vpp.report.terminal import summary
from vpp.report.wording import money


def run(options: argparse.Namespace, output: Output) -> None:
    """Read, plan, compare, write, and print."""
    created = datetime.now(UTC)
    request = _request(options)
    progress = Progress(output)
    started = time.perf_counter()
    case = take_in(request, created)
    read_s = time.perf_counter() - started
    progress.stage("read", _read(case.premises), read_s)
    with progress:
        made = compare(case.problem, explained(case.problem, created, progress))
    inputs = inputs_of(case, request, options.out)
    made = replace(made, premises=case.premises, inputs=inputs, timing=replace(made.timing, read=read_s))
    _tell(made, progress)
    made, document, written = _write(made, options.out)
    if options.bundle:
        written.append(_bundle(case, inputs, written, options.out))
    text = summary(made, written, width=output.width, shows_bars=output.is_terminal)
    output.result(text.replace(made.status.upper(), output.bold(made.status.upper()), 1), document)


def _request(options: argparse.Namespace) -> Request:
    """The span that was asked for.

    Raises:
        InputError: options that do not go together.

    """
    faults = []
    if options.last is not None and options.first is None:
        faults.append(Fault("command line", "--to", f"{options.last}", "needs --from", "Give both, or --day."))
    if options.first is not None and options.last is None:
        faults.append(Fault("command line", "--from", f"{options.first}", "needs --to", "Give both, or --day."))
    if (options.now is None) != (options.state is None):
        given, missing = ("--now", "--state") if options.state is None else ("--state", "--now")
        remedy = "A plan from now on starts from what was measured now."
        faults.append(Fault("command line", given, "", f"needs {missing}", remedy))
    place = next(place for place in (options.out, *options.out.absolute().parents) if place.exists())
    if not place.is_dir() or not os.access(place, os.W_OK):
        faults.append(_unwritable(options.out, "is no folder" if not place.is_dir() else "may not be written"))
    if faults:
        raise InputError(faults)
    first = options.day or options.first
    return Request(options.site, first, options.last or first, options.prices, options.now, options.state)


def _write(made: Plan, folder: Path) -> tuple[Plan, dict[str, Any], list[Path]]:
    """Write all files.

    Raises:
        InputError: the folder takes none.

    """
    try:
        return write_plan(made, folder)
    except OSError as error:
        fault = _unwritable(folder, f"cannot be written: {error.strerror}")
        raise InputError([fault], "nothing was written") from error


def _bundle(case: Case, inputs: Inputs, written: list[Path], folder: Path) -> Path:
    """Write what the plan rests on, and what it wrote, as one file.

    Raises:
        InputError: an input changed meanwhile, or the folder takes no file.

    """
    path, places = folder / "run.zip", [place for _, _, place in case.files]
    try:
        write_bundle(path, list(zip(inputs.files, places, strict=True)), written)
    except OSError as error:
        fault = _unwritable(folder, f"cannot be written: {error.strerror}")
        raise InputError([fault], "no bundle was written") from error
    return path


def _unwritable(folder: Path, problem: str) -> Fault:
    return Fault("command line", "--out", f'"{folder}"', problem, "Name another folder.")


def _read(premises: tuple[Premise, ...]) -> str:
    return f"{len(premises)} series, {premises[-1].check}" if premises else "no series"


def _tell(made: Plan, progress: Progress) -> None:
    progress.stage("build", f"{made.model_rows:,} rows, {made.model_columns:,} columns", made.timing.build)
    gap = f"gap {100 * made.gap_fraction:.2f} %  bound {money(made.bound)} {made.money.currency}"
    cut = "  best found in time" if made.status is Status.FEASIBLE else ""
    progress.stage("solve", f"{gap}{cut}", made.timing.solve)
    progress.stage("verify", f"ok, worst violation {made.verification.worst_violation:.1e} kW", made.timing.verify)
