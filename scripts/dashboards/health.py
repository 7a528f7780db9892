"""Health: the nodes of Vault, and leasewatch itself."""

from dashboard import Dashboard
from grafana import Column, graph, stat, table, timeline
from overview import FEW, NONE
from promql import age, gauge, happened, highest, lowest, oldest, rate, select
from where import runbook

NODE = ("cluster", "node")
SOURCE = ("instance", "source")
YES = {0: ("no", "text"), 1: ("yes", "green")}
BAD = {0: ("no", "green"), 1: ("yes", "red")}
UP = {0: ("down", "red"), 1: ("up", "green")}
STATES = {0: ("down", "dark-red"), 1: ("sealed", "red"), 2: ("standby", "blue"), 3: ("active", "green")}


def make():
    board = Dashboard(
        "leasewatch-health",
        "Vault and exporter health",
        "The nodes of Vault, the logs they write, and whether leasewatch keeps up with them.",
        ("cluster", "job"),
        time="now-1h",
        refresh="30s",
    )
    board.row("Vault", *vault())
    board.row("Vault's counters", *counters())
    board.row("Exporters", *exporters())
    board.row("Logs", *logs())
    board.row("Vault's API", *api())
    board.row("Pushed", *pushed())
    return board


def own(metric):
    return select(metric, ())


def process(metric):
    return f'{metric}{{cluster=~"$cluster", job=~"$job"}}'


def vault():
    up, sealed = gauge("leasewatch_vault_up", *NODE), gauge("leasewatch_vault_sealed", *NODE)
    # A node that is down is that, whatever was last heard of it.
    state = f"{up} * (2 - {sealed} + {gauge('leasewatch_vault_active', *NODE)}) or {up} * 0"
    nodes = table(
        "Nodes", "Every node that is asked, by what sys/health says.", NODE, [
            Column("Up", gauge("leasewatch_vault_up", *NODE), mappings=UP),
            Column("Initialized", gauge("leasewatch_vault_initialized", *NODE), mappings=YES),
            Column("Sealed", gauge("leasewatch_vault_sealed", *NODE), mappings=BAD),
            Column("Active", gauge("leasewatch_vault_active", *NODE), mappings=YES),
            Column("Standby", gauge("leasewatch_vault_standby", *NODE), mappings=YES),
            Column("Performance", gauge("leasewatch_vault_performance_standby", *NODE), mappings=YES),
            Column("DR secondary", gauge("leasewatch_vault_dr_secondary", *NODE), mappings=YES),
            Column("Knows active", gauge("leasewatch_vault_leader_known", *NODE), mappings=YES),
            Column("Active since", f"{highest('leasewatch_vault_active_since_timestamp_seconds', *NODE)} * 1000",
                   "dateTimeFromNow"),
            Column("Info", f"max by (cluster, node, product, version, cluster_name) ({own('leasewatch_vault_info')})"),
        ], "Active", size=(24, 5), hidden=("Value #J",),
        renamed={"cluster": "Cluster", "node": "Node", "product": "Product", "version": "Version",
                 "cluster_name": "Vault cluster"},
    ).runbook(*runbook("unreachable"), *runbook("sealed"))
    return [
        nodes,
        timeline("State of the nodes", "Which node was active when; a change is a failover.",
                 [(state, "{{cluster}} {{node}}")], STATES, size=(12, 7)).runbook(*runbook("no_active")),
        graph("Vault's own count of leases", "Of every kind, service tokens included. Vault warns above 256,000.", "short",
              [(gauge("leasewatch_vault_leases", *NODE), "{{cluster}} {{node}}")], ["green", (256000, "red")],
              size=(12, 7)).runbook(*runbook("limit")),
    ]


