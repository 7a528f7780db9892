//! `GET /leases`: the outstanding leases, as a JSON document with one lease a line, so that neither
//! end has to hold the text of a million. Lease IDs are in it only where they are asked for.

use super::ask::{self, AskError};
use crate::event::Timestamp;
use crate::report::leases::{Filter, Is, Leases};
use crate::state::LeaseView;
use axum::body::{Bytes, HttpBody};
use hyper::body::Frame;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::convert::Infallible;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::mpsc::Receiver;

/// Its path.
pub(in crate::command) const PATH: &str = "/leases";

/// Of this document; to be raised when a reader of the one before would misread it.
const VERSION: u32 = 1;
/// Where the head of the document ends, and its tail.
const HEAD_END: &str = r#","leases":["#;
const TAIL: &str = "]}";

/// What is said once.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    version: u32,
    as_of: Timestamp,
    notes: Vec<String>,
}

/// What is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::command) struct Query {
    /// Which leases.
    pub(in crate::command) filter: Filter,
    /// With their IDs.
    pub(in crate::command) ids: bool,
}

impl Query {
    /// As parameters of the URL.
    fn parameters(&self) -> Vec<(&'static str, String)> {
        let Filter { namespace, mount, role, requester, conditions } = &self.filter;
        let texts = [("namespace", namespace), ("mount", mount), ("role", role), ("requester", requester)];
        let texts = texts.into_iter().filter_map(|(name, text)| Some((name, text.clone()?)));
        let conditions = conditions.iter().map(|is| ("condition", is.name().to_owned()));
        texts.chain(conditions).chain(self.ids.then(|| ("ids", "true".to_owned()))).collect()
    }

    /// What is left of some leases: those that were asked for, without what was not.
    pub(in crate::command) fn apply_to(&self, leases: &mut Vec<LeaseView>) {
        leases.retain(|lease| self.filter.lets_through(lease));
        if !self.ids {
            for lease in leases {
                lease.id = None;
            }
        }
    }

    /// From parameters of the URL; the name of one that means nothing.
    pub(in crate::command) fn parse<N: AsRef<str>>(
        parameters: impl Iterator<Item = (N, String)>,
    ) -> Result<Self, String> {
        let mut query = Self::default();
        for (name, text) in parameters {
            let unknown = || format!("this version does not know {}={text}", name.as_ref());
            match name.as_ref() {
                "namespace" => query.filter.namespace = Some(text),
                "mount" => query.filter.mount = Some(text),
                "role" => query.filter.role = Some(text),
                "requester" => query.filter.requester = Some(text),
                "condition" => {
                    let is = Is::ALL.into_iter().find(|is| is.name() == text).ok_or_else(unknown)?;
                    query.filter.conditions.push(is);
                }
                "ids" if text == "true" => query.ids = true,
                _ => return Err(unknown()),
            }
        }
        Ok(query)
    }
}

/// The document on its way out: head, pages and tail, in this order, each a piece of its text.
#[derive(Debug, Default)]
pub(in crate::command) struct Writer {
    written: u64,
}

impl Writer {
    /// What is said once.
    pub(in crate::command) fn head(as_of: Timestamp, notes: Vec<String>) -> serde_json::Result<Bytes> {
        let mut text = serde_json::to_vec(&Head { version: VERSION, as_of, notes })?;
        // Its last brace: the leases are in the same object.
        text.pop();
        text.extend_from_slice(HEAD_END.as_bytes());
        Ok(text.into())
    }

    /// Some leases.
    pub(in crate::command) fn page(&mut self, leases: &[LeaseView]) -> serde_json::Result<Bytes> {
        let mut text = Vec::with_capacity(leases.len() * 300);
        for lease in leases {
            text.extend_from_slice(if self.written == 0 { b"\n" } else { b",\n" });
            serde_json::to_writer(&mut text, lease)?;
            self.written += 1;
        }
        Ok(text.into())
    }

