//! Every number of the detector, frozen, each with its reason. Nothing here is a setting: who
//! wants fewer alarms changes the budget. They were chosen by reasoning and on simulated weeks
//! whose seeds are not among those of the evaluation (docs/evaluation.md).
//!
//! Times are hours of event time, strengths are -log10 p.

use super::stat::tail::Reading;

/// Seed of every hash that names something: the same in every run, so that a replay is bit-equal.
pub const SEED: u64 = 0x6c65_6173_6577_6174;

/// A day, in hours.
pub const DAY: i64 = 24;
/// Mean life of baselines: four weeks, so that a habit given up is forgotten within two months.
pub const LIFE: f64 = 28.0 * 24.0;
/// Mean life of the slow reference, which low-and-slow growth has to outrun.
pub const SLOW_LIFE: f64 = 56.0 * 24.0;
/// How long an own extreme is remembered: five weeks, so that a monthly job is its own excuse.
pub const EXTREMES_MEMORY: i32 = 36 * 24;
/// A subject is fully believed after two days; until then its strengths are scaled.
pub const MATURE_AFTER: f64 = 48.0;
/// What is judged by its peers (paths, roles, networks) already says this much on the first day,
/// where the peers are known for long enough.
pub const MATURE_BY_PEERS: f64 = 0.5;

/// Evidence below this strength (one hour in six) is not kept: it could not matter.
pub const KEEP: f64 = 0.8;
/// How long evidence stands: an attack does not end with the clock hour.
pub const STANDS_SECS: i64 = 3_600;
/// Strength at which evidence stops adding to that of other models: a model that is wrong about
/// its own tail is not to decide alone.
pub const CLIP: f64 = 4.0;
/// Looks that the strongest one is paid for, by how many pieces are combined: the number of ways
/// to choose them out of eight independent models, drawn to less since most are silent in most hours.
pub const LOOKS: [f64; 3] = [6.0, 8.0, 10.0];
/// Strength by which combined evidence must rise to be told again.
pub const RISE: f64 = 0.05;

/// Bursts: overdispersion is at least this; the smoothest services still come in pairs.
pub const LEAST_PHI: f64 = 1.3;
/// Bursts: blocks that a prior overdispersion of [`PRIOR_PHI`] weighs.
pub const PHI_WEIGHT: f64 = 8.0;
/// Bursts: overdispersion of a subject that is not known yet: a deploy or a retry.
pub const PRIOR_PHI: f64 = 4.0;
/// Bursts: three scales are looked at.
pub const SCALES: f64 = 3.0;
/// Counts are learnt up to this many times what one hour in a hundred exceeds.
pub const WINSOR_P: f64 = 0.01;
/// A maximum that an alarm came with is an own extreme after a week without another alarm: an
/// attack that is repeated daily never becomes normal, a larger deploy does.
pub const PENDING_HOURS: i32 = 7 * 24;
/// And then as so many times the largest one before it, at the most.
pub const PENDING_TIMES: u32 = 10;

/// Novelty: everything is new in the first hours of anybody, and less so with every hour. After so
/// many active hours, half as much is new in an hour as in the first ones.
pub const NOVELTY_HALVES: f64 = 10.0;
/// Novelty: but what is new never falls below this part, however long somebody is known.
pub const NOVELTY_LEAST: f64 = 0.05;
/// Novelty: the first active hours, in which nearly all is new, say nothing about later ones.
pub const NOVELTY_AFTER: u32 = 3;
/// Novelty: first hours that the peers' habits weigh, at the least, against the subject's own.
pub const NOVELTY_WEIGHT: f64 = 3.0;
/// Novelty: first hours that the defaults below weigh against the pool's.
pub const POOL_WEIGHT: f64 = 10.0;
/// A first hour brings a new role.
pub const NEW_ROLE: f64 = 0.1;
/// A first hour brings a new denied path.
pub const NEW_PATH: f64 = 0.1;
/// A first hour brings a new address of a known subnet; a new subnet; a new network; one that nobody
/// in the cluster ever came from; a public one, where only private ones were used.
pub const NEW_SOURCE: [f64; 5] = [0.5, 0.2, 0.07, 0.03, 0.01];
/// What came with an alarm teaches the peers this part: it may have been none of theirs, but if it
/// taught nothing, what is rare would seem to be ever rarer.
pub const GATED_TEACHES: f32 = 0.25;
/// Hours of no habit that the default of a count weighs.
pub const COUNT_WEIGHT: f64 = 20.0;
/// One more new thing after a new thing in the same day: bounds of what a pool can teach.
pub const ONE_MORE: (f64, f64) = (0.05, 0.5);
/// One more new thing, before a pool has taught it, and how many starts that weighs.
pub const ONE_MORE_PRIOR: (f64, f64) = (0.3, 10.0);
/// New roles and paths are counted together for a day.
pub const NOVELTY_WINDOW: i32 = 24;
/// Roles that are remembered of a subject.
pub const ROLES: usize = 48;
/// Denied paths that are remembered of a subject.
pub const PATHS: usize = 64;
/// Addresses, subnets and networks that are remembered of a subject.
pub const SOURCES: usize = 56;
/// What an alarm brought is not believed for this long: a theft that is repeated daily is one still
/// on the fifth day.
pub const QUARANTINE: i32 = 108;
/// What is not believed is noticed again after a pause of so many hours.
pub const PAUSE: i32 = 8;
/// What is unused for this long is new again.
pub const FORGET: i32 = 60 * 24;

