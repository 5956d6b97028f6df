"""Writes the reference of the site file, or of a scenario file, from the schema that reads it.

python tools/site_file_reference.py docs/reference/site-file.md docs/reference/scenario-file.md
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from adapters.scenario import Scenario
from vpp.site import SiteFile

SITE_HEAD = """# The site file

What a site file may say, key by key. Written by `tools/site_file_reference.py` from the schema that reads the file;
`vpp check --schema` prints the same as JSON Schema, for editors that complete and check YAML.

An unknown key is an error. A number is written without quotes, a share or an efficiency as a fraction of 1.
Paths are relative to the site file. [Names and units](names.md) says what the endings mean.
"""
SCENARIO_HEAD = """# The scenario file

What happens to a simulated site, and when: the file of `vpp simulate SITE.yaml --scenario FILE`. Written by
`tools/site_file_reference.py` from the schema that reads the file; [how to use it](../how-to/simulate-faults.md).

Times count from the start of the simulation, and what begins at `at_s` lasts for `for_s`, or to the end.
An unknown key, an asset that the site does not have, and a fault that cannot happen to an asset are errors.
"""
PAGES: dict[str, tuple[type[BaseModel], str]] = {
    "site-file.md": (SiteFile, SITE_HEAD),
    "scenario-file.md": (Scenario, SCENARIO_HEAD),
}
"""What each page describes, and how it begins."""
Node = dict[str, Any]


def reference(page: str) -> str:
    """A whole page, by its file name."""
    model, head = PAGES[page]
    root = model.model_json_schema()
    sections = [head, *_section(root, "The file itself", root)]
    for name in _in_order(root):
        sections += _section(root["$defs"][name], _title(root["$defs"][name], name), root)
    return "\n".join(sections).rstrip() + "\n"


def _in_order(root: Node) -> list[str]:
    """Definitions in the order in which the file meets them; every one once."""
    found: list[str] = []
    waiting = list(_references(root["properties"]))
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found.append(name)
            waiting += _references(root["$defs"][name].get("properties", {}))
    return found


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield _name(node["$ref"])
        for key, value in node.items():
            if key != "discriminator":
                yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def _name(reference: str) -> str:
    return reference.rsplit("/", 1)[-1]


def _title(node: Node, name: str) -> str:
    properties = node.get("properties", {})
    kinds = [
        (key, properties[key]["const"])
        for key in ("type", "event", "fault", "kind")
        if "const" in properties.get(key, {})
    ]
    return f"`{kinds[0][0]}: {kinds[0][1]}`" if kinds else name


def _section(node: Node, title: str, root: Node) -> list[str]:
    lines = [f"## {title}", ""]
    if node.get("description"):
        lines += [_plain(node["description"]), ""]
    lines += ["| key | value | default | meaning |", "| --- | --- | --- | --- |"]
    required = node.get("required", [])
    for key, entry in node.get("properties", {}).items():
        default = "required" if key in required else _default(entry)
        lines.append(f"| `{key}` | {_value(entry, root)} | {default} | {_meaning(entry, root)} |")
    return [*lines, ""]


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _default(entry: Node) -> str:
    default = entry.get("default")
    if default is None:
        return "none"
    if isinstance(default, dict | list):
        return "all defaults" if default else "empty"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _value(entry: Node, root: Node) -> str:
    """What may stand there, in words."""
    choices = entry.get("anyOf") or entry.get("oneOf")
    if choices:
        told = [_value(choice, root) for choice in choices if choice.get("type") != "null"]
        return " or ".join(dict.fromkeys(told))
    if "$ref" in entry:
        return _linked(_name(entry["$ref"]), root)
    if "const" in entry or "enum" in entry:
        return ", ".join(f"`{word}`" for word in entry.get("enum", [entry.get("const")]))
    if entry.get("type") == "array":
        return f"list of {_value(entry['items'], root)}"
    if entry.get("type") == "object":
        (inner,) = entry.get("patternProperties", {"": entry.get("additionalProperties")}).values()
        return f"a section: name and {_value(inner, root)}"
    return _scalar(entry)


def _linked(name: str, root: Node) -> str:
    node = root["$defs"][name]
    if "properties" not in node:
        return _value(node, root)
    title = _title(node, name)
    anchor = "".join(c for c in title.lower().replace(" ", "-") if c.isalnum() or c in "-_")
    return f"[{title}](#{anchor})"


def _meaning(entry: Node, root: Node) -> str:
    node = root["$defs"][_name(entry["$ref"])] if "$ref" in entry else {}
    return _plain(entry.get("description", node.get("description", "")))


def _scalar(entry: Node) -> str:
    words = {"number": "number", "integer": "whole number", "string": "text", "boolean": "true or false"}
    text = words[entry["type"]]
    bounds = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    told = [f"{sign} {entry[name]:g}" for name, sign in bounds.items() if name in entry]
    if "pattern" in entry:
        told.append(f"`{entry['pattern']}`".replace("|", "\\|"))
    return f"{text} {', '.join(told)}".strip()


if __name__ == "__main__":
    for name in sys.argv[1:]:
        Path(name).write_text(reference(Path(name).name), "utf-8")
