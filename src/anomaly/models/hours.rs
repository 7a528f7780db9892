//! The end of an hour: what every subject that was active in it teaches its own baselines, its
//! peers and the calibration. An hour that is near an alarm teaches only what is usual.

use super::Models;
use super::common::Common;
use super::now::{Now, of_hour};
use super::pool::Pool;
use super::slow::Slow;
use super::sources::NETWORK;
use super::subject::{MARK_LISTED, MARK_PRIVILEGED, MARK_TWO_NETWORKS, Subject};
use super::telling::{About, tell};
use crate::anomaly::activity::Activity;
use crate::anomaly::evidence::{Component, Evidence};
use crate::anomaly::finding::Finding;
use crate::anomaly::parameters as p;
use crate::anomaly::stat::rate::Rate;
use crate::anomaly::stat::strength;
use crate::event::Text;

impl Models {
    /// Ends every hour before `hour`.
    pub(super) fn pass(&mut self, hour: i32, findings: &mut Vec<Finding>) {
        if self.hour == 0 {
            (self.hour, self.began) = (hour, hour);
            return;
        }
        // What is late counts as now.
        if hour < self.hour {
            return;
        }
        for over in self.hour..hour {
            self.end(over, findings);
        }
        self.hour = hour;
    }

    fn end(&mut self, hour: i32, findings: &mut Vec<Finding>) {
        self.hour = hour;
        self.expire(hour, findings);
        // An hour without any activity says nothing about anybody: that log may be elsewhere.
        if !self.active.is_empty() {
            let gate = self.gate();
            let active = std::mem::take(&mut self.active);
            self.liveness.mark(hour);
            for seat in &active {
                self.close(*seat as usize, hour, gate, findings);
            }
            self.active = active;
            self.active.clear();
            self.addresses.judge(self.subjects.len());
            let subjects = (0..self.subjects.len()).filter_map(|at| self.subjects.get(at));
            self.common.judge(subjects.filter_map(|subject| subject.slow.lately(hour)));
            self.silence(hour + 1, findings);
        }
        if hour.rem_euclid(24) == 23 {
            self.pools.fade(hour);
        }
    }

    /// Ends the hour of one subject.
    fn close(&mut self, seat: usize, hour: i32, gate: f64, findings: &mut Vec<Finding>) {
        let Self { subjects, pools, calibration, networks, liveness, common, .. } = self;
        let Some(subject) = subjects.get_mut(seat) else { return };
        // Its seat may be another's by now.
        if !subject.is_open || subject.hour != hour {
            return;
        }
        let Some(pool) = pools.get_mut(subject.pool) else { return };
        subject.is_open = false;
        let end = of_hour(hour + 1);
        let now = Now { hour, ..Now::of(end) };
        let is_known = subject.maturity(hour) >= 1.0;
        let addresses = subject.sources.scale_out();
        let (logins, usual) = subject.logged_in;
        let restarts = logins > p::RESTARTS.0 && f64::from(logins) > p::RESTARTS.1 * f64::from(usual);
        (subject.logged_in_before, subject.issued_before) = (logins, subject.volume.issued);
        subject.logged_in = (0, usual + (logins as f32 - usual) / 200.0);
        if restarts {
            subject.slow.say_nothing();
        }
        let more = addresses * common.explains(subject.slow.times());
        let over = subject.slow.add(hour, more, |idle| liveness.was_live(idle));
        if let Some(peak) = over {
            pool.slow.add(peak.into(), 1.0);
        }
        pool.slow.try_again(1.0, hour.into(), p::LIFE);
        if slow(subject, pool, common, &now) {
            let mount = pool.mount.clone();
            let mut standing = std::mem::take(&mut subject.standing);
            let seen: &Subject = subject;
            let about = About {
                view: &|| seen.view(&mount),
                activity: None::<&Activity<'_>>,
                place: seen.place,
                role: &seen.role,
                floor: None,
                is_learnt: is_known,
                is_broken: false,
            };
            tell(&mut standing, calibration, &now, &about, findings);
            subject.standing = standing;
        }
        let combined = subject.standing.close(now.secs);
        let gated = is_known && combined > p::KEEP && calibration.strength(combined) >= gate;
        // An episode of several hours counts once, with its maximum.
        let before = if hour - subject.peak.1 <= p::EPISODE_HOURS { subject.peak.0 } else { 0.0 };
        let weight = if gated { p::ALARM_COUNTS } else { 1.0 };
        calibration.add(if combined > before { combined } else { 0.0 }, weight, hour, is_known);
        if combined >= before {
            subject.peak = (combined, hour);
        }
        learn(subject, pool, hour, gated);
        if !gated && is_known {
            for network in subject.sources.of_hour(hour) {
                networks.add(network, subject.key, hour);
            }
        }
    }