/// A new network while the known one is in use, of new networks of peers: the prior, and how many
/// new networks it weighs.
pub const OVERLAP: (f64, f64) = (0.35, 6.0);
/// A new network without a login from there, likewise.
pub const NO_LOGIN: (f64, f64) = (0.3, 6.0);
/// The known network counts as in use if it was within this many seconds.
pub const OVERLAP_SECS: i64 = 1_800;
/// One address carries more than this part of the subject-hours: it is a load balancer's.
pub const CONSTANT_SOURCE: f64 = 0.8;
/// Subject-hours from which on that is judged.
pub const CONSTANT_SOURCE_HOURS: f64 = 48.0;
/// Subjects that must have been seen before it is judged: two services on one host prove nothing.
pub const CONSTANT_SOURCE_SUBJECTS: usize = 8;

/// One token from two networks at once, per hour.
pub const TWO_NETWORKS: f64 = 1.0 / 3_000.0;
/// The second network must be left and come back to within so many seconds.
pub const TWO_NETWORKS_SECS: i64 = 3_600;
/// Tokens that are followed for it, and wrapped credentials.
pub const TOKENS: usize = 32_768;

/// A wrapped credential is unwrapped from elsewhere: of those of peers.
pub const UNWRAPPED_ELSEWHERE: f64 = 1.0 / 300.0;
/// A wrapped credential is never unwrapped: of those of peers.
pub const NEVER_UNWRAPPED: f64 = 1.0 / 20.0;
/// Credentials that this weighs.
pub const WRAPPED_WEIGHT: f64 = 10.0;
/// A wrapping that is older is taken for expired: longer than the wrapping TTLs in use (minutes).
pub const UNWRAP_WITHIN: i64 = 24;

/// Denials: overdispersion of counts of a subject that has few: retries come in dozens.
pub const DENIAL_PHI: f64 = 8.0;
/// Denials: expected of an hour by default.
pub const DENIALS: f64 = 0.05;
/// A count of denials of known paths says no more than this: misconfigured clients repeat
/// themselves, and who searches asks for different paths.
pub const DENIALS_MOST: f64 = 2.0;

/// Slow: the raised rate that is looked for.
pub const SLOW_FACTOR: f64 = 1.7;
/// Slow: no hour adds more than this (nats), so that a burst does not fill it.
pub const SLOW_STEP: f64 = 1.2;
/// Slow: the sum stays below this, so that it comes down within a day.
pub const SLOW_MOST: f32 = 40.0;
/// Slow: hours that must be known.
pub const SLOW_AFTER: f64 = 72.0;
/// Slow: overdispersion before it is measured, and the events that weighs.
pub const SLOW_PHI: (f64, f64) = (3.0, 20.0);
/// Slow: the reference grows by no more than 15 % a week.
pub const GROWTH_A_WEEK: f64 = 1.15;
/// Slow: an excursion that lasts longer is what is usual now.
pub const SLOW_LASTS: i32 = 10 * 24;
/// Slow: the hour's bin is drawn to the whole with so many hours.
pub const SEASON_KAPPA: f64 = 6.0;
/// Slow: a day is raised that brings so many more than usual, and such a part of what is usual in a day.
pub const SLOW_DAY: (f64, f64) = (3.0, 0.2);
/// Slow: so many days must be raised: what comes at once is a deploy, or a burst.
pub const SLOW_DAYS: u16 = 2;
/// Slow: so many more than expected, or it is a handful and no habit.
pub const SLOW_LEAST: f64 = 8.0;
/// Slow: more addresses than usual explain as much more, at most three times.
pub const SCALE_OUT: f64 = 3.0;
/// Slow: mean life, in hours, of what somebody took lately: long enough to judge by, short enough for a day.
pub const LATELY: f64 = 18.0;
/// Slow: expected of that time, at the least, to be judged by it.
pub const LATELY_LEAST: f64 = 4.0;
/// Slow: clearly more is so many times as much, by so many standard deviations.
pub const CLEARLY: (f64, f64) = (1.2, 1.3);
/// Slow: a cause is common where so many clients take clearly more at once,
pub const COMMON_LEAST: u32 = 5;
/// which are at least this part of them,
pub const COMMON_PART: f64 = 0.06;
/// and so many times as many as in an ordinary hour.
pub const COMMON_TIMES: f64 = 3.0;
/// Slow: a common cause is remembered for so many hours (mean life) and excuses what is so many times as much:
/// by the time that it is seen, the first of it was counted already.
pub const COMMON_MEMORY: f64 = 48.0;
/// See [`COMMON_MEMORY`].
pub const COMMON_EXCUSES: f64 = 1.35;
/// Slow: as many times as much as there are more addresses, and a little more, is a scale-out that was seen late.
pub const SCALE_OUT_EXCUSES: f64 = 1.1;
/// Slow: what is excused says no more than this: little, unless something else speaks too.
pub const EXCUSED_MOST: f64 = 2.5;
/// Width and number of the bins of the pool's tail of peaks.
pub const SLOW_BINS: (f64, usize) = (0.5, 82);
/// How that tail is read. A sum of log likelihood ratios exceeds x nats once in e^x by Wald's
/// bound: 0.43 decades a nat; real traffic is less kind.
pub const SLOW_TAIL: Reading =
    Reading { slope: 0.3, weight: 10.0, few: 6.0, part: 0.0, many: 8.0, slopes: (0.3, 1.8) };

