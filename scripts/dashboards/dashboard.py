"""A dashboard: rows of panels, variables, annotations and links, as JSON that Grafana imports."""

from grafana import DATASOURCE
from promql import select

#: Where the runbooks are read: a name that is nobody's, for the operator to set.
RUNBOOKS = "https://runbooks.example/leasewatch"
#: Columns of Grafana's grid.
COLUMNS = 24


def data_source():
    """Which Prometheus is asked."""
    return {
        "name": "datasource",
        "label": "Data source",
        "description": "The Prometheus that scrapes leasewatch.",
        "type": "datasource",
        "query": "prometheus",
        "current": {},
        "hide": 0,
        "includeAll": False,
        "multi": False,
        "options": [],
        "refresh": 1,
        "regex": "",
    }


def query(name, label, description, metric, narrowed_by=(), multi=True, all_value=".*"):
    """Values of a label, to choose from. "All" matches series without the label too."""
    text = f"label_values({select(metric, narrowed_by)}, {name})"
    if name == "cluster":
        text = f"label_values({metric}, cluster)"
    made = {
        "name": name,
        "label": label,
        "description": description,
        "type": "query",
        "datasource": DATASOURCE,
        "definition": text,
        "query": {"query": text, "refId": "StandardVariableQuery"},
        "current": {"text": ["All"], "value": ["$__all"]} if multi else {"text": "All", "value": "$__all"},
        "hide": 0,
        "includeAll": True,
        "multi": multi,
        "options": [],
        "refresh": 2,
        "regex": "",
        "sort": 1,
    }
    if all_value is not None:
        made["allValue"] = all_value
    return made


def runbooks():
    """Where the links to runbooks lead."""
    return {
        "name": "runbooks",
        "label": "Runbooks",
        "description": "Address below which the runbooks are read.",
        "type": "constant",
        "query": RUNBOOKS,
        "current": {"text": RUNBOOKS, "value": RUNBOOKS},
        "hide": 2,
        "options": [],
    }


def choices(names, mounts_of):
    """The variables with these names; mounts are those of a metric."""
    issued = "leasewatch_credentials_issued_total"
    made = {
        "cluster": lambda: query(
            "cluster", "Cluster", "A target label of yours; All where you have none.", "leasewatch_build_info",
            multi=False),
        "vault_namespace": lambda: query(
            "vault_namespace", "Vault namespace", "Namespace of Vault or OpenBao; root is the topmost.", mounts_of),
        "mount": lambda: query(
            "mount", "Mount", "Where a secret engine or auth method is mounted.", mounts_of, ("vault_namespace",)),
        "role": lambda: query(
            "role", "Role", "Role for which credentials are issued.", issued, ("vault_namespace", "mount")),
        "job": lambda: query(
            "job", "Job", "Scrape job of leasewatch.", "leasewatch_build_info", all_value=None),
    }
    return [made[name]() for name in names]


def catching_up():
    """Marks the times in which a backlog was read: rates of these minutes are those of hours."""
    return {
        "name": "Catching up",
        "datasource": DATASOURCE,
        "enable": True,
        "expr": f"max by (instance) ({select('leasewatch_catching_up')}) == 1",
        "iconColor": "orange",
        "step": "60s",
        "tagKeys": "instance",
        "textFormat": "A backlog of log is read: rates are those of an earlier time, pressed together",
        "titleFormat": "Catching up",
    }


class Dashboard:
    """One dashboard; rows are added from top to bottom."""

    def __init__(self, uid, title, description, variables, mounts_of="leasewatch_credentials_issued_total",
                 time="now-6h", refresh="1m"):
        self.uid = uid
        self.panels, self.next_id, self.y = [], 1, 0
        self.json = {
            "uid": uid,
            "title": f"leasewatch / {title}",
            "description": description,
            "tags": ["leasewatch", "vault", "openbao"],
            "schemaVersion": 38,
            "version": 1,
            "editable": True,
            "graphTooltip": 1,
            "refresh": refresh,
            "time": {"from": time, "to": "now"},
            "timepicker": {},
            "timezone": "browser",
            "links": [{
                "type": "dashboards",
                "title": "leasewatch",
                "tags": ["leasewatch"],
                "asDropdown": True,
                "includeVars": True,
                "keepTime": True,
                "targetBlank": False,
                "icon": "external link",
                "tooltip": "",
                "url": "",
            }],
            "annotations": {"list": [catching_up()]},
            "templating": {"list": [data_source(), *choices(variables, mounts_of), runbooks()]},
            "panels": self.panels,
        }

    def row(self, title, *panels):
        """A titled row of panels, which wrap where the grid ends."""
        self._put({"id": 0, "type": "row", "title": title, "collapsed": False, "panels": []}, 0, COLUMNS, 1)
        self.y += 1
        x = height = 0
        for panel in panels:
            if x + panel.width > COLUMNS:
                self.y, x, height = self.y + height, 0, 0
            self._put(panel.json, x, panel.width, panel.height)
            x, height = x + panel.width, max(height, panel.height)
        self.y += height

    def _put(self, panel, x, width, height):
        panel["id"], self.next_id = self.next_id, self.next_id + 1
        panel["gridPos"] = {"h": height, "w": width, "x": x, "y": self.y}
        self.panels.append(panel)


