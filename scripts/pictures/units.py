"""Numbers as Grafana writes them, by the names of its units, and its colours by name."""

import math
import time

COLORS = {
    "green": "#73BF69", "light-green": "#96D98D", "dark-green": "#37872D",
    "yellow": "#FADE2A", "light-yellow": "#FFEE52", "orange": "#FF9830", "light-orange": "#FFB357",
    "dark-orange": "#FA6400", "red": "#F2495C", "dark-red": "#C4162A", "blue": "#5794F2", "light-blue": "#8AB8FF", "dark-blue": "#1F60C4",
    "purple": "#B877D9", "text": "#CCCCDC",
}
PALETTE = ["#7EB26D", "#EAB839", "#6ED0E0", "#EF843C", "#E24D42", "#1F78C1", "#BA43A9", "#705DA0", "#508642",
           "#CCA300", "#447EBC", "#C15C17", "#890F02", "#0A437C"]


def color(name):
    """A colour's value."""
    return COLORS.get(name, name)


def plain(value, decimals=None):
    """Without needless noughts."""
    if decimals is None:
        size = abs(value)
        decimals = 0 if size >= 100 or value == round(value) else 1 if size >= 10 else 2 if size >= 1 else 3
        return f"{value:.{decimals}f}".rstrip("0").rstrip(".") if decimals else f"{value:.0f}"
    return f"{value:.{decimals}f}"


def scaled(value, steps, decimals):
    """By the largest step that fits: pairs of a factor and a name, the largest first."""
    for factor, name in steps:
        if abs(value) >= factor:
            return f"{plain(value / factor, decimals)}{name}"
    factor, name = steps[-1]
    return f"{plain(value / factor, decimals)}{name}"


SHORT = [(1e9, " Bil"), (1e6, " Mil"), (1e3, " K"), (1, "")]
BYTES = [(2**30, " GiB"), (2**20, " MiB"), (2**10, " KiB"), (1, " B")]
TIME = [(31_536_000, " years"), (604_800, " weeks"), (86_400, " days"), (3_600, " hours"), (60, " mins"), (1, " s"),
        (1e-3, " ms"), (1e-6, " µs")]


def written(value, unit, decimals=None):
    """A number in its unit."""
    if math.isnan(value):
        return "–"
    if unit == "percentunit":
        return f"{plain(value * 100, decimals)}%"
    if unit == "s":
        return "0 s" if value == 0 else scaled(value, TIME, decimals)
    if unit == "bool_yes_no":
        return "Yes" if value else "No"
    if unit == "dateTimeFromNow":
        ago = time.time() - value / 1000
        return f"{scaled(abs(ago), TIME, 0)} ago" if ago >= 0 else f"in {scaled(-ago, TIME, 0)}"
    if unit == "bytes":
        return scaled(value, BYTES, decimals)
    if unit == "Bps":
        return f"{scaled(value, BYTES, decimals)}/s"
    if unit in ("cps", "reqps"):
        return f"{scaled(value, SHORT, decimals)} {'c/s' if unit == 'cps' else 'req/s'}"
    return scaled(value, SHORT, decimals)


def ticks(low, high, unit, count=5):
    """Numbers between two that are round in their unit."""
    names = {"bytes": BYTES, "Bps": BYTES, "s": TIME}.get(unit, [(1, "")])
    factor = next((factor for factor, _ in names if high >= factor), names[-1][0])
    low, high = low / factor, high / factor
    span = (high - low) or 1
    rough = span / count
    size = 10 ** math.floor(math.log10(rough))
    step = next(size * factor for factor in (1, 2, 2.5, 5, 10) if size * factor >= rough)
    first = math.ceil(low / step) * step
    made = []
    while first <= high + step * 1e-6:
        made.append(round(first, 12) * factor)
        first += step
    return made
