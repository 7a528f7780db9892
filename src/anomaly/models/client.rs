//! A request of a known token: finds its subject, has it judged from every side, and says what
//! stands against it.

use super::Models;
use super::acts;
use super::now::Now;
use super::places;
use super::sources::{Ladder, written};
use super::subject::{self, Subject};
use super::subjects::Seat;
use super::telling::{About, tell};
use super::wrapped::Waiting;
use crate::anomaly::activity::{Act, Activity};
use crate::anomaly::evidence::{Component, Evidence};
use crate::anomaly::finding::{Finding, SubjectKind, SubjectView};
use crate::anomaly::parameters as p;
use crate::anomaly::stat::strength;
use crate::event::{Text, TokenHash, Who};

impl Models {
    /// Learns from what somebody did, and says what is unusual about it.
    pub(super) fn client(
        &mut self,
        activity: &Activity<'_>,
        who: &Who,
        now: &Now,
        findings: &mut Vec<Finding>,
    ) {
        // A wrapping token bears the name of whoever wrapped, and nothing else of his.
        let is_wrapping = matches!(activity.act, Act::Unwrapped { .. }) && who.requester.entity.is_empty();
        if is_wrapping {
            return;
        }
        let (key, kind) = subject::key_of(who);
        let acts = match activity.act {
            Act::Issued { .. } | Act::ReadStatic { .. } | Act::Denied { .. } | Act::NoSuchRole { .. } => 1,
            // Its rule speaks at once, whoever it is; nobody makes up names by the right to do this.
            Act::Privileged(_) => p::NEWCOMER_ACTS,
            _ => 0,
        };
        let at = match self.subjects.seat(key, now.hour, acts) {
            Seat::Known(at) => at,
            Seat::Waiting => return,
            Seat::New => {
                let pool = self.pool_of(activity, who, now.hour);
                self.arrived(pool, key, kind, activity, who, now, findings);
                return;
            }
            Seat::Admit => {
                let pool = self.pool_of(activity, who, now.hour);
                let mut subject = Subject::new(key, kind, who, pool, now.hour, activity.place);
                subject.namespace = Text::new(activity.namespace);
                subject.hour = now.hour - 1;
                if let Some(pool) = self.pools.get_mut(pool) {
                    pool.subjects += 1;
                }
                self.subjects.admit(subject)
            }
        };
        let Self { subjects, pools, calibration, networks, tokens, mounts, addresses, .. } = self;
        let Some(subject) = subjects.get_mut(at) else { return };
        let Some(pool) = pools.get_mut(subject.pool) else { return };
        let mut raised = false;
        let opens = !subject.is_open;
        if opens {
            subject.is_open = true;
            if subject.hour < now.hour - 1 {
                (subject.logged_in_before, subject.issued_before) = (0, 0);
            }
            subject.hour = now.hour;
            subject.is_silent = false;
            self.active.push(u32::try_from(at).unwrap_or(u32::MAX));
            raised |= open(subject, pool, now);
        }
        if let Some(address) = activity.source
            && !addresses.is_constant
        {
            raised |= places::look(subject, pool, networks, tokens, activity, address, now);
        }
        if opens && let Some(address) = activity.source {
            addresses.add(&Ladder::of(address), now);
        }
        let mut floor = None;
        let mut role = "";
        match activity.act {
            Act::Issued { role: name, .. } | Act::ReadStatic { role: name } => {
                role = name;
                let token = token_of(activity);
                raised |= acts::issued(subject, pool, (name, token), now, mounts.is_troubled(activity));
            }
            Act::Denied { path } | Act::NoSuchRole { path } => {
                raised |= acts::denied(subject, pool, path, now);
            }
            Act::LoggedIn => {
                if subject.display_name != who.requester.display_name {
                    subject.display_name.clone_from(&who.requester.display_name);
                }
                subject.logged_in.0 += 1;
                subject.logged_in_as(&who.role);
            }
            Act::ListedRoles => raised |= acts::listed(subject, pool, activity.mount, now),
            Act::Privileged(operation) => {
                floor = acts::privileged(subject, pool, operation, activity.mount, now);
                raised |= floor.is_some() || !subject.standing.is_empty();
            }
            Act::LoginFailed
            | Act::InvalidToken
            | Act::Failed { .. }
            | Act::Unwrapped { .. }
            | Act::RevocationFailed
            | Act::Other => {}
        }
        if let Act::Issued { wrapping, .. } = activity.act
            && wrapping != [None, None]
        {
            let ladder = activity.source.map(Ladder::of);
            let network = ladder.map_or(0, |ladder| ladder.rungs[2]);
            let is_v6 = ladder.is_some_and(|ladder| ladder.is_v6);
            self.wrapped.issued(wrapping, Waiting { subject: key, network, is_v6, hour: now.hour, twin: 0 });
        }
        if let Act::Issued { role, .. } = activity.act {
            let live = &self.liveness;
            self.rates.issue(activity.namespace, activity.mount, role, now.hour, |hour| live.was_live(hour));
        }
        if raised {
            subject.place = activity.place;
            let mount = pool.mount.clone();
            let mut standing = std::mem::take(&mut subject.standing);
            let is_learnt = subject.maturity(now.hour) >= 1.0;
            let seen: &Subject = subject;
            let about = About {
                view: &|| seen.view(&mount),
                activity: Some(activity),
                place: activity.place,
                role,
                floor,
                is_learnt,
                is_broken: false,
            };
            tell(&mut standing, calibration, now, &about, findings);
            subject.standing = standing;
        }
    }

