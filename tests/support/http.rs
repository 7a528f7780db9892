//! A small blocking HTTP client for tests: one request a connection, from a source
//! address of the caller's choice. Clients of Vault differ by address, and no ordinary
//! client library binds one per request.

use serde_json::Value;
use socket2::{Domain, Socket, Type};
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// One request.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    from: IpAddr,
    timeout: Duration,
}

/// The answer to a request.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// HTTP status.
    pub(crate) status: u16,
    /// Header names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    /// The body as it came.
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// A request without a body, from 127.0.0.1.
    pub(crate) fn new(method: &str, path: &str) -> Self {
        Self {
            method: method.into(),
            path: path.into(),
            headers: Vec::new(),
            body: Vec::new(),
            from: Ipv4Addr::LOCALHOST.into(),
            timeout: Duration::from_secs(60),
        }
    }

    /// Adds a header.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sends JSON.
    pub(crate) fn json(mut self, body: &Value) -> Self {
        self.body = body.to_string().into_bytes();
        self.header("content-type", "application/json")
    }

    /// Sends these bytes.
    pub(crate) fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    /// Binds this address before connecting; all of 127.0.0.0/8 is the loopback's on Linux.
    pub(crate) fn from(mut self, address: &str) -> Self {
        self.from = address.parse().expect("an IP address");
        self
    }

    /// How long connecting, and each read, may take; a minute unless told.
    pub(crate) fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sends it to a loopback port and reads the whole answer.
    ///
    /// # Errors
    /// When there is nobody, when the connection breaks, or when the answer is not HTTP.
    pub(crate) fn send(&self, port: u16) -> std::io::Result<Reply> {
        let server = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::new(self.from, 0).into())?;
        socket.connect_timeout(&server.into(), self.timeout)?;
        socket.set_read_timeout(Some(self.timeout))?;
        let mut stream = std::net::TcpStream::from(socket);
        // HTTP/1.0: the end of the answer is the end of the connection, and nothing is chunked.
        let mut head = format!("{} {} HTTP/1.0\r\nhost: {server}\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        write!(head, "content-length: {}\r\n\r\n", self.body.len()).unwrap();
        stream.write_all(head.as_bytes())?;
        stream.write_all(&self.body)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Reply::parse(&answer).ok_or_else(|| {
            let seen = String::from_utf8_lossy(&answer[..answer.len().min(200)]).into_owned();
            std::io::Error::other(format!("not an HTTP answer: {seen:?}"))
        })
    }
}

impl Reply {
    fn parse(answer: &[u8]) -> Option<Self> {
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&answer[..end]).ok()?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers: Vec<_> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_string()))
            .collect();
        let body = answer[end + 4..].to_vec();
        let length = headers.iter().find(|(name, _)| name == "content-length");
        // A shorter body than announced is a broken connection, not an answer.
        if length.is_some_and(|(_, value)| value.parse() != Ok(body.len())) {
            return None;
        }
        Some(Self { status, headers, body })
    }

    /// A header, by its name in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; `null` when it is none.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// A string in the JSON body, by pointer (`/auth/client_token`); a failed test without it.
    pub(crate) fn string(&self, pointer: &str) -> String {
        match self.json().pointer(pointer).and_then(Value::as_str) {
            Some(found) => found.to_string(),
            None => panic!("no {pointer} in HTTP {}: {}", self.status, self.text()),
        }
    }
}
