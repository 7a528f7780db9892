//! Ordinary days: clients at work, each with its habits, until they are told to stop.

use crate::client::Client;
use crate::truth::{Truth, now};
use crate::world::{BATCH, HEALTHY, MISSING, MOUNTS, OWNER, STEADY, STEADY_2, World};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// TTL of the [`HEALTHY`] role, which stays in the dark with a wrapped answer.
const HEALTHY_TTL: f64 = 6.0;
/// How long tokens of the `brief` and `batch` `AppRole`s live.
const TOKEN_TTL: f64 = 10.0;

/// Clients at work on every mount, in threads of their own, until `done`.
pub(crate) fn ordinary_days(world: &World, truth: &Truth, done: &AtomicBool) {
    std::thread::scope(|scope| {
        for (number, (namespace, mount)) in MOUNTS.iter().enumerate() {
            scope.spawn(move || application(world, truth, namespace, mount, number * 4, done));
            scope.spawn(move || short_tokens(world, truth, namespace, mount, done));
        }
    });
}

/// An application that does by turns whatever can be done with leases.
fn application(
    world: &World,
    truth: &Truth,
    namespace: &'static str,
    mount: &'static str,
    first: usize,
    done: &AtomicBool,
) {
    let mut client = None;
    // Leases that live on, for a time when there are no new ones.
    let mut kept: Vec<usize> = Vec::new();
    for turn in first.. {
        if done.load(Ordering::SeqCst) {
            return;
        }
        let Some(app) = &client else {
            client = Client::login(world, truth, namespace, "app");
            std::thread::sleep(Duration::from_millis(200));
            continue;
        };
        let steady = || app.issue(mount, STEADY);
        match turn % 14 {
            0 => {
                app.issue(mount, HEALTHY);
                // What batch tokens get of this role ends long before this one.
                app.issue(mount, BATCH);
            }
            1 => {
                if let Some(lease) = steady() {
                    kept.push(lease);
                    app.renew(lease, None);
                } else if let Some(lease) = kept.pop() {
                    // The database is away: the request is taken, and done when that is back.
                    app.revoke_by_path(lease, false);
                }
            }
            2 => {
                if let Some(lease) = app.issue(mount, HEALTHY) {
                    app.renew(lease, Some(12));
                }
            }
            3 => drop(steady().map(|lease| app.revoke_by_path(lease, false))),
            4 => drop(steady().map(|lease| app.revoke_by_path(lease, true))),
            5 => {
                if let Some(lease) = steady() {
                    let known = app.renew(lease, None);
                    app.revoke_by_body(lease, true, known);
                } else if let Some(lease) = kept.pop() {
                    // The database is away: a request to do it at once fails.
                    app.revoke_by_body(lease, true, true);
                }
            }
            6 => drop(steady().map(|lease| app.revoke_by_body(lease, true, false))),
            7 => app.issue_wrapped(mount, HEALTHY, HEALTHY_TTL, true),
            8 => app.issue_wrapped(mount, HEALTHY, HEALTHY_TTL, false),
            9 => {
                app.issue(mount, MISSING);
                app.issue(mount, STEADY_2);
            }
            10 => drop(app.issue(mount, OWNER)),
            11 => {
                if let Some(lease) = steady() {
                    let known = app.renew(lease, Some(60));
                    app.revoke_by_body(lease, false, known);
                }
            }
            12 => {
                if let Some(child) = app.child() {
                    child.issue(mount, STEADY);
                    child.revoked_by_operator();
                }
            }
            _ => {
                // A token with children and leases, which goes with all of them.
                let Some(parent) = Client::login(world, truth, namespace, "app") else { continue };
                if let Some(child) = parent.child() {
                    child.issue(mount, STEADY);
                    child.leases_end_with_the_token();
                }
                parent.issue(mount, HEALTHY);
                parent.issue_wrapped(mount, STEADY, 300.0, false);
                parent.issue(mount, STEADY);
                parent.revoke_self();
            }
        }
        std::thread::sleep(Duration::from_millis(350));
    }
}

/// Clients whose tokens end long before their leases would.
fn short_tokens(
    world: &World,
    truth: &Truth,
    namespace: &'static str,
    mount: &'static str,
    done: &AtomicBool,
) {
    while !done.load(Ordering::SeqCst) {
        let end = now() + TOKEN_TTL;
        if let Some(client) = Client::login(world, truth, namespace, "brief") {
            client.issue(mount, STEADY);
            client.leases_end_by(end);
        }
        let end = now() + TOKEN_TTL;
        if let Some(client) = Client::login(world, truth, namespace, "batch") {
            client.issue(mount, BATCH);
            client.leases_end_by(end);
        }
        for _ in 0..16 {
            if !done.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(250));
            }
        }
    }
}