/// Hours: weights of an hour for its neighbours on the clock, by distance: the farther from any
/// usual hour, the less usual.
pub const CLOCK_KERNEL: [f64; 9] = [1.0, 0.6, 0.25, 0.08, 0.03, 0.01, 0.004, 0.0015, 0.0006];
/// Hours: part of the other kind of day (weekend, weekday) that counts.
pub const CLOCK_OTHER_DAYS: f64 = 0.15;
/// Hours: age in hours from which on somebody has been seen on every day of the week.
pub const CLOCK_AGE: i64 = 7 * 24;
/// Hours: active hours from which on somebody has habits.
pub const CLOCK_AFTER: f32 = 16.0;
/// Width and number of the bins of the pool's tail.
pub const CLOCK_BINS: (f64, usize) = (0.1, 64);
/// How that tail is read.
pub const CLOCK_TAIL: Reading =
    Reading { slope: 0.7, weight: 10.0, few: 5.0, part: 0.0, many: 8.0, slopes: (0.4, 2.0) };
/// Hours: no more than this.
pub const CLOCK_MOST: f64 = 3.9;
/// Hours: nor more than one in so many times the active hours that are known: the rest rests on peers, and
/// people differ more than their hours tell.
pub const CLOCK_PEERS: f64 = 6.0;

/// Silence: expected in a day to be called regular.
pub const REGULAR: f64 = 20.0;
/// Silence: of an age of a week.
pub const SILENCE_AFTER: i32 = 7 * 24;
/// Silence: times the longest gap so far.
pub const SILENCE_GAPS: f64 = 2.0;

/// A new subject says no more than this: one alarm for ten of them at most, and only together
/// with something else.
pub const NEW_SUBJECT_MOST: f64 = 2.0;
/// New subjects an hour in a pool that is not known.
pub const NEW_SUBJECT: f64 = 1.0 / 50.0;

/// Failures of a mount: expected of an hour by default.
pub const FAULTS: f64 = 0.5;
/// Failures of a mount: overdispersion by default.
pub const FAULTS_PHI: f64 = 10.0;
/// Failures of a mount that a client's retries make of one hiccup: each as many more, than ever or of
/// a first outage, make it rarer by a nat.
pub const FAULTS_AT_ONCE: f64 = 20.0;
/// Mounts that are followed.
pub const MOUNTS: usize = 1_024;
/// Pools that are followed; later auth mounts share one.
pub const POOLS: usize = 256;
/// Networks of the cluster that are remembered.
pub const NETWORKS: usize = 8_192;
/// Roles whose rate is followed.
pub const RATES: usize = 4_096;

/// Newcomers that are remembered until their second active hour.
pub const NEWCOMERS: usize = 32_768;
/// Acts in its first hour that make a newcomer a subject at once.
pub const NEWCOMER_ACTS: u16 = 4;
/// Slots that eviction chooses the least of.
pub const EVICTION_LOOKS: usize = 16;

/// An entity with so many roles serves many applications: another role means nothing.
pub const SHARED_ROLES: usize = 24;
/// So many different roles of the auth method under one entity, likewise.
pub const SHARED_LOGINS: usize = 4;
/// Networks from which a subject comes, beyond which another means nothing.
pub const SHARED_NETWORKS: usize = 10;

