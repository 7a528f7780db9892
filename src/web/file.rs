//! The keys of the web configuration file, as Prometheus's exporters have them: YAML to texts with their lines.
//! Unknown keys are refused. What the values mean is in `rules` and `tls`.

use super::problem::WebConfigError;
use serde::Deserialize;
use serde_saphyr::{DuplicateKeyPolicy, Error, Spanned};
use std::collections::BTreeMap;
use std::path::Path;

/// A text and where it stands.
pub(super) type Line = Spanned<String>;

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct WebFile {
    pub(super) tls_server_config: Option<TlsServer>,
    pub(super) http_server_config: Option<HttpServer>,
    pub(super) rate_limit: Option<RateLimit>,
    pub(super) basic_auth_users: Option<BTreeMap<String, Line>>,
}

/// How TLS is spoken.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TlsServer {
    pub(super) cert: Option<Line>,
    pub(super) key: Option<Line>,
    pub(super) client_ca: Option<Line>,
    pub(super) cert_file: Option<Line>,
    pub(super) key_file: Option<Line>,
    pub(super) client_auth_type: Option<Line>,
    pub(super) client_ca_file: Option<Line>,
    pub(super) client_allowed_sans: Option<Vec<Line>>,
    pub(super) min_version: Option<Line>,
    pub(super) max_version: Option<Line>,
    pub(super) cipher_suites: Option<Vec<Line>>,
    pub(super) prefer_server_cipher_suites: Option<bool>,
    pub(super) curve_preferences: Option<Vec<Line>>,
}

/// How HTTP is spoken.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct HttpServer {
    /// Taken and of no effect: HTTP/1.1 is what every client agrees to.
    #[allow(dead_code, reason = "it has to be known, and be a boolean")]
    http2: Option<bool>,
    pub(super) headers: Option<BTreeMap<String, Line>>,
}

/// Requests in a time.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RateLimit {
    pub(super) interval: Option<Line>,
    pub(super) burst: Option<Spanned<u32>>,
}

impl TlsServer {
    /// Whether TLS is asked for at all; Prometheus's exporters go by the same keys.
    pub(super) fn is_asked_for(&self) -> bool {
        let keys = [
            &self.cert,
            &self.cert_file,
            &self.key,
            &self.key_file,
            &self.client_ca,
            &self.client_ca_file,
            &self.client_auth_type,
        ];
        keys.into_iter().any(|key| given(key.as_ref()).is_some())
    }
}

/// A value that is not empty.
pub(super) fn given(line: Option<&Line>) -> Option<&Line> {
    line.filter(|line| !line.value.is_empty())
}

/// The line of a value.
pub(super) fn line_of<T>(of: &Spanned<T>) -> Option<u64> {
    Some(of.referenced.line()).filter(|line| *line > 0)
}

/// Reads the text of `file`.
pub(super) fn parse(file: &Path, text: &str) -> Result<WebFile, WebConfigError> {
    // Nothing but comments is a file that asks for nothing.
    if text.lines().all(|line| matches!(line.trim(), "" | "---") || line.trim_start().starts_with('#')) {
        return Ok(WebFile::default());
    }
    let options = serde_saphyr::options! { duplicate_keys: DuplicateKeyPolicy::Error, with_snippet: false };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let line = error.location().map(|at| at.line()).filter(|line| *line > 0);
        let (problem, remedy) = words(&error);
        WebConfigError::new(file, line, problem, remedy)
    })
}

/// What is wrong, without anything of the values: they may be secrets.
fn words(error: &Error) -> (String, String) {
    match error.without_snippet() {
        Error::SerdeUnknownField { field, expected, .. } => (
            format!("there is no key `{}`", field.escape_debug()),
            format!("Known here: {}", expected.join(", ")),
        ),
        Error::DuplicateMappingKey { .. } => {
            ("a key stands here twice".to_owned(), "Keep one of them".to_owned())
        }
        _ => (
            "this is not what the file takes here".to_owned(),
            "See the keys and their values in docs/access.md; YAML wants spaces, not tabs, before a key"
                .to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> String {
        parse(Path::new("web.yml"), text).unwrap_err().to_string()
    }

    #[test]
    fn a_mistake_is_told_with_its_line_and_without_a_value() {
        let unknown = wrong("# first\ntls_server_config:\n  cert_file: a.pem\n  certfile: b.pem\n");
        assert!(
            unknown.starts_with("web.yml:4: there is no key `certfile`. Known here: cert, key, "),
            "{unknown}"
        );
        let top = wrong("tls_server_confg: {}\n");
        assert!(top.starts_with("web.yml:1: there is no key `tls_server_confg`"), "{top}");
        let twice = wrong("basic_auth_users:\n  a: x\n  a: y\n");
        assert!(twice.starts_with("web.yml:3: a key stands here twice"), "{twice}");
        for text in [
            "basic_auth_users: hunter2\n",
            "tls_server_config:\n  key: [hunter2]\n",
            "basic_auth_users:\n\ta: hunter2\n",
        ] {
            let told = wrong(text);
            assert!(told.starts_with("web.yml:") && !told.contains("hunter2"), "{told}");
        }
        let switch = wrong("http_server_config:\n  http2: hunter2\n");
        assert!(switch.starts_with("web.yml:2: ") && !switch.contains("hunter2"), "{switch}");
    }

    #[test]
    fn nothing_is_a_file_too() {
        for text in [
            "",
            "\n# nothing yet\n---\n",
            "{}",
            "basic_auth_users:\n",
            "tls_server_config: {}\nbasic_auth_users: {}\n",
        ] {
            let file = parse(Path::new("web.yml"), text).unwrap();
            assert!(!file.tls_server_config.unwrap_or_default().is_asked_for(), "{text:?}");
            assert!(file.basic_auth_users.unwrap_or_default().is_empty(), "{text:?}");
        }
    }
}
