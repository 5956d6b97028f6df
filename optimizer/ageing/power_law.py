"""How much capacity does a cell lose by resting and by cycling? Power laws of time and of full cycles.

    lost by resting  = k(T, s)·days^z             k = p1·exp(p2/T)·exp(p3·U(s)/T)
    lost by cycling  = κ(T, δ, C)·full_cycles^y   κ = (p4 + p5·δ + p6·C)·(exp(p7/T) + exp(−p8/T))

with the temperature T [K], the state of charge s, the potential U of the graphite [V], the depth δ and the mean rate C
of charge and discharge [1/h]. The two losses add up.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import exp, tanh

ZERO_CELSIUS_K = 273.15
HOURS_PER_DAY = 24
DAYS_PER_YEAR = 365.25


@dataclass(frozen=True)
class Use:
    """How a cell is used, on average."""

    temperature_c: float
    depth_fraction: float
    """Depth of its cycles."""
    charge_rate_per_h: float
    """Charging power over energy capacity."""
    discharge_rate_per_h: float


@dataclass(frozen=True)
class Cell:
    """A cell whose losses were measured, and where they were.

    Attributes:
        name: What it is, and who measured it.
        p: The coefficients p1 to p8, in this order.
        calendar_exponent, cycle_exponent: z and y.
        temperature_c, depth_fraction: Lowest and highest that were tested.
        charge_rate_per_h, discharge_rate_per_h: Highest that were tested.

    """

    name: str
    p: tuple[float, float, float, float, float, float, float, float]
    calendar_exponent: float
    cycle_exponent: float
    temperature_c: tuple[float, float]
    depth_fraction: tuple[float, float]
    charge_rate_per_h: float
    discharge_rate_per_h: float

    def calendar_rate(self, soc_fraction: float, temperature_c: float) -> float:
        """The coefficient k, per day to the power z."""
        kelvin = temperature_c + ZERO_CELSIUS_K
        return self.p[0] * exp(self.p[1] / kelvin) * exp(self.p[2] * graphite_potential_v(soc_fraction) / kelvin)

    def calendar_loss_fraction(self, calendar_rate: float, days: float) -> float:
        """Share of capacity that is lost by resting since the cell was new."""
        return float(calendar_rate * days**self.calendar_exponent)

    def calendar_loss_per_h(self, calendar_rate: float, age_days: float) -> float:
        """Share of capacity that is lost by resting in an hour, at an age."""
        z = self.calendar_exponent
        return float(z * calendar_rate * age_days ** (z - 1) / HOURS_PER_DAY)

    def cycle_loss_fraction(self, full_cycles: float, use: Use) -> float:
        """Share of capacity that is lost by cycling since the cell was new."""
        kelvin = use.temperature_c + ZERO_CELSIUS_K
        _, _, _, p4, p5, p6, p7, p8 = self.p
        mean_rate = (use.charge_rate_per_h + use.discharge_rate_per_h) / 2
        rate = (p4 + p5 * use.depth_fraction + p6 * mean_rate) * (exp(p7 / kelvin) + exp(-p8 / kelvin))
        return float(rate * full_cycles**self.cycle_exponent)

    def beyond_tests(self, use: Use) -> Iterator[str]:
        """Name what of a use lies outside what was tested; a loss is extrapolated there."""
        for name, value, (low, high), unit in (
            ("temperature", use.temperature_c, self.temperature_c, "°C"),
            ("depth", 100 * use.depth_fraction, tuple(100 * d for d in self.depth_fraction), "%"),
            ("charge rate", use.charge_rate_per_h, (0.0, self.charge_rate_per_h), "C"),
            ("discharge rate", use.discharge_rate_per_h, (0.0, self.discharge_rate_per_h), "C"),
        ):
            if not low - 1e-9 <= value <= high + 1e-9:
                yield f"{name} {value:.3g} {unit} (tested {low:g} to {high:g})"


def graphite_potential_v(soc_fraction: float) -> float:
    """Potential of a graphite electrode against lithium [V], by the state of charge of the cell.

    Fit of Safari and Delacourt (Journal of the Electrochemical Society 158, A562, 2011); graphite holds 0.85 % of its
    lithium in an empty cell and 78 % in a full one.
    """
    x = 0.0085 + soc_fraction * (0.78 - 0.0085)
    return (
        0.6379
        + 0.5416 * exp(-305.5309 * x)
        + 0.044 * tanh((0.1958 - x) / 0.1088)
        - 0.1978 * tanh((x - 1.0571) / 0.0854)
        - 0.6875 * tanh((x + 0.0117) / 0.0529)
        - 0.0175 * tanh((x - 0.5692) / 0.0875)
    )


CELLS = {
    "lfp_graphite_250ah": Cell(
        name="prismatic LFP–graphite cell of 250 Ah, coefficients of NREL's BLAST-Lite",
        p=(8.37e4, -5210.0, -3560.0, 4.38e-8, 1.55e-8, 1.68e-7, 2190.0, 1.55e5),
        calendar_exponent=0.526,
        cycle_exponent=0.828,
        temperature_c=(10.0, 45.0),
        depth_fraction=(0.8, 1.0),
        charge_rate_per_h=0.65,
        discharge_rate_per_h=1.0,
    ),
}
"""Cells by the name that a site file gives them."""

SOC_STEPS = 20
"""So finely the law of resting is looked at between empty and full."""
SAME_SLOPE = 0.02
"""Slopes that differ by less than this share of the steepest are one band."""


def resting_slopes(cell: Cell, temperature_c: float, age_days: float) -> list[tuple[float, float]]:
    """The law of resting at an age as bands that add up: a state of charge, and the further slope from there on.

    A plan needs a cost that is convex in stored energy. This is the highest such cost that nowhere exceeds the law: its
    lower convex hull.

    Returns:
        Pairs of a state of charge and a slope [share of capacity lost per hour, per unit of state of charge].

    """
    points = [
        (k / SOC_STEPS, cell.calendar_loss_per_h(cell.calendar_rate(k / SOC_STEPS, temperature_c), age_days))
        for k in range(SOC_STEPS + 1)
    ]
    hull: list[tuple[float, float]] = []
    for point in points:
        while len(hull) > 1 and _slope(hull[-2], hull[-1]) >= _slope(hull[-1], point):
            hull.pop()
        hull.append(point)
    slopes = [(left[0], _slope(left, right)) for left, right in pairwise(hull)]
    bands, reached = [], 0.0
    for soc_fraction, slope in slopes:
        if slope - reached > SAME_SLOPE * slopes[-1][1]:
            bands.append((soc_fraction, slope - reached))
            reached = slope
    return bands


def _slope(left: tuple[float, float], right: tuple[float, float]) -> float:
    return (right[1] - left[1]) / (right[0] - left[0])
