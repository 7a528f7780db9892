//! Checks of receivers: can their addresses be had, who may send there, and what came of it so far?

use super::Findings;
use crate::config::{Config, ReceiverAddress};
use crate::receive;
use std::io::ErrorKind;

impl Findings {
    pub(super) fn receiver(&mut self, name: &str, address: &ReceiverAddress, config: &Config) {
        match receive::probe(address) {
            Ok(()) => self.ok(format!("log {name}: can be received at {address}")),
            Err(error) if error.kind() == ErrorKind::AddrInUse => self.warning(format!(
                "log {name}: {address} is taken; that is well if it is by the leasewatch that runs with this configuration"
            )),
            Err(error) => {
                self.error(format!("log {name}: {address}: {error}. {}", receive::remedy(&error)));
            }
        }
        if let ReceiverAddress::Udp(_) = address {
            self.warning(format!(
                "log {name}: over UDP, lines are lost without a word, and entries of more than 64 KB are never sent; tcp:// or unix:// is the better way"
            ));
        }
        let networks: Vec<_> = config.receive.allow.iter().map(ToString::to_string).collect();
        let file = config.receive.config_file.as_deref();
        if let Err(error) = receive::probe_file(&config.receive, std::iter::once(address)) {
            self.error(format!("log {name}: receive.config.file: {error}"));
        }
        match (address, file) {
            (ReceiverAddress::Tls(_) | ReceiverAddress::Https(..), Some(file)) => self.ok(format!(
                "log {name}: {} may send by TLS, with what {} asks of them",
                if address.is_local() { "users of this machine".to_owned() } else { networks.join(", ") },
                file.display()
            )),
            _ if !address.is_local() => self.warning(format!(
                "log {name}: whoever can send from {} can forge this log, and what is sent is not encrypted",
                networks.join(", ")
            )),
            (ReceiverAddress::Unix(_) | ReceiverAddress::UnixDatagram(_), _) => self.ok(format!(
                "log {name}: the user and the group of leasewatch may send (mode 0660): put the user of Vault into that group"
            )),
            _ => self.ok(format!("log {name}: every user of this machine may send; unix:// is for a group alone")),
        }
        let Some(report) = receive::written_down(&config.state_dir, name) else { return };
        let last = report.last_line.map_or("never".to_owned(), |at| at.to_string());
        if report.dropped.is_empty() {
            return self.ok(format!("log {name}: last line received {last}, nothing dropped so far"));
        }
        let dropped: Vec<_> =
            report.dropped.iter().map(|(reason, times)| format!("{times} {reason}")).collect();
        self.warning(format!(
            "log {name}: last line received {last}; dropped so far: {}. docs/runbooks/LeasewatchReceiverDropping.md says what each means",
            dropped.join(", ")
        ));
    }
}
