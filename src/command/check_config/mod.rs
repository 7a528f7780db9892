//! `check-config`: the effective configuration, and what stands in its way.
//!
//! It tries everything that can be tried without asking Vault: files, folders, certificates. Only where it is
//! told to does it ask Vault and the receivers of what is pushed.

mod anomaly;
mod logs;
mod push;
mod receive;
mod vault;
mod web;

use crate::config::{Config, LogKind};
use std::fmt;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::net::ToSocketAddrs;
use std::path::Path;

/// One line of the report.
#[derive(Debug, PartialEq, Eq)]
struct Finding {
    level: Level,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Ok,
    Warning,
    Error,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// Prints the configuration and the findings; true if nothing stands in the way of `serve`.
///
/// # Errors
/// That `out` cannot be written.
pub fn run(config: &Config, is_online: bool, out: &mut dyn Write) -> io::Result<bool> {
    let mut findings = check(config);
    if is_online {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(findings.online(config));
    }
    let findings = findings.0;
    write!(out, "# The configuration in effect\n\n{config}\n# Checks\n\n")?;
    for finding in &findings {
        writeln!(out, "{:<8} {}", finding.level, finding.text)?;
    }
    let count = |level| findings.iter().filter(|finding| finding.level == level).count();
    let (errors, warnings) = (count(Level::Error), count(Level::Warning));
    writeln!(out, "\nerrors: {errors}, warnings: {warnings}")?;
    out.flush()?;
    Ok(errors == 0)
}

fn check(config: &Config) -> Findings {
    let mut findings = Findings::default();
    if let Err(error) = config.something_to_watch() {
        findings.error(error.to_string());
    }
    for log in &config.logs {
        findings.log(log, config);
    }
    if !config.logs.is_empty() && !config.logs.iter().any(|log| log.kind == LogKind::Server) {
        findings.warning(
            "no server log: leases that end by themselves are estimated, not seen; give --server-log",
        );
    }
    findings.state_dir(&config.state_dir);
    findings.listen_address(&config.listen_address);
    findings.web(config);
    findings.anomaly(&config.anomaly);
    findings.push(&config.push);
    findings.vault(config);
    findings
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn ok(&mut self, text: impl Into<String>) {
        self.0.push(Finding { level: Level::Ok, text: text.into() });
    }

    fn warning(&mut self, text: impl Into<String>) {
        self.0.push(Finding { level: Level::Warning, text: text.into() });
    }

    fn error(&mut self, text: impl Into<String>) {
        self.0.push(Finding { level: Level::Error, text: text.into() });
    }

    fn state_dir(&mut self, folder: &Path) {
        let shown = folder.display();
        let probe = folder.join(format!(".check-config-{}", std::process::id()));
        match fs::OpenOptions::new().write(true).create_new(true).open(&probe) {
            Ok(_) => {
                // Left behind it would do no harm; the next check has another name.
                let _ = fs::remove_file(&probe);
                self.ok(format!("state folder {shown} is writable"));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => self.missing_state_dir(folder),
            Err(error) => self.error(format!(
                "state folder {shown} cannot be written: {error}. Give it to the user that runs leasewatch, or name another with --state-dir"
            )),
        }
    }

    fn missing_state_dir(&mut self, folder: &Path) {
        let shown = folder.display();
        let Some(parent) = folder.ancestors().skip(1).find(|parent| parent.is_dir()) else {
            return self.warning(format!("state folder {shown} does not exist; serve makes it if it may"));
        };
        match tempdir_in(parent) {
            Ok(()) => self.ok(format!("state folder {shown} does not exist yet; serve can make it")),
            Err(error) => self.error(format!(
                "state folder {shown} does not exist and cannot be made: {error}. Make it for the user that runs leasewatch, or name another with --state-dir"
            )),
        }
    }

    fn listen_address(&mut self, address: &str) {
        let lookup = if address.starts_with(':') { format!("0.0.0.0{address}") } else { address.to_owned() };
        match lookup.to_socket_addrs().map(|mut addresses| addresses.next()) {
            Ok(Some(_)) => self.ok(format!("listening address {address} is valid")),
            Ok(None) => self.error(format!("listening address {address}: the host has no address")),
            Err(error) => self.error(format!(
                "listening address {address}: {error}. Give --web.listen-address an address of this machine"
            )),
        }
    }
}

/// Whether a folder can be made in `parent`.
fn tempdir_in(parent: &Path) -> io::Result<()> {
    let probe = parent.join(format!(".check-config-{}", std::process::id()));
    fs::create_dir(&probe)?;
    fs::remove_dir(&probe)
}
