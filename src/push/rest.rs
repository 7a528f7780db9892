//! The requests of OneUptime's REST API that incidents need. What comes of one is an ID, or nothing.

use super::client::Outgoing;
use super::courier::{Courier, Sent};
use crate::config::IncidentsConfig;
use serde_json::{Value, json};

/// Asks for what incidents need.
pub(super) struct Rest {
    pub(super) courier: Courier,
    base: String,
    project: String,
    severity: String,
    /// ID of the state that means that an incident is resolved.
    resolved: Option<String>,
}

/// An answer.
pub(super) type Answered<T> = Result<T, Sent>;

impl Rest {
    pub(super) fn new(courier: Courier, base: &str, config: &IncidentsConfig) -> Self {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        Self {
            courier,
            base: format!("{base}/api"),
            project: text(&config.project_id),
            severity: text(&config.severity_id),
            resolved: None,
        }
    }

    /// The incident of this title, if there is one.
    pub(super) async fn find(&mut self, title: &str) -> Answered<Option<String>> {
        let body = json!({"query": {"title": title}, "select": {"_id": true}, "sort": {}});
        let answer = self.ask("POST", "/incident/get-list?skip=0&limit=1", &body).await?;
        Ok(first_id(&answer))
    }

    /// Opens one.
    pub(super) async fn create(&mut self, title: &str, description: &str) -> Answered<String> {
        let data = json!({"title": title, "description": description, "incidentSeverityId": self.severity});
        let answer = self.ask("POST", "/incident", &json!({"data": data})).await?;
        // Without an ID it is looked up the next time.
        id(&answer).ok_or(Sent::Wait(std::time::Duration::from_secs(1)))
    }

    /// Says what it is about now.
    pub(super) async fn describe(&mut self, incident: &str, description: &str) -> Answered<()> {
        self.change(incident, &json!({"description": description})).await
    }

    /// Ends it.
    pub(super) async fn resolve(&mut self, incident: &str) -> Answered<()> {
        let resolved = if let Some(known) = self.resolved.clone() {
            known
        } else {
            let body = json!({"query": {"isResolvedState": true}, "select": {"_id": true}, "sort": {}});
            let answer = self.ask("POST", "/incident-state/get-list?skip=0&limit=1", &body).await?;
            first_id(&answer).ok_or(Sent::Unusable)?
        };
        self.resolved = Some(resolved.clone());
        self.change(incident, &json!({"currentIncidentStateId": resolved})).await
    }

    async fn change(&mut self, incident: &str, data: &Value) -> Answered<()> {
        self.ask("PUT", &format!("/incident/{incident}"), &json!({"data": data})).await.map(|_| ())
    }

    async fn ask(&mut self, method: &str, path: &str, body: &Value) -> Answered<Value> {
        let mut outgoing = Outgoing::json(format!("{}{path}", self.base), body.to_string().into_bytes());
        if method == "PUT" {
            outgoing.method = reqwest::Method::PUT;
        }
        let project = self.project.clone();
        let make = |key: &str| outgoing.header("ApiKey", key).header("ProjectID", &project);
        match self.courier.send(make).await {
            Sent::Taken(body) => Ok(serde_json::from_slice(&body).unwrap_or_default()),
            sent => Err(sent),
        }
    }
}

fn first_id(answer: &Value) -> Option<String> {
    id(answer.get("data")?.get(0)?)
}

/// An ID stands as such, or with its type around it.
fn id(item: &Value) -> Option<String> {
    let id = item.get("_id")?;
    let text = id.as_str().or_else(|| id.get("value")?.as_str())?;
    // It becomes part of a path.
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-';
    (!text.is_empty() && text.chars().all(is_plain)).then(|| text.to_owned())
}
