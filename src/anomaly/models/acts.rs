//! What a request is about, judged: credentials, denials, listings, privileged operations. Each
//! raises evidence; none decides alone.

use super::novelty::Look;
use super::now::{Now, hash, of_hour};
use super::pool::Pool;
use super::subject::{LISTED, MARK_LISTED, MARK_PRIVILEGED, NO_ROLES, Subject, bit};
use super::volume::SCALES;
use crate::anomaly::evidence::{Component, Evidence};
use crate::anomaly::finding::Severity;
use crate::anomaly::parameters as p;
use crate::anomaly::stat::count::Counts;
use crate::anomaly::stat::{strength, strength_of_ln};
use crate::event::{Privileged, Text};

/// A credential was issued. `true` if evidence was raised.
pub fn issued(
    subject: &mut Subject,
    pool: &mut Pool,
    (role, token): (&str, u32),
    now: &Now,
    is_troubled: bool,
) -> bool {
    let mut raised = new_role(subject, pool, role, now);
    if subject.role != role {
        subject.role = Text::new(role);
    }
    let maturity = subject.maturity(now.hour);
    // Whoever serves many applications takes a credential for each when it restarts: of it, what is judged
    // is how much one role gets.
    let client = if subject.off & NO_ROLES == 0 { token } else { super::now::short(hash(role)) };
    let counts = subject.volume.issue(now, client);
    for (scale, count) in counts.into_iter().enumerate() {
        let Some(count) = count else { continue };
        let prior = pool.volume(scale);
        let mut strength = subject.volume.strength(scale, count, prior, subject.restarts()) * maturity;
        if is_troubled && subject.volume.is_spread() {
            // After an outage everybody is back at once.
            strength = strength.min(p::TROUBLED_MOST);
        }
        if strength < p::KEEP {
            continue;
        }
        let renewed = subject.standing.renew(now.secs, SCALES[scale], strength, count.into());
        raised |= renewed.unwrap_or_else(|| {
            let evidence = subject.volume.evidence(scale, count, prior, strength, Text::new(role));
            subject.standing.raise(now.secs, evidence)
        });
    }
    raised
}

fn new_role(subject: &mut Subject, pool: &mut Pool, role: &str, now: &Now) -> bool {
    let name = hash(role);
    let before = subject.roles.hours_of(name);
    let look = subject.roles.look(name, now.hour, p::ROLES);
    // How much it takes of a role that it has just taken up says nothing about the others. What a subject
    // began with is no such role.
    let first = subject.roles.hours_of(name).map_or(now.hour, |(first, _)| first);
    let is_young = now.hour - first < p::YOUNG_ROLE && first - subject.first > p::YOUNG_ROLE / 2;
    subject.slow.issue(is_young, super::now::short(name));
    let (new, weight) = match look {
        Look::Known => return false,
        Look::New(new) => (new, 1.0),
        Look::Again(back) => (back, p::AGAIN),
    };
    let peers = pool.users(name);
    if matches!(look, Look::New(_)) {
        pool.uses(name);
    }
    if subject.off & NO_ROLES != 0 {
        return false;
    }
    let prior = pool.roles.mean(p::NEW_ROLE, p::POOL_WEIGHT);
    let part = subject.roles.rate.among(prior, p::NOVELTY_WEIGHT, p::SHAPE) * subject.exposure();
    let more = pool.more_roles.mean(p::ONE_MORE_PRIOR).clamp(p::ONE_MORE.0, p::ONE_MORE.1);
    let maturity = subject.maturity(now.hour);
    let evidence = Evidence {
        component: Component::NewRole,
        // One role is what a new version of a service brings.
        strength: (strength(part).min(p::ONE_ROLE) + f64::from(new - 1) * strength(more)).min(30.0)
            * maturity
            * weight,
        observed: new.into(),
        expected: 0.0,
        upper: most_new(part, more),
        own_max: None,
        last_seen: before.map(|(_, last)| of_hour(last)),
        peers: Some(peers),
        detail: Text::new(role),
    };
    subject.standing.raise(now.secs, evidence)
}

/// How many new things come once in a thousand hours, when one comes in this part of them.
fn most_new(part: f64, more: f64) -> f64 {
    if part <= 1e-3 {
        return 0.0;
    }
    (1.0 + (1e-3 / part).ln() / more.ln()).floor().max(1.0)
}

