//! A client that speaks TLS, with or without a certificate and a password.

use reqwest::{Certificate, Client, Identity, redirect};

/// What a client knows.
#[derive(Clone, Default)]
pub(crate) struct Https {
    /// PEM of the authorities that it trusts.
    pub(crate) trusts: String,
    /// PEM of its certificate and key.
    pub(crate) shows: Option<(String, String)>,
    /// Name and password.
    pub(crate) says: Option<(String, String)>,
    /// The newest TLS that it speaks.
    pub(crate) tls12: bool,
}

impl Https {
    pub(crate) fn trusting(pem: &str) -> Self {
        Self { trusts: pem.to_owned(), ..Self::default() }
    }

    pub(crate) fn saying(&self, user: &str, password: &str) -> Self {
        Self { says: Some((user.to_owned(), password.to_owned())), ..self.clone() }
    }

    pub(crate) fn showing(&self, (cert, key): &(String, String)) -> Self {
        Self { shows: Some((cert.clone(), key.clone())), ..self.clone() }
    }

    /// Status and body of a path; what went wrong where there is no answer. Each time over a new connection.
    pub(crate) fn get(&self, port: u16, path: &str) -> Result<(u16, String), String> {
        self.ask("GET", port, path)
    }

    pub(crate) fn ask(&self, method: &str, port: u16, path: &str) -> Result<(u16, String), String> {
        self.send(method, port, path, "")
    }

    /// The same with a body.
    pub(crate) fn send(
        &self,
        method: &str,
        port: u16,
        path: &str,
        body: &str,
    ) -> Result<(u16, String), String> {
        let mut builder = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .tls_certs_only(Certificate::from_pem_bundle(self.trusts.as_bytes()).unwrap());
        if let Some((cert, key)) = &self.shows {
            builder = builder.identity(Identity::from_pem(format!("{cert}\n{key}").as_bytes()).unwrap());
        }
        if self.tls12 {
            builder = builder.tls_version_max(reqwest::tls::Version::TLS_1_2);
        }
        let mut request = builder
            .build()
            .unwrap()
            .request(method.parse().unwrap(), format!("https://127.0.0.1:{port}{path}"));
        if let Some((user, password)) = &self.says {
            request = request.basic_auth(user, Some(password));
        }
        if !body.is_empty() {
            request = request.body(body.to_owned());
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let answer = request.send().await.map_err(|error| format!("{error:?}"))?;
            let status = answer.status().as_u16();
            Ok((status, answer.text().await.map_err(|error| format!("{error:?}"))?))
        })
    }
}
