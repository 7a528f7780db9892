//! Troubles: why a file cannot be read now, in words that tell the operator what to do.

use std::io::{Error, ErrorKind};
use std::path::Path;

/// What to say about `error` at `path`.
pub(crate) fn describe(path: &Path, error: &Error) -> String {
    let path = path.display();
    let remedy = match error.kind() {
        ErrorKind::PermissionDenied => {
            "set mode = \"0640\" on the audit device (Vault's default is 0600) and add the user \
             of leasewatch to the file's group, which must also be allowed into its folder; an \
             ACL does not last, as Vault sets the mode anew whenever it opens the file"
        }
        ErrorKind::NotFound => "look at the spelling of the path",
        ErrorKind::InvalidInput => "name the file that the audit device writes to",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "make room on the disk; Vault refuses requests while its audit devices cannot write"
        }
        ErrorKind::StaleNetworkFileHandle
        | ErrorKind::NotConnected
        | ErrorKind::TimedOut
        | ErrorKind::HostUnreachable => "see that the network file system is mounted and its server answers",
        _ => match error.raw_os_error() {
            Some(EIO) => "the disk or its file system reports a defect: see the kernel's log",
            Some(EMFILE | ENFILE) => "raise the limit of open files (ulimit -n, LimitNOFILE= in the unit)",
            _ => "see that the file and its disk are in order",
        },
    };
    format!("{path}: {error}. Remedy: {remedy}.")
}

// As on every Unix that Rust's standard library runs on.
const EIO: i32 = 5;
const ENFILE: i32 = 23;
const EMFILE: i32 = 24;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_remedy_fits_the_error() {
        let path = Path::new("/var/log/vault/audit.log");
        for (errno, expected) in [(13, "0640"), (2, "spelling"), (5, "kernel"), (24, "ulimit"), (28, "room")]
        {
            let text = describe(path, &Error::from_raw_os_error(errno));
            assert!(text.contains(expected), "{text}");
            assert!(text.starts_with("/var/log/vault/audit.log: "), "{text}");
        }
    }
}
