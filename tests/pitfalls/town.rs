//! A small town: the ordinary clients that every story needs around what it tells.

use crate::story::{Client, DAY, HOUR, MINUTE, Story};

/// Who lives in a town.
pub(crate) struct Town {
    /// Services with one address, one role and a credential an hour.
    pub(crate) services: Vec<Client>,
    /// People who work on workdays from 8 to 17 (UTC), a few credentials a day of two roles.
    pub(crate) people: Vec<Client>,
    /// A job with seven credentials a night.
    pub(crate) nightly: Client,
}

impl Town {
    /// A town that has lived for so many days.
    pub(crate) fn lives(story: &mut Story, days: i64) -> Self {
        Self::of(story, 8, 5, days)
    }

    /// A town of so many services and people.
    pub(crate) fn of(story: &mut Story, services: usize, people: usize, days: i64) -> Self {
        let town = Self {
            services: (0..services)
                .map(|n| Client::new("approle", &format!("service-{n}"), &format!("10.1.{n}.7")))
                .collect(),
            people: (0..people)
                .map(|n| Client::new("oidc", &format!("person-{n}"), &format!("192.0.{n}.33")))
                .collect(),
            nightly: Client::new("approle", "nightly", "10.2.0.9"),
        };
        for day in 0..days {
            town.day(story, day);
        }
        town
    }

    /// One day of it.
    pub(crate) fn day(&self, story: &mut Story, day: i64) {
        for client in &self.services {
            service_day(story, client, &service_role(client), day);
        }
        if day % 7 < 5 {
            for client in &self.people {
                person_day(story, client, day, 8 * HOUR);
            }
        }
        let night = day * DAY + 2 * HOUR + story.chance(2 * MINUTE);
        let job = self.nightly.with_token(u64::try_from(day).unwrap() + 77_000);
        story.login(night, &job);
        for n in 0..7 {
            story.issue(night + 5 + n * 20, &job, "batch");
        }
    }
}

/// The role that a service of the town uses.
pub(crate) fn service_role(client: &Client) -> String {
    format!("{}-rw", client.role)
}

/// A credential an hour, at about the same minute.
pub(crate) fn service_day(story: &mut Story, client: &Client, role: &str, day: i64) {
    let client = client.with_token(client.token.wrapping_add(u64::try_from(day).unwrap()));
    story.login(day * DAY, &client);
    for hour in 0..24 {
        let at = day * DAY + hour * HOUR + 10 * MINUTE + story.chance(4 * MINUTE);
        story.issue(at, &client, role);
    }
}

/// A person's day that begins at that second of it: two to four sessions.
pub(crate) fn person_day(story: &mut Story, client: &Client, day: i64, begins: i64) {
    for n in 0..2 + story.chance(3) {
        let at = day * DAY + begins + story.chance(9 * HOUR);
        let client = client.with_token(client.token.wrapping_add(u64::try_from(day * 8 + n).unwrap()));
        story.login(at, &client);
        story.issue(at + 20, &client, "reading");
        if story.chance(2) == 0 {
            story.issue(at + 90, &client, "support");
        }
    }
}
