//! Settings of receiving: what holds for every address in the lists of logs.

use super::{Kind, Setting};

settings! { OWN:
    /// Who may send.
    RECEIVE_ALLOW {
        key: Some("receive.allow"), flag: Some("receive.allow"), variables: ["LEASEWATCH_RECEIVE_ALLOW"],
        kind: Kind::List("NETWORK"), default: "none: this machine alone",
        help: "Networks whose machines may send lines to addresses in the list of logs, such as 10.0.0.0/8. \
               Whoever may send can forge a log",
    }
    /// What may wait on disk.
    RECEIVE_SPOOL_LIMIT {
        key: Some("receive.spool_limit"), flag: Some("receive.spool-limit"), variables: ["LEASEWATCH_RECEIVE_SPOOL_LIMIT"],
        kind: Kind::Integer, default: "1073741824",
        help: "Most bytes that may wait in the state folder to be counted, for each such address; what comes beyond is dropped, and counted as such",
    }
    /// TLS and passwords.
    RECEIVE_CONFIG_FILE {
        key: Some("receive.config.file"), flag: Some("receive.config.file"), variables: ["LEASEWATCH_RECEIVE_CONFIG_FILE"],
        kind: Kind::Text("FILE"), default: "none: plain text, without passwords",
        help: "YAML file like that of web.config.file: TLS and certificates of clients for https:// and tls://, users and passwords for \
               http:// and https://; it is read again when it, or a file that it names, changes",
    }
}