    /// Wrapped credentials that nobody unwrapped in time.
    fn expire(&mut self, hour: i32, findings: &mut Vec<Finding>) {
        let now = Now::of(of_hour(hour + 1));
        while let Some(waiting) = self.wrapped.expired(hour) {
            let Self { subjects, pools, calibration, .. } = self;
            let Some(at) = subjects.find(waiting.subject) else { continue };
            let Some(subject) = subjects.get_mut(at) else { continue };
            let Some(pool) = pools.get_mut(subject.pool) else { continue };
            let prior = pool.never_unwrapped.mean((p::NEVER_UNWRAPPED, 40.0));
            let part = subject.unclaimed.mean(prior, p::WRAPPED_WEIGHT);
            subject.unclaimed.add(true);
            pool.never_unwrapped.add(1.0, 1.0);
            let evidence = Evidence {
                component: Component::NeverUnwrapped,
                strength: strength(part) * subject.maturity(hour),
                observed: 1.0,
                expected: 0.0,
                upper: if part > 1e-3 { 1.0 } else { 0.0 },
                own_max: None,
                last_seen: None,
                peers: None,
                detail: Text::default(),
            };
            if !subject.standing.raise(now.secs, evidence) {
                continue;
            }
            let mut standing = std::mem::take(&mut subject.standing);
            let (seen, mount): (&Subject, _) = (subject, &pool.mount);
            let about = About {
                view: &|| seen.view(mount),
                activity: None,
                place: seen.place,
                role: &seen.role,
                floor: None,
                is_learnt: seen.maturity(hour) >= 1.0,
                is_broken: false,
            };
            tell(&mut standing, calibration, &now, &about, findings);
            subject.standing = standing;
        }
    }

    /// Regular subjects that have stopped, while others have not.
    fn silence(&mut self, hour: i32, findings: &mut Vec<Finding>) {
        for at in 0..self.subjects.len() {
            let Some(subject) = self.subjects.get(at) else { continue };
            let pause = hour - subject.hour - 1;
            if subject.is_open || subject.is_silent || pause < 2 || hour - subject.first < p::SILENCE_AFTER {
                continue;
            }
            let a_day = subject.slow.level() * 24.0;
            if a_day < p::REGULAR {
                continue;
            }
            let silent = self.liveness.between(subject.hour, hour);
            let usual = f64::from(subject.longest_pause.max(1));
            if f64::from(silent) <= usual * p::SILENCE_GAPS {
                continue;
            }
            // (b / (b + T))^a for a rate known from a events in b hours, with as much overdispersion
            // as it has, and no rarer than one pause in all hours known so far.
            let hours = f64::from(subject.hours.max(1.0));
            let (_, phi) = subject.slow.usual(hour);
            let events = subject.slow.level() * hours / phi;
            let ln_p = events * (hours / (hours + f64::from(silent))).ln();
            let strength = crate::anomaly::stat::strength_of_ln(ln_p)
                .min(hours.log10() + f64::from(silent) / usual / 8.0);
            if strength < p::SILENCE_STRENGTH {
                continue;
            }
            let Some(subject) = self.subjects.get_mut(at) else { continue };
            let Some(pool) = self.pools.get(subject.pool) else { continue };
            subject.is_silent = true;
            let now = Now::of(of_hour(hour));
            let evidence = Evidence {
                component: Component::Silence,
                strength,
                observed: silent.into(),
                expected: 1.0,
                upper: usual,
                own_max: Some((usual, of_hour(subject.hour))),
                last_seen: Some(of_hour(subject.hour)),
                peers: None,
                detail: subject.role.clone(),
            };
            let mut standing = super::standing::Standing::default();
            standing.raise(now.secs, evidence);
            let seen: &Subject = subject;
            let about = About {
                view: &|| seen.view(&pool.mount),
                activity: None,
                place: seen.place,
                role: &seen.role,
                floor: None,
                is_learnt: true,
                is_broken: false,
            };
            tell(&mut standing, &self.calibration, &now, &about, findings);
        }
    }
}

/// What one hour teaches peers about something new, an alarm or not: else what is rare would seem
/// to be rarer than it is. One subject teaches little if it is new itself, and little more if it
/// always does it.
fn teach(own: Rate, peers: &mut Rate, hit: bool, weight: f32, exposure: f32) {
    peers.trials += exposure;
    if hit && exposure > 0.0 {
        peers.hits += weight / (1.0 + own.hits / 2.0);
    }
}

