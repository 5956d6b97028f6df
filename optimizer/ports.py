"""Through which names do assets, groups and markets meet?

A *port* is what a block offers on its bus: a linear form per step, written as a `pyo.Expression` or `pyo.Var` of that
name. An *inlet* is a `pyo.Var` that stands for the sum of a port over all blocks on a bus; the inlet of port `x` is
called `sum_x`. Nothing else connects blocks.
"""

AC_BUS = "ac"
"""The site's AC bus: every port sits here unless its block says otherwise."""
GRID_BUS = "grid"
"""The far side of the meter: what the connection exchanges with the public grid."""

PORTS = frozenset({"export_kw", "import_kw", "stored_kwh", "up_kw", "down_kw", "scheduled_kw", "given_up_kwh"})
"""Power out of a block and into it, stored energy at the end of a step, reserve power held per class, energy sold
ahead, and what is given up of promises per level."""

FIRST_STAGE_BUS = "first stage"
"""Where decisions meet that are one for all scenarios; every scenario has an AC bus and a grid bus of its own."""
FIRST_STAGE = frozenset({"scheduled_kw"})
"""Ports that every scenario sees on the bus of the first stage."""

OUTCOME = "sum_outcome"
"""An inlet without time: all money of one scenario, with the worth of what is left after the horizon."""

INLETS = {f"sum_{port}": port for port in PORTS} | {OUTCOME: "outcome"}

MONEY = ("energy", "capacity", "wear", "tariff", "penalties")
"""Expressions of money earned, in thousandths of the currency: a price per MWh times kWh."""

PREFERENCE = "preference"
"""An expression that breaks ties. It counts in the solver's objective and never as money."""

PROSPECT = "prospect"
"""Worth of what is left after the horizon. It counts in the solver's objective and is not earned in it."""

RISK = "risk"
"""An expression of what the worst scenarios come to. It counts in the solver's objective and is not earned."""

TIE_BREAK_PER_MWH = 1e-5
"""Size of a preference: far below any price, and above what the solver still tells apart from zero."""