def counters():
    def of(what, text):
        return (rate(f"leasewatch_vault_{what}_total", *NODE), f"{text} {{{{cluster}}}} {{{{node}}}}")

    def total(what, text):
        return (happened(f"leasewatch_vault_{what}_total", *NODE, window="$__interval"),
                f"{text} {{{{cluster}}}} {{{{node}}}}")

    return [
        graph("Requests", "Requests and logins that Vault counts, per second.", "reqps",
              [of("requests", "requests"), of("login_requests", "logins")], size=(8, 7)),
        graph("Leases that Vault counts", "Made and renewed, per second.", "cps",
              [of("lease_creations", "made"), of("lease_renewals", "renewed")], size=(8, 7)),
        graph("Audit devices that fail", "Requests that no audit device could log, and that Vault refused; responses that"
              " it withheld; single devices that could not write. For each step of time.", "short", [
                  total("audit_request_failures", "refused"),
                  total("audit_response_failures", "withheld"),
                  total("audit_sink_failures", "one device"),
              ], form="bars", stacked=True, size=(8, 7)).every("1m").runbook(*runbook("audit_failing")),
        graph("High availability", "Times a node lost the active role, failed to take it up, or could not forward a"
              " request. For each step of time.", "short", [
                  total("leadership_losses", "lost"),
                  total("leadership_setup_failures", "not taken up"),
                  total("forward_errors", "not forwarded"),
              ], form="bars", stacked=True, size=(12, 7)).every("1m").runbook(*runbook("no_active")),
        stat("Warnings of too many leases", "Times that Vault's server log warned of its number of leases, in the time"
             " shown.", "short", happened("leasewatch_vault_lease_count_warnings_total", window="$__range"), NONE,
             size=(6, 7)).runbook(*runbook("limit")),
        stat("Own token expires", "When the exporter's own token expires.", "dateTimeFromNow",
             f"{lowest('leasewatch_vault_token_expiry_timestamp_seconds')} * 1000", empty="never", size=(6, 7))
        .runbook(*runbook("token")),
    ]


def exporters():
    instance = ("instance",)
    return [
        table("Exporters", "Every leasewatch that is scraped, and what it says of itself.", instance, [
            Column("Scraped", f"max by (instance) ({process('up')})", mappings=UP),
            Column("Catching up", highest("leasewatch_catching_up", *instance), mappings=BAD),
            Column("State saved", oldest("leasewatch_checkpoint_last_success_timestamp_seconds", *instance), "s",
                   ["green", (120, "orange"), (600, "red")]),
            Column("Own request seen", age("leasewatch_audit_canary_success_timestamp_seconds", *instance), "s",
                   ["green", (120, "orange"), (300, "red")]),
            Column("Configuration", lowest("leasewatch_config_last_reload_successful", *instance),
                   mappings={0: ("broken", "red"), 1: ("good", "green")}),
            Column("Configured", age("leasewatch_config_last_reload_success_timestamp_seconds", *instance), "s"),
            Column("No room", f"sum by (instance) ({own('leasewatch_ledger_evictions_total')})",
                   thresholds=["text", (1, "red")]),
            Column("Memory", f"max by (instance) ({process('process_resident_memory_bytes')})", "bytes"),
            Column("Running", f"time() - max by (instance) ({process('process_start_time_seconds')})", "s"),
            Column("Build", f"max by (instance, version, revision) ({own('leasewatch_build_info')})"),
        ], "Running", size=(24, 5), hidden=("Value #J",),
            renamed={"instance": "Exporter", "version": "Version", "revision": "Revision"})
        .runbook(*runbook("exporter")),
        graph("Processor", "Share of one core.", "percentunit",
              [(f"rate({process('process_cpu_seconds_total')}[$__rate_interval])", "{{instance}}")], size=(8, 7)),
        graph("Memory", "Resident.", "bytes", [(process("process_resident_memory_bytes"), "{{instance}}")], size=(8, 7)),
        graph("Turned away", "Requests to leasewatch that were refused, and handshakes of TLS that failed, by reason; for each"
              " step of time. A scraper with a wrong password, or that does not trust the certificate, shows here, and so does"
              " whoever guesses.", "short", [
                  (happened("leasewatch_http_requests_refused_total", "reason", window="$__interval"), "{{reason}}"),
                  (happened("leasewatch_http_tls_failures_total", "reason", window="$__interval"), "TLS: {{reason}}"),
              ], form="bars", stacked=True, size=(24, 6)).every("1m"),
        graph("Label sets beyond the budget", "Counted under (other) from then on, by metric: raise labels.budget, or"
              " look who invents names. For each step of time.", "short",
              [(happened("leasewatch_label_overflow_total", "metric", window="$__interval"), "{{metric}}")],
              form="bars", stacked=True, size=(8, 7)).every("1m").runbook(*runbook("budget")),
    ]


