"""Writes the reference of the site file from the schema that reads it.

python tools/site_file_reference.py docs/reference/site-file.md
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vpp.site import SiteFile

HEAD = """# The site file

What a site file may say, key by key. Written by `tools/site_file_reference.py` from the schema that reads the file;
`vpp check --schema` prints the same as JSON Schema, for editors that complete and check YAML.

An unknown key is an error. A number is written without quotes, a share or an efficiency as a fraction of 1.
Paths are relative to the site file. [Names and units](names.md) says what the endings mean.
"""
Node = dict[str, Any]


def reference() -> str:
    """The whole page."""
    root = SiteFile.model_json_schema()
    sections = [HEAD, *_section(root, "The file itself", root)]
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
    kind = node.get("properties", {}).get("type", {}).get("const")
    return f"`type: {kind}`" if kind else name


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
    Path(sys.argv[1]).write_text(reference(), "utf-8")
