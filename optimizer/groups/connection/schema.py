"""The grid connection: what the site file says about it."""

from optimizer.asset import NonNegative, Positive, Section


class Connection(Section):
    """Where the site meets the public grid."""

    import_limit_kw: NonNegative
    """Highest power drawn from the grid [kW]."""
    export_limit_kw: NonNegative
    """Highest power fed into the grid [kW]."""
    nominal_hz: Positive = 50.0
    """Nominal frequency [Hz]."""
