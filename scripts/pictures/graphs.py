"""Panels with an axis of time, as SVG: lines, bars, heat maps, states."""

import math
import time
from html import escape

from ask import legend
from units import PALETTE, color, ticks, written

GRID, TEXT = "#2c3035", "#9fa7b3"


class Frame:
    """The place in which is drawn, and where times and values lie in it."""

    def __init__(self, width, height, span, low, high, left=64):
        self.left, self.top, self.right, self.bottom = left, 6, width - 8, height - 20
        self.from_, self.to = span
        self.low, self.high = low, high
        self.parts = [f'<svg width="{width}" height="{height}" viewBox="0 0 {width} {height}">']

    def x(self, at):
        return self.left + (at - self.from_) / (self.to - self.from_) * (self.right - self.left)

    def y(self, value):
        return self.bottom - (value - self.low) / ((self.high - self.low) or 1) * (self.bottom - self.top)

    def add(self, text):
        self.parts.append(text)

    def text(self, x, y, text, anchor="end", fill=TEXT):
        self.add(f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{fill}" font-size="11">{escape(text)}</text>')

    def line(self, x, y, to_x, to_y, stroke=GRID, extra=""):
        self.add(f'<line x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}" stroke="{stroke}" {extra}/>')

    def times(self):
        """The axis of time."""
        span = self.to - self.from_
        step = next(each for each in (300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200) if span / each <= 9)
        zone = time.timezone
        at = math.ceil((self.from_ - zone) / step) * step + zone
        while at <= self.to:
            self.line(self.x(at), self.top, self.x(at), self.bottom)
            if self.left + 14 < self.x(at) < self.right - 12:
                self.text(self.x(at), self.bottom + 14, time.strftime("%H:%M", time.localtime(at)), "middle")
            at += step

    def values(self, unit):
        """The axis of values."""
        for value in ticks(self.low, self.high, unit, max(2, (self.bottom - self.top) // 34)):
            self.line(self.left, self.y(value), self.right, self.y(value))
            self.text(self.left - 6, self.y(value) + 4, written(value, unit))

    def done(self):
        return "".join([*self.parts, "</svg>"])


def overridden(panel):
    """What is set for single series, by their names."""
    return {
        each["matcher"]["options"]: {part["id"]: part["value"] for part in each["properties"]}
        for each in panel["fieldConfig"]["overrides"]
    }


def series_of(panel, answers):
    """Names, colours and samples, in the order of the queries."""
    fixed, made = overridden(panel), []
    for target, answer in answers:
        for labels, samples in sorted(answer, key=lambda each: legend(target["legendFormat"], each[0])):
            name = legend(target["legendFormat"], labels)
            samples = [(at, value) for at, value in samples if not math.isnan(value)]
            if samples:
                shade = PALETTE[len(made) % len(PALETTE)]
                if "color" in fixed.get(name, {}):
                    shade = color(fixed[name]["color"]["fixedColor"])
                made.append((name, shade, samples))
    return made


def timeseries(panel, answers, span, width, height):
    """Lines or bars with their legend."""
    series = series_of(panel, answers)
    defaults = panel["fieldConfig"]["defaults"]
    custom, unit = defaults["custom"], defaults["unit"]
    right = panel["options"]["legend"]["placement"] == "right"
    if not series:
        return '<div class="none">No data</div>'
    plot_width, plot_height = (width - 330, height) if right else (width, height - 24 - 18 * (legend_rows(series, width) - 1))
    stacked = custom["stacking"]["mode"] == "normal"
    lines = stack(series) if stacked else [(name, shade, samples, None) for name, shade, samples in series]
    high = max(value for *_, samples, _ in lines for _, value in samples)
    # A limit far above what is there is not drawn: it would flatten everything.
    limits = [step for step in defaults["thresholds"]["steps"][1:] if step["value"] <= high * 3]
    high = max([high, *(step["value"] for step in limits)]) * 1.05 or 1
    low = min([0, *(value for *_, samples, _ in lines for _, value in samples)])
    frame = Frame(plot_width, plot_height, span, low, min(high, defaults.get("max", math.inf)))
    frame.values(unit)
    frame.times()
    single = overridden(panel)
    for name, shade, samples, below in reversed(lines):
        own = {key.removeprefix("custom."): value for key, value in single.get(name, {}).items()}
        draw(frame, shade, samples, below, {**custom, **own})
    if custom["thresholdsStyle"]["mode"] != "off":
        for step in limits:
            frame.line(frame.left, frame.y(step["value"]), frame.right, frame.y(step["value"]), color(step["color"]),
                       'stroke-dasharray="6 5"')
    if right:
        return f'<div class="beside">{frame.done()}{legend_table(series, unit)}</div>'
    return frame.done() + legend_list(series)


def stack(series):
    """Each on top of those before it; where one has no sample it is nothing."""
    times = sorted({at for *_, samples in series for at, _ in samples})
    below, made = {at: 0.0 for at in times}, []
    for name, shade, samples in series:
        own = dict(samples)
        top = {at: below[at] + own.get(at, 0.0) for at in times}
        made.append((name, shade, list(top.items()), below))
        below = top
    return made


def draw(frame, shade, samples, below, custom):
    """One series."""
    gap = min((later - at for (at, _), (later, _) in zip(samples, samples[1:])), default=0)
    if custom["drawStyle"] == "bars":
        wide = max(2, frame.x(gap) - frame.x(0) - 2) if gap else 4
        for at, value in samples:
            base = below[at] if below else 0
            if value > base:
                frame.add(f'<rect x="{frame.x(at) - wide:.1f}" y="{frame.y(value):.1f}" width="{wide:.1f}"'
                          f' height="{frame.y(base) - frame.y(value):.1f}" fill="{shade}" fill-opacity="0.8"/>')
        return
    for run in runs(samples, gap * 1.5):
        points = " ".join(f"{frame.x(at):.1f},{frame.y(value):.1f}" for at, value in run)
        floor = [(at, below[at] if below else max(0, frame.low)) for at, _ in reversed(run)]
        area = " ".join(f"{frame.x(at):.1f},{frame.y(value):.1f}" for at, value in floor)
        opacity = custom["fillOpacity"] / 100
        frame.add(f'<polygon points="{points} {area}" fill="{shade}" fill-opacity="{opacity}"/>')
        dash = 'stroke-dasharray="8 6"' if "lineStyle" in custom else ""
        frame.add(f'<polyline points="{points}" fill="none" stroke="{shade}" stroke-width="1.5" {dash}/>')


def runs(samples, gap):
    """Samples without a gap between them."""
    made = [[samples[0]]]
    for sample in samples[1:]:
        if sample[0] - made[-1][-1][0] > gap:
            made.append([])
        made[-1].append(sample)
    return made


def legend_rows(series, width):
    """How many lines the names take, at most three."""
    return min(3, 1 + sum(26 + 6.4 * len(name) for name, *_ in series) // (width - 10))


def legend_list(series):
    names = "".join(f'<span><i style="background:{shade}"></i>{escape(name)}</span>' for name, shade, _ in series)
    return f'<div class="legend">{names}</div>'


def legend_table(series, unit):
    rows = "".join(
        f'<tr><td><i style="background:{shade}"></i>{escape(name)}<td>{written(samples[-1][1], unit)}'
        f"<td>{written(max(value for _, value in samples), unit)}" for name, shade, samples in series)
    return f'<table class="legend"><tr><th>Name<th>Last<th>Max</tr>{rows}</table>'


def heatmap(panel, answers, span, width, height):
    """A histogram over time, from its cumulative buckets."""
    [(_, answer)] = answers
    buckets = sorted(((float(labels["le"].replace("+Inf", "inf")), dict(samples)) for labels, samples in answer))
    if not buckets:
        return '<div class="none">No data</div>'
    times = sorted({at for _, samples in buckets for at in samples})
    counts, before = [], {}
    for bound, samples in buckets:
        counts.append((bound, {at: max(0.0, samples.get(at, 0) - before.get(at, 0)) for at in times}))
        before = samples
    counts = [each for each in counts if any(each[1].values())]
    most = max(value for _, cells in counts for value in cells.values())
    frame = Frame(width, height, span, 0, len(counts), 64)
    frame.times()
    step = times[1] - times[0]
    for row, (bound, cells) in enumerate(counts):
        name = "more" if math.isinf(bound) else "≤ " + written(bound, panel["options"]["yAxis"]["unit"])
        frame.text(frame.left - 6, frame.y(row + 0.5) + 4, name)
        for at, value in cells.items():
            if value > 0 and at - step >= span[0]:
                x, top, bottom = frame.x(at - step), frame.y(row + 1), frame.y(row)
                frame.add(f'<rect x="{x:.1f}" y="{top + 1:.1f}" width="{max(1, frame.x(at) - x - 1):.1f}"'
                          f' height="{bottom - top - 1:.1f}" fill="#5794F2" fill-opacity="{0.12 + 0.88 * math.sqrt(value / most):.2f}"/>')
    return frame.done()


def timeline(panel, answers, span, width, height):
    """States, a band for each series."""
    names = panel["fieldConfig"]["defaults"]["mappings"][0]["options"]
    series = series_of(panel, answers)
    frame = Frame(width, height, span, 0, max(1, len(series)), 110)
    frame.times()
    for row, (name, _, samples) in enumerate(series):
        frame.text(frame.left - 6, frame.y(row + 0.5) + 4, name)
        step = min((later - at for (at, _), (later, _) in zip(samples, samples[1:])), default=60)
        for at, value in samples:
            state = names.get(str(int(value)), {"color": "text"})
            frame.add(f'<rect x="{frame.x(at - step):.1f}" y="{frame.y(row + 0.9):.1f}" width="{frame.x(at) - frame.x(at - step) + 0.5:.1f}"'
                      f' height="{(frame.y(row) - frame.y(row + 0.8)):.1f}" fill="{color(state["color"])}" fill-opacity="0.8"/>')
    return frame.done()