    fn pool_of(&mut self, activity: &Activity<'_>, who: &Who, hour: i32) -> u32 {
        if matches!(activity.act, Act::LoggedIn) {
            return self.pools.of_mount(activity.mount, hour);
        }
        self.pools.of_name(&who.requester.display_name, hour)
    }

    /// Somebody is new. That alone is never an alarm.
    #[allow(clippy::too_many_arguments, reason = "who, where and when of one newcomer")]
    fn arrived(
        &mut self,
        pool: u32,
        key: u64,
        kind: SubjectKind,
        activity: &Activity<'_>,
        who: &Who,
        now: &Now,
        findings: &mut Vec<Finding>,
    ) {
        let Some(pool) = self.pools.get_mut(pool) else { return };
        let often = pool.arrivals(now.hour);
        let strength = strength(often).min(p::NEW_SUBJECT_MOST) * pool.maturity(now.hour);
        pool.new_subjects.add(1.0, now.hour.into(), p::LIFE);
        let mut standing = super::standing::Standing::default();
        let evidence = Evidence {
            component: Component::NewSubject,
            strength,
            observed: 1.0,
            expected: 0.0,
            upper: if often > 1e-3 { 1.0 } else { 0.0 },
            own_max: None,
            last_seen: None,
            peers: Some((0, pool.subjects)),
            detail: pool.mount.clone(),
        };
        if !standing.raise(now.secs, evidence) {
            return;
        }
        let view = || SubjectView {
            key,
            kind,
            namespace: Text::new(activity.namespace),
            entity: who.requester.entity.clone(),
            display_name: who.requester.display_name.clone(),
            role: who.role.clone(),
            mount: pool.mount.clone(),
            switched_off: Vec::new(),
        };
        let role = "";
        let about = About {
            view: &view,
            activity: Some(activity),
            place: activity.place,
            role,
            floor: None,
            is_learnt: false,
            is_broken: false,
        };
        tell(&mut standing, &self.calibration, now, &about, findings);
    }

