"""Writes the table that compares the technologies of the library, from its data.

python tools/technology_choice.py docs/how-to/choose-a-storage-technology.md
"""

import re
import sys
from pathlib import Path

from optimizer.technologies.record import Technology, Value, known_technologies

TABLE = re.compile(r"(?<=<!-- table of technologies -->\n).*?(?=<!-- end of the table -->)", re.DOTALL)
HEAD = ("`technology`", "`type`", "round trip", "life", "lowest power", "lost at rest", "rest between")
NOTHING = "–"


def table() -> str:
    """One row for each record, the highest round trip first."""
    records = sorted(known_technologies().values(), key=lambda record: (-_round_trip(record)[0], record.id))
    rows = [f"| {' | '.join(_cells(record))} |" for record in records]
    return "\n".join([f"| {' | '.join(HEAD)} |", f"|{' --- |' * len(HEAD)}", *rows]) + "\n"


def _cells(record: Technology) -> tuple[str, ...]:
    share, quality = _round_trip(record)
    return (
        f"`{record.id}`",
        f"`{record.type}`",
        f"{100 * share:.3g} %{_mark(quality)}",
        _life(record),
        _lowest(record),
        _at_rest(record),
        _told(record.fields.get("min_idle_minutes"), "{:g} min"),
    )


def _round_trip(record: Technology) -> tuple[float, str]:
    """What the record says of it, or the product of both efficiencies."""
    known = record.facts.get("round_trip_efficiency")
    if known is not None and known.value is not None:
        return known.value, known.quality
    into, out = record.fields["charge_efficiency"], record.fields["discharge_efficiency"]
    return (into.value or 0.0) * (out.value or 0.0), into.quality


def _life(record: Technology) -> str:
    cycles = record.ageing.get("cycle_life_count") or record.facts.get("cycle_life_count")
    told = [_told(record.facts.get("lifetime_years"), "{:g} a")]
    if cycles is not None:
        low = cycles.range[0] if cycles.value is None else cycles.value
        told.append(f"{low:,.0f} cycles{_mark(cycles.quality)}")
    return ", ".join(each for each in told if each != NOTHING) or NOTHING


def _lowest(record: Technology) -> str:
    """Lowest power of the charging and the discharging machine, as shares of their ratings."""
    shares = [value for name, value in record.fields.items() if name.startswith("min_") and name.endswith("_power_kw")]
    if record.type == "pumped_hydro":
        return f"whole pumps; {_told(shares[0], '{:.0f} %', 100)}"
    return " and ".join(_told(value, "{:.0f} %", 100) for value in shares) or NOTHING


def _at_rest(record: Technology) -> str:
    """What is lost while nothing runs: of the stored energy, and as a load per size."""
    told = []
    for name, value in record.fields.items():
        if value.value and name == "self_discharge_fraction_per_h":
            told.append(f"{2400 * value.value:.2g} % a day{_mark(value.quality)}")
        elif value.value and name.endswith(("standing_load_kw", "standby_load_kw")) and value.per is not None:
            told.append(f"{value.value:g} kW per kW{'h' if value.per.endswith('_kwh') else ''}{_mark(value.quality)}")
    return ", ".join(told) or NOTHING


def _told(value: Value | None, text: str, times: float = 1.0) -> str:
    return NOTHING if value is None or value.value is None else text.format(times * value.value) + _mark(value.quality)


def _mark(quality: str) -> str:
    """A star for what nobody has measured."""
    return "\\*" if quality == "assumed" else ""


def with_table(text: str) -> str:
    """A page with the table of now."""
    return TABLE.sub(lambda _: table(), text)


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(with_table(page.read_text("utf-8")), "utf-8")
