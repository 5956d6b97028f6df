"""What was a plan made from, and is it still there? Reads a plan's folder, or its bundle, for planning it once more."""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import TypeAdapter, ValidationError

from vpp.bundle import OUTPUT, Unpacked, digest_of, unpack_bundle
from vpp.domain.errors import Fault, InputError
from vpp.domain.inputs import SERIES, SITE, STATE, InputFile, Inputs
from vpp.intake import Case, Request
from vpp.report.files import digest, json_text

PLAN = "plan.json"
TABLES = ("plan.csv", "positions.csv")


@dataclass(frozen=True)
class Recorded:
    """A plan that was written, and what it takes to plan it once more."""

    document: dict[str, Any]
    """The content of `plan.json`."""
    inputs: Inputs
    request: Request
    folder: Path
    """Where the plan's files lie."""
    versions: Mapping[str, str] | None
    """Versions that made it; `None` for a folder, which does not say."""


def inputs_of(case: Case, request: Request, folder: Path) -> Inputs:
    """What a plan rests on, for the files in a folder.

    Args:
        case: What was read.
        request: What was asked for.
        folder: Where the plan's files go.

    """
    days = [start.date() for start in case.problem.horizon.local_starts]
    files = [
        InputFile(role, name, _seen_from(folder, path), digest_of(path.read_bytes())) for role, name, path in case.files
    ]
    return Inputs(
        first_day=days[0],
        last_day=days[-1],
        now_utc=None if request.now is None else case.problem.horizon.start,
        prices=None if request.prices_path is None else str(request.prices_path.resolve()),
        files=tuple(files),
    )


def _seen_from(folder: Path, path: Path) -> str:
    return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()


@contextmanager
def opened(path: Path, consequence: str) -> Iterator[Recorded]:
    """A plan's folder, or its bundle unpacked for as long as it is looked at.

    Raises:
        InputError: it is none, or what it rests on is no longer what it was.

    """
    if not path.is_dir():
        with TemporaryDirectory(prefix="vpp-") as folder:
            yield _bundle(path, unpack_bundle(path, Path(folder), consequence), consequence)
    else:
        yield _folder(path, consequence)


def _folder(path: Path, consequence: str) -> Recorded:
    document, inputs = _read_plan(path / PLAN, path / PLAN, consequence)
    places = {file: path.resolve() / file.path for file in inputs.files}
    faults = list(_changed(path / PLAN, places))
    if faults:
        raise InputError(faults, consequence)
    return Recorded(document, inputs, _request(inputs, places), path, None)


def _changed(plan: Path, places: Mapping[InputFile, Path]) -> Iterator[Fault]:
    remedy = "Plan again; a plan made with --bundle carries its inputs, and its run.zip can always be looked into."
    for file, place in places.items():
        try:
            is_same = digest_of(place.read_bytes()) == file.digest
        except OSError as error:
            yield Fault(str(plan), file.name, "", f"cannot be read at {place}: {error.strerror}", remedy)
            continue
        if not is_same:
            yield Fault(str(plan), file.name, "", f"{place} changed since the plan was made", remedy)


def _bundle(path: Path, unpacked: Unpacked, consequence: str) -> Recorded:
    outputs = {member.name: unpacked.path(member) for member in unpacked.of(OUTPUT)}
    missing = [Fault(str(path), f"outputs/{name}", "", "is missing") for name in (PLAN, *TABLES) if name not in outputs]
    if missing:
        raise InputError(missing, consequence)
    document, inputs = _read_plan(outputs[PLAN], path, consequence)
    carried = {(m.role, m.name): m for role in (SITE, SERIES, STATE) for m in unpacked.of(role)}
    places, faults = {}, []
    for file in inputs.files:
        member = carried.get((file.role, file.name))
        if member is None:
            faults.append(Fault(str(path), file.name, "", "is missing; the plan rests on it"))
        elif member.digest != file.digest:
            faults.append(Fault(str(path), member.member, "", "is not what the plan was made from: another digest"))
        else:
            places[file] = unpacked.path(member)
    faults += [
        Fault(str(path), f"outputs/{name}", "", "is not what the plan wrote: another digest")
        for name in dict.fromkeys((*TABLES, *document["files"]))
        if name not in outputs or document["files"].get(name) != digest_of(outputs[name].read_bytes())
    ]
    if faults:
        raise InputError(faults, consequence)
    return Recorded(document, inputs, _request(inputs, places), outputs[PLAN].parent, unpacked.manifest.versions)


def _request(inputs: Inputs, places: Mapping[InputFile, Path]) -> Request:
    states = [places[file] for file in inputs.of(STATE)]
    return Request(
        site_path=places[inputs.of(SITE)[0]],
        first=inputs.first_day,
        last=inputs.last_day,
        prices_path=None if inputs.prices is None else Path(inputs.prices),
        now=inputs.now_utc,
        state_path=states[0] if states else None,
        moved={file.name: places[file] for file in inputs.of(SERIES)},
    )


def _read_plan(path: Path, shown: Path, consequence: str) -> tuple[dict[str, Any], Inputs]:
    """A `plan.json` whose seal holds, and what it says of its inputs.

    Raises:
        InputError: it cannot be read, was changed since it was written, or says nothing of its inputs.

    """

    def refuse(problem: str, remedy: str = "", place: str = "") -> InputError:
        return InputError([Fault(str(shown), place, "", problem, remedy)], consequence)

    folder = "Name the folder that `vpp plan` wrote, or its run.zip."
    try:
        document = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise refuse(f"cannot be read: {error.strerror}", folder) from error
    except ValueError as error:
        raise refuse(f"is no JSON: {error}", folder) from error
    if not isinstance(document, dict) or not isinstance(document.get("files"), dict):
        raise refuse("is no plan.json", folder)
    unsealed = {key: value for key, value in document.items() if key != "seal"}
    if document.get("seal") != digest(json_text(unsealed)):
        raise refuse("was changed since it was written", "Plan again.", "seal")
    try:
        inputs = TypeAdapter(Inputs).validate_python(document.get("inputs"))
    except ValidationError as error:
        raise refuse("does not say what the plan was made from", "Plan again.", "inputs") from error
    if len(inputs.of(SITE)) != 1:
        raise refuse("must name one site file", "Plan again.", "inputs")
    return document, inputs
