//! An error text: the class of what Vault wrote under `error`, or under
//! `response.data.error` where that is not hashed. The text itself ends here.
//!
//! To add a class: a variant of `event::Failure`, its pattern below, its
//! label in `state::credentials`.

use crate::event::Failure;

/// A standby says this where it leaves a request to the active node (OpenBao 2.5 and later).
const LEFT_TO_ACTIVE: [&str; 2] = ["please forward to the active node", "cannot write to readonly storage"];

/// The class of an error text; `known_caller` tells a policy's no from a dead token.
pub(super) fn classify(text: &str, known_caller: bool) -> Failure {
    // A database's own "permission denied to create role" is no policy's no:
    // only a whole item of the error list counts.
    let (mut is_invalid_token, mut is_denied, mut is_other) = (false, false, false);
    for item in items(text) {
        match item {
            "invalid token" | "bad token" | "missing client token" | "token not found" => {
                is_invalid_token = true;
            }
            "permission denied" => is_denied = true,
            "invalid request" | "unsupported operation" | "invalid credentials" => is_other = true,
            _ => {}
        }
    }
    let holds = |what: &[&str]| what.iter().any(|part| has(text, part));
    if is_invalid_token || (is_denied && !known_caller) {
        Failure::InvalidToken
    } else if is_denied {
        Failure::Denied
    } else if holds(&["is not an allowed role"]) {
        Failure::NotAllowed
    } else if holds(&["quota exceeded", "lease count quota"]) {
        Failure::Quota
    } else if holds(&["unknown role", "no handler for route", "unsupported path", "namespace not found"]) {
        Failure::NotFound
    } else if is_other {
        Failure::Other
    } else {
        Failure::Backend
    }
}

/// A standby left the request to the active node.
pub(super) fn left_to_active(text: &str) -> bool {
    LEFT_TO_ACTIVE.iter().any(|part| has(text, part))
}

/// Whether a part is in a text. The library's own way prepares for long texts, which these are not.
fn has(text: &str, part: &str) -> bool {
    memchr::memmem::find(text.as_bytes(), part.as_bytes()).is_some()
}

/// The items of a Go multierror (`2 errors occurred:\n\t* a\n\t* b\n\n`), or the text itself.
fn items(text: &str) -> impl Iterator<Item = &str> {
    let list = text.split_once("occurred:").map_or(text, |(_, list)| list);
    list.split("\n\t* ").map(str::trim).filter(|item| !item.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_vaults_no_from_a_databases() {
        let denied = "1 error occurred:\n\t* permission denied\n\n";
        assert_eq!(classify(denied, true), Failure::Denied);
        assert_eq!(classify(denied, false), Failure::InvalidToken);
        assert_eq!(classify("permission denied", true), Failure::Denied);
        assert_eq!(
            classify("2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n", true),
            Failure::InvalidToken
        );
        let database = "1 error occurred:\n\t* ERROR: permission denied to create role (SQLSTATE 42501)\n\n";
        assert_eq!(classify(database, true), Failure::Backend);
    }

    #[test]
    fn knows_the_engines_own_words() {
        let not_allowed = "1 error occurred:\n\t* \"app\" is not an allowed role\n\n";
        assert_eq!(classify(not_allowed, true), Failure::NotAllowed);
        assert_eq!(classify("unknown role: x", true), Failure::NotFound);
        assert_eq!(classify("request path \"a\": rate limit quota exceeded", true), Failure::Quota);
        assert_eq!(classify("1 error occurred:\n\t* invalid request\n\n", true), Failure::Other);
        let missing = "1 error occurred:\n\t* ERROR: role \"x\" does not exist (SQLSTATE 42704)\n\n";
        assert_eq!(classify(missing, true), Failure::Backend);
    }
}
