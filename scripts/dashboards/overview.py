"""The overview: what whoever is on call looks at first."""

from dashboard import Dashboard
from grafana import Column, graph, stat, table
from promql import ROLE, age, gauge, highest, increase, largest, rate, select, share, summed
from where import ANOMALIES, HEALTH, ISSUING, LEASES, OVERVIEW, REVOCATION, a_role, runbook

#: Failures that are not the client's doing.
OURS = "~backend|other"
#: Those that are, or a quota's.
REFUSED = "!~backend|other"
#: One is too many.
NONE = ["green", (1, "red")]
#: One is worth a look.
FEW = ["green", (1, "orange")]


def make():
    board = Dashboard(
        OVERVIEW,
        "Overview",
        "Is Vault there, are credentials issued and taken back, and is anything unusual going on.",
        ("cluster", "vault_namespace", "mount", "role"),
    )
    board.row("Vault", *vault())
    board.row("Credentials", *credentials())
    board.row("Alerts", alerts(), troubled())
    board.row("Course", *course())
    return board


def vault():
    failed = increase("leasewatch_credential_failures_total", window="15m", reason=OURS)
    issued = increase("leasewatch_credentials_issued_total", window="15m")
    down = f"sum (max by (cluster, node) ({select('leasewatch_vault_up')}) == bool 0)"
    return [
        stat("Nodes down", "Nodes that did not answer sys/health in the last scrape.", "short", down, NONE)
        .link(*HEALTH).runbook(*runbook("unreachable")),
        stat("Nodes sealed", "A sealed node answers, and serves nobody.", "short", gauge("leasewatch_vault_sealed"), NONE)
        .link(*HEALTH).runbook(*runbook("sealed")),
        stat("Active nodes", "By cluster. It must be one: without one nothing is issued, and of two only one is right.",
             "short", gauge("leasewatch_vault_active", "cluster"), ["red", (1, "green"), (2, "red")], "{{cluster}}")
        .link(*HEALTH).runbook(*runbook("no_active")),
        stat("Audit log seen", "How long ago leasewatch found a request of its own in the audit log. It asks every"
             " vault.scrape_interval (30 s); minutes mean that Vault does not log, or that the log is not read.",
             "s", age("leasewatch_audit_canary_success_timestamp_seconds"), ["green", (120, "orange"), (300, "red")],
             empty="not asked")
        .link(*HEALTH).runbook(*runbook("silent")),
        stat("Issuing fails", "Share of requests for credentials in 15 minutes that failed for a reason that is not the"
             " client's: the database, or something unknown.", "percentunit",
             share(failed, f"({failed} + {issued})"), ["green", (0.01, "orange"), (0.05, "red")], decimals=1)
        .link(*ISSUING).runbook(*runbook("failing")),
        stat("Refused", "Share of requests for credentials in 15 minutes that were refused by a policy, a token or a"
             " quota, or asked for what does not exist.", "percentunit",
             share(increase("leasewatch_credential_failures_total", window="15m", reason=REFUSED),
                   f"({increase('leasewatch_credential_failures_total', window='15m')} + {issued})"),
             ["green", (0.05, "orange"), (0.25, "red")], decimals=1)
        .link(*ISSUING).runbook(*runbook("refused")),
        stat("Anomalies that page", "Open episodes at or above the page threshold.", "short",
             summed("leasewatch_anomaly_open_episodes", severity="page"), NONE)
        .link(*ANOMALIES).runbook(*runbook("anomaly")),
        stat("Exporters behind", "Exporters that read a backlog: their numbers are those of an earlier moment.", "short",
             f"sum ({select('leasewatch_catching_up')})", FEW)
        .link(*HEALTH),
    ]


def credentials():
    return [
        stat("Issued", "Credentials issued per second, over five minutes of the audit log's own time.", "cps",
             summed("leasewatch_credentials_issue_rate", window="5m"), decimals=2).link(*ISSUING),
        stat("Leases out", "Leases that were issued and have not ended, by the ledger.", "short",
             gauge("leasewatch_leases"), decimals=0).link(*LEASES),
        stat("End within 1 h", "Leases that end within the hour, by their TTL or with their token.", "short",
             gauge("leasewatch_leases_expiring", within="1h"), decimals=0).link(*LEASES),
        stat("Overdue", "Leases 15 s or more past their TTL: Vault should have revoked them. Only roles of which every"
             " end is seen.", "short", gauge("leasewatch_leases_overdue"), FEW)
        .link(*REVOCATION).runbook(*runbook("overdue")),
        stat("Retrying", "Leases whose revocation failed and will be tried again.", "short",
             gauge("leasewatch_leases_retrying"), FEW)
        .link(*REVOCATION).runbook(*runbook("retrying")),
        stat("Last attempts", "Of those, the ones with four or five failed attempts: Vault gives up after six, within"
             " minutes.", "short", gauge("leasewatch_leases_retrying", failed_attempts="~4|5"), NONE)
        .link(*REVOCATION).runbook(*runbook("last_attempts")),
        stat("Stuck", "Leases that Vault has given up by now, as far as its log tells: revoke them by hand.", "short",
             gauge("leasewatch_leases_stuck"), NONE)
        .link(*REVOCATION).runbook(*runbook("stuck")),
        stat("Irrevocable", "Leases that Vault itself counts as irrevocable; this needs a token.", "short",
             gauge("leasewatch_leases_irrevocable"), NONE, empty="no token")
        .link(*REVOCATION).runbook(*runbook("irrevocable")),
    ]


