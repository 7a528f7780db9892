"""Leases: how many are out, how old they are, when they end and on what that rests."""

from dashboard import Dashboard
from grafana import Column, graph, heatmap, stat, table
from promql import ROLE, gauge, highest, increase, largest, lowest, oldest, rate, select
from where import REVOCATION, a_role, runbook

KNOWN = {0: ("estimated", "orange"), 1: ("seen", "green")}


def make():
    board = Dashboard(
        "leasewatch-leases",
        "Leases and expiry",
        "How many leases are out, by role, how old they are, and when they end.",
        ("cluster", "vault_namespace", "mount", "role"),
    )
    board.row("Now", *now())
    board.row("Course", *course())
    board.row("By role", roles())
    board.row("Ends and renewals", *ends())
    board.row("Beside the ledger", *beside())
    return board


def now():
    return [
        stat("Leases out", "Leases that were issued and have not ended, by the ledger.", "short",
             gauge("leasewatch_leases"), decimals=0),
        stat("End within 5 min", "By their TTL or with their token.", "short",
             gauge("leasewatch_leases_expiring", within="5m"), decimals=0),
        stat("End within 1 h", "Those within five minutes are among them.", "short",
             gauge("leasewatch_leases_expiring", within="1h"), decimals=0).runbook(*runbook("mass_expiry")),
        stat("End within 24 h", "Those within the hour are among them.", "short",
             gauge("leasewatch_leases_expiring", within="24h"), decimals=0),
        stat("Oldest lease", "Age of the oldest lease that is out.", "s",
             oldest("leasewatch_lease_oldest_issue_timestamp_seconds"), empty="none"),
        stat("Service tokens out", "Every one is a lease of Vault's too; most lease explosions are these.", "short",
             gauge("leasewatch_token_leases"), decimals=0),
        stat("Roles estimated", "Roles of which not every end is seen: their leases are counted until their TTL, and"
             " none is called overdue. The server log at level info changes that.", "short",
             f"sum ({gauge('leasewatch_ledger_observed', 'cluster', *ROLE)} == bool 0)", ["green", (1, "orange")]),
        stat("Ledger complete", "No: there can be leases from before the logs that were read, so counts may be too"
             " small, until these are listed or outlived.", "bool_yes_no", lowest("leasewatch_ledger_complete"),
             ["orange", (1, "green")]),
    ]


def course():
    by_role = gauge("leasewatch_leases", *ROLE)
    total = "leasewatch_leases"
    return [
        graph("Leases out, by role", "The ten roles with most leases at the end of the time shown.", "short",
              [(largest(10, by_role, gauge(total, *ROLE, at=" @ end()")), "{{vault_namespace}}/{{mount}}{{role}}")],
              stacked=True, list_right=True, size=(24, 9)),
        graph("Ends ahead", "Leases that end within a time. Each line contains the ones below it; a steep rise is a"
              " mass expiry.", "short", [(gauge("leasewatch_leases_expiring", "within"), "within {{within}}")])
        .runbook(*runbook("mass_expiry")),
        graph("Against a day and a week ago", "Growth that does not turn back is a leak: longer TTLs, clients that do"
              " not reuse what they have, or revocations that fail.", "short", [
                  (gauge(total), "now"),
                  (gauge(total, at=" offset 1d"), "a day ago"),
                  (gauge(total, at=" offset 1w"), "a week ago"),
              ]).fixed(**{"now": "green", "a day ago": "blue", "a week ago": "purple"}).runbook(*runbook("growth")),
        graph("Age of the oldest lease, by role", "The ten oldest. A role without a max TTL can be renewed for ever.",
              "s", [(f"time() - ({largest_age()})", "{{vault_namespace}}/{{mount}}{{role}}")], list_right=True,
              size=(24, 8)),
    ]


def largest_age():
    issued = "leasewatch_lease_oldest_issue_timestamp_seconds"
    ranked = f"min by ({', '.join(ROLE)}) ({select(issued)} @ end())"
    return f"{lowest(issued, *ROLE)} and bottomk(10, {ranked})"


def roles():
    def ending(within):
        return gauge("leasewatch_leases_expiring", *ROLE, within=within)

    return table(
        "Leases by role",
        "What is out and when it ends. Ends are seen in the server log, or estimated from TTLs; a TTL's source is in"
        " leasewatch_role_default_ttl_seconds.",
        ROLE,
        [
            Column("Leases", gauge("leasewatch_leases", *ROLE)),
            Column("In 5 min", ending("5m")),
            Column("In 1 h", ending("1h")),
            Column("In 24 h", ending("24h")),
            Column("Oldest", oldest("leasewatch_lease_oldest_issue_timestamp_seconds", *ROLE), "s"),
            Column("TTL", highest("leasewatch_role_default_ttl_seconds", *ROLE), "s"),
            Column("Max TTL", highest("leasewatch_role_max_ttl_seconds", *ROLE), "s"),
            Column("Overdue", gauge("leasewatch_leases_overdue", *ROLE), thresholds=["text", (1, "red")]),
            Column("Issued", increase("leasewatch_credentials_issued_total", *ROLE, window="$__range"), decimals=0),
            Column("Ends", lowest("leasewatch_ledger_observed", *ROLE), mappings=KNOWN),
        ],
        "Leases",
        size=(24, 11),
        renamed={"vault_namespace": "Namespace", "mount": "Mount", "role": "Role"},
        link=a_role(REVOCATION),
    )


def ends():
    return [
        graph("Ends, by cause", "Leases that ended, per second, each once. early: before its TTL, and nobody was found"
              " who had asked: a mount that was disabled, or a request that was not seen.", "cps",
              [(rate("leasewatch_revocations_total", "cause"), "{{cause}}")], stacked=True, size=(8, 8)),
        graph("Renewals", "Per second; capped: max TTL cut it short, so the lease ends soon.", "cps",
              [(rate("leasewatch_renewals_total", "outcome"), "{{outcome}}")], stacked=True, size=(8, 8))
        .fixed(ok="green", capped="orange", failed="red").runbook(*runbook("renewals")),
        heatmap("Share of the TTL used at renewal", "Clients that renew late have little time left when Vault is away.",
                "percentunit", rate("leasewatch_renewal_elapsed_ratio_bucket", "le"), size=(8, 8)),
    ]


def beside():
    return [
        graph("Service tokens out, by auth method", "By the TTLs in the audit log. Batch tokens have no lease.", "short",
              [(gauge("leasewatch_token_leases", "vault_namespace", "auth_method", "mount"),
                "{{vault_namespace}}/{{mount}}")], size=(8, 8)),
        graph("Vault's own count", "Leases of every kind that Vault counts, service tokens included, beside what the"
              " ledger knows of. It warns above 256,000.", "short", [
                  (gauge("leasewatch_vault_leases", "cluster", "node"), "Vault {{cluster}} {{node}}"),
                  (f"{gauge('leasewatch_leases')} + {gauge('leasewatch_token_leases')}", "ledger, with tokens"),
              ], ["green", (256000, "red")], size=(8, 8)).runbook(*runbook("limit")),
        graph("Not known by the ledger", "Unknown: out, though their issue was not seen. Drift: the ledger's count minus"
              " Vault's at the last listing, where listing is on.", "short", [
                  (gauge("leasewatch_leases_unknown"), "unknown"),
                  (gauge("leasewatch_ledger_drift", "vault_namespace", "mount"), "drift {{vault_namespace}}/{{mount}}"),
              ], size=(8, 8)),
    ]
