"""Grafana: panels as JSON, for Grafana 10 to 12, with nothing in them that is at its default."""

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
#: Nothing to worry about.
CALM = ["green"]


def steps(thresholds):
    """Thresholds from a list: the first colour, then pairs of a value and the colour from it on."""
    first, *rest = thresholds
    return {
        "mode": "absolute",
        "steps": [{"color": first, "value": None}] + [{"color": color, "value": value} for value, color in rest],
    }


def target(index, expression, legend="", instant=False, form="time_series"):
    """One query of a panel."""
    made = {
        "datasource": DATASOURCE,
        "editorMode": "code",
        "expr": expression,
        "format": form,
        "instant": instant,
        "legendFormat": legend,
        "range": not instant,
        "refId": chr(ord("A") + index),
    }
    return made


class Panel:
    """A panel: its JSON, and its width and height."""

    def __init__(self, kind, title, description, size, unit, thresholds, targets, options):
        self.width, self.height = size
        self.json = {
            "id": 0,
            "type": kind,
            "title": title,
            "description": description,
            "datasource": DATASOURCE,
            "gridPos": {},
            "fieldConfig": {
                "defaults": {"unit": unit, "thresholds": steps(thresholds), "color": {"mode": "thresholds"}},
                "overrides": [],
            },
            "options": options,
            "targets": targets,
        }

    @property
    def defaults(self):
        """What holds for all its fields."""
        return self.json["fieldConfig"]["defaults"]

    def override(self, name, **properties):
        """Sets properties of the field with this name; a value that is JSON stays so."""
        self.json["fieldConfig"]["overrides"].append({
            "matcher": {"id": "byName", "options": name},
            "properties": [{"id": key.replace("__", "."), "value": value} for key, value in properties.items()],
        })
        return self

    def fixed(self, **colors):
        """Gives series colours that mean something."""
        for name, color in colors.items():
            self.override(name, color={"mode": "fixed", "fixedColor": color})
        return self

    def rules(self, **colors):
        """Draws series as limits: dashed, with nothing below."""
        for name, shade in colors.items():
            self.override(
                name, color={"mode": "fixed", "fixedColor": shade}, custom__fillOpacity=0,
                custom__lineStyle={"fill": "dash", "dash": [8, 6]}, custom__lineWidth=2)
        return self

    def link(self, title, url, new_tab=False):
        """Leads on to elsewhere."""
        links = self.json.setdefault("links", [])
        links.append({"title": title, "url": url, "targetBlank": new_tab})
        return self

    def runbook(self, *alerts):
        """Leads to what to do when these alerts fire."""
        for alert in alerts:
            self.link(f"Runbook: {alert}", f"${{runbooks}}/{alert}.md", new_tab=True)
        return self

    def dashboard(self, uid, title):
        """Leads to another dashboard, with the same time and variables."""
        return self.link(title, f"/d/{uid}?${{__url_time_range}}&${{__all_variables}}")

    def limit(self, **limits):
        """Bounds of the axis: `min`, `max`."""
        self.defaults.update(limits)
        return self

    def every(self, interval):
        """The shortest step between two points."""
        self.json["interval"] = interval
        return self


def reduce_last():
    """Shows the last value."""
    return {"calcs": ["lastNotNull"], "fields": "", "values": False}


def stat(title, description, unit, expression, thresholds=CALM, legend="", empty="–", size=(3, 4), decimals=None):
    """One number; or, with a legend, one for each series."""
    options = {
        "colorMode": "background" if thresholds != CALM else "value",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "reduceOptions": reduce_last(),
        "textMode": "value_and_name" if legend else "value",
    }
    made = Panel("stat", title, description, size, unit, thresholds, [target(0, expression, legend, True)], options)
    made.defaults["noValue"] = empty
    if decimals is not None:
        made.defaults["decimals"] = decimals
    return made


def bars(title, description, unit, expression, legend, thresholds=CALM, size=(8, 8)):
    """A bar for each series, as it is now."""
    options = {
        "displayMode": "basic",
        "minVizHeight": 10,
        "minVizWidth": 0,
        "orientation": "horizontal",
        "reduceOptions": reduce_last(),
        "showUnfilled": True,
        "valueMode": "color",
    }
    made = Panel("bargauge", title, description, size, unit, thresholds, [target(0, expression, legend, True)], options)
    return made.limit(min=0)


