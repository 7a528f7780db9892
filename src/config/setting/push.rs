//! The settings of pushing: receivers, keys, and what may be named.

use super::{Kind, Setting};

settings! { OWN:
    /// Push interval.
    PUSH_INTERVAL {
        key: Some("push.interval"), flag: Some("push.interval"), variables: ["LEASEWATCH_PUSH_INTERVAL"],
        kind: Kind::Duration, default: "1m",
        help: "How often metrics and heartbeats are pushed, where a receiver is configured",
    }
    /// Names in what is pushed.
    PUSH_PRIVACY {
        key: Some("push.privacy"), flag: Some("push.privacy"), variables: ["LEASEWATCH_PUSH_PRIVACY"],
        kind: Kind::Choice(&["pseudonymous", "full"]), default: "pseudonymous",
        help: "Whether security events and incidents name clients by keyed pseudonyms, or as Vault knows them",
    }
    /// Key of the pseudonyms.
    PUSH_KEY_FILE {
        key: Some("push.key_file"), flag: Some("push.key-file"), variables: ["LEASEWATCH_PUSH_KEY_FILE"],
        kind: Kind::Text("FILE"), default: "none: one is made in the state folder",
        help: "File with the key of the pseudonyms, at least 16 bytes. With the same file everywhere, a client has one pseudonym everywhere",
    }
    /// Authority of the receivers.
    PUSH_CA_CERT {
        key: Some("push.ca_cert"), flag: Some("push.ca-cert"),
        variables: ["LEASEWATCH_PUSH_CA_CERT", "OTEL_EXPORTER_OTLP_CERTIFICATE"],
        kind: Kind::Text("FILE"), default: "the system's authorities",
        help: "PEM file of the authority that signed the receivers' certificates",
    }
    /// OTLP endpoint.
    OTLP_ENDPOINT {
        key: Some("push.otlp.endpoint"), flag: Some("push.otlp.endpoint"),
        variables: ["LEASEWATCH_PUSH_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"],
        kind: Kind::Text("URL"), default: "none",
        help: "OTLP/HTTP receiver that gets the metrics, as JSON, at URL/v1/metrics",
    }
    /// OTLP endpoint of metrics.
    OTLP_METRICS_ENDPOINT {
        key: Some("push.otlp.metrics_endpoint"), flag: Some("push.otlp.metrics-endpoint"),
        variables: ["LEASEWATCH_PUSH_OTLP_METRICS_ENDPOINT", "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"],
        kind: Kind::Text("URL"), default: "none",
        help: "The same as a whole address, which wins over push.otlp.endpoint",
    }
    /// OTLP headers.
    OTLP_HEADERS {
        key: None, flag: None, variables: ["OTEL_EXPORTER_OTLP_METRICS_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"],
        kind: Kind::Text("NAME=VALUE,…"), default: "none",
        help: "Headers for the OTLP receiver, values percent-encoded; they may hold its key, and so have neither flag nor key",
    }
    /// File with OTLP headers.
    OTLP_HEADERS_FILE {
        key: Some("push.otlp.headers_file"), flag: Some("push.otlp.headers-file"),
        variables: ["LEASEWATCH_PUSH_OTLP_HEADERS_FILE"],
        kind: Kind::Text("FILE"), default: "none",
        help: "File with such headers, read again before every push",
    }
    /// Service name.
    OTLP_SERVICE_NAME {
        key: Some("push.otlp.service_name"), flag: Some("push.otlp.service-name"),
        variables: ["LEASEWATCH_PUSH_OTLP_SERVICE_NAME", "OTEL_SERVICE_NAME"],
        kind: Kind::Text("NAME"), default: "leasewatch",
        help: "Resource attribute `service.name` of what is pushed",
    }
    /// Resource attributes.
    OTLP_RESOURCE_ATTRIBUTES {
        key: Some("push.otlp.resource_attributes"), flag: Some("push.otlp.resource-attributes"),
        variables: ["LEASEWATCH_PUSH_OTLP_RESOURCE_ATTRIBUTES", "OTEL_RESOURCE_ATTRIBUTES"],
        kind: Kind::List("NAME=VALUE"), default: "none",
        help: "Further resource attributes, such as `deployment.environment.name=production`, values percent-encoded",
    }
    /// `OneUptime`'s address.
    ONEUPTIME_URL {
        key: Some("push.oneuptime.url"), flag: Some("push.oneuptime.url"), variables: ["LEASEWATCH_ONEUPTIME_URL"],
        kind: Kind::Text("URL"), default: "none: nothing goes there",
        help: "Address of OneUptime, such as https://oneuptime.com",
    }
    /// `OneUptime`'s ingestion key.
    ONEUPTIME_TOKEN {
        key: None, flag: None, variables: ["LEASEWATCH_ONEUPTIME_TOKEN"],
        kind: Kind::Text("KEY"), default: "none",
        help: "Telemetry ingestion key of OneUptime, for metrics and security events",
    }
    /// File with it.
    ONEUPTIME_TOKEN_FILE {
        key: Some("push.oneuptime.token_file"), flag: Some("push.oneuptime.token-file"),
        variables: ["LEASEWATCH_ONEUPTIME_TOKEN_FILE"],
        kind: Kind::Text("FILE"), default: "none",
        help: "File with the ingestion key, read again before every push",
    }
    /// Metrics to `OneUptime`.
    ONEUPTIME_METRICS {
        key: Some("push.oneuptime.metrics"), flag: Some("push.oneuptime.metrics"),
        variables: ["LEASEWATCH_ONEUPTIME_METRICS"],
        kind: Kind::Choice(&["on", "off"]), default: "on",
        help: "Whether metrics go to OneUptime, where the ingestion key is known",
    }
    /// Security events to `OneUptime`.
    ONEUPTIME_SECURITY_EVENTS {
        key: Some("push.oneuptime.security_events"), flag: Some("push.oneuptime.security-events"),
        variables: ["LEASEWATCH_ONEUPTIME_SECURITY_EVENTS"],
        kind: Kind::Choice(&["on", "off"]), default: "on",
        help: "Whether anomaly episodes and privileged operations go to OneUptime as security events, where the ingestion key is known",
    }
    /// Heartbeat key.
    ONEUPTIME_HEARTBEAT_KEY {
        key: None, flag: None, variables: ["LEASEWATCH_ONEUPTIME_HEARTBEAT_KEY"],
        kind: Kind::Text("KEY"), default: "none",
        help: "Secret key of an Incoming Request monitor of OneUptime, which gets a heartbeat while leasewatch is well",
    }
    /// File with it.
    ONEUPTIME_HEARTBEAT_KEY_FILE {
        key: Some("push.oneuptime.heartbeat_key_file"), flag: Some("push.oneuptime.heartbeat-key-file"),
        variables: ["LEASEWATCH_ONEUPTIME_HEARTBEAT_KEY_FILE"],
        kind: Kind::Text("FILE"), default: "none",
        help: "File with that key, read again before every heartbeat",
    }
    /// Incidents.
    ONEUPTIME_INCIDENTS {
        key: Some("push.oneuptime.incidents"), flag: Some("push.oneuptime.incidents"),
        variables: ["LEASEWATCH_ONEUPTIME_INCIDENTS"],
        kind: Kind::Choice(&["off", "page", "notice"]), default: "off",
        help: "Which anomaly episodes open an incident in OneUptime by its REST API: none, those that page, or every notice too",
    }
    /// Key of the REST API.
    ONEUPTIME_API_KEY {
        key: None, flag: None, variables: ["LEASEWATCH_ONEUPTIME_API_KEY"],
        kind: Kind::Text("KEY"), default: "none",
        help: "Key of OneUptime's REST API, for incidents",
    }
    /// File with it.
    ONEUPTIME_API_KEY_FILE {
        key: Some("push.oneuptime.api_key_file"), flag: Some("push.oneuptime.api-key-file"),
        variables: ["LEASEWATCH_ONEUPTIME_API_KEY_FILE"],
        kind: Kind::Text("FILE"), default: "none",
        help: "File with that key, read again before every use",
    }
    /// Project.
    ONEUPTIME_PROJECT_ID {
        key: Some("push.oneuptime.project_id"), flag: Some("push.oneuptime.project-id"),
        variables: ["LEASEWATCH_ONEUPTIME_PROJECT_ID"],
        kind: Kind::Text("ID"), default: "none",
        help: "ID of the project that incidents belong to",
    }
    /// Severity of incidents.
    ONEUPTIME_INCIDENT_SEVERITY_ID {
        key: Some("push.oneuptime.incident_severity_id"), flag: Some("push.oneuptime.incident-severity-id"),
        variables: ["LEASEWATCH_ONEUPTIME_INCIDENT_SEVERITY_ID"],
        kind: Kind::Text("ID"), default: "none",
        help: "ID of the incident severity that incidents get",
    }
}
