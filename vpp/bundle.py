"""A plan and all it rests on in one file, `run.zip`: inputs, versions and outputs, each with its digest."""

import hashlib
import json
import platform
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from os import utime
from pathlib import Path, PurePosixPath

from pydantic import TypeAdapter, ValidationError

from vpp import __version__
from vpp.domain.errors import Fault, InputError
from vpp.domain.inputs import SITE, STATE, InputFile

MANIFEST = "manifest.json"
OUTPUT = "output"
"""Role of the files that a plan wrote; the others have those of `vpp.domain.inputs`."""
BUNDLE_VERSION = 1
LARGEST_BYTES = 2_000_000_000
"""More than any plan needs; a smaller file could unpack to it and fill a disk."""
LIBRARIES = ("highspy", "pyomo", "numpy", "pandas")
_SAFE = re.compile(r"[\w.-][\w. -]*(/[\w.-][\w. -]*)*")
_SAME_TIME = (1980, 1, 1, 0, 0, 0)
"""Written into the archive for every member, so that the same files make the same bytes."""
_REGULAR_FILE = 0o100644 << 16
_ENCRYPTED = 1


@dataclass(frozen=True)
class Member:
    """A file in a bundle."""

    member: str
    """Its path in the bundle."""
    role: str
    """`site`, `series`, `state` or `output`."""
    name: str
    """Its name where it was asked for."""
    digest: str
    changed_ns: int | None
    """When an input was last changed, in nanoseconds since 1970; the age of an input is part of a plan."""


@dataclass(frozen=True)
class Manifest:
    """What is in a bundle."""

    bundle_version: int
    versions: dict[str, str]
    members: tuple[Member, ...]


@dataclass(frozen=True)
class Unpacked:
    """A bundle whose every member is as its manifest says."""

    manifest: Manifest
    folder: Path

    def of(self, role: str) -> tuple[Member, ...]:
        """The members of one role."""
        return tuple(member for member in self.manifest.members if member.role == role)

    def path(self, member: Member) -> Path:
        """Where a member lies now."""
        return self.folder / member.member


def versions() -> dict[str, str]:
    """What makes a plan beside its inputs: Python, this program, the solver, and the libraries between them."""
    found = {"python": platform.python_version(), "vpp-dispatcher": __version__}
    return found | {name: version(name) for name in LIBRARIES}


