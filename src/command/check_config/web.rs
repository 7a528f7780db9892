//! Checks of who may connect: the web configuration file with all that it names, and what is open without one.

use super::Findings;
use crate::config::Config;
use crate::web::Gate;

impl Findings {
    pub(super) fn web(&mut self, config: &Config) {
        let Some(path) = &config.web_config else {
            return self.ok(
                "no web.config.file: /metrics is served in plain text to whoever asks, the pages to this machine alone",
            );
        };
        let gate = match Gate::new(Some(path)) {
            Ok(gate) => gate,
            Err(error) => return self.error(format!("web.config.file: {error}")),
        };
        let (shown, rules) = (path.display(), gate.rules());
        let users = rules.users();
        let tls = if rules.tls().is_some() { "TLS" } else { "plain text" };
        let certificates = if rules.proves_clients() { ", certificates of clients verified" } else { "" };
        self.ok(format!("web.config.file {shown}: {tls}{certificates}, users with a password: {users}"));
        if users > 0 && rules.tls().is_none() {
            self.warning(format!(
                "web.config.file {shown}: passwords travel in plain text, as there is no tls_server_config; give it, \
                 unless something before leasewatch speaks TLS"
            ));
        }
    }
}
