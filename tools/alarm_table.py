"""Writes the table of alarms from the rules that raise them.

python tools/alarm_table.py docs/explanation/alarms.md
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from vpp.dispatch.alarms import RULES

TABLE = re.compile(r"(?<=<!-- table of alarms -->\n).*?(?=<!-- end of the table -->)", re.DOTALL)
_MINUTE_S = 60


def table() -> str:
    """One row for each alarm, the most urgent first."""
    head = ["| code | severity | cause | consequence | remedy | act within | cleared when |", f"|{' --- |' * 7}"]
    return "\n".join([*head, *_rows()]) + "\n"


def _rows() -> Iterator[str]:
    for code, rule in sorted(RULES.items(), key=lambda item: (item[1].severity, item[0])):
        cells = (
            f"`{code}`",
            f"{rule.severity}",
            rule.cause,
            rule.consequence,
            rule.remedy,
            _duration(rule.act_within_s),
            rule.cleared_when,
        )
        yield f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return f"{seconds:g} s" if seconds < _MINUTE_S else f"{seconds / _MINUTE_S:g} min"


def with_table(text: str) -> str:
    """A page with the table of now."""
    return TABLE.sub(lambda _: table(), text)


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(with_table(page.read_text("utf-8")), "utf-8")