def logs():
    return [
        table("Sources", "Every log that is read.", SOURCE, [
            Column("Readable", lowest("leasewatch_log_source_readable", *SOURCE),
                   mappings={0: ("no", "red"), 1: ("yes", "green")}),
            Column("Last entry", age("leasewatch_log_last_entry_timestamp_seconds", *SOURCE), "s"),
            Column("Behind", highest("leasewatch_log_lag_seconds", *SOURCE), "s", ["text", (60, "orange"), (600, "red")]),
            Column("Unread", highest("leasewatch_log_lag_bytes", *SOURCE), "bytes"),
            Column("Gaps", f"sum by (instance, source) ({own('leasewatch_log_gaps_total')})",
                   thresholds=["text", (1, "red")]),
            Column("Unreadable lines", f"sum by (instance, source) ({own('leasewatch_log_unreadable_total')})",
                   thresholds=["text", (1, "orange")]),
            Column("Late lines", f"sum by (instance, source) ({own('leasewatch_log_late_total')})"),
            Column("Rotations", f"sum by (instance, source) ({own('leasewatch_log_rotations_total')})"),
        ], "Behind", size=(24, 5), renamed={"instance": "Exporter", "source": "Log"}).runbook(*runbook("lag")),
        table("Receivers", "Logs that audit devices send to leasewatch, over sockets or HTTP.", SOURCE, [
            Column("Last line", age("leasewatch_receiver_last_line_timestamp_seconds", *SOURCE), "s"),
            Column("Connections", highest("leasewatch_receiver_connections", *SOURCE)),
            Column("Dropped", f"sum by (instance, source) ({own('leasewatch_receiver_dropped_total')})",
                   thresholds=["text", (1, "orange")]),
        ], "Last line", size=(24, 4), renamed={"instance": "Exporter", "source": "Log"}).runbook(*runbook("losing")),
        graph("Lines read", "Per second. Nothing from the audit log while Vault is active means that it does not log, or"
              " that the file is another.", "cps",
              [(rate("leasewatch_log_lines_total", *SOURCE), "{{instance}} {{source}}")], size=(8, 7))
        .runbook(*runbook("silent")),
        graph("Bytes read", "Per second, uncompressed.", "Bps",
              [(rate("leasewatch_log_bytes_total", *SOURCE), "{{instance}} {{source}}")], size=(8, 7)),
        graph("Behind", "Age of the last entry read while there is more to read.", "s",
              [(highest("leasewatch_log_lag_seconds", *SOURCE), "{{instance}} {{source}}")], ["green", (60, "orange")],
              size=(8, 7)).runbook(*runbook("lag")),
        graph("Lines that cannot be understood", "For each step of time, by reason. They are skipped.", "short",
              [(happened("leasewatch_log_unreadable_total", "reason", window="$__interval"), "{{reason}}")], form="bars", stacked=True, size=(12, 7)).every("1m")
        .runbook(*runbook("unreadable")),
        graph("Gaps, dropped lines and rotations", "Gaps are lines lost for good: their file was gone before it was read, or the stream"
              " broke. Dropped is what an audit device sent and nobody could keep. For each step of time.", "short", [
                  (happened("leasewatch_log_gaps_total", "source", window="$__interval"), "gap in {{source}}"),
                  (happened("leasewatch_receiver_dropped_total", "source", "reason", window="$__interval"),
                   "dropped of {{source}}: {{reason}}"),
                  (happened("leasewatch_log_rotations_total", "kind", window="$__interval"), "{{kind}}"),
              ], form="bars", stacked=True, size=(12, 7)).every("1m").runbook(*runbook("losing")),
    ]


def api():
    call = ("cluster", "node", "api")
    return [
        table("Calls", "The parts of Vault's API that leasewatch asks.", call, [
            Column("Works", lowest("leasewatch_scrape_success", *call),
                   mappings={0: ("no", "red"), 1: ("yes", "green")}),
            Column("Last success", age("leasewatch_scrape_last_success_timestamp_seconds", *call), "s"),
            Column("Took", highest("leasewatch_scrape_duration_seconds", *call), "s"),
        ], "Last success", size=(12, 8), renamed={"cluster": "Cluster", "node": "Node", "api": "API"})
        .runbook(*runbook("scrape")),
        graph("How long calls take", "By part of the API.", "s",
              [(highest("leasewatch_scrape_duration_seconds", *call), "{{cluster}} {{node}} {{api}}")], size=(12, 8)),
    ]


def pushed():
    target = ("instance", "target")
    return [
        table("Targets", "Where leasewatch pushes to, where it is configured to.", target, [
            Column("Last taken", age("leasewatch_push_last_success_timestamp_seconds", *target), "s",
                   ["text", (300, "orange"), (3600, "red")]),
        ], "Last taken", size=(12, 7), renamed={"instance": "Exporter", "target": "Target"}),
        graph("Batches", "Requests that pushed something, per second, by outcome; dropped counts what was given up.",
              "cps", [(rate("leasewatch_push_batches_total", "target", "outcome"), "{{target}} {{outcome}}")],
              size=(12, 7)),
    ]