    /// An answer was unwrapped: it is held against where it was wrapped, and speaks for or against
    /// whoever asked for it.
    pub(super) fn unwrapped(
        &mut self,
        activity: &Activity<'_>,
        tokens: [Option<TokenHash>; 2],
        now: &Now,
        findings: &mut Vec<Finding>,
    ) {
        let Some(waiting) = self.wrapped.unwrapped(tokens) else { return };
        let Some(at) = self.subjects.find(waiting.subject) else { return };
        let Self { subjects, pools, calibration, addresses, .. } = self;
        let Some(subject) = subjects.get_mut(at) else { return };
        let Some(pool) = pools.get_mut(subject.pool) else { return };
        subject.unclaimed.add(false);
        pool.never_unwrapped.add(0.0, 1.0);
        let Some(address) = activity.source.filter(|_| !addresses.is_constant && waiting.network != 0) else {
            return;
        };
        let ladder = Ladder::of(address);
        if ladder.is_v6 != waiting.is_v6 {
            return;
        }
        let elsewhere = ladder.rungs[2] != waiting.network;
        let prior = pool.unwrapped_elsewhere.mean((p::UNWRAPPED_ELSEWHERE, 100.0));
        let part = subject.elsewhere.mean(prior, p::WRAPPED_WEIGHT);
        let hits = subject.elsewhere.hits;
        subject.elsewhere.add(elsewhere);
        pool.unwrapped_elsewhere.add(if elsewhere { 1.0 / (1.0 + hits) } else { 0.0 }, 1.0);
        if !elsewhere {
            return;
        }
        let maturity = subject.maturity(now.hour).max(p::MATURE_BY_PEERS * pool.maturity(now.hour));
        let evidence = Evidence {
            component: Component::UnwrappedElsewhere,
            strength: strength(part) * maturity,
            observed: 1.0,
            expected: 0.0,
            upper: if part > 1e-3 { 1.0 } else { 0.0 },
            own_max: None,
            last_seen: None,
            peers: None,
            detail: Text::from(written(address, super::sources::NETWORK)),
        };
        if subject.standing.raise(now.secs, evidence) {
            let mount = pool.mount.clone();
            let mut standing = std::mem::take(&mut subject.standing);
            let seen: &Subject = subject;
            let about = About {
                view: &|| seen.view(&mount),
                activity: Some(activity),
                place: seen.place,
                role: &seen.role,
                floor: None,
                is_learnt: seen.maturity(now.hour) >= 1.0,
                is_broken: false,
            };
            tell(&mut standing, calibration, now, &about, findings);
            subject.standing = standing;
        }
    }
}

/// What stands for the client that asked: its token, or the address of one without an accessor.
fn token_of(activity: &Activity<'_>) -> u32 {
    match (activity.accessor, activity.source) {
        (Some(accessor), _) => (accessor.0 >> 96) as u32,
        (None, Some(address)) => Ladder::of(address).rungs[0],
        (None, None) => 0,
    }
}

/// The first activity of a subject's hour.
fn open(subject: &mut Subject, pool: &mut super::pool::Pool, now: &Now) -> bool {
    subject.fade(now.hour);
    let prior = pool.volume(2);
    if let Some(maximum) = subject.volume.open(now.hour, prior) {
        pool.volumes[2].add(maximum as f32, 1.0);
    }
    // Whoever began on a Monday has not had a weekend yet.
    let is_known = i64::from(now.hour - subject.first) >= p::CLOCK_AGE;
    let Some(unusual) = subject.clock.unusual(now.hour).filter(|_| is_known) else { return false };
    subject.unusual = Some(unusual);
    let strength =
        pool.clock.strength(unusual, &p::CLOCK_TAIL).min(subject.clock.most()) * subject.maturity(now.hour);
    let part = subject.clock.part(now.hour);
    subject.standing.raise(
        now.secs,
        Evidence {
            component: Component::OffHours,
            strength,
            observed: 1.0,
            expected: part,
            upper: part,
            own_max: None,
            last_seen: None,
            peers: None,
            detail: Text::default(),
        },
    )
}
