"""Security: logins, denials, privileged operations, probing."""

from dashboard import Dashboard
from grafana import Column, graph, stat, table
from overview import FEW, NONE
from promql import ROLE, gauge, happened, highest, increase, rate, select, share
from where import ANOMALIES, ISSUING, runbook

LOGINS = "leasewatch_logins_total"
DENIED = "leasewatch_denied_total"
PRIVILEGED = "leasewatch_privileged_operations_total"
FAILED = "leasewatch_credential_failures_total"
MOUNT = ("vault_namespace", "mount")
#: Operations that take a watch from Vault, or open it wide.
GRAVE = "~audit_change|generate_root|raw_access|seal|raft_snapshot"


def make():
    board = Dashboard(
        "leasewatch-security",
        "Security",
        "Who was refused, and what changed in Vault. Clients and addresses stand in no metric: the audit log has them,"
        " and leasewatch episodes where something was rare.",
        ("cluster", "vault_namespace", "mount", "role"),
        mounts_of="leasewatch_requests_total",
        time="now-24h",
    )
    board.row("In the time shown", *totals())
    board.row("Privileged operations", *privileged())
    board.row("Logins", *logins())
    board.row("Denials and failures", *denials())
    board.row("Tokens and root credentials", *standing())
    return board


def totals():
    def in_range(metric, **matchers):
        return increase(metric, window="$__range", **matchers)

    return [
        stat("Root token used", "Requests with a root token. It is for emergencies, and revoked after them.", "short",
             happened(PRIVILEGED, window="$__range", operation="root_token"), NONE, empty="never")
        .runbook(*runbook("root_token")),
        stat("Grave operations", "Changes of audit devices, root tokens generated, raw storage, snapshots, seals.",
             "short", happened(PRIVILEGED, window="$__range", operation=GRAVE), NONE, empty="none")
        .runbook(*runbook("audit_changed")),
        stat("Configuration written", "Mounts, auth methods, policies, roles, connections, plugins, identities and"
             " namespaces changed.", "short",
             happened(PRIVILEGED, window="$__range", operation="~.*_write|.*_change|rotate_root"), empty="none")
        .runbook(*runbook("policy_changed")),
        stat("Privileged, refused", "Privileged operations that somebody tried and Vault did not do.", "short",
             happened(PRIVILEGED, window="$__range", outcome="!~ok"), FEW, empty="none"),
        stat("Logins", "Logins that succeeded.", "short", in_range(LOGINS, outcome="ok"), decimals=0),
        stat("Logins that failed", "Share of logins.", "percentunit",
             share(in_range(LOGINS, outcome="!~ok"), in_range(LOGINS)), ["green", (0.05, "orange"), (0.25, "red")],
             decimals=1),
        stat("Denied by policy", "Requests whose token was good, and had no right to them.", "short",
             in_range(DENIED, kind="policy"), decimals=0).runbook(*runbook("probing")),
        stat("Denied, bad token", "Requests with a token that is not or no longer valid.", "short",
             in_range(DENIED, kind="invalid_token"), decimals=0).runbook(*runbook("probing")),
    ]


def privileged():
    what = ("operation", *MOUNT, "outcome")
    return [
        graph("As they came", "Privileged operations for each step of time.", "short",
              [(happened(PRIVILEGED, "operation", window="$__interval"), "{{operation}}")],
              stacked=True, form="bars", size=(12, 9)).every("15m").runbook(*runbook("audit_changed")),
        table("In the time shown, and ever", "Whole numbers; an operation that came for the first time is counted too.",
              what, [
                  Column("In this time", happened(PRIVILEGED, *what, window="$__range"), thresholds=["text", (1, "orange")]),
                  Column("Ever", f"sum by ({', '.join(what)}) ({select(PRIVILEGED)})"),
              ], "In this time", size=(12, 9),
              renamed={"operation": "Operation", "vault_namespace": "Namespace", "mount": "Mount", "outcome": "Outcome"}),
    ]


