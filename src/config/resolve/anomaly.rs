//! How requests are scored, and which episodes somebody vouches for.

use super::{Resolver, problem};
use crate::config::layers::GivenTable;
use crate::config::value::{self, Wrong};
use crate::config::{ALARM_BUDGET, Acknowledged, AnomalyConfig, AnomalyMode, setting};

impl Resolver<'_> {
    pub(super) fn anomaly(&mut self) -> AnomalyConfig {
        let modes = [AnomalyMode::On, AnomalyMode::Shadow, AnomalyMode::Off];
        AnomalyConfig {
            mode: modes[self.choice(&setting::ANOMALY_MODE)],
            alarm_budget: self.parsed(&setting::ALARM_BUDGET, |text| {
                value::number(text, *ALARM_BUDGET.start(), *ALARM_BUDGET.end())
            }),
            subjects: self.parsed(&setting::ANOMALY_SUBJECTS, |text| value::integer(text, 100)),
            episodes: self.parsed(&setting::ANOMALY_EPISODES, |text| value::integer(text, 16)),
            baseline: self.path(&setting::ANOMALY_BASELINE),
            acknowledged: self.acknowledged(),
        }
    }

    fn acknowledged(&mut self) -> Vec<Acknowledged> {
        let tables = &self.layers.file.acknowledged;
        let mut read: Vec<Acknowledged> = Vec::new();
        for table in tables {
            let episode = self.of_table(table, "episode", value::episode_id);
            let author = self.of_table(table, "author", value::present);
            let reason = self.of_table(table, "reason", value::present);
            let expires = self.of_table(table, "expires", value::time);
            let (Some(episode), Some(author), Some(reason), Some(expires)) =
                (episode, author, reason, expires)
            else {
                continue;
            };
            if read.iter().any(|other| other.episode == episode) {
                let text = format!("the episode {episode} is acknowledged twice");
                self.problems.0.push(table.origin.problem(text, "Keep one of them"));
            }
            read.push(Acknowledged { episode, author, reason, expires });
        }
        read
    }

    /// A key that must be there.
    fn of_table<T>(
        &mut self,
        table: &GivenTable,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, Wrong>,
    ) -> Option<T> {
        let Some(given) = table.values.get(key) else {
            let text = format!("an acknowledgement without {key}");
            let remedy = format!("Write {key} = \"…\"; episode, author, reason and expires must be there");
            self.problems.0.push(table.origin.problem(text, remedy));
            return None;
        };
        self.problems.take(parse(given.text()).map_err(|wrong| problem(&given.origin, wrong)))
    }
}
