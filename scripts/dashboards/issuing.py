"""Issuing: how many credentials, how fast, and whether it fails, and why."""

from dashboard import Dashboard
from grafana import Column, graph, heatmap, stat, table
from overview import OURS, REFUSED
from promql import ROLE, gauge, increase, largest, quantile, rate, select, share, summed
from where import LEASES, SECURITY, a_role, runbook

ISSUED = "leasewatch_credentials_issued_total"
FAILED = "leasewatch_credential_failures_total"
TOOK = "leasewatch_credential_issue_duration_seconds"


def make():
    board = Dashboard(
        "leasewatch-issuing",
        "Issuing",
        "How many credentials are issued, how fast, and whether issuing fails, and why.",
        ("cluster", "vault_namespace", "mount", "role"),
    )
    board.row("Now", *now())
    board.row("Rates", *rates())
    board.row("Failures", *failures())
    board.row("Latency", *latency())
    board.row("By role", roles())
    board.row("What Vault counts", *counted_by_vault())
    return board


def now():
    def of_all(**reason):
        failed = increase(FAILED, window="15m", **reason)
        return share(failed, f"({increase(FAILED, window='15m')} + {increase(ISSUED, window='15m')})")

    return [
        stat("Issued, 1 min", "Credentials per second over a minute of the audit log's own time.", "cps",
             summed("leasewatch_credentials_issue_rate", window="1m"), decimals=2),
        stat("Issued, 1 h", "Credentials per second over an hour of the audit log's own time.", "cps",
             summed("leasewatch_credentials_issue_rate", window="1h"), decimals=2),
        stat("Issued in this time", "Credentials issued in the time shown.", "short",
             increase(ISSUED, window="$__range"), decimals=0),
        stat("Static credentials read", "Reads of static credentials in the time shown: Vault rotates these by itself,"
             " and they have no lease.", "short", increase("leasewatch_static_credentials_read_total", window="$__range"),
             empty="none", decimals=0),
        stat("Issuing fails", "Share of requests for credentials in 15 minutes that failed for a reason that is not the"
             " client's.", "percentunit", of_all(reason=OURS), ["green", (0.01, "orange"), (0.05, "red")], decimals=1)
        .runbook(*runbook("failing")),
        stat("Refused", "Share of requests for credentials in 15 minutes that were refused by a policy, a token or a"
             " quota, or asked for what does not exist.", "percentunit", of_all(reason=REFUSED), ["green", (0.05, "orange"), (0.25, "red")], decimals=1)
        .link(*SECURITY).runbook(*runbook("refused")),
        stat("Half faster than", "Median time from request to response, over the time shown.", "s",
             f"histogram_quantile(0.5, {increase(TOOK + '_bucket', 'le', window='$__range')})"),
        stat("95 % faster than", "95th percentile of the time from request to response, over the time shown.", "s",
             f"histogram_quantile(0.95, {increase(TOOK + '_bucket', 'le', window='$__range')})",
             ["green", (1, "orange"), (5, "red")]).runbook(*runbook("slow")),
    ]


def rates():
    ranked = increase(ISSUED, *ROLE, window="$__range", at=" @ end()")
    return [
        graph("Issued, by role", "The ten roles with most credentials in the time shown, per second.", "cps",
              [(largest(10, rate(ISSUED, *ROLE), ranked), "{{vault_namespace}}/{{mount}}{{role}}")],
              stacked=True, list_right=True, size=(16, 9)).link(*LEASES).runbook(*runbook("stopped")),
        graph("In the log's own time", "The same by the clock of the audit log: no leap where leasewatch had been away"
              " and caught up.", "cps",
              [(summed("leasewatch_credentials_issue_rate", "window"), "over {{window}}")], size=(8, 9)),
    ]


