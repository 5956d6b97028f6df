"""What are the limits of a row or column called, in the words of a person?

A model labels a constraint or variable through Pyomo's `doc`, as `name of the lower limit / name of the upper limit
[unit]`; an empty name marks a side that is no limit, and no label at all a law of physics.
"""

import re
from dataclasses import dataclass

_LABEL = re.compile(r"(?P<lower>[^/]*)/(?P<upper>[^/]*)\[(?P<unit>\w+)\]")


@dataclass(frozen=True)
class Label:
    """Names of the two limits, and their unit."""

    lower: str
    upper: str
    unit: str

    def side(self, which: str) -> str:
        """Name of the `lower` or the `upper` limit; empty where it is none."""
        return self.lower if which == "lower" else self.upper


def read_label(doc: str) -> Label | None:
    """The label in a component's `doc`; `None` where there is none.

    Raises:
        ValueError: the text is no label.

    """
    if not doc:
        return None
    parts = _LABEL.fullmatch(doc)
    if parts is None:
        raise ValueError(f"{doc!r}: a label reads 'name of the lower limit / name of the upper limit [unit]'")
    return Label(parts["lower"].strip(), parts["upper"].strip(), parts["unit"])
