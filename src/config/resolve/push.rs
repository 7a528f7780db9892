//! What is pushed where, and by which keys.

use super::{Resolver, problem};
use crate::config::setting::{self, Setting};
use crate::config::{
    IncidentsConfig, IncidentsFrom, OneUptimeConfig, OtlpConfig, Privacy, PushConfig, Secret, SecretSource,
    value,
};

impl Resolver<'_> {
    pub(super) fn push(&mut self) -> PushConfig {
        let config = PushConfig {
            interval: self.duration(&setting::PUSH_INTERVAL),
            privacy: [Privacy::Pseudonymous, Privacy::Full][self.choice(&setting::PUSH_PRIVACY)],
            key_file: self.path(&setting::PUSH_KEY_FILE),
            ca_cert: self.path(&setting::PUSH_CA_CERT),
            otlp: OtlpConfig {
                endpoint: self.endpoint(&setting::OTLP_ENDPOINT),
                metrics_endpoint: self.endpoint(&setting::OTLP_METRICS_ENDPOINT),
                headers: self.secret(&setting::OTLP_HEADERS, &setting::OTLP_HEADERS_FILE),
                service_name: self.parsed(&setting::OTLP_SERVICE_NAME, value::present),
                resource_attributes: self.resource_attributes(),
            },
            oneuptime: OneUptimeConfig {
                url: self.address(&setting::ONEUPTIME_URL),
                token: self.secret(&setting::ONEUPTIME_TOKEN, &setting::ONEUPTIME_TOKEN_FILE),
                metrics: self.choice(&setting::ONEUPTIME_METRICS) == 0,
                security_events: self.choice(&setting::ONEUPTIME_SECURITY_EVENTS) == 0,
                heartbeat_key: self
                    .secret(&setting::ONEUPTIME_HEARTBEAT_KEY, &setting::ONEUPTIME_HEARTBEAT_KEY_FILE),
                incidents: self.incidents(),
            },
        };
        self.oneuptime_is_whole(&config);
        config
    }

    fn incidents(&mut self) -> IncidentsConfig {
        let from = [IncidentsFrom::Off, IncidentsFrom::Page, IncidentsFrom::Notice];
        IncidentsConfig {
            from: from[self.choice(&setting::ONEUPTIME_INCIDENTS)],
            api_key: self.secret(&setting::ONEUPTIME_API_KEY, &setting::ONEUPTIME_API_KEY_FILE),
            project_id: self.given(&setting::ONEUPTIME_PROJECT_ID),
            severity_id: self.given(&setting::ONEUPTIME_INCIDENT_SEVERITY_ID),
        }
    }

    /// Keys go nowhere without an address, and incidents need all of theirs.
    fn oneuptime_is_whole(&mut self, config: &PushConfig) {
        let oneuptime = &config.oneuptime;
        let keys = [
            &setting::ONEUPTIME_TOKEN,
            &setting::ONEUPTIME_TOKEN_FILE,
            &setting::ONEUPTIME_HEARTBEAT_KEY,
            &setting::ONEUPTIME_HEARTBEAT_KEY_FILE,
        ];
        if self.layers.get(&setting::ONEUPTIME_URL).is_none()
            && let Some(key) = keys.into_iter().find_map(|key| self.layers.get(key))
        {
            let text = "there is a key of OneUptime, but no address of it";
            self.problems.0.push(key.origin.problem(text, "Give push.oneuptime.url"));
        }
        let Some(given) = self.layers.get(&setting::ONEUPTIME_INCIDENTS) else { return };
        if oneuptime.incidents.from == IncidentsFrom::Off {
            return;
        }
        let needed = [
            ("push.oneuptime.url", oneuptime.url.is_some()),
            (
                "push.oneuptime.api_key_file, or LEASEWATCH_ONEUPTIME_API_KEY",
                oneuptime.incidents.api_key.is_some(),
            ),
            ("push.oneuptime.project_id", oneuptime.incidents.project_id.is_some()),
            ("push.oneuptime.incident_severity_id", oneuptime.incidents.severity_id.is_some()),
        ];
        for (missing, _) in needed.into_iter().filter(|(_, is_there)| !is_there) {
            let text = "incidents need an address, a key, a project and a severity";
            self.problems.0.push(given.origin.problem(text, format!("Give {missing}")));
        }
    }

    fn endpoint(&mut self, setting: &'static Setting) -> Option<String> {
        let given = self.layers.get(setting)?;
        self.problems.take(value::endpoint(given.text()).map_err(|wrong| problem(&given.origin, wrong)))
    }

    fn address(&mut self, setting: &'static Setting) -> Option<String> {
        let given = self.layers.get(setting)?;
        self.problems.take(value::api_address(given.text()).map_err(|wrong| problem(&given.origin, wrong)))
    }

    fn resource_attributes(&mut self) -> Vec<(String, String)> {
        let Some(given) = self.layers.get(&setting::OTLP_RESOURCE_ATTRIBUTES) else { return Vec::new() };
        let pairs = given.texts.iter().filter(|text| !text.is_empty());
        let read = pairs.map(|text| value::pair(text).map_err(|wrong| problem(&given.origin, wrong)));
        let read: Vec<_> = read.collect();
        read.into_iter().filter_map(|pair| self.problems.take(pair)).collect()
    }

    /// A secret by its variable or its file: that of the stronger layer, and of one layer the variable.
    fn secret(&mut self, by_value: &'static Setting, by_file: &'static Setting) -> Option<SecretSource> {
        let file = self.layers.get(by_file);
        match self.layers.get(by_value) {
            Some(value) if file.as_ref().is_none_or(|file| file.origin.rank() <= value.origin.rank()) => {
                Some(SecretSource::Value(Secret::new(value.text().trim())))
            }
            _ => file.map(|file| SecretSource::File(file.text().into())),
        }
    }
}
