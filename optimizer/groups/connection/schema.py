"""The grid connection: what the site file says about it."""

from optimizer.asset import NonNegative, Positive, Section


class Connection(Section):
    """Where the site meets the public grid."""

    import_limit_kw: NonNegative
    """Highest power drawn from the grid [kW]."""
    export_limit_kw: NonNegative
    """Highest power fed into the grid [kW]."""
    feed_in_limit_kw: NonNegative | None = None
    """Highest power that a contract or a rule lets the site feed in [kW], whatever its source; the lower of it and
    `export_limit_kw` holds. Default: none."""
    nominal_hz: Positive = 50.0
    """Nominal frequency [Hz]."""

    @property
    def highest_export_kw(self) -> float:
        """What may be fed in: the lower of what the connection carries and what a contract allows [kW]."""
        return (
            self.export_limit_kw if self.feed_in_limit_kw is None else min(self.export_limit_kw, self.feed_in_limit_kw)
        )
