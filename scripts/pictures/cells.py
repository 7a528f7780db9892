"""Panels without an axis, as HTML: numbers, bars, tables."""

import math
from html import escape

from ask import legend
from units import color, written


def shade_of(value, thresholds):
    """The colour of the last threshold that a value reaches."""
    shade = thresholds["steps"][0]["color"]
    for step in thresholds["steps"][1:]:
        if value >= step["value"]:
            shade = step["color"]
    return color(shade)


def stat(panel, answers, width, height):
    """One large number, or one for each series."""
    defaults = panel["fieldConfig"]["defaults"]
    [(target, answer)] = answers
    answer = [(labels, samples) for labels, samples in answer if not math.isnan(samples[-1][1])]
    if not answer:
        return f'<div class="stat quiet">{escape(defaults["noValue"])}</div>'
    filled = panel["options"]["colorMode"] == "background"
    made = []
    for labels, samples in answer:
        value = samples[-1][1]
        shade = shade_of(value, defaults["thresholds"])
        text = escape(written(value, defaults["unit"], defaults.get("decimals")))
        name = legend(target["legendFormat"], labels) if target["legendFormat"].replace("{{cluster}}", "") else ""
        size = min(38, height * 0.42, (width - 24) / len(answer) / (0.62 * len(text)))
        label = f"<small>{escape(name)}</small>" if name else ""
        style = f"background:{shade};color:#111217" if filled else f"color:{shade}"
        made.append(f'<div class="stat" style="{style};font-size:{size:.0f}px">{label}{text}</div>')
    return "".join(made)


def bargauge(panel, answers):
    """A bar for each series."""
    defaults = panel["fieldConfig"]["defaults"]
    rows = [(legend(target["legendFormat"], labels), samples[-1][1]) for target, answer in answers for labels, samples in answer]
    most = max((value for _, value in rows), default=1) or 1
    return '<table class="bars">' + "".join(
        f'<tr><td>{escape(name)}<td class="wide"><div style="width:{value / most * 100:.0f}%;'
        f'background:{shade_of(value, defaults["thresholds"])}"></div><td>{written(value, defaults["unit"])}'
        for name, value in sorted(rows, key=lambda row: -row[1])) + "</table>"


def table(panel, answers, height):
    """Rows merged by their labels, columns named and ordered as the panel says."""
    merge, organize = panel["transformations"]
    assert merge["id"] == "merge" and organize["id"] == "organize"
    names, hidden = organize["options"]["renameByName"], organize["options"]["excludeByName"]
    order = organize["options"]["indexByName"]
    rows, labels_seen = merged(answers)
    fields = [field for field in [*order, *(each for each in sorted(labels_seen) if each not in order)]
              if not hidden.get(field) and any(field in row for row in rows)]
    if not rows:
        return f'<div class="none">{escape(panel["fieldConfig"]["defaults"].get("noValue", "No data"))}</div>'
    sort = panel["options"]["sortBy"][0]["displayName"]
    key = next((field for field in fields if names.get(field, field) == sort), fields[-1])
    rows.sort(key=lambda row: -row[key] if isinstance(row.get(key), float) else math.inf)
    shown = rows[: max(1, int((height - 30) // 27))]
    head = "".join(f'<th{" class=num" if isinstance_any(rows, field) else ""}>{escape(names.get(field, field))}' for field in fields)
    body = "".join("<tr>" + "".join(cell(panel, names.get(field, field), row.get(field)) for field in fields) for row in shown)
    return f'<table class="rows"><tr>{head}</tr>{body}</table>'


def isinstance_any(rows, field):
    """Whether a field holds numbers."""
    return any(isinstance(row.get(field), float) for row in rows)


def merged(answers):
    """As Grafana merges tables: rows whose common fields are alike become one."""
    rows, labels_seen, one = {}, set(), len(answers) == 1
    extra = {}
    for target, answer in answers:
        field = "Value" if one else f"Value #{target['refId']}"
        for labels, samples in answer:
            labels = {name: value for name, value in labels.items() if name != "__name__"}
            labels_seen |= set(labels)
            extra.setdefault(frozenset(labels), []).append((labels, field, samples[-1][1]))
    keys = sorted(extra, key=len)
    for names in keys:
        for labels, field, value in extra[names]:
            base = frozenset((name, labels[name]) for name in keys[0] if name in labels)
            row = rows.setdefault(base, {})
            row.update(labels)
            row[field] = value
    return list(rows.values()), labels_seen


def cell(panel, name, value):
    """One cell."""
    properties = {part["id"]: part["value"] for each in panel["fieldConfig"]["overrides"]
                  if each["matcher"]["options"] == name for part in each["properties"]}
    if value is None:
        return "<td>"
    if not isinstance(value, float):
        link = ' class="link"' if "links" in properties else ""
        return f"<td{link}>{escape(value)}"
    if "mappings" in properties:
        state = properties["mappings"][0]["options"].get(str(int(value)))
        if state:
            return f'<td class="num" style="color:{color(state["color"])}">{escape(state["text"])}'
    shade = f' style="color:{shade_of(value, properties["thresholds"])}"' if "thresholds" in properties else ""
    return f'<td class="num"{shade}>{written(value, properties.get("unit", "short"), properties.get("decimals"))}'
