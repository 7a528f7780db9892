"""Revocation: what should be gone and is not, why, and how long until Vault gives it up."""

from dashboard import Dashboard
from grafana import Column, graph, stat, table
from overview import FEW, NONE
from promql import ROLE, gauge, happened, increase, rate
from where import LEASES, a_role, runbook

TRIED = "leasewatch_leases_retrying"


def make():
    board = Dashboard(
        "leasewatch-revocation",
        "Revocation",
        "Leases that should be gone and are not: overdue, retried, stuck, irrevocable; and why.",
        ("cluster", "vault_namespace", "mount", "role"),
    )
    board.row("Now", *now())
    board.row("Attempts", *attempts())
    board.row("By role", roles())
    board.row("Ends", *ends())
    return board


def now():
    return [
        stat("Overdue", "Leases 15 s or more past their TTL, those that are retried among them. Only roles of which every"
             " end is seen.", "short", gauge("leasewatch_leases_overdue"), FEW).runbook(*runbook("overdue")),
        stat("Retrying", "Leases whose revocation failed and will be tried again.", "short", gauge(TRIED), FEW)
        .runbook(*runbook("retrying")),
        stat("Last attempts", "Of those, the ones with four or five failed attempts. Vault gives up after six, 5 to 15"
             " minutes after the first.", "short", gauge(TRIED, failed_attempts="~4|5"), NONE)
        .runbook(*runbook("last_attempts")),
        stat("Stuck", "Five attempts failed, the time of the sixth is over, and no word of success came.", "short",
             gauge("leasewatch_leases_stuck"), NONE).runbook(*runbook("stuck")),
        stat("Irrevocable", "What Vault itself has given up, from its API; this needs a token. It tries these again"
             " after a day.", "short", gauge("leasewatch_leases_irrevocable"), NONE, empty="no token")
        .runbook(*runbook("irrevocable")),
        stat("Failed attempts", "Attempts to revoke a lease that failed, in the time shown.", "short",
             increase("leasewatch_revocation_failures_total", window="$__range"), FEW, decimals=0)
        .runbook(*runbook("retrying")),
        stat("Given up by force", "Leases dropped by revoke-force though the engine failed, in the time shown: what they"
             " named may live on.", "short", happened("leasewatch_forced_revocation_failures_total", window="$__range"),
             NONE, empty="none"),
        stat("Renewals that failed", "In the time shown.", "short",
             increase("leasewatch_renewal_failures_total", window="$__range"), FEW, decimals=0)
        .runbook(*runbook("renewals")),
    ]


def attempts():
    mounts = ("vault_namespace", "mount")
    return [
        graph("Retried, by failed attempts", "Leases that wait for another attempt, by how many have failed: they wander"
              " from 1 to 5 within minutes, and then are stuck.", "short", [
                  (gauge(TRIED, "failed_attempts"), "{{failed_attempts}} failed"),
                  (gauge("leasewatch_leases_stuck"), "stuck"),
              ], stacked=True)
        .fixed(**{"1 failed": "light-blue", "2 failed": "yellow", "3 failed": "light-orange", "4 failed": "orange",
                  "5 failed": "dark-orange", "stuck": "red"}).runbook(*runbook("last_attempts")),
        graph("Retried, by cause", "By the cause of the last failure. object_dependency: the database user owns things;"
              " missing_role: it is gone or never was; permission: Vault's own user may not drop it; connection,"
              " timeout: the database is away.", "short",
              [(f"{gauge('leasewatch_leases_retrying_by_cause', *mounts, 'reason')} > 0",
                "{{vault_namespace}}/{{mount}} {{reason}}")], stacked=True).runbook(*runbook("retrying")),
        graph("Overdue, by mount", "Leases 15 s or more past their TTL.", "short",
              [(f"{gauge('leasewatch_leases_overdue', *mounts)} > 0", "{{vault_namespace}}/{{mount}}")],
              stacked=True).runbook(*runbook("overdue")),
        graph("Failed attempts, by cause", "Attempts to revoke that failed, per second.", "cps",
              [(rate("leasewatch_revocation_failures_total", "reason"), "{{reason}}")]).runbook(*runbook("retrying")),
    ]


def roles():
    def of(attempt):
        return f"{gauge(TRIED, *ROLE, failed_attempts=attempt)} > 0"

    failed = increase("leasewatch_revocation_failures_total", *ROLE, "reason", window="$__range")
    return table(
        "Roles with leases that cannot be revoked",
        "Retried ones by how many attempts have failed, and the cause that came most often in the time shown."
        " leasewatch leases --condition retrying --condition stuck lists the leases themselves.",
        ROLE,
        [
            Column("Overdue", f"{gauge('leasewatch_leases_overdue', *ROLE)} > 0", thresholds=["orange"]),
            Column("1 to 3 failed", of("~1|2|3"), thresholds=["orange"]),
            Column("4 failed", of("4"), thresholds=["red"]),
            Column("5 failed", of("5"), thresholds=["red"]),
            Column("Stuck", f"{gauge('leasewatch_leases_stuck', *ROLE)} > 0", thresholds=["red"]),
            Column("Failed attempts", f"topk by ({', '.join(ROLE)}) (1, {failed} > 0)", decimals=0),
        ],
        "Overdue",
        size=(24, 6),
        renamed={"vault_namespace": "Namespace", "mount": "Mount", "role": "Role", "reason": "Cause"},
        link=a_role(LEASES),
    ).runbook(*runbook("stuck"))


def ends():
    nodes = ("cluster", "node")
    return [
        graph("Ends, by cause", "Leases that ended, per second, each once.", "cps",
              [(rate("leasewatch_revocations_total", "cause"), "{{cause}}")], stacked=True, size=(8, 8)),
        graph("Requests to revoke", "Per second, by form and outcome; queued is not yet done.", "cps",
              [(f"{rate('leasewatch_revocation_requests_total', 'form', 'outcome')} > 0", "{{form}}, {{outcome}}")],
              size=(8, 8)).runbook(*runbook("stuck")),
        graph("What Vault counts", "Automatic revocations that Vault started and that failed, every retry included, and"
              " users that databases did not delete, per second.", "cps", [
                  (rate("leasewatch_vault_lease_revocation_attempts_total", *nodes), "started {{cluster}} {{node}}"),
                  (rate("leasewatch_vault_lease_revocation_errors_total", *nodes), "failed {{cluster}} {{node}}"),
                  (rate("leasewatch_vault_database_user_deletion_errors_total", *nodes), "not deleted {{cluster}} {{node}}"),
              ], size=(8, 8)),
        graph("Stuck and irrevocable, by mount", "Presumed by the server log, and as Vault counts them.", "short", [
            (f"{gauge('leasewatch_leases_stuck', 'vault_namespace', 'mount')} > 0", "stuck {{vault_namespace}}/{{mount}}"),
            (f"{gauge('leasewatch_leases_irrevocable', 'vault_namespace', 'mount')} > 0",
             "irrevocable {{vault_namespace}}/{{mount}}"),
        ], size=(12, 8)).runbook(*runbook("irrevocable")),
        graph("Renewals that failed, by reason", "Per second. not_found and expired: the client came too late; backend:"
              " the database.", "cps", [(rate("leasewatch_renewal_failures_total", "reason"), "{{reason}}")],
              size=(12, 8)).runbook(*runbook("renewals")),
    ]