    /// The end; without it the reader knows that something is missing.
    pub(in crate::command) fn tail() -> Bytes {
        format!("\n{TAIL}\n").into()
    }

    /// How many leases were written.
    pub(in crate::command) fn written(&self) -> u64 {
        self.written
    }
}

/// A body whose pieces somebody else makes, no faster than they are taken.
pub(in crate::command) struct Pieces(pub(in crate::command) Receiver<Bytes>);

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.get_mut().0.poll_recv(context).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}

/// Asks the instance with this state folder.
///
/// # Errors
/// Why there is no answer, or not all of it.
pub(in crate::command) async fn get(state_dir: &Path, query: &Query) -> Result<Leases, AskError> {
    let mut response = ask::get(state_dir, PATH, &query.parameters()).await?;
    let mut reader = Reader::default();
    while let Some(chunk) = response.chunk().await? {
        reader.chunk(&chunk)?;
    }
    reader.end()
}

/// The document on its way in.
#[derive(Default)]
struct Reader {
    line: Vec<u8>,
    head: Option<Head>,
    leases: Vec<LeaseView>,
    /// Texts that many leases have.
    texts: HashSet<Arc<str>>,
    ended: bool,
}

impl Reader {
    fn chunk(&mut self, mut chunk: &[u8]) -> Result<(), AskError> {
        while let Some(end) = chunk.iter().position(|byte| *byte == b'\n') {
            self.line.extend_from_slice(&chunk[..end]);
            chunk = &chunk[end + 1..];
            let line = std::mem::take(&mut self.line);
            self.read(&line).ok_or(AskError::Unclear("cannot be read"))?;
            self.line = line;
            self.line.clear();
        }
        self.line.extend_from_slice(chunk);
        Ok(())
    }

    fn read(&mut self, line: &[u8]) -> Option<()> {
        let line = std::str::from_utf8(line).ok()?;
        if self.head.is_none() {
            let head: Head = serde_json::from_str(&format!("{}}}", line.strip_suffix(HEAD_END)?)).ok()?;
            self.head = Some(head).filter(|head| head.version == VERSION);
            return self.head.is_some().then_some(());
        }
        if line == TAIL || line.is_empty() {
            self.ended |= line == TAIL;
            return Some(());
        }
        let mut lease: LeaseView = serde_json::from_str(line.strip_suffix(',').unwrap_or(line)).ok()?;
        for text in [&mut lease.vault_namespace, &mut lease.mount, &mut lease.engine, &mut lease.role] {
            if let Some(known) = self.texts.get(text) {
                *text = Arc::clone(known);
            } else {
                self.texts.insert(Arc::clone(text));
            }
        }
        self.leases.push(lease);
        Some(())
    }

