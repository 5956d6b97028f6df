"""What does a simulated machine lose at a power, beside what a plan takes it to lose?"""

from dataclasses import dataclass

QUADRATIC_SHARE = 0.012
"""Growth of the share that is lost, from no load to full load."""
MATCHED_LOAD = 0.5
"""Load at which the efficiencies are those of the site file, as a share of the rating."""


@dataclass(frozen=True, slots=True)
class Losses:
    """Losses in one direction [kW]: `linear`·p + `quadratic_per_kw`·p²."""

    rated_kw: float
    linear: float
    quadratic_per_kw: float

    @classmethod
    def of(cls, rated_kw: float, lost_share: float) -> "Losses":
        """The curve that loses a share of the power at `MATCHED_LOAD`, less below it and more above."""
        if rated_kw == 0:
            return cls(0.0, 0.0, 0.0)
        return cls(rated_kw, max(0.0, lost_share - QUADRATIC_SHARE * MATCHED_LOAD), QUADRATIC_SHARE / rated_kw)

    def at(self, power_kw: float) -> float:
        """What is lost [kW]."""
        return (self.linear + self.quadratic_per_kw * power_kw) * power_kw

    @property
    def highest_share(self) -> float:
        """Share of the power that is lost at full load."""
        return self.linear + self.quadratic_per_kw * self.rated_kw
