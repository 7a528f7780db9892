"""Asks Prometheus what Grafana would: every variable at "All", and the windows of its own."""

import json
import time
import urllib.error
import urllib.parse
import urllib.request

#: Between two scrapes, as a data source in Grafana would be told: the step of a demo's past.
SCRAPE = 300
UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def seconds(text):
    """A duration such as `6h`."""
    return int(text[:-1]) * UNITS[text[-1]]


class Prometheus:
    """One Prometheus, asked about one span of time."""

    def __init__(self, url, back):
        self.url, self.back, self.now = url, back, int(time.time())

    def over(self, back):
        """The same at the same moment, about another span."""
        other = Prometheus(self.url, back)
        other.now = self.now
        return other

    def panel(self, panel, variables, width):
        """The answers to a panel's queries: lists of labels with samples."""
        shortest = seconds(panel["interval"]) if "interval" in panel else 0
        step = max(SCRAPE, shortest, self.back // width)
        return [(target, self.target(target, variables, step)) for target in panel["targets"]]

    def target(self, target, variables, step):
        """The answer to one query."""
        expression = self.filled(target["expr"], variables, step)
        if target["instant"]:
            answer = self.api("query", query=expression, time=self.now)
            return [(each["metric"], [(self.now, float(each["value"][1]))]) for each in answer["result"]]
        end = self.now // step * step if step > SCRAPE else self.now
        start = end - self.back // step * step
        answer = self.api("query_range", query=expression, start=start, end=end, step=step)
        return [(each["metric"], [(at, float(value)) for at, value in each["values"]]) for each in answer["result"]]

    def filled(self, expression, variables, step):
        """An expression with everything in its place."""
        windows = {"__rate_interval": max(step + SCRAPE, 4 * SCRAPE), "__range": self.back, "__interval": step}
        for name, value in windows.items():
            expression = expression.replace(f"${name}", f"{value}s")
        # The longest first: a name may begin with another.
        for variable in sorted(variables, key=lambda each: -len(each["name"])):
            expression = expression.replace(f"${variable['name']}", variable.get("allValue", ".+"))
        return expression

    def api(self, path, **parameters):
        """The data that a path of the API answers."""
        url = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=60) as reply:
                return json.load(reply)["data"]
        except urllib.error.HTTPError as error:
            raise SystemExit(f"Prometheus: {error.read().decode()}\n{parameters}") from None


def legend(form, labels):
    """A series' name."""
    for label, value in labels.items():
        form = form.replace(f"{{{{{label}}}}}", value)
    while "{{" in form:
        before, _, after = form.partition("{{")
        form = before + after.partition("}}")[2]
    return " ".join(form.split()) or ", ".join(f"{label}={value}" for label, value in labels.items()) or "value"
