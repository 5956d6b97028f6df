"""Charts as inline SVG, made of steps: no library, no script, the same bytes every time.

A chart is a stretched SVG that holds shapes only, over hatches and under HTML labels placed in per cent, so that it
fills a phone as well as a desk, and its text and hatches keep their size.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from vpp.report.axis import HEIGHT, SHARES, Scale, TimeAxis, averages, lowest_and_highest, scale_for
from vpp.report.wording import number, runs, span_of

LOW_PX = 100
"""A chart of less height has fewer ticks."""


@dataclass(frozen=True)
class Line:
    """A series over time, drawn as a line or as a layer of a stack."""

    name: str
    values: Sequence[float]
    """One per step, drawn as steps; or one more than there are steps, drawn as slopes between the steps' edges."""
    style: str
    """CSS classes: `ink`, `blue` or `dotted` for lines; for layers one of `FILLS`, `HATCHES`, `reserved` or `cut`."""


FILLS = {"store": "store", "generation": "generation", "consumption": "consumption"}
HATCHES = ("", " slanted", " level")
"""Textures that tell layers of one kind apart: solid, slanted lines, level lines."""


@dataclass(frozen=True)
class Zone:
    """A hatched space that the plan may not enter: beyond a limit."""

    name: str
    low: float | Sequence[float]
    high: float | Sequence[float]
    """Bounds: numbers, infinite at the edge of the picture, or one value per edge of a step."""

    def limits(self) -> list[float]:
        """The finite bounds that do not change."""
        return [b for b in (self.low, self.high) if isinstance(b, int | float) and math.isfinite(b)]


@dataclass(frozen=True)
class Fan:
    """The space between the lowest and the highest of several values, one of each per step."""

    name: str
    low: Sequence[float]
    high: Sequence[float]


@dataclass(frozen=True)
class Mark:
    """A diamond at the edge before a step and a value."""

    edge: int
    value: float
    name: str


@dataclass(frozen=True)
class Level:
    """A dashed line above everything else: a value that holds in some of the steps."""

    name: str
    values: Mapping[int, float]
    """By step."""

    def runs(self) -> Iterator[tuple[int, int, float]]:
        """Runs of consecutive steps of one value: the first of each, the step after its last, and the value."""
        for value in dict.fromkeys(self.values.values()):
            for first, after in runs([step for step, each in self.values.items() if each == value]):
                yield first, after, value


@dataclass(frozen=True)
class Chart:
    """What one figure shows."""

    title: str
    unit: str
    lines: Sequence[Line] = ()
    stack: Sequence[Line] = ()
    """Layers piled up from zero, and downwards where they are negative."""
    zones: Sequence[Zone] = ()
    marks: Sequence[Mark] = ()
    fans: Sequence[Fan] = ()
    levels: Sequence[Level] = ()
    shares: Sequence[Line] = ()
    """Lines against an axis at the right, from 0 to 100 %."""
    full: float | None = None
    """What 100 % is on the axis at the right, for a chart whose values are shares of it."""
    note: str = ""
    """Small print beside the title."""
    height_px: int = 180
    shows_time: bool = True
    """Whether the hours are named below."""


def draw(chart: Chart, axis: TimeAxis) -> str:
    """One figure."""
    layers = _layers(axis, chart.stack)
    scale = _scale(chart, layers)
    zones = [(zone, hatch) for zone in chart.zones if (hatch := _zone(axis, scale, zone))]
    hatches = [hatch for _, hatch in zones]
    hatches += [
        f'<div class="hatch {line.style}" style="clip-path:{_polygon(axis, scale, *edges)}"></div>'
        for line, parts in layers
        if " " in line.style or line.style == "reserved"
        for edges in parts
    ]
    lines = [(line, scale) for line in chart.lines] + [(line, SHARES) for line in chart.shares]
    shapes = [f'<path class="fan" d="{_fan(axis, scale, fan)}"/>' for fan in chart.fans]
    shapes += [_band(axis, own_scale, line) for line, own_scale in lines]
    shapes += [
        f'<path class="{line.style}" d="{"".join(_area(axis, scale, *edges) for edges in parts)}"/>'
        for line, parts in layers
    ]
    shapes += [_line(axis, own_scale, line) for line, own_scale in lines]
    shapes += [_level(axis, scale, level) for level in chart.levels]
    zero = f'<path class="zero" d="M0 {scale.y(0)}H{axis.width:g}"/>' if scale.low < 0 < scale.high else ""
    drawing = (
        f'<svg viewBox="0 0 {axis.width:g} {HEIGHT}" preserveAspectRatio="none" aria-hidden="true">'
        f"{_grid(axis, scale)}{''.join(shapes)}{zero}</svg>"
    )
    labels = _labels(chart, axis, scale)
    caption = f'{escape(chart.title)} <span class="unit">{escape(chart.unit)}</span>'
    if chart.note:
        caption += f"<small>{escape(chart.note)}</small>"
    kind = ' class="low"' if chart.height_px < LOW_PX else ""
    return (
        f'<figure{kind} role="img" aria-label="{escape(_spoken(chart))}"><figcaption>{caption}</figcaption>'
        f'<div class="plot" style="height:{chart.height_px}px">{"".join(hatches)}{drawing}{labels}</div>'
        f"{_legend(chart, [zone for zone, _ in zones])}</figure>\n"
    )