/// A request was denied, or its path does not exist.
pub fn denied(subject: &mut Subject, pool: &Pool, path: u64, now: &Now) -> bool {
    let maturity = subject.maturity(now.hour).max(p::MATURE_BY_PEERS * pool.maturity(now.hour));
    let mut raised = false;
    let look = subject.paths.look(path, now.hour, p::PATHS);
    if let Look::New(new) = look {
        let prior = pool.paths.mean(p::NEW_PATH, p::POOL_WEIGHT);
        let part = subject.paths.rate.among(prior, p::NOVELTY_WEIGHT, p::SHAPE) * subject.exposure();
        let more = pool.more_paths.mean(p::ONE_MORE_PRIOR).clamp(p::ONE_MORE.0, p::ONE_MORE.1);
        let evidence = Evidence {
            component: Component::UnknownPaths,
            // One path is what a mistake in a configuration looks like.
            strength: (strength(part).min(p::ONE_PATH) + f64::from(new - 1) * strength(more)).min(30.0)
                * maturity,
            observed: new.into(),
            expected: 0.0,
            upper: most_new(part, more),
            own_max: None,
            last_seen: None,
            peers: None,
            detail: Text::default(),
        };
        raised |= subject.standing.raise(now.secs, evidence);
    }
    let denials = &mut subject.denials;
    denials.count += 1;
    let count = denials.count;
    let hours = f64::from(subject.hours);
    let peers = pool.denials.mean((p::DENIALS, p::COUNT_WEIGHT * 5.0));
    let mean = (f64::from(denials.sum) + peers * p::COUNT_WEIGHT) / (hours + p::COUNT_WEIGHT);
    let counts = Counts { mean, phi: p::DENIAL_PHI };
    let formula = strength_of_ln(counts.ln_sf(count.into()));
    let own = strength_of_ln(denials.own.ln_sf(count, hours.max(p::COUNT_WEIGHT)));
    let strength = (formula.min(own) * maturity).min(p::DENIALS_MOST);
    if strength >= p::KEEP {
        let largest = denials.own.largest();
        let evidence = Evidence {
            component: Component::Denials,
            strength,
            observed: count.into(),
            expected: counts.first_rarer(0.5, 1 << 20).saturating_sub(1) as f64,
            upper: (counts.first_rarer(1e-3, 1 << 20).saturating_sub(1) as f64)
                .max(largest.map_or(0.0, |own| own.count.into())),
            own_max: largest.map(|own| (f64::from(own.count), of_hour(own.hour))),
            last_seen: None,
            peers: None,
            detail: Text::default(),
        };
        raised |= subject.standing.raise(now.secs, evidence);
    }
    raised
}

/// The names of roles were listed.
pub fn listed(subject: &mut Subject, pool: &Pool, mount: &str, now: &Now) -> bool {
    if subject.done & LISTED != 0 {
        return false;
    }
    subject.done |= LISTED;
    subject.marks |= MARK_LISTED;
    let part = pool.listings.mean(p::FIRST_LISTING, p::COUNT_WEIGHT * 5.0);
    first(subject, pool, Component::RoleListing, part, mount, now)
}

/// A privileged operation worked: a rule of its own. Gives the least severity that it has.
pub fn privileged(
    subject: &mut Subject,
    pool: &Pool,
    operation: Privileged,
    mount: &str,
    now: &Now,
) -> Option<Severity> {
    let is_first = subject.done & bit(operation) == 0;
    subject.done |= bit(operation);
    if is_first {
        subject.marks |= MARK_PRIVILEGED;
        let part = pool.privileged.mean(p::FIRST_PRIVILEGED, p::COUNT_WEIGHT * 5.0);
        first(subject, pool, Component::Rule(operation), part, mount, now);
    }
    let floor = match operation {
        // These can take the ground from under everything, and are done once in a year.
        Privileged::AuditChange | Privileged::GenerateRoot | Privileged::RawAccess => Severity::Page,
        Privileged::RootToken => Severity::Notice,
        // In the first days everything is done for the first time.
        _ if is_first && pool.maturity(now.hour) >= 1.0 => Severity::Notice,
        _ => return None,
    };
    let what = Component::Rule(operation);
    if !is_first && subject.standing.renew(now.secs, what, 0.0, 1.0).is_some() {
        // It was said within the hour.
        return None;
    }
    if !is_first {
        subject.standing.raise(now.secs, rule(what, 0.0, mount));
    }
    Some(floor)
}

fn first(
    subject: &mut Subject,
    pool: &Pool,
    component: Component,
    part: f64,
    mount: &str,
    now: &Now,
) -> bool {
    let maturity = subject.maturity(now.hour).max(p::MATURE_BY_PEERS * pool.maturity(now.hour));
    subject.standing.raise(now.secs, rule(component, strength(part) * maturity, mount))
}

fn rule(component: Component, strength: f64, mount: &str) -> Evidence {
    Evidence {
        component,
        strength,
        observed: 1.0,
        expected: 0.0,
        upper: 0.0,
        own_max: None,
        last_seen: None,
        peers: None,
        detail: Text::new(mount),
    }
}
