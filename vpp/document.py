"""Reads a YAML file as plain values, and remembers on which line each of them stands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from vpp.domain.errors import Fault, InputError

LARGEST_BYTES = 4_000_000
Path_ = tuple[str | int, ...]
"""Keys and indices from the root of a document."""


@dataclass(frozen=True)
class Document:
    """A parsed file."""

    name: str
    """Path as the user gave it."""
    folder: Path
    values: Any
    lines: dict[Path_, int] = field(default_factory=dict)
    """Line of each value, counted from 1."""
    moved: Mapping[str, Path] = field(default_factory=dict)
    """Where files lie that are not where the document says, by the name that it gives them."""

    def place(self, name: str) -> Path:
        """Where a file lies that the document names."""
        return self.moved.get(name, self.folder / name)

    def line(self, path: Path_) -> int | None:
        """Line of a value, or of the nearest section around it."""
        while path not in self.lines and path:
            path = path[:-1]
        return self.lines.get(path)

    def at(self, path: Path_) -> Any:
        """The value at a path; `None` where there is none."""
        value = self.values
        for key in path:
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                return None
        return value


def read_document(path: Path) -> Document:
    """Read a YAML file.

    Raises:
        InputError: no such file, not YAML, not text, or a key that stands twice.

    """
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise InputError([Fault(str(path), "", "", f"larger than {LARGEST_BYTES:,} bytes; a site file is small")])
        text = path.read_text("utf-8")
    except OSError as error:
        raise InputError([Fault(str(path), "", "", f"cannot be read: {error.strerror}")]) from error
    except UnicodeDecodeError as error:
        raise InputError([Fault(str(path), "", "", "is not UTF-8 text")]) from error
    try:
        tree = YAML(typ="rt", pure=True).load(text)
    except MarkedYAMLError as error:
        raise InputError([_broken(path, text, error)]) from error
    except YAMLError as error:
        raise InputError([Fault(str(path), "", "", f"is not YAML: {error}")]) from error
    lines: dict[Path_, int] = {}
    return Document(str(path), path.parent, _plain(tree, (), 1, lines), lines)


def _broken(path: Path, text: str, error: MarkedYAMLError) -> Fault:
    mark = error.problem_mark or error.context_mark
    line = None if mark is None else mark.line + 1
    written = "" if line is None or line > len(text.splitlines()) else text.splitlines()[line - 1].strip()
    problem = (error.problem or "is not YAML").strip().splitlines()[0]
    return Fault(str(path), "", written, f"not YAML: {problem}", "Check indentation, colons and brackets there.", line)


def _plain(tree: Any, path: Path_, line: int, lines: dict[Path_, int]) -> Any:
    lines[path] = line
    if isinstance(tree, CommentedMap):
        return {
            str(key): _plain(value, (*path, str(key)), tree.lc.key(key)[0] + 1, lines) for key, value in tree.items()
        }
    if isinstance(tree, CommentedSeq):
        return [_plain(value, (*path, k), tree.lc.item(k)[0] + 1, lines) for k, value in enumerate(tree)]
    for plain in (bool, int, float, str):
        if isinstance(tree, plain):
            return plain(tree)
    return tree