def digest_of(data: bytes) -> str:
    """A digest of a file, with the name of its method before it."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def write_bundle(path: Path, inputs: Sequence[tuple[InputFile, Path]], outputs: Iterable[Path]) -> None:
    """Write a bundle, whole or not at all.

    Args:
        path: Where it goes.
        inputs: What the plan rests on, and where it lies.
        outputs: The files of the plan.

    Raises:
        InputError: an input changed since the plan was made.

    """
    members: list[tuple[Member, bytes]] = []
    for number, (file, place) in enumerate(inputs, 1):
        data = place.read_bytes()
        if digest_of(data) != file.digest:
            remedy = "Plan again, so that the bundle holds what the plan was made from."
            fault = Fault(str(place), "", "", "changed while the plan was made", remedy)
            raise InputError([fault], "no bundle was written")
        name = _inside(file, number)
        if name in {member.member for member, _ in members}:
            name = _elsewhere(file, number)
        members.append((Member(name, file.role, file.name, file.digest, place.stat().st_mtime_ns), data))
    for place in outputs:
        data = place.read_bytes()
        members.append((Member(f"outputs/{place.name}", OUTPUT, place.name, digest_of(data), None), data))
    manifest = Manifest(BUNDLE_VERSION, versions(), tuple(member for member, _ in members))
    unfinished = path.with_name(f".{path.name}.unfinished")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, MANIFEST, (json.dumps(asdict(manifest), indent=2, ensure_ascii=False) + "\n").encode())
        for member, data in members:
            _add(archive, member.member, data)
    unfinished.replace(path)


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    info = zipfile.ZipInfo(name, _SAME_TIME)
    info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, _REGULAR_FILE
    archive.writestr(info, data)


def _inside(file: InputFile, number: int) -> str:
    """Path of an input in the bundle: as its site file names it where that is below it, so that it plans unpacked."""
    if file.role == STATE:
        return f"state/{_plain(file.name)}"
    if file.role == SITE:
        return f"inputs/{_plain(file.name)}"
    name = str(PurePosixPath(file.name))
    if _is_safe(name):
        return f"inputs/{name}"
    return _elsewhere(file, number)


def _elsewhere(file: InputFile, number: int) -> str:
    return f"elsewhere/{number}-{_plain(PurePosixPath(file.name).name)}"


def _plain(name: str) -> str:
    return name if _is_safe(name) else re.sub(r"[^\w.-]", "_", name).lstrip(".") or "file"


def _is_safe(name: str) -> bool:
    """Whether a path stays below the folder that it is unpacked in, on every system."""
    return _SAFE.fullmatch(name) is not None and not {".", ".."} & set(name.split("/"))


def unpack_bundle(path: Path, folder: Path, consequence: str) -> Unpacked:
    """Unpack a bundle into an empty folder, and hold every member against the manifest.

    Args:
        path: The bundle.
        folder: Where it is unpacked.
        consequence: What comes of a bundle that is not as it was written.

    Raises:
        InputError: with every fault of the bundle.

    """
    try:
        with zipfile.ZipFile(path) as archive:
            faults = [Fault(str(path), name, "", problem) for name, problem in _suspicious(archive)]
            if faults:
                raise InputError(faults, consequence)
            manifest = _manifest(path, archive, consequence)
            faults = [Fault(str(path), name, "", problem) for name, problem in _unpack(archive, manifest, folder)]
    except OSError as error:
        raise InputError([Fault(str(path), "", "", f"cannot be read: {error.strerror}")], consequence) from error
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError) as error:
        remedy = "Make the bundle again, or fetch it again."
        fault = Fault(str(path), "", "", f"is no bundle, or is damaged: {error}", remedy)
        raise InputError([fault], consequence) from error
    if faults:
        raise InputError(faults, consequence)
    return Unpacked(manifest, folder)


def _suspicious(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Members that no bundle of ours has."""
    names = [info.orig_filename for info in archive.infolist()]
    for info in archive.infolist():
        if not _is_safe(info.orig_filename):
            yield info.orig_filename, "leads out of the folder that a bundle is unpacked in, or is no plain file"
        elif names.count(info.orig_filename) > 1:
            yield info.orig_filename, "is there more than once"
        elif info.flag_bits & _ENCRYPTED:
            yield info.orig_filename, "is encrypted"
    size = sum(info.file_size for info in archive.infolist())
    if size > LARGEST_BYTES:
        yield "", f"unpacks to {size:,} bytes; a bundle has at most {LARGEST_BYTES:,}"


def _manifest(path: Path, archive: zipfile.ZipFile, consequence: str) -> Manifest:
    if MANIFEST not in archive.namelist():
        fault = Fault(str(path), MANIFEST, "–", "is not there", "A bundle is what `vpp plan --bundle` writes.")
        raise InputError([fault], consequence)
    try:
        manifest = TypeAdapter(Manifest).validate_json(archive.read(MANIFEST))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise InputError([Fault(str(path), MANIFEST, place, f"is none: {first['msg']}")], consequence) from error
    if manifest.bundle_version != BUNDLE_VERSION:
        text = f"{manifest.bundle_version}"
        fault = Fault(str(path), "bundle_version", text, f"must be {BUNDLE_VERSION}", "Use the version that wrote it.")
        raise InputError([fault], consequence)
    return manifest


def _unpack(archive: zipfile.ZipFile, manifest: Manifest, folder: Path) -> Iterator[tuple[str, str]]:
    """Write every member, and yield what is wrong with them."""
    known = {member.member for member in manifest.members}
    for name in archive.namelist():
        if name not in known and name != MANIFEST:
            yield name, f"is not in {MANIFEST}"
    for member in manifest.members:
        if member.member not in archive.namelist():
            yield member.member, "is missing"
            continue
        data = archive.read(member.member)
        if digest_of(data) != member.digest:
            yield member.member, f"was changed: its digest is not that of {MANIFEST}"
            continue
        target = folder / member.member
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        if member.changed_ns is not None:
            utime(target, ns=(member.changed_ns, member.changed_ns))