def logins():
    method = ("vault_namespace", "mount")
    failed = rate(LOGINS, *method, outcome="!~ok")
    return [
        graph("Logins, by auth method", "Logins that succeeded, per second.", "cps",
              [(rate(LOGINS, *method, outcome="ok"), "{{vault_namespace}}/{{mount}}")], stacked=True, size=(8, 8)),
        graph("Logins that failed", "Per second. A steady trickle is a client with an old secret; a leap is somebody"
              " guessing, or a secret that was rotated.", "cps", [(failed, "{{vault_namespace}}/{{mount}}")],
              size=(8, 8)),
        graph("Share of logins that fail", "By auth method.", "percentunit",
              [(f"{failed} / ({rate(LOGINS, *method)} > 0)", "{{vault_namespace}}/{{mount}}")],
              ["green", (0.25, "red")], size=(8, 8)).limit(max=1),
    ]


def denials():
    unknown = increase(FAILED, *MOUNT, "reason", window="$__range", role="(unknown)")
    refused = increase(FAILED, *ROLE, "reason", window="$__range", reason="~denied|invalid_token|not_allowed|not_found")
    return [
        graph("Denied, by kind and mount", "Requests of all kinds that were refused, per second.", "cps",
              [(f"{rate(DENIED, *MOUNT, 'kind')} > 0", "{{vault_namespace}}/{{mount}} {{kind}}")], size=(8, 8))
        .runbook(*runbook("probing")),
        graph("Requests, by outcome", "Per second; unanswered: no response entry came within five minutes.", "cps",
              [(rate("leasewatch_requests_total", "outcome"), "{{outcome}}")], stacked=True, size=(8, 8))
        .fixed(ok="green", failed="orange", denied="red", unanswered="purple"),
        graph("Credentials that were refused, by reason", "Requests for credentials, per second, without the failures of"
              " databases.", "cps",
              [(rate(FAILED, "reason", reason="~denied|invalid_token|not_allowed|not_found"), "{{reason}}")],
              size=(8, 8)).link(*ISSUING),
        table("Roles that were refused", "Requests for credentials that were refused in the time shown.",
              (*ROLE, "reason"), [Column("Refused", f"{refused} > 0", decimals=0)], "Refused", size=(12, 8),
              renamed={"vault_namespace": "Namespace", "mount": "Mount", "role": "Role", "reason": "Reason"}),
        table("Roles that do not exist", "Requests in the time shown for credentials of roles that nobody has seen to"
              " exist: somebody who guesses names, or a typing error.", (*MOUNT, "reason"),
              [Column("Asked for", f"{unknown} > 0", decimals=0)], "Asked for", size=(12, 8),
              renamed={"vault_namespace": "Namespace", "mount": "Mount", "reason": "Reason"})
        .link(*ANOMALIES).runbook(*runbook("probing")),
    ]


def standing():
    connection = (*MOUNT, "connection")
    return [
        graph("Service tokens out, by auth method", "By the TTLs in the audit log. Batch tokens have no lease.", "short",
              [(gauge("leasewatch_token_leases", "vault_namespace", "auth_method", "mount"),
                "{{vault_namespace}}/{{mount}}")], size=(8, 8)),
        graph("Tokens that Vault made", "Per second, batch and wrapping tokens included; root tokens apart.", "cps", [
            (rate("leasewatch_vault_token_creations_total", "cluster", "node"), "all {{cluster}} {{node}}"),
            (rate("leasewatch_vault_root_token_creations_total", "cluster", "node"), "root {{cluster}} {{node}}"),
        ], size=(8, 8)),
        table("Root credentials of databases", "When Vault last rotated the credential with which it works, and when the"
              " connection was last written. One that was written and never rotated is known to whoever wrote it.",
              connection, [
                  Column("Rotated", f"{highest('leasewatch_root_rotation_last_success_timestamp_seconds', *connection)} * 1000",
                         "dateTimeFromNow"),
                  Column("Written", f"{highest('leasewatch_connection_write_timestamp_seconds', *connection)} * 1000",
                         "dateTimeFromNow"),
              ], "Written", size=(8, 8),
              renamed={"vault_namespace": "Namespace", "mount": "Mount", "connection": "Connection"})
        .runbook(*runbook("rotation")),
    ]
