"""Writes the reference of the technology library from its data.

python tools/technology_reference.py docs/reference/technologies.md
"""

import sys
from pathlib import Path

from optimizer.technologies.record import Technology, Value, known_technologies

HEAD = """# The technology library

What `technology: NAME` stands for, value by value. Written by `tools/technology_reference.py` from the files in
`optimizer/technologies/`; [what the technologies are and how each is planned](../explanation/technologies.md).

- A value is taken where the site file gives none. A value given must lie in the range, or `range_override_reason` says
  why not.
- A value *per* a field is multiplied by that field: a load of 0.01 per `discharge_power_kw` is 10 kW for 1,000 kW.
- Quality: `measured`, `data_sheet` (a maker says so), `literature` (a publication says so) or `assumed`. Values that
  are assumed are said to be so in the terminal, in `report.html` and among the premises in `plan.json`.
- Replacement costs are of a time and in a currency, and are never converted.
"""


def technology_reference() -> str:
    """The whole page."""
    parts = [HEAD, *map(_section, known_technologies().values())]
    return "\n".join(parts).rstrip() + "\n"


def _section(record: Technology) -> str:
    note = f" {record.note}" if record.note else ""
    lines = [f"## `{record.id}`", "", f"{record.name}, for `type: {record.type}`; edition {record.version}.{note}", ""]
    lines += ["| key | value | range | unit | quality | source |", "| --- | --- | --- | --- | --- | --- |"]
    lines += [_row(f"`{name}`", value) for name, value in record.fields.items()]
    lines += [_row(f"`ageing.{name}`", value) for name, value in record.ageing.items()]
    for cost in record.costs:
        told = f"{cost.replacement_cost_per_kwh:g}"
        unit = f"{cost.currency}/kWh, {cost.date}"
        lines.append(f"| `ageing.replacement_cost_per_kwh` | {told} | – | {unit} | {cost.quality} | {cost.source} |")
    lines += [_row(f"{name.replace('_', ' ')} (not planned with)", value) for name, value in record.facts.items()]
    return "\n".join([*lines, ""])


def _row(name: str, value: Value) -> str:
    told = "–" if value.value is None else f"{value.value:g}"
    low, high = value.range
    unit = value.unit if value.per is None else f"{value.unit}, per `{value.per}`"
    return f"| {name} | {told} | {low:g} to {high:g} | {unit} | {value.quality} | {value.source} |"


if __name__ == "__main__":
    for path in sys.argv[1:]:
        Path(path).write_text(technology_reference(), "utf-8")
