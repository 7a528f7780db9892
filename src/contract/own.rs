//! Metrics about the exporter itself: its logs, its files, its own state.

use super::metric;
use crate::snapshot::Kind::{Counter, Gauge};
use crate::snapshot::Metric;

/// Always 1.
pub static BUILD_INFO: Metric = metric(
    "leasewatch_build_info",
    Gauge,
    &["version", "revision"],
    "Version and Git revision of this leasewatch; always 1.",
);

/// Per log source.
pub static LOG_LINES: Metric = metric(
    "leasewatch_log_lines_total",
    Counter,
    &["source"],
    "Whole lines read, the unreadable ones included.",
);

/// Per log source.
pub static LOG_BYTES: Metric = metric(
    "leasewatch_log_bytes_total",
    Counter,
    &["source"],
    "Bytes of those lines, uncompressed, with their line ends.",
);

/// Per log source and reason.
pub static LOG_UNREADABLE: Metric = metric(
    "leasewatch_log_unreadable_total",
    Counter,
    &["source", "reason"],
    "Lines that could not be understood and were skipped, by reason.",
);

/// Per log source.
pub static LOG_LATE: Metric = metric(
    "leasewatch_log_late_total",
    Counter,
    &["source"],
    "Events that came after a later one of another source had been counted.",
);

/// Per log source.
pub static LOG_LAG_BYTES: Metric = metric(
    "leasewatch_log_lag_bytes",
    Gauge,
    &["source"],
    "Bytes known to lie unread in the files of this source.",
);

/// Per log source.
pub static LOG_LAG_SECONDS: Metric = metric(
    "leasewatch_log_lag_seconds",
    Gauge,
    &["source"],
    "Age of the last entry read while there is more to read; 0 at the end of the log.",
);

/// Per log source.
pub static LOG_LAST_ENTRY: Metric = metric(
    "leasewatch_log_last_entry_timestamp_seconds",
    Gauge,
    &["source"],
    "Time of the last entry read, as the log says it.",
);

/// Per log source and kind of rotation.
pub static LOG_ROTATIONS: Metric = metric(
    "leasewatch_log_rotations_total",
    Counter,
    &["source", "kind"],
    "Times the log went on in another file (renamed) or from the front of the same one (truncated).",
);

/// Per log source.
pub static LOG_GAPS: Metric = metric(
    "leasewatch_log_gaps_total",
    Counter,
    &["source"],
    "Times lines were lost for good: their file was gone, they were sent and not received, or the stream of sys/monitor broke (monitor).",
);

/// Per log source.
pub static LOG_SOURCE_READABLE: Metric = metric(
    "leasewatch_log_source_readable",
    Gauge,
    &["source"],
    "1 if the log can be read, 0 if not; the page at / says why.",
);

/// No labels.
pub static CATCHING_UP: Metric = metric(
    "leasewatch_catching_up",
    Gauge,
    &[],
    "1 while a backlog of log is read and the numbers are those of an earlier moment.",
);

/// No labels.
pub static AUDIT_CANARY_SUCCESS: Metric = metric(
    "leasewatch_audit_canary_success_timestamp_seconds",
    Gauge,
    &[],
    "Time of leasewatch's own last request to Vault that was found in the audit log.",
);

/// No labels.
pub static CHECKPOINT_LAST_SUCCESS: Metric = metric(
    "leasewatch_checkpoint_last_success_timestamp_seconds",
    Gauge,
    &[],
    "Time at which the state was last saved.",
);

/// No labels.
pub static CONFIG_LAST_RELOAD_SUCCESSFUL: Metric = metric(
    "leasewatch_config_last_reload_successful",
    Gauge,
    &[],
    "1 if the configuration and the web configuration file were last read without an error; the page at / says what is wrong.",
);

/// No labels.
pub static CONFIG_LAST_RELOAD_SUCCESS: Metric = metric(
    "leasewatch_config_last_reload_success_timestamp_seconds",
    Gauge,
    &[],
    "Time at which the configuration in force was read.",
);

/// Per metric.
pub static LABEL_OVERFLOW: Metric = metric(
    "leasewatch_label_overflow_total",
    Counter,
    &["metric"],
    "Label sets of a metric that the budget had no place for; they are counted under (other).",
);

/// By reason.
pub static HTTP_REQUESTS_REFUSED: Metric = metric(
    "leasewatch_http_requests_refused_total",
    Counter,
    &["reason"],
    "HTTP requests to leasewatch that were refused, by reason; docs/access.md has them.",
);

/// By reason.
pub static HTTP_TLS_FAILURES: Metric = metric(
    "leasewatch_http_tls_failures_total",
    Counter,
    &["reason"],
    "Handshakes of TLS with leasewatch that failed, by reason; docs/access.md has them.",
);

/// All of this file.
pub static ALL: &[&Metric] = &[
    &BUILD_INFO,
    &LOG_LINES,
    &LOG_BYTES,
    &LOG_UNREADABLE,
    &LOG_LATE,
    &LOG_LAG_BYTES,
    &LOG_LAG_SECONDS,
    &LOG_LAST_ENTRY,
    &LOG_ROTATIONS,
    &LOG_GAPS,
    &LOG_SOURCE_READABLE,
    &CATCHING_UP,
    &AUDIT_CANARY_SUCCESS,
    &CHECKPOINT_LAST_SUCCESS,
    &CONFIG_LAST_RELOAD_SUCCESSFUL,
    &CONFIG_LAST_RELOAD_SUCCESS,
    &LABEL_OVERFLOW,
    &HTTP_REQUESTS_REFUSED,
    &HTTP_TLS_FAILURES,
];