def failures():
    ranked = increase(FAILED, *ROLE, window="$__range", at=" @ end()")
    return [
        graph("Failures, by reason", "Requests for credentials that failed, per second. backend: the database or its"
              " plugin; quota: Vault's; denied, invalid_token, not_found, not_allowed: what the client asked.", "cps",
              [(rate(FAILED, "reason"), "{{reason}}")], size=(8, 8)).runbook(*runbook("failing")),
        graph("Failures, by role", "The ten roles with most failures in the time shown. (unknown): roles that nobody has"
              " seen to exist.", "cps",
              [(largest(10, rate(FAILED, *ROLE), ranked), "{{vault_namespace}}/{{mount}}{{role}}")], size=(8, 8))
        .runbook(*runbook("failing")),
        graph("Share that fails, by mount", "Failures that are not the client's doing, of all requests for credentials.",
              "percentunit", [(
                  f"{rate(FAILED, 'vault_namespace', 'mount', reason=OURS)}"
                  f" / ({rate(FAILED, 'vault_namespace', 'mount')} + {rate(ISSUED, 'vault_namespace', 'mount')} > 0)",
                  "{{vault_namespace}}/{{mount}}")],
              ["green", (0.01, "orange"), (0.05, "red")], size=(8, 8)).limit(max=1).runbook(*runbook("failing")),
    ]


def latency():
    mounts = ("vault_namespace", "mount")
    return [
        heatmap("Time to issue", "From the audit entry of the request to that of its successful response: Vault, its"
                " storage and the database together.", "s", rate(TOOK + "_bucket", "le"), size=(12, 9)),
        graph("Time to issue, by mount", "95th percentile. A database that slows down shows here before it fails.", "s",
              [(quantile(0.95, TOOK, *mounts), "{{vault_namespace}}/{{mount}}")],
              ["green", (1, "orange"), (5, "red")], size=(12, 9)).runbook(*runbook("slow")),
    ]


def roles():
    def in_range(metric, **matchers):
        return increase(metric, *ROLE, window="$__range", **matchers)

    return table(
        "Roles in the time shown",
        "What each role was asked for and what came of it, and its database connection.",
        ROLE,
        [
            Column("Issued", in_range(ISSUED), decimals=0),
            Column("Failed", f"{in_range(FAILED, reason=OURS)} > 0", decimals=0, thresholds=["red"]),
            Column("Refused", f"{in_range(FAILED, reason=REFUSED)} > 0", decimals=0, thresholds=["orange"]),
            Column("Leases out", gauge("leasewatch_leases", *ROLE)),
            Column("Known by", f"max by ({', '.join(ROLE)}, connection, team) ({select('leasewatch_role_info')})"),
        ],
        "Issued",
        size=(24, 10),
        hidden=("Value #E",),
        renamed={"vault_namespace": "Namespace", "mount": "Mount", "role": "Role", "connection": "Connection",
                 "team": "Team"},
        link=a_role(LEASES),
    )


def counted_by_vault():
    def of(what):
        return rate(f"leasewatch_vault_database_user_{what}_total", "cluster", "node")

    return [
        graph("Users of databases", "Calls of database plugins that Vault counts, per second.", "cps", [
            (of("creations"), "created {{cluster}} {{node}}"),
            (of("updates"), "updated {{cluster}} {{node}}"),
            (of("deletions"), "deleted {{cluster}} {{node}}"),
        ], size=(12, 7)),
        graph("Calls that failed, quotas", "What Vault counts: calls of database plugins that failed, and requests"
              " refused by its quotas, per second.", "cps", [
                  (of("creation_errors"), "not created {{cluster}} {{node}}"),
                  (of("update_errors"), "not updated {{cluster}} {{node}}"),
                  (of("deletion_errors"), "not deleted {{cluster}} {{node}}"),
                  (rate("leasewatch_vault_rate_limit_violations_total", "cluster", "node"), "rate limit {{cluster}} {{node}}"),
                  (rate("leasewatch_vault_lease_count_violations_total", "cluster", "node"), "lease count {{cluster}} {{node}}"),
              ], size=(12, 7)),
    ]
