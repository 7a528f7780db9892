//! Metrics about anomalies: how unusual what happens is, which episodes there are, and what the scores
//! rest on. No label says who: that is for people who ask (`leasewatch episodes`).

use super::credentials::ROLE;
use super::metric;
use crate::snapshot::Kind::{Counter, Gauge};
use crate::snapshot::Metric;

const BY_COMPONENT: &[&str] = &["component", "severity"];

/// By role.
pub static SCORE: Metric = metric(
    "leasewatch_anomaly_score",
    Gauge,
    ROLE,
    "Score (0 to 100) of the highest open episode that touches the role, halved every 30 minutes without more.",
);
/// By mount.
pub static MOUNT_SCORE: Metric = metric(
    "leasewatch_anomaly_mount_score",
    Gauge,
    &["vault_namespace", "mount"],
    "Score (0 to 100) of the highest open episode that touches the mount; probing and logins touch no role.",
);
/// Now.
pub static OPEN_EPISODES: Metric = metric(
    "leasewatch_anomaly_open_episodes",
    Gauge,
    BY_COMPONENT,
    "Episodes that are open, by what they rest on most and by severity.",
);
/// So far.
pub static EPISODES: Metric = metric(
    "leasewatch_anomaly_episodes_total",
    Counter,
    BY_COMPONENT,
    "Episodes that came to a severity, once for each, by what they rested on most then.",
);
/// What it takes.
pub static THRESHOLD: Metric = metric(
    "leasewatch_anomaly_threshold",
    Gauge,
    &["severity"],
    "Score from which an episode is a notice or pages; it follows from anomaly.alarm_budget.",
);
/// How many there are.
pub static SUBJECTS: Metric = metric(
    "leasewatch_anomaly_subjects",
    Gauge,
    &[],
    "Clients, roles and mounts that have a model of their own.",
);
/// How many are young.
pub static LEARNING_SUBJECTS: Metric = metric(
    "leasewatch_anomaly_learning_subjects",
    Gauge,
    &[],
    "Subjects that are known for less than 48 hours, and whose scores count less for it.",
);
/// How many had to go.
pub static SUBJECT_EVICTIONS: Metric = metric(
    "leasewatch_anomaly_subject_evictions_total",
    Counter,
    &[],
    "Subjects that gave way to others; see the setting anomaly.subjects.",
);
/// A constant address.
pub static SOURCE_MODEL_DISABLED: Metric = metric(
    "leasewatch_anomaly_source_model_disabled",
    Gauge,
    &[],
    "1 while most clients come from one address, such as a load balancer's: networks are not scored then.",
);
/// Episodes that had to go.
pub static EPISODE_EVICTIONS: Metric = metric(
    "leasewatch_anomaly_episode_evictions_total",
    Counter,
    &[],
    "Episodes that gave way to others; see the setting anomaly.episodes.",
);
/// What is usual.
pub static EXPECTED_RATE: Metric = metric(
    "leasewatch_credentials_expected_rate",
    Gauge,
    ROLE,
    "Credentials per second that are usual for the role at this hour.",
);
/// What is hardly ever exceeded.
pub static EXPECTED_RATE_UPPER: Metric = metric(
    "leasewatch_credentials_expected_rate_upper",
    Gauge,
    ROLE,
    "Credentials per second that the role exceeds in one hour of a thousand like this.",
);

/// All of this file.
pub static ALL: &[&Metric] = &[
    &SCORE,
    &MOUNT_SCORE,
    &OPEN_EPISODES,
    &EPISODES,
    &EPISODE_EVICTIONS,
    &THRESHOLD,
    &SUBJECTS,
    &LEARNING_SUBJECTS,
    &SUBJECT_EVICTIONS,
    &SOURCE_MODEL_DISABLED,
    &EXPECTED_RATE,
    &EXPECTED_RATE_UPPER,
];