def graph(title, description, unit, queries, thresholds=CALM, stacked=False, form="line", size=(12, 8), list_right=False):
    """Lines over time. `queries` are pairs of an expression and a legend; thresholds beyond the
    first colour are drawn."""
    options = {
        "legend": {
            "calcs": ["lastNotNull", "max"] if list_right else [],
            "displayMode": "table" if list_right else "list",
            "placement": "right" if list_right else "bottom",
            "showLegend": True,
        },
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    targets = [target(index, *query) for index, query in enumerate(queries)]
    made = Panel("timeseries", title, description, size, unit, thresholds, targets, options)
    made.defaults["color"] = {"mode": "palette-classic"}
    made.defaults["min"] = 0
    made.defaults["custom"] = {
        "drawStyle": "bars" if form == "bars" else "line",
        "fillOpacity": 60 if form == "bars" else 25 if stacked else 0,
        "lineInterpolation": "stepAfter" if form == "step" else "linear",
        "lineWidth": 1,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"group": "A", "mode": "normal" if stacked else "none"},
        "thresholdsStyle": {"mode": "dashed" if len(thresholds) > 1 else "off"},
    }
    return made


def heatmap(title, description, unit, expression, size=(12, 8)):
    """How observations spread over a histogram's buckets. The unit is that of the buckets."""
    options = {
        "calculate": False,
        "cellGap": 1,
        "color": {"exponent": 0.5, "fill": "dark-blue", "mode": "scheme", "reverse": False,
                  "scale": "exponential", "scheme": "Blues", "steps": 64},
        "filterValues": {"le": 1e-9},
        "legend": {"show": True},
        "rowsFrame": {"layout": "auto"},
        "tooltip": {"show": True, "yHistogram": False},
        "yAxis": {"axisPlacement": "left", "reverse": False, "unit": unit},
    }
    targets = [target(0, expression, "{{le}}", form="heatmap")]
    return Panel("heatmap", title, description, size, "cps", CALM, targets, options)


def timeline(title, description, queries, mappings, size=(12, 6)):
    """States over time; `mappings` name and colour the values."""
    options = {
        "alignValue": "left",
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "mergeValues": True,
        "rowHeight": 0.8,
        "showValue": "auto",
        "tooltip": {"mode": "single", "sort": "none"},
    }
    targets = [target(index, *query) for index, query in enumerate(queries)]
    made = Panel("state-timeline", title, description, size, "short", CALM, targets, options)
    made.defaults["mappings"] = [mapping(mappings)]
    made.defaults["custom"] = {"fillOpacity": 80, "lineWidth": 0}
    return made


def mapping(names):
    """Text and colour for single values."""
    options = {
        str(value): {"text": text, "color": color, "index": index}
        for index, (value, (text, color)) in enumerate(names.items())
    }
    return {"type": "value", "options": options}


class Column:
    """A column of a table: a query of its own, its name, unit and colours."""

    def __init__(self, name, expression, unit="short", thresholds=None, decimals=None, mappings=None):
        self.name, self.expression, self.unit = name, expression, unit
        self.thresholds, self.decimals, self.mappings = thresholds, decimals, mappings


def table(title, description, labels, columns, sort, size=(24, 9), hidden=(), renamed=None, link=None):
    """A row for each set of labels, with a column for each query."""
    renamed = renamed or {}
    targets = [target(index, column.expression, "", True, "table") for index, column in enumerate(columns)]
    values = ["Value"] if len(columns) == 1 else [f"Value #{each['refId']}" for each in targets]
    names = {value: column.name for value, column in zip(values, columns)}
    order = [*labels, *values]
    options = {
        "cellHeight": "sm",
        "footer": {"countRows": False, "fields": "", "reducer": ["sum"], "show": False},
        "showHeader": True,
        "sortBy": [{"desc": True, "displayName": sort}],
    }
    made = Panel("table", title, description, size, "short", CALM, targets, options)
    made.defaults["custom"] = {"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False}
    made.json["transformations"] = [
        {"id": "merge", "options": {}},
        {"id": "organize", "options": {
            "excludeByName": {name: True for name in ("Time", *hidden)},
            "indexByName": {name: index for index, name in enumerate(order)},
            "renameByName": {**renamed, **names},
        }},
    ]
    for column in columns:
        properties = {"unit": column.unit}
        if column.decimals is not None:
            properties["decimals"] = column.decimals
        if column.mappings:
            properties["mappings"] = [mapping(column.mappings)]
        if column.thresholds:
            properties["thresholds"] = steps(column.thresholds)
        if column.thresholds or column.mappings:
            properties["custom__cellOptions"] = {"type": "color-text"}
        made.override(column.name, **properties)
    if link:
        field, text, url = link
        made.override(renamed.get(field, field), links=[{"title": text, "url": url}])
    return made
