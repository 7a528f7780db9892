//! The gate: the rules that hold now. At every connection and every request it looks whether the file, or one that it
//! names, was written anew. A file with a mistake is not followed: the rules before it hold, and the mistake is told.

use super::password::{Checker, Verdict};
use super::problem::WebConfigError;
use super::rules::{self, Rules};
use super::turned_away::TurnedAway;
use crate::stamp::FileStamp;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The rules, and where they come from.
#[derive(Debug)]
pub struct Gate {
    held: Mutex<Held>,
    checker: Checker,
    turned_away: TurnedAway,
}

#[derive(Debug, Default)]
struct Held {
    path: Option<PathBuf>,
    rules: Arc<Rules>,
    /// The file and those that it names, as they were before they were read.
    seen: Vec<(PathBuf, FileStamp)>,
    trouble: Option<WebConfigError>,
}

impl Gate {
    /// By the file at `path`; without one everybody may connect, in plain text.
    ///
    /// # Errors
    /// What is wrong with the file, or with one that it names.
    pub fn new(path: Option<&Path>) -> Result<Self, WebConfigError> {
        let (held, read) = Held::read(path, &[]);
        let rules = read?;
        let held = Mutex::new(Held { rules: Arc::new(rules), ..held });
        Ok(Self { held, checker: Checker::new(), turned_away: TurnedAway::default() })
    }

    /// Goes by another file from now on, or by the same one read anew.
    ///
    /// # Errors
    /// What is wrong with it; the rules stay as they are.
    pub fn follow(&self, path: Option<&Path>) -> Result<(), WebConfigError> {
        let (next, read) = Held::read(path, &[]);
        let rules = read?;
        *self.lock() = Held { rules: Arc::new(rules), ..next };
        Ok(())
    }

    /// The rules as the files are now. Looks at files: not on a thread that others wait for.
    pub fn rules(&self) -> Arc<Rules> {
        let mut held = self.lock();
        if !held.has_changed() {
            return Arc::clone(&held.rules);
        }
        let known: Vec<_> = held.seen.iter().skip(1).map(|(path, _)| path.clone()).collect();
        let (next, read) = Held::read(held.path.as_deref(), &known);
        let before = Arc::clone(&held.rules);
        *held = match read {
            Ok(rules) => {
                tracing::info!("The web configuration file, or one that it names, was read anew");
                Held { rules: Arc::new(rules), ..next }
            }
            Err(error) => {
                tracing::error!(%error, "The web configuration file is not followed; what it said before still holds");
                Held { rules: before, trouble: Some(error), ..next }
            }
        };
        Arc::clone(&held.rules)
    }

    /// Why the file is not followed, where it is not. Looks at files.
    pub fn trouble(&self) -> Option<String> {
        let _ = self.rules();
        self.lock().trouble.as_ref().map(ToString::to_string)
    }

    /// Whom it turned away.
    pub fn turned_away(&self) -> &TurnedAway {
        &self.turned_away
    }

    /// Whether a password is that of a user, by these rules.
    pub async fn check(&self, rules: &Rules, user: &str, password: &[u8], from: IpAddr) -> Verdict {
        self.checker.check(rules, user, password, from).await
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    /// Reads a file. Every stamp is taken before its file is read: what is written meanwhile is read the next time.
    /// Where the file cannot be understood, those that it named before are watched on.
    fn read(path: Option<&Path>, known: &[PathBuf]) -> (Self, Result<Rules, WebConfigError>) {
        let Some(path) = path else { return (Self::default(), Ok(Rules::default())) };
        let stamp = |path: &PathBuf| (path.clone(), FileStamp::of(path));
        let own = stamp(&path.to_owned());
        let mut others: Vec<_> = known.iter().map(stamp).collect();
        let read = rules::read(path, |named| others = named.iter().map(stamp).collect());
        let seen = std::iter::once(own).chain(others).collect();
        (Self { path: Some(path.to_owned()), seen, ..Self::default() }, read)
    }

    fn has_changed(&self) -> bool {
        self.seen.iter().any(|(path, stamp)| FileStamp::of(path) != *stamp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_changed_file_is_followed_and_a_bad_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web.yml");
        let write = |text: &str| {
            let next = folder.path().join("next");
            fs::write(&next, text).unwrap();
            fs::rename(next, &path).unwrap();
        };
        let named = |text: &str| format!("tls_server_config: {{cert_file: c.pem, key_file: k.pem}}\n{text}");
        write("http_server_config: {headers: {X-Frame-Options: deny}}");
        let gate = Gate::new(Some(&path)).unwrap();
        let (first, second) = (gate.rules(), gate.rules());
        assert!(Arc::ptr_eq(&first, &second) && gate.trouble().is_none());
        assert_eq!(first.headers().len(), 1);
        // It names files that there are not, and does so until they are there.
        write(&named(""));
        assert!(Arc::ptr_eq(&first, &gate.rules()));
        assert!(gate.trouble().unwrap().contains("c.pem cannot be read"), "{:?}", gate.trouble());
        let key = rcgen::KeyPair::generate().unwrap();
        let cert = rcgen::CertificateParams::new(vec!["a".to_owned()]).unwrap().self_signed(&key).unwrap();
        fs::write(folder.path().join("c.pem"), cert.pem()).unwrap();
        assert!(Arc::ptr_eq(&first, &gate.rules()));
        fs::write(folder.path().join("k.pem"), key.serialize_pem()).unwrap();
        assert!(gate.rules().tls().is_some() && gate.trouble().is_none());
        // While it cannot be understood, the files that it named are watched all the same; then it is as before.
        let before = gate.rules();
        write("nonsense");
        assert!(Arc::ptr_eq(&before, &gate.rules()) && gate.trouble().is_some());
        fs::remove_file(&path).unwrap();
        assert!(Arc::ptr_eq(&before, &gate.rules()) && gate.trouble().unwrap().contains("cannot be read"));
        write(&named(""));
        assert!(gate.rules().tls().is_some() && gate.trouble().is_none());
        // Another file by a reload, and none.
        assert!(gate.follow(Some(&folder.path().join("gone.yml"))).is_err());
        assert!(gate.rules().tls().is_some());
        gate.follow(None).unwrap();
        assert!(gate.rules().tls().is_none());
    }
}
