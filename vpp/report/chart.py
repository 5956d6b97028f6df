"""Charts as inline SVG, made of steps: no library, no script, the same bytes every time.

A chart is a stretched SVG that holds shapes only, under HTML labels placed in per cent, so that it fills a phone as
well as a desk and its text keeps its size.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from vpp.domain.horizon import Horizon
from vpp.report.wording import day, number

HEIGHT = 1000
"""Height of every drawing in its own units."""
MOST_POINTS = 2000
"""Above so many steps a line shows the lowest and highest value of each of `MOST_POINTS / 2` columns."""
WHOLE_HOURS = (1, 3, 6, 12)


@dataclass(frozen=True)
class Line:
    """A series over time."""

    name: str
    values: Sequence[float]
    """One per step, drawn as steps; or one more than there are steps, drawn as slopes between the steps' edges."""
    style: str
    """CSS class: `ink`, `blue`, `dotted`, or for areas `s1` to `s6`."""
    is_area: bool = False
    """Whether the space between the line and zero is filled."""


@dataclass(frozen=True)
class Zone:
    """A hatched space that the plan may not enter: beyond a limit, or kept for a duty."""

    name: str
    low: float
    high: float
    """Bounds; infinite where the zone reaches the edge of the picture."""


@dataclass(frozen=True)
class Scale:
    """The vertical axis."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def y(self, value: float) -> int:
        """Height of a value, downwards from the top."""
        inside = min(max(value, self.low), self.high)
        return round(HEIGHT * (self.high - inside) / (self.high - self.low))

    def percent(self, value: float) -> str:
        """Height of a value as a CSS percentage from the top."""
        return f"{100 * (self.high - value) / (self.high - self.low):.2f}%"


def scale_for(values: Iterable[float], *, most_ticks: int = 5) -> Scale:
    """An axis with round ticks that holds all values and zero."""
    finite = [value for value in values if math.isfinite(value)]
    low, high = min(0.0, *finite), max(0.0, *finite)
    if low == high:
        high = low + 1.0
    raw = (high - low) / (most_ticks - 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * (1 - 1e-9))
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return Scale(first * step, last * step, tuple(k * step for k in range(first, last + 1)))


class TimeAxis:
    """The horizontal axis that all charts of a page share."""

    def __init__(self, horizon: Horizon) -> None:
        self.horizon = horizon
        edges = [(edge - horizon.start).total_seconds() / horizon.step_s for edge in horizon.edges]
        self.edges = [round(edge, 3) for edge in edges]
        self.width = self.edges[-1]

    def percent(self, edge: int) -> str:
        """Place of the edge before a step, as a CSS percentage from the left."""
        return f"{100 * self.edges[edge] / self.width:.2f}%"

    def ticks(self) -> list[tuple[int, str, bool]]:
        """Step, text, and whether the tick survives on a narrow screen."""
        starts = self.horizon.local_starts
        hours = (starts[-1] - starts[0]).total_seconds() / 3600
        if hours <= 50:  # noqa: PLR2004 - two days, one of them with a clock change
            whole = [(k, at.hour) for k, at in enumerate(starts) if at.minute == 0]
            each = next(h for h in WHOLE_HOURS if hours / h <= 9 or h == WHOLE_HOURS[-1])  # noqa: PLR2004 - labels
            seen: set[tuple[int, int]] = set()
            marks = []
            for k, hour in whole:
                if hour % each == 0 and (starts[k].day, hour) not in seen:
                    seen.add((starts[k].day, hour))
                    marks.append((k, f"{hour:02d}", hour % (2 * each) == 0))
            return marks
        midnights = [k for k, at in enumerate(starts) if k == 0 or at.date() != starts[k - 1].date()]
        each = max(1, math.ceil(len(midnights) / 8))
        return [(k, day(starts[k]).rsplit(" ", 1)[0][4:], n % 2 == 0) for n, k in enumerate(midnights[::each])]


def chart(
    axis: TimeAxis,
    title: str,
    unit: str,
    lines: Sequence[Line],
    *,
    zones: Sequence[Zone] = (),
    stack: Sequence[Line] = (),
    marks: Sequence[tuple[int, float, str]] = (),
    height_px: int = 180,
) -> str:
    """One figure.

    Args:
        axis: The shared time axis.
        title: What is shown.
        unit: Unit of the vertical axis.
        lines: Series drawn on top of one another.
        zones: Hatched spaces.
        stack: Series stacked upwards and, where negative, downwards from zero.
        marks: Diamonds at the edge before a step and a value, with their name.
        height_px: Height of the drawing.

    """
    layers = _stacked(stack)
    values = [value for line in lines for value in line.values]
    values += [value for _, top, bottom in layers for value in (*top, *bottom)]
    values += [value for _, value, _ in marks]
    scale = scale_for(values, most_ticks=5 if height_px > 100 else 3)  # noqa: PLR2004 - small multiples
    shapes = [f'<path class="{line.style}" d="{_area(axis, scale, top, bottom)}"/>' for line, top, bottom in layers]
    shapes += [_line(axis, scale, line) for line in lines]
    zero = f'<path class="zero" d="M0 {scale.y(0)}H{axis.width:g}"/>' if scale.low < 0 < scale.high else ""
    grid = "".join(f'<path class="grid" d="M0 {scale.y(tick)}H{axis.width:g}"/>' for tick in scale.ticks)
    drawing = f'<svg viewBox="0 0 {axis.width:g} {HEIGHT}" preserveAspectRatio="none" aria-hidden="true">{grid}'
    drawing += "".join(shapes) + zero + "</svg>"
    decimals = max(0, -math.floor(math.log10(scale.ticks[1] - scale.ticks[0]) + 1e-9))
    y_labels = "".join(
        f'<span class="y" style="top:{scale.percent(tick)}">{number(tick, decimals)}</span>' for tick in scale.ticks
    )
    x_labels = "".join(
        f'<span class="{"x" if keeps else "x minor"}" style="left:{axis.percent(step)}">{text}</span>'
        for step, text, keeps in axis.ticks()
    )
    hatches = "".join(_zone(scale, zone) for zone in zones)
    diamonds = "".join(
        f'<span class="mark" style="left:{axis.percent(step)};top:{scale.percent(value)}">◇</span>'
        for step, value, _ in marks
    )
    legend = "".join(f'<li class="{line.style}">{escape(line.name)}</li>' for line in (*stack, *lines) if line.name)
    legend += "".join(f'<li class="zone">{escape(z.name)}</li>' for z in zones if z.name and _zone(scale, z))
    legend += "".join(f'<li class="diamond">{escape(name)}</li>' for _, _, name in marks)
    return (
        f'<figure role="img" aria-label="{escape(_spoken(title, unit, lines, stack))}">'
        f'<figcaption>{escape(title)} <span class="unit">{escape(unit)}</span></figcaption>'
        f'<div class="plot" style="height:{height_px}px">{hatches}{drawing}{y_labels}{x_labels}{diamonds}</div>'
        f'<ul class="legend">{legend}</ul></figure>'
    )


def _spoken(title: str, unit: str, lines: Sequence[Line], stack: Sequence[Line]) -> str:
    told = [
        f"{line.name or title} {number(min(line.values), 1)} to {number(max(line.values), 1)} {unit}"
        for line in (*stack, *lines)
    ]
    return f"{title}: {'; '.join(told)}"


def _line(axis: TimeAxis, scale: Scale, line: Line) -> str:
    if line.is_area:
        return f'<path class="{line.style}" d="{_area(axis, scale, line.values, [0.0] * len(line.values))}"/>'
    return f'<path class="{line.style} line" d="{_steps(axis, scale, line.values)}"/>'


def _steps(axis: TimeAxis, scale: Scale, values: Sequence[float]) -> str:
    """A line in steps, or in slopes where there is a value for every edge."""
    if len(values) > MOST_POINTS:
        return _thinned(axis, scale, values)
    if len(values) == len(axis.edges):
        return "M" + "L".join(f"{x:g} {scale.y(value)}" for x, value in zip(axis.edges, values, strict=True))
    path, height = f"M0 {scale.y(values[0])}", scale.y(values[0])
    for step in range(1, len(values)):
        now = scale.y(values[step])
        if now != height:
            path += f"H{axis.edges[step]:g}V{now}"
            height = now
    return f"{path}H{axis.width:g}"


def _thinned(axis: TimeAxis, scale: Scale, values: Sequence[float]) -> str:
    """The lowest and the highest value of each of many narrow columns, so that no extreme is lost."""
    columns = MOST_POINTS // 2
    path = ""
    for column in range(columns):
        part = values[column * len(values) // columns : (column + 1) * len(values) // columns]
        x = axis.width * column / columns
        path += f"{'L' if path else 'M'}{x:.0f} {scale.y(min(part))}V{scale.y(max(part))}"
    return path


def _area(axis: TimeAxis, scale: Scale, top: Sequence[float], bottom: Sequence[float]) -> str:
    """The space between two series, forth along the one and back along the other."""
    if len(top) > MOST_POINTS:
        each = math.ceil(len(top) / MOST_POINTS)
        edges = [*axis.edges[0:-1:each], axis.width]
        top, bottom = top[::each], bottom[::each]
    else:
        edges = axis.edges
    forth = "".join(f"V{scale.y(value)}H{edges[k + 1]:g}" for k, value in _changes(scale, top))
    back = "".join(f"V{scale.y(bottom[k])}H{edges[k]:g}" for k in _changes_back(scale, bottom))
    return f"M0 {scale.y(bottom[0])}{forth}{back}Z"


def _changes(scale: Scale, values: Sequence[float]) -> list[tuple[int, float]]:
    """The last step of each run of equal heights, with its value."""
    last = len(values) - 1
    return [(k, v) for k, v in enumerate(values) if k == last or scale.y(values[k + 1]) != scale.y(v)]


def _changes_back(scale: Scale, values: Sequence[float]) -> list[int]:
    """The first step of each run of equal heights, from the last run to the first."""
    return [k for k in range(len(values) - 1, -1, -1) if k == 0 or scale.y(values[k - 1]) != scale.y(values[k])]


def _stacked(stack: Sequence[Line]) -> list[tuple[Line, list[float], list[float]]]:
    """Each series with its upper and lower edge; positive and negative values pile up apart."""
    if not stack:
        return []
    count = len(stack[0].values)
    above, below = [0.0] * count, [0.0] * count
    layers = []
    for line in stack:
        top, bottom = [], []
        for step, value in enumerate(line.values):
            base = above if value >= 0 else below
            edges = sorted((base[step], base[step] + value))
            bottom.append(edges[0])
            top.append(edges[1])
            base[step] += value
        layers.append((line, top, bottom))
    return layers


def _zone(scale: Scale, zone: Zone) -> str:
    """A hatched band across the whole chart; nothing where it lies outside the picture."""
    low, high = max(zone.low, scale.low), min(zone.high, scale.high)
    if low >= high:
        return ""
    height = f"{100 * (high - low) / (scale.high - scale.low):.2f}%"
    return f'<div class="hatch" style="top:{scale.percent(high)};height:{height}"></div>'
