"""PromQL: the few forms of query that the panels are made of.

A metric's labels come from the table in docs/metrics.md, so that a name that leasewatch does
not export is an error here, and every query is filtered by whatever variables it can be.

Over several exporters, one beside each node: counters, rates and episodes add up (`rate`,
`increase`, `summed`); other gauges are the active node's or one node's, and never do (`gauge`).
"""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: The variables that are also labels, in the order in which they narrow each other down.
NARROWING = ("vault_namespace", "mount", "role")
#: What names a role.
ROLE = ("vault_namespace", "mount", "role")
#: How long the window of a rate is: Grafana's, four scrapes at least.
WINDOW = "$__rate_interval"


def contract():
    """Labels by metric, as the documentation says them."""
    rows = re.findall(r"^\| `(leasewatch_\w+)` \| \w+ \| (.*?) \|", (ROOT / "docs/metrics.md").read_text(), re.M)
    return {name: re.findall(r"`(\w+)`", labels) for name, labels in rows}


LABELS = contract()


def labels_of(metric):
    """The label names of a metric; of a histogram's bucket too."""
    return LABELS[metric.removesuffix("_bucket")]


def select(metric, variables=NARROWING, **matchers):
    """The metric's series, narrowed down by the dashboard's variables. A matcher's value that
    begins with `~` is a regular expression, with `!~` one that must not match."""
    parts = ['cluster=~"$cluster"']
    parts += [f'{label}=~"${label}"' for label in variables if label in labels_of(metric) and label not in matchers]
    for label, value in matchers.items():
        operator = "!~" if value.startswith("!~") else "=~" if value.startswith("~") else "="
        parts.append(f'{label}{operator}"{value.lstrip("!~")}"')
    return f"{metric}{{{', '.join(parts)}}}"


def by(labels):
    """The clause of an aggregation; none for a total."""
    return f" by ({', '.join(labels)})" if labels else ""


def rate(metric, *labels, window=WINDOW, **matchers):
    """Per second, added up over exporters."""
    return f"sum{by(labels)} (rate({select(metric, **matchers)}[{window}]))"


def increase(metric, *labels, window, at="", **matchers):
    """How many in a window, added up over exporters."""
    return f"sum{by(labels)} (increase({select(metric, **matchers)}[{window}]{at}))"


def gauge(metric, *labels, at="", **matchers):
    """A gauge: over exporters the largest, for an old and a new active node may both show it for
    a moment; then added up over what is not in `labels`."""
    own = ("cluster", *labels_of(metric))
    largest = f"max by ({', '.join(own)}) ({select(metric, **matchers)}{at})"
    if set(own) <= set(labels):
        return largest
    return f"sum{by(labels)} ({largest})"


def summed(metric, *labels, **matchers):
    """A gauge of what each exporter sees for itself, added up over them."""
    return f"sum{by(labels)} ({select(metric, **matchers)})"


def highest(metric, *labels, **matchers):
    """The highest of a gauge's values, where a sum would mean nothing."""
    return f"max{by(labels)} ({select(metric, **matchers)})"


def lowest(metric, *labels, **matchers):
    """The lowest of a gauge's values."""
    return f"min{by(labels)} ({select(metric, **matchers)})"


def age(metric, *labels, **matchers):
    """Seconds since the latest of such moments."""
    return f"time() - {highest(metric, *labels, **matchers)}"


def oldest(metric, *labels, **matchers):
    """Seconds since the earliest of such moments."""
    return f"time() - {lowest(metric, *labels, **matchers)}"


def happened(metric, *labels, window, **matchers):
    """How often a rare thing came in a window, as a whole number. `increase` would stretch it
    to the window's ends, and miss what a counter is born with: here, a series that was not there
    at the window's start although its exporter was counts from 0."""
    series = select(metric, **matchers)
    exporter = select("leasewatch_build_info")
    before = (
        f"{series} offset {window}"
        f" or ({series} * 0 and on (job, instance) {exporter} offset {window})"
        f" or min_over_time({series}[{window}])"
    )
    return f"sum{by(labels)} ({series} - ({before}))"


def share(part, whole):
    """A share of a whole that may be nothing."""
    return f"{part} / clamp_min({whole}, 1)"


def largest(count, shown, ranked):
    """Of what is shown, those that rank highest at the end of the time shown: the same ones at
    every moment, which a plain `topk` would not give."""
    return f"{shown} and topk({count}, {ranked})"


def quantile(phi, metric, *labels):
    """A quantile of a histogram."""
    return f"histogram_quantile({phi}, {rate(metric + '_bucket', 'le', *labels)})"
