"""Where did a stored energy turn? What of a trace still matters for the cycles to come.

A swing within a greater one leaves no mark once it is closed: rainflow counting (ASTM E1049) counts it there and goes
on as if it had not been. What is left are swings that become smaller and smaller, a handful of numbers for any trace.
"""


def extended(reversals: tuple[float, ...], value: float) -> tuple[float, ...]:
    """The reversals of a trace that goes on with one more value.

    Args:
        reversals: Those of the trace before, the oldest first; the last of them is its last value.
        value: The next value, in the same unit.

    """
    *before, last = reversals or (value,)
    if not before or value == last:
        return reversals if value == last and reversals else (*reversals, value)
    swing_before, swing = last - before[-1], value - last
    if swing * swing_before > 0:
        return extended(tuple(before), value)
    if abs(swing) < abs(swing_before):
        return (*reversals, value)
    return extended(tuple(before[:-1]) or (last,), value)