def _scale(chart: Chart, layers: "Sequence[Layer]") -> Scale:
    values = [value for line in chart.lines for value in line.values]
    values += [value for _, parts in layers for edges in parts for edge in edges for value in edge]
    values += [value for fan in chart.fans for value in (*fan.low, *fan.high)]
    values += [mark.value for mark in chart.marks]
    limits = [limit for zone in chart.zones for limit in zone.limits()]
    limits += [value for level in chart.levels for value in level.values.values()]
    return scale_for(values, limits=limits, most_ticks=5 if chart.height_px > LOW_PX else 3)


def _grid(axis: TimeAxis, scale: Scale) -> str:
    level = "".join(f"M0 {scale.y(tick)}H{axis.width:g}" for tick in scale.ticks)
    upright = "".join(f"M{axis.x(tick.edge):g} 0V{HEIGHT}" for tick in axis.ticks() if tick.stays)
    return f'<path class="grid" d="{level}{upright}"/>'


def _labels(chart: Chart, axis: TimeAxis, scale: Scale) -> str:
    texts = [
        f'<span class="y" style="top:{scale.percent(tick)}">{number(tick, scale.decimals)}</span>'
        for tick in scale.ticks
    ]
    if chart.shares or chart.full:
        full, right = (1.0, SHARES) if chart.shares else (chart.full or 1.0, scale)
        shown = SHARES.ticks if chart.shares else [share * full for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
        texts += [
            f'<span class="r" style="top:{right.percent(tick)}">{number(100 * tick / full)}&nbsp;%</span>'
            for tick in shown
            if right.low <= tick <= right.high
        ]
    if chart.shows_time:
        for tick in axis.ticks():
            kind = "x" if tick.stays else "x minor"
            texts.append(f'<span class="{kind}" style="left:{axis.percent(tick.edge)}">{tick.text}</span>')
    texts += [
        f'<span class="mark" style="left:{axis.percent(mark.edge)};top:{scale.percent(mark.value)}">◇</span>'
        for mark in chart.marks
    ]
    return "".join(texts)


def _legend(chart: Chart, zones: Sequence[Zone]) -> str:
    """Names of what is drawn; a limit out of the picture is named too, for it is the answer to "how near?"."""
    items = [f'<li class="{line.style}">{escape(line.name)}</li>' for line in _series(chart) if line.name]
    items += [f'<li class="fan">{escape(fan.name)}</li>' for fan in chart.fans]
    items += [f'<li class="zone">{escape(zone.name)}</li>' for zone in zones if zone.name]
    items += [f'<li class="paid">{escape(level.name)}</li>' for level in chart.levels]
    out = [zone.name for zone in chart.zones if zone not in zones and zone.limits()]
    items += [f'<li class="out">{escape(name)}: out of the picture</li>' for name in out]
    items += [f'<li class="diamond">{escape(mark.name)}</li>' for mark in chart.marks]
    return f'<ul class="legend">{"".join(items)}</ul>' if items else ""


def _series(chart: Chart) -> list[Line]:
    return [*chart.stack, *chart.lines, *chart.shares]


def _spoken(chart: Chart) -> str:
    told = [
        f"{line.name or chart.title} {span_of(line.values, 1)} {chart.unit}" for line in (*chart.stack, *chart.lines)
    ]
    told += [f"{fan.name} {span_of((*fan.low, *fan.high), 1)} {chart.unit}" for fan in chart.fans]
    return f"{chart.title}: {'; '.join(told)}"


def _band(axis: TimeAxis, scale: Scale, line: Line) -> str:
    """From the lowest to the highest value, where a column holds many steps."""
    if axis.has_every_step:
        return ""
    low, high = lowest_and_highest(axis, line.values[-axis.horizon.count :])
    return f'<path class="{line.style} band" d="{_area(axis, scale, high, low)}"/>'


def _level(axis: TimeAxis, scale: Scale, level: Level) -> str:
    """Its runs, over a wider line in the colour of the ground, so that they show on any area."""
    drawn = [run for run in level.runs() if scale.low <= run[2] <= scale.high]
    path = "".join(f"M{axis.x(first):g} {scale.y(value)}H{axis.x(after):g}" for first, after, value in drawn)
    return f'<path class="ground line" d="{path}"/><path class="paid line" d="{path}"/>' if drawn else ""


def _fan(axis: TimeAxis, scale: Scale, fan: Fan) -> str:
    """In steps; or, of values at the edges of steps, along them."""
    if not axis.has_every_step:
        return _area(axis, scale, lowest_and_highest(axis, fan.high)[1], lowest_and_highest(axis, fan.low)[0])
    return _area(axis, scale, fan.high, fan.low)


def _line(axis: TimeAxis, scale: Scale, line: Line) -> str:
    """A line in steps, or in slopes where there is a value for every edge; of many steps in a column, the average."""
    values = line.values
    if axis.has_every_step and len(values) == len(axis.edges):
        path = "M" + "L".join(f"{x:g} {scale.y(value)}" for x, value in zip(axis.edges, values, strict=True))
    else:
        heights = [scale.y(value) for value in averages(axis, values[-axis.horizon.count :])]
        (left, start), *others = _corners(axis, heights, 0, len(heights))
        path = f"M{left:g} {start}" + "".join(f"V{y}" if n % 2 else f"H{x:g}" for n, (x, y) in enumerate(others))
    return f'<path class="{line.style} line" d="{path}"/>'


Edges = tuple[list[float], list[float]]
"""Upper and lower edge of an area, one value per column."""
Layer = tuple[Line, list[Edges]]
"""A line and its areas above and below zero."""


def _layers(axis: TimeAxis, stack: Sequence[Line]) -> list[Layer]:
    """What each series adds above zero, and below; of many steps in one column, the averages of either."""
    above, below = [0.0] * len(axis.columns), [0.0] * len(axis.columns)
    layers = []
    for line in stack:
        up = averages(axis, [max(value, 0.0) for value in line.values])
        down = averages(axis, [min(value, 0.0) for value in line.values])
        parts = []
        if any(up):
            top = [base + more for base, more in zip(above, up, strict=True)]
            parts.append((top, above))
            above = top
        if any(down):
            bottom = [base + more for base, more in zip(below, down, strict=True)]
            parts.append((below, bottom))
            below = bottom
        layers.append((line, parts))
    return layers


Corners = list[tuple[float, int]]
"""Places in the drawing, from left to right."""


def _corners(axis: TimeAxis, heights: Sequence[int], first: int, after: int) -> Corners:
    """The corners of a line in steps over some columns, two for each run of one height."""
    starts = [k for k in range(first, after) if k == first or heights[k] != heights[k - 1]]
    edges = [*(axis.x(axis.columns[k][0]) for k in starts), axis.x(axis.columns[after - 1][1])]
    return [(x, heights[k]) for n, k in enumerate(starts) for x in (edges[n], edges[n + 1])]


def _outlines(axis: TimeAxis, scale: Scale, top: Sequence[float], bottom: Sequence[float]) -> list[Corners]:
    """The space between two series, each part forth along the one and back along the other."""
    above, below = [scale.y(value) for value in top], [scale.y(value) for value in bottom]
    return [
        _corners(axis, above, first, after) + _corners(axis, below, first, after)[::-1]
        for first, after in runs([k for k, heights in enumerate(zip(above, below, strict=True)) if len({*heights}) > 1])
    ]


def _area(axis: TimeAxis, scale: Scale, top: Sequence[float], bottom: Sequence[float]) -> str:
    path = ""
    for outline in _outlines(axis, scale, top, bottom):
        (left, start), *others = outline
        steps = "".join(f"V{y}" if n % 2 else f"H{x:g}" for n, (x, y) in enumerate(others))
        path += f"M{left:g} {start}{steps}Z"
    return path


def _polygon(axis: TimeAxis, scale: Scale, top: Sequence[float], bottom: Sequence[float]) -> str:
    """The same space as a CSS shape; the parts hang together by lines of no width."""
    outlines = _outlines(axis, scale, top, bottom)
    start = outlines[0][0] if outlines else (0.0, 0)
    corners = [start, *(corner for outline in outlines for corner in (*outline, outline[0], start))]
    return f"polygon({','.join(f'{100 * x / axis.width:.2f}% {100 * y / HEIGHT:.1f}%' for x, y in corners)})"


def _zone(axis: TimeAxis, scale: Scale, zone: Zone) -> str:
    """A hatched band across the whole chart; nothing where it lies outside the picture."""
    if isinstance(zone.low, int | float) and isinstance(zone.high, int | float):
        low, high = max(zone.low, scale.low), min(zone.high, scale.high)
        if low >= high:
            return ""
        height = f"{100 * (high - low) / (scale.high - scale.low):.2f}%"
        return f'<div class="hatch beyond" style="top:{scale.percent(high)};height:{height}"></div>'
    below, above = ([b] * len(axis.edges) if isinstance(b, int | float) else list(b) for b in (zone.low, zone.high))
    corners = [*zip(axis.edges, above, strict=True), *reversed(list(zip(axis.edges, below, strict=True)))]
    shape = ",".join(f"{100 * x / axis.width:.2f}% {scale.y(value) / 10:.1f}%" for x, value in corners)
    return f'<div class="hatch beyond" style="top:0;height:100%;clip-path:polygon({shape})"></div>'