def alerts():
    firing = 'ALERTS{alertstate="firing", alertname=~"Leasewatch.*", cluster=~"$cluster"}'
    labels = ("severity", "vault_namespace", "mount", "role")
    made = table(
        "Firing alerts",
        "Alerts of the rules in alerts/ that fire now; the name leads to its runbook. Empty where the rules are not"
        " loaded into this Prometheus.",
        ("alertname", *labels),
        [Column("Firing", f"sum by (alertname, {', '.join(labels)}) ({firing})")],
        "Firing",
        size=(10, 6),
        renamed={"alertname": "Alert", "severity": "Severity", "vault_namespace": "Namespace", "mount": "Mount",
                 "role": "Role"},
        link=("alertname", "Runbook", "${runbooks}/${__data.fields.Alert}.md"),
    )
    made.defaults["noValue"] = "None fires, or no rules are loaded"
    return made


def troubled():
    red, orange = NONE, FEW
    made = table(
        "Roles in trouble",
        "Roles with leases that should be gone and are not, or that failed to be issued within the hour for a reason"
        " that is not the client's.",
        ROLE,
        [
            Column("Overdue", f"{gauge('leasewatch_leases_overdue', *ROLE)} > 0", thresholds=orange),
            Column("Retrying", f"{gauge('leasewatch_leases_retrying', *ROLE)} > 0", thresholds=orange),
            Column("Stuck", f"{gauge('leasewatch_leases_stuck', *ROLE)} > 0", thresholds=red),
            Column("Not issued", f"{increase('leasewatch_credential_failures_total', *ROLE, window='1h', reason=OURS)} > 0",
                   decimals=0, thresholds=red),
        ],
        "Overdue",
        size=(14, 6),
        renamed={"vault_namespace": "Namespace", "mount": "Mount", "role": "Role"},
        link=a_role(REVOCATION),
    )
    made.defaults["noValue"] = "None"
    return made


def course():
    out = gauge("leasewatch_leases", "vault_namespace", "mount")
    score = highest("leasewatch_anomaly_mount_score", "vault_namespace", "mount")
    return [
        graph("Issued, by mount", "Credentials issued per second; leaps of a few minutes after leasewatch was away are"
              " what it caught up with.", "cps",
              [(rate("leasewatch_credentials_issued_total", "vault_namespace", "mount"), "{{vault_namespace}}/{{mount}}")],
              stacked=True, size=(8, 8)).link(*ISSUING),
        graph("Failures, by reason", "Requests for credentials that failed, per second. backend: the database or its"
              " plugin; quota: Vault's; denied, invalid_token, not_found, not_allowed: what the client asked.", "cps",
              [(rate("leasewatch_credential_failures_total", "reason"), "{{reason}}")], size=(8, 8)).link(*ISSUING),
        graph("Leases out, by mount", "The ten mounts with most leases now.", "short",
              [(largest(10, out, gauge("leasewatch_leases", "vault_namespace", "mount", at=" @ end()")),
                "{{vault_namespace}}/{{mount}}")], stacked=True, size=(8, 8)).link(*LEASES),
        graph("Leases that should be gone", "Overdue ones contain the others where every end is seen; a rising line is"
              " a database that refuses.", "short", [
                  (gauge("leasewatch_leases_overdue"), "overdue"),
                  (gauge("leasewatch_leases_retrying"), "retrying"),
                  (gauge("leasewatch_leases_stuck"), "stuck"),
                  (gauge("leasewatch_leases_irrevocable"), "irrevocable"),
              ], size=(8, 8)).fixed(overdue="yellow", retrying="orange", stuck="red", irrevocable="dark-red")
        .link(*REVOCATION),
        graph("Ends ahead", "Leases that end within a time. Each line contains the ones below it.", "short",
              [(gauge("leasewatch_leases_expiring", "within", within="~5m|1h|6h"), "within {{within}}")],
              size=(8, 8)).link(*LEASES).runbook(*runbook("mass_expiry")),
        graph("Anomaly scores, by mount", "Score of the highest open episode that touches the mount; the lines are from"
              " where it is a notice, and from where it pages.", "short", [
                  (f"{score} > 0", "{{vault_namespace}}/{{mount}}"),
                  (highest("leasewatch_anomaly_threshold", "severity"), "{{severity}} from here"),
              ], size=(8, 8)).limit(min=0, max=100)
        .rules(**{"notice from here": "orange", "page from here": "red"}).link(*ANOMALIES),
    ]
