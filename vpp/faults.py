"""Turns what the schema refuses into faults in the user's words: the thing, the value, what is allowed, the remedy."""

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from vpp.document import Document, Path_
from vpp.domain.errors import Fault

LONGEST_VALUE = 200


def faults_of(error: ValidationError, document: Document, model: type[BaseModel]) -> list[Fault]:
    """Every fault that the validation of a whole document found."""
    schema = SchemaReader(model)
    found = [_fault(detail, document, schema) for detail in error.errors()]
    return list({fault.path: fault for fault in found}.values())


def path_text(path: Path_) -> str:
    """A path as `assets[0].min_soc_fraction`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def value_text(value: Any) -> str:
    """A value as it is written in the file, cut where it is long."""
    if value is None:
        return "–"
    if isinstance(value, dict | list):
        return "{…}" if isinstance(value, dict) else "[…]"
    if isinstance(value, bool):
        return str(value).lower()
    text = f'"{value}"' if isinstance(value, str) else f"{value}"
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


def did_you_mean(written: Any, known: list[str]) -> str:
    """A hint at the nearest known word, with a space behind it; empty if none is near."""
    close = get_close_matches(str(written), known, 1, cutoff=0.6)
    return f'Did you mean "{close[0]}"? ' if close else ""


class SchemaReader:
    """Finds what a JSON Schema allows at a place."""

    def __init__(self, model: type[BaseModel]) -> None:
        self._root = model.model_json_schema()

    def at(self, location: tuple[str | int, ...]) -> dict[str, Any]:
        """What is allowed at a place that a validation error names; of alternatives, what any of them says."""
        nodes = [self._root]
        for part in location:
            below = [found for node in nodes for found in self._below(node, part)]
            nodes = below or nodes  # a part that leads nowhere is the tag of an alternative
        said: dict[str, Any] = {}
        for node in nodes:
            for alternative in self._alternatives(node):
                said = alternative | said
        return said

    def _below(self, node: dict[str, Any], part: str | int) -> Iterator[dict[str, Any]]:
        for found in self._alternatives(node):
            keys = found.get("properties", {})
            tags = found.get("discriminator", {}).get("mapping", {})
            if part in tags:
                yield {"$ref": tags[part]}
                return
            if isinstance(part, int):
                yield from [found["items"]] if "items" in found else []
            elif part in keys:
                yield keys[part]
            else:
                yield from found.get("patternProperties", {}).values()
                yield from [found["additionalProperties"]] if found.get("additionalProperties") else []

    def _alternatives(self, node: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """A schema itself, and all that it refers to or chooses between."""
        yield node
        if "$ref" in node:
            yield from self._alternatives(self._root["$defs"][node["$ref"].rsplit("/", 1)[-1]])
        for choice in (*node.get("anyOf", ()), *node.get("oneOf", ())):
            yield from self._alternatives(choice)


def _fault(detail: ErrorDetails, document: Document, schema: SchemaReader) -> Fault:
    location, kind = detail["loc"], detail["type"]
    path = _path(document, location, is_missing=kind == "missing")
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        path = (*path, _tag_key(detail))
    value = "–" if kind in ("missing", "union_tag_not_found") else value_text(document.at(path))
    problem, remedy = _WORDS.get(kind, _other)(detail, schema, path)
    return Fault(document.name, path_text(path), value, problem, remedy, document.line(path))


def _path(document: Document, location: Path_, *, is_missing: bool) -> Path_:
    """The location without the tags of alternatives, which are not in the document."""
    path: Path_ = ()
    for depth, part in enumerate(location):
        here = document.at(path)
        is_last = depth == len(location) - 1
        if isinstance(part, int) or (isinstance(here, dict) and part in here) or (is_missing and is_last):
            path = (*path, part)
    return path


_Words = Callable[[ErrorDetails, SchemaReader, Path_], tuple[str, str]]


def _unknown_key(detail: ErrorDetails, schema: SchemaReader, path: Path_) -> tuple[str, str]:
    known = list(schema.at(detail["loc"][:-1]).get("properties", {}))
    return "not a known key", f"{did_you_mean(path[-1], known)}Known: {', '.join(known)}."


def _missing(detail: ErrorDetails, schema: SchemaReader, path: Path_) -> tuple[str, str]:
    description = schema.at(detail["loc"]).get("description", "")
    return f"{path[-1]} is required", description.split("\n")[0]


def _out_of_range(detail: ErrorDetails, schema: SchemaReader, path: Path_) -> tuple[str, str]:
    value, remedy = detail["input"], ""
    is_fraction = str(path[-1]).endswith(("_fraction", "efficiency", "factor"))
    if is_fraction and 1 < value <= 100:  # noqa: PLR2004 - a percentage
        remedy = f"{value:g} looks like a percentage. Write {value / 100:g}."
    return f"must be {_range(schema.at(detail['loc']))}", remedy


def _range(schema: dict[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if low is not None and high is not None:
        return f"{low:g} to {high:g}"
    if above is not None and high is not None:
        return f"above {above:g} and at most {high:g}"
    bounds = {"at least": low, "above": above, "at most": high, "below": below}
    return " and ".join(f"{word} {bound:g}" for word, bound in bounds.items() if bound is not None)


def _not_a_number(detail: ErrorDetails, schema: SchemaReader, path: Path_) -> tuple[str, str]:  # noqa: ARG001
    value = detail["input"]
    if isinstance(value, str):
        try:
            float(value)
        except ValueError:
            return "must be a number", ""
        return "must be a number", f"It is text; write {value} without quotes."
    return "must be a number", ""


def _unknown_word(detail: ErrorDetails, schema: SchemaReader, path: Path_) -> tuple[str, str]:  # noqa: ARG001
    node = schema.at(detail["loc"])
    words = [str(word) for word in node.get("enum", [node.get("const")])]
    choice = words[0] if len(words) == 1 else f"one of {', '.join(words)}"
    return f"must be {choice}", did_you_mean(detail["input"], words).strip()


def _unknown_type(detail: ErrorDetails, schema: SchemaReader, path: Path_) -> tuple[str, str]:  # noqa: ARG001
    known = sorted(schema.at(detail["loc"]).get("discriminator", {}).get("mapping", {}))
    key = _tag_key(detail)
    if detail["type"] == "union_tag_not_found":
        return f"{key} is required", f"Known: {', '.join(known)}."
    return f"not a known {key}", f"{did_you_mean(detail.get('ctx', {}).get('tag'), known)}Known: {', '.join(known)}."


def _tag_key(detail: ErrorDetails) -> str:
    """The key that tells alternatives apart, such as `type`."""
    return str(detail.get("ctx", {}).get("discriminator", "type")).strip("'")


def _told(detail: ErrorDetails, schema: SchemaReader, path: Path_) -> tuple[str, str]:  # noqa: ARG001
    context = detail.get("ctx", {})
    return str(context.get("problem", context.get("error", detail["msg"]))), str(context.get("remedy", ""))


def _malformed(detail: ErrorDetails, schema: SchemaReader, path: Path_) -> tuple[str, str]:  # noqa: ARG001
    pattern = detail.get("ctx", {}).get("pattern", "")
    return f"must be {_PATTERNS.get(pattern, f'text that matches {pattern}')}", ""


_PATTERNS = {
    r"^[A-Za-z0-9_-]{1,64}$": "1 to 64 letters, digits, '_' or '-'",
    r"^[A-Z]{3}$": "three capital letters, such as EUR",
}


def _says(text: str) -> _Words:
    return lambda detail, schema, path: (text, "")  # noqa: ARG005 - one signature for all kinds


def _other(detail: ErrorDetails, schema: SchemaReader, path: Path_) -> tuple[str, str]:  # noqa: ARG001
    return detail["msg"], ""


_WORDS: dict[str, _Words] = {
    "extra_forbidden": _unknown_key,
    "unexpected_keyword_argument": _unknown_key,
    "missing": _missing,
    "greater_than": _out_of_range,
    "greater_than_equal": _out_of_range,
    "less_than": _out_of_range,
    "less_than_equal": _out_of_range,
    "float_type": _not_a_number,
    "float_parsing": _not_a_number,
    "int_type": _says("must be a whole number"),
    "int_from_float": _says("must be a whole number"),
    "finite_number": _says("must be a finite number"),
    "string_type": _says("must be text"),
    "string_pattern_mismatch": _malformed,
    "bool_type": _says("must be true or false"),
    "list_type": _says("must be a list"),
    "tuple_type": _says("must be a list"),
    "dict_type": _says("must be a section of keys and values"),
    "model_type": _says("must be a section of keys and values"),
    "model_attributes_type": _says("must be a section of keys and values"),
    "dataclass_type": _says("must be a section of keys and values"),
    "literal_error": _unknown_word,
    "union_tag_invalid": _unknown_type,
    "union_tag_not_found": _unknown_type,
    "value_error": _told,
    "fault": _told,
}