    fn end(self) -> Result<Leases, AskError> {
        match self.head {
            Some(head) if self.ended => {
                Ok(Leases { as_of: head.as_of, notes: head.notes, leases: self.leases })
            }
            _ => Err(AskError::Unclear("ended in the middle")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Condition;

    fn leases(count: usize) -> Leases {
        let lease = |number: usize| LeaseView {
            vault_namespace: "root".into(),
            mount: "database/".into(),
            engine: "database".into(),
            role: "app".into(),
            id: None,
            issued: Some(Timestamp::from_secs(i64::try_from(number).unwrap())),
            ends: None,
            requester: None,
            condition: Condition::Overdue,
        };
        Leases {
            as_of: Timestamp::from_secs(7),
            notes: vec!["a \"note\"\nof two lines".to_owned()],
            leases: (0..count).map(lease).collect(),
        }
    }

    fn pieces(count: usize) -> Vec<Bytes> {
        let Leases { as_of, notes, leases } = leases(count);
        let mut writer = Writer::default();
        let mut pieces = vec![Writer::head(as_of, notes).unwrap()];
        pieces.extend(leases.chunks(700).map(|page| writer.page(page).unwrap()));
        pieces.push(Writer::tail());
        assert_eq!(writer.written(), count as u64);
        pieces
    }

    fn document(count: usize) -> Vec<u8> {
        pieces(count).concat()
    }

    #[test]
    fn what_is_read_is_what_was_written_however_it_is_cut() {
        for (count, piece) in [(0, 1), (1, 7), (3, 1_000_000), (2_000, 65_521)] {
            let text = document(count);
            let whole: serde_json::Value = serde_json::from_slice(&text).unwrap();
            assert_eq!(whole["leases"].as_array().unwrap().len(), count);
            let mut reader = Reader::default();
            for piece in text.chunks(piece) {
                reader.chunk(piece).unwrap();
            }
            let (read, written) = (reader.end().unwrap(), leases(count));
            assert_eq!((read.as_of, read.notes, read.leases), (written.as_of, written.notes, written.leases));
        }
    }

    #[test]
    fn a_document_that_was_cut_short_or_is_another_is_refused() {
        let text = document(100);
        let mut reader = Reader::default();
        reader.chunk(&text[..text.len() - 4]).unwrap();
        assert!(matches!(reader.end(), Err(AskError::Unclear("ended in the middle"))));
        let newer = String::from_utf8(document(0)).unwrap().replace("\"version\":1", "\"version\":2");
        assert!(Reader::default().chunk(newer.as_bytes()).is_err());
        assert!(Reader::default().chunk(b"hello\n").is_err());
    }

    #[test]
    fn ids_leave_only_where_they_are_asked_for() {
        let with_ids = || {
            let mut leases = leases(3);
            for (number, lease) in leases.leases.iter_mut().enumerate() {
                lease.id = Some(format!("database/creds/app/{number}"));
                lease.role = if number == 1 { "other".into() } else { "app".into() };
            }
            leases
        };
        let app = Filter { role: Some("app".to_owned()), ..Filter::default() };
        for (filter, count) in [(Filter::default(), 3), (app, 2)] {
            for ids in [false, true] {
                let mut left = with_ids().leases;
                Query { filter: filter.clone(), ids }.apply_to(&mut left);
                assert_eq!(left.len(), count);
                assert!(left.iter().all(|lease| lease.id.is_some() == ids), "{left:?}");
            }
        }
    }

    #[tokio::test]
    async fn many_leases_go_over_the_socket() {
        let folder = tempfile::tempdir().unwrap();
        let (listener, _file) = super::super::listen::listen(folder.path()).unwrap();
        let answer = || async {
            let (sender, receiver) = tokio::sync::mpsc::channel(1);
            tokio::spawn(async move {
                for piece in pieces(20_000) {
                    sender.send(piece).await.unwrap();
                }
            });
            axum::body::Body::new(Pieces(receiver))
        };
        let router = axum::Router::new().route(PATH, axum::routing::get(answer));
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        let got = get(folder.path(), &Query::default()).await.unwrap();
        assert_eq!((got.as_of, got.leases), (leases(0).as_of, leases(20_000).leases));
        // What the other side does not know is refused in words.
        let refused = ask::get(folder.path(), "/acknowledge", &[]).await.unwrap_err();
        assert!(matches!(&refused, AskError::Refused(text) if text.contains("404")), "{refused}");
        server.abort();
    }

    #[test]
    fn a_query_comes_through_as_it_was_asked() {
        let some = |text: &str| Some(text.to_owned());
        let query = Query {
            filter: Filter {
                namespace: some("team-a"),
                mount: some("database/"),
                role: some("a b&c"),
                requester: some("é"),
                conditions: vec![Is::Stuck, Is::Live],
            },
            ids: true,
        };
        for query in [query, Query::default()] {
            assert_eq!(Query::parse(query.parameters().into_iter()), Ok(query));
        }
        for wrong in [("ids", "yes"), ("condition", "odd"), ("colour", "blue")] {
            assert!(Query::parse([(wrong.0, wrong.1.to_owned())].into_iter()).is_err(), "{wrong:?}");
        }
    }
}
