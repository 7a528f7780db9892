//! Why a renewal failed: the class of the error text in the server log.
//! The text itself ends here, since it can hold user names.

use crate::event::RenewalTrouble;

/// Words of the expiration manager, from Vault 0.6 to OpenBao 2.7.
const NO_SUCH_LEASE: [&str; 3] = ["lease not found", "invalid lease", "no lease found"];

/// The class of an error text; `None` where the line does not have it.
pub(super) fn classify(error: Option<&str>) -> RenewalTrouble {
    let Some(error) = error else {
        // Of the text format: an error of several lines stands on lines of its own. Vault's own
        // refusals are a few words; only what an engine says is wrapped into a list of errors.
        return RenewalTrouble::Backend;
    };
    if error.contains("failed to renew entry") {
        // Whatever else stands in it is the engine's.
        RenewalTrouble::Backend
    } else if is_unknown(error) {
        RenewalTrouble::NotFound
    } else if error.contains("lease expired") || error.contains("lease is expired") {
        RenewalTrouble::Expired
    } else if error.contains("lease is not renewable") {
        RenewalTrouble::NotRenewable
    } else if error.contains("permission denied") {
        RenewalTrouble::Denied
    } else {
        RenewalTrouble::Other
    }
}

/// Whether it says that there is no such lease.
pub(super) fn is_unknown(error: &str) -> bool {
    NO_SUCH_LEASE.iter().any(|words| error.starts_with(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vaults_own_words_and_an_engines() {
        let of = |text| classify(Some(text));
        assert_eq!(of("lease not found"), RenewalTrouble::NotFound);
        assert_eq!(of("lease not found or lease is not renewable"), RenewalTrouble::NotFound);
        assert_eq!(of("lease expired"), RenewalTrouble::Expired);
        assert_eq!(
            of("lease is expired and has failed previous revocation attempts"),
            RenewalTrouble::Expired
        );
        assert_eq!(of("lease is not renewable"), RenewalTrouble::NotRenewable);
        assert_eq!(of("permission denied"), RenewalTrouble::Denied);
        let engine = "failed to renew entry: resp: (*logical.Response)(nil) err: 1 error occurred:\n\t* \
            ERROR: permission denied to alter role (SQLSTATE 42501)\n\n";
        assert_eq!(of(engine), RenewalTrouble::Backend);
        assert_eq!(classify(None), RenewalTrouble::Backend);
        assert_eq!(of("failed to decode lease entry"), RenewalTrouble::Other);
    }
}