fn learn(subject: &mut Subject, pool: &mut Pool, hour: i32, gated: bool) {
    let known = subject.seen >= p::NOVELTY_AFTER;
    let exposure = if known { subject.exposure() as f32 } else { 0.0 };
    let weight = if gated { p::GATED_TEACHES } else { 1.0 };
    subject.seen = subject.seen.saturating_add(1);
    subject.hours += 1.0;
    pool.hours.add(1.0, hour.into(), p::LIFE);
    let priors = [0, 1, 2].map(|scale| pool.volume(scale));
    let maxima = subject.volume.close(hour, gated, &priors);
    for (scale, maximum) in maxima.into_iter().enumerate() {
        pool.volumes[scale].add(maximum as f32, 1.0);
    }
    // Everything is new to a newcomer: that is no habit of his.
    let new_roles = subject.roles.close(hour, gated, exposure);
    teach(subject.roles.rate, &mut pool.roles, new_roles.0 > 0, weight, exposure);
    let new_paths = subject.paths.close(hour, gated, exposure);
    teach(subject.paths.rate, &mut pool.paths, new_paths.0 > 0, weight, exposure);
    if !gated && known {
        for (new, part) in [(new_roles, &mut pool.more_roles), (new_paths, &mut pool.more_paths)] {
            if new.0 > 0 {
                // A storm of one subject is no habit of all.
                let new_now = f32::from(new.0.min(4));
                part.add(if new.1 { new_now } else { new_now - 1.0 }, new_now);
            }
        }
    }
    let stranger = subject.sources.stranger;
    let level = subject.sources.close(hour, gated, exposure);
    for index in 0..pool.sources.len() {
        let hit = level > index;
        teach(subject.sources.rates[index], &mut pool.sources[index], hit, weight, exposure);
    }
    if let Some(stranger) = stranger.filter(|_| known && !gated) {
        let far = usize::from(stranger.level >= NETWORK as u8);
        pool.overlap[far].add(f32::from(u8::from(stranger.overlap)), 1.0);
        pool.no_login[far].add(f32::from(u8::from(stranger.no_login)), 1.0);
    }
    let marks = std::mem::take(&mut subject.marks);
    let both = marks & MARK_TWO_NETWORKS != 0;
    teach(subject.two_networks, &mut pool.two_networks, both, weight, 1.0);
    subject.two_networks.trials += 1.0;
    if both && !gated {
        subject.two_networks.hits += 1.0;
    }
    pool.listings.trials += 1.0;
    pool.privileged.trials += 1.0;
    if known {
        pool.listings.hits += if marks & MARK_LISTED != 0 { 1.0 } else { 0.0 };
        pool.privileged.hits += if marks & MARK_PRIVILEGED != 0 { 1.0 } else { 0.0 };
    }
    let denied = std::mem::take(&mut subject.denials.count);
    if !gated {
        subject.denials.own.add(denied, hour, p::EXTREMES_MEMORY);
        subject.denials.sum += denied.min(100) as f32;
    }
    pool.denials.add(denied.min(20) as f32, 1.0);
    if let Some(unusual) = subject.unusual.take() {
        pool.clock.try_again(1.0, hour.into(), p::LIFE);
        pool.clock.add(unusual, 1.0);
    }
    subject.clock.add(hour);
    if hour.rem_euclid(6) == 0 {
        subject.recognise();
    }
}

/// Evidence of a raised rate, where there is more of it than was said.
fn slow(subject: &mut Subject, pool: &Pool, common: &Common, now: &Now) -> bool {
    let Some((peak, observed, expected, since)) = subject.slow.excursion() else { return false };
    if peak < p::SLOW_LOOK || observed - expected < p::SLOW_LEAST {
        return false;
    }
    let maturity = subject.maturity(now.hour);
    let mut strength = pool.slow.strength(peak, &p::SLOW_TAIL) * maturity;
    let times = observed / expected.max(1e-3);
    if common.excuses(times) || times <= subject.sources.scale_out() * p::SCALE_OUT_EXCUSES {
        strength = strength.min(p::EXCUSED_MOST);
    }
    if strength < p::KEEP {
        return false;
    }
    let Slow { told, .. } = &mut subject.slow;
    // Once it is far beyond any threshold, it is known.
    let is_news = strength >= f64::from(*told) + p::SLOW_NEWS && f64::from(*told) < p::SLOW_TOLD;
    if is_news {
        *told = strength as f32;
    }
    let evidence = Evidence {
        component: Component::Slow,
        strength,
        observed,
        expected,
        upper: expected + 3.1 * (expected * subject.slow.usual(now.hour).1).sqrt(),
        own_max: None,
        last_seen: None,
        peers: None,
        detail: Text::from(format!("since {}", of_hour(since).day())),
    };
    is_news && subject.standing.raise(now.secs, evidence)
}
