//! Checks of what the scores begin with: the baseline, and what somebody vouches for.

use super::Findings;
use crate::command::scores::baseline;
use crate::config::{AnomalyConfig, AnomalyMode};
use crate::event::Timestamp;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

impl Findings {
    pub(super) fn anomaly(&mut self, anomaly: &AnomalyConfig) {
        if anomaly.mode == AnomalyMode::Off {
            self.ok("nothing is scored: anomaly.mode is off");
        }
        if let Some(path) = &anomaly.baseline {
            self.baseline(path);
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = Timestamp::from_secs(i64::try_from(now.as_secs()).unwrap_or(i64::MAX));
        for entry in anomaly.acknowledged.iter().filter(|entry| entry.expires <= now) {
            self.warning(format!(
                "the acknowledgement of {} has expired on {}; take it out of [[anomaly.acknowledged]]",
                entry.episode, entry.expires
            ));
        }
    }

    fn baseline(&mut self, path: &Path) {
        let shown = path.display();
        match baseline(path) {
            Ok(learnt) => {
                self.ok(format!(
                    "baseline {shown} knows {} subjects, learnt until {}",
                    learnt.subjects(),
                    learnt.until
                ));
                if fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o077 != 0) {
                    self.warning(format!(
                        "baseline {shown} names clients, and others may read it: chmod 600"
                    ));
                }
            }
            Err(error) => self.error(format!("{error:#}")),
        }
    }
}