/// Width and number of the bins of the tail of combined strengths.
pub const COMBINED_BINS: (f64, usize) = (0.1, 160);
/// How that tail is read: nominally one decade a unit; fitted between the rarest two dozen, or one hour in
/// two thousand where that is more, and ten times as many: near to where one is paged, but where attacks
/// are few.
pub const COMBINED_TAIL: Reading =
    Reading { slope: 1.0, weight: 20.0, few: 24.0, part: 5e-4, many: 10.0, slopes: (0.4, 1.6) };
/// Active hours after which that tail is believed as far as it goes.
pub const COMBINED_AFTER: f64 = 2_000.0;
/// An hour stronger than the page threshold less this teaches only what is usual.
pub const GATE: f64 = 0.5;
/// Active subject-hours a day before they are counted.
pub const HOURS_A_DAY: f64 = 100.0;

/// What an alarm brought and comes back within its quarantine says this part of what it said first.
pub const AGAIN: f64 = 0.9;
/// Somebody lists the names of roles for the first time, of active hours.
pub const FIRST_LISTING: f64 = 1.0 / 1_000.0;
/// Somebody does a privileged operation for the first time, of active hours.
pub const FIRST_PRIVILEGED: f64 = 1.0 / 1_000.0;
/// Failures in the last hour from which on a mount is in trouble.
pub const TROUBLED: u32 = 10;
/// A burst after an outage says no more than this.
pub const TROUBLED_MOST: f64 = 2.5;
/// An episode of several hours counts once in the calibration: as long as episodes last.
pub const EPISODE_HOURS: i32 = 6;
/// A regular subject's silence is told from this strength on.
pub const SILENCE_STRENGTH: f64 = 3.0;
/// A raised rate is told again when it has become so much stronger: it lasts for days.
pub const SLOW_NEWS: f64 = 0.7;
/// And no more once it was told at this strength, which is beyond any budget.
pub const SLOW_TOLD: f64 = 5.0;
/// Slow: growth is capped once two weeks are known; until then the level itself is being learnt.
pub const SLOW_SETTLED: f64 = 14.0 * 24.0;
/// A role that was taken up in the last two weeks: what an hour brings of it is not known yet.
pub const YOUNG_ROLE: i32 = 14 * 24;
/// Strengths of a token's own count between which a burst turns from many clients' restart into one
/// client's doing.
pub const CONCENTRATED: (f64, f64) = (1.0, 4.0);
/// A day's count that is not this many times what was held back lately is the same affair still.
pub const SAME_AFFAIR: f64 = 1.3;
/// And says no more than this.
pub const SAME_AFFAIR_MOST: f64 = 1.5;
/// What a burst loses that is spread over as many tokens as credentials.
pub const SPREAD: f64 = 0.8;
/// And no more than this is said of it: a client that crashes, logs in and asks again, for hours, is worth
/// a notice and no page.
pub const SPREAD_MOST: f64 = 3.6;
/// One denied path says no more than this, whoever asks for it.
pub const ONE_PATH: f64 = 2.0;
/// One new role says no more than this alone.
pub const ONE_ROLE: f64 = 3.2;
/// A new address of a known subnet says no more than this.
pub const NEIGHBOUR_MOST: f64 = 1.2;
/// Shape of what peers differ by in how often they bring something new: as different as people and
/// batch jobs, but not as different as always and never.
pub const SHAPE: f64 = 0.3;
/// An hour with more logins than this, and than so many times as usual, is one of clients that
/// restart: how much they take says nothing about a raised rate.
pub const RESTARTS: (u32, f64) = (4, 4.0);
/// A client that starts takes a credential of each of its roles, of so many at the most.
pub const ROLES_AT_ONCE: usize = 3;
/// Times as many as logins explain, and so many more, are still in step with them.
pub const RESTART_SLACK: (f64, f64) = (1.25, 2.0);
/// What a theft shows and a move rarely does counts as no rarer than this: a login may have been
/// elsewhere.
pub const CIRCUMSTANCE_LEAST: f64 = 0.05;
/// Slow: addresses of a day are averaged over this many active hours, so that one deploy is no growth.
pub const ADDRESSES_OVER: f32 = 36.0;
/// In the calibration, an hour that alarmed counts as this much of an hour: attacks are no part of
/// what occurs by chance, but not every alarm is an attack.
pub const ALARM_COUNTS: f64 = 0.3;
/// Slow: a sum below this (nats) is no evidence; one in a few active hours is above it.
pub const SLOW_LOOK: f64 = 0.7;
