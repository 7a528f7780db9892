"""Anomalies: scores, episodes, and what was expected against what was observed."""

from dashboard import Dashboard
from grafana import Column, bars, graph, stat, table
from overview import FEW, NONE
from promql import ROLE, gauge, happened, highest, largest, summed
from where import LEASES, SECURITY, a_role, runbook

SCORE = "leasewatch_anomaly_score"
MOUNT_SCORE = "leasewatch_anomaly_mount_score"
EXPECTED = "leasewatch_credentials_expected_rate"
UPPER = "leasewatch_credentials_expected_rate_upper"
#: The colours of a score: a notice from once a day, a page from once a week.
RARE = ["green", (25, "orange"), (43, "red")]


def make():
    board = Dashboard(
        "leasewatch-anomalies",
        "Anomalies",
        "What clients do that is rare for them. Who it is stands in no metric: leasewatch episodes tells.",
        ("cluster", "vault_namespace", "mount", "role"),
        mounts_of="leasewatch_requests_total",
        time="now-24h",
    )
    board.row("Now", *now())
    board.row("Scores", *scores())
    board.row("Episodes", *episodes())
    board.row("Expected against observed", *expected())
    return board


def observed(*labels, window="1h"):
    return summed("leasewatch_credentials_issue_rate", *labels, window=window)


def now():
    return [
        stat("Pages open", "Open episodes at or above the page threshold, not acknowledged.", "short",
             summed("leasewatch_anomaly_open_episodes", severity="page"), NONE).runbook(*runbook("anomaly")),
        stat("Notices open", "Open episodes that are a notice and do not page.", "short",
             summed("leasewatch_anomaly_open_episodes", severity="notice"), FEW).runbook(*runbook("notice")),
        stat("Highest score", "25 comes once a day by chance in the whole cluster, 43 once a week, 79 once a year."
             " Colours are those of a budget of one page a week.", "none", highest(MOUNT_SCORE), RARE, empty="0", decimals=0),
        stat("Pages in this time", "Episodes that came to page in the time shown.", "short",
             happened("leasewatch_anomaly_episodes_total", window="$__range", severity="page")),
        stat("Subjects", "Clients, roles and mounts that have a model of their own.", "short",
             gauge("leasewatch_anomaly_subjects")),
        stat("Still learning", "Subjects known for less than 48 hours, whose scores count less for it.", "short",
             gauge("leasewatch_anomaly_learning_subjects")),
        stat("Networks scored", "No while most clients come from one address, such as a load balancer's.", "bool_yes_no",
             f"1 - {highest('leasewatch_anomaly_source_model_disabled')}", ["orange", (1, "green")]),
        stat("Given up for room", "Subjects and episodes that gave way to others in the time shown: see the settings"
             " anomaly.subjects and anomaly.episodes.", "short",
             f"{happened('leasewatch_anomaly_subject_evictions_total', window='$__range')}"
             f" + {happened('leasewatch_anomaly_episode_evictions_total', window='$__range')}", FEW),
    ]


def scores():
    mounts = ("vault_namespace", "mount")
    lines = (highest("leasewatch_anomaly_threshold", "severity"), "{{severity}} from here")
    marked = {"notice from here": "orange", "page from here": "red"}
    return [
        graph("Scores, by role", "Of the highest open episode that touches the role; halved every 30 minutes without"
              " more.", "none", [(f"{highest(SCORE, *ROLE)} > 0", "{{vault_namespace}}/{{mount}}{{role}}"), lines],
              size=(12, 9)).limit(min=0, max=100).rules(**marked).runbook(*runbook("anomaly")),
        graph("Scores, by mount", "Probing and logins touch no role: they show here, by secret engine or auth method.",
              "none", [(f"{highest(MOUNT_SCORE, *mounts)} > 0", "{{vault_namespace}}/{{mount}}"), lines],
              size=(12, 9)).limit(min=0, max=100).rules(**marked).link(*SECURITY),
    ]


def episodes():
    component = ("component", "severity")
    opened = happened("leasewatch_anomaly_episodes_total", "severity", window="$__interval", severity="~page|notice")
    return [
        bars("Open, by what they rest on", "Open episodes that page or are a notice, by their strongest component.",
             "short", f"{summed('leasewatch_anomaly_open_episodes', *component, severity='~page|notice')} > 0",
             "{{component}} ({{severity}})", ["orange"], size=(8, 9)).runbook(*runbook("anomaly")),
        graph("Episodes, as they came", "Episodes that came to a severity, for each step of time.", "short",
              [(opened, "{{severity}}")], stacked=True, form="bars", size=(8, 9)).every("15m")
        .fixed(page="red", notice="orange"),
        table("In the time shown", "Episodes that came to a severity, by what they rested on then.", component,
              [Column("Episodes", f"{happened('leasewatch_anomaly_episodes_total', *component, window='$__range')} > 0")],
              "Episodes", size=(8, 9), renamed={"component": "Component", "severity": "Severity"}),
    ]


def expected():
    share = f"{observed(*ROLE)} / ({highest(UPPER, *ROLE)} > 0)"
    return [
        graph("Observed in the band of what is usual", "Credentials per second over the last hour, of all roles chosen"
              " together; usual is for this hour of the week, and the bound is exceeded in one hour of a thousand."
              " Choose one role for a sharp band: bounds of several roles add up to more than their sum's.", "cps", [
                  (summed("leasewatch_credentials_issue_rate", window="1h"), "observed"),
                  (f"sum ({highest(EXPECTED, 'cluster', *ROLE)})", "usual"),
                  (f"sum ({highest(UPPER, 'cluster', *ROLE)})", "bound"),
              ], size=(12, 9)).fixed(observed="blue", usual="green").rules(bound="red"),
        graph("Observed, as a share of the bound, by role", "1 is the bound that a role exceeds in one hour of a"
              " thousand. The ten highest at the end of the time shown.", "percentunit",
              [(largest(10, share, share.replace("}", "} @ end()")), "{{vault_namespace}}/{{mount}}{{role}}")],
              ["green", (1, "red")], size=(12, 9)).runbook(*runbook("anomaly")),
        table("Expected and observed, by role", "Credentials per second: over the last hour and the last five minutes,"
              " what is usual at this hour, and what is exceeded in one hour of a thousand.", ROLE, [
                  Column("Last hour", observed(*ROLE), "cps", decimals=4),
                  Column("Last 5 min", observed(*ROLE, window="5m"), "cps", decimals=4),
                  Column("Usual", highest(EXPECTED, *ROLE), "cps", decimals=4),
                  Column("Bound", highest(UPPER, *ROLE), "cps", decimals=4),
                  Column("Of the bound", share, "percentunit", ["text", (0.8, "orange"), (1, "red")], 0),
                  Column("Score", f"{highest(SCORE, *ROLE)} > 0", "none", RARE, 0),
              ], "Of the bound", size=(24, 10),
              renamed={"vault_namespace": "Namespace", "mount": "Mount", "role": "Role"}, link=a_role(LEASES)),
    ]


