//! Why a revocation failed: the class of the error text in the server log.
//! The text itself ends here, since it can hold user names.
//!
//! To add a cause: a variant of `event::RevocationTrouble` and its pattern below.
//!
//! Codes go before words: Vault blanks out in the text whatever it knows to be a
//! secret, be it a single letter (`does not e[password]ist (SQLSTATE 42704)`).

use crate::event::RevocationTrouble;
use RevocationTrouble::{Connection, MissingRole, ObjectDependency, Other, Permission, Timeout, Unsupported};

/// Codes of databases, in lower case. The first that is in the text decides.
static CODES: &[(RevocationTrouble, &[&str])] = &[
    // PostgreSQL and what speaks its protocol: SQLSTATE.
    (ObjectDependency, &["sqlstate 2bp01", "sqlstate 2b000", "sqlstate 55006"]),
    (MissingRole, &["sqlstate 42704"]),
    // 28000 and 28P01: Vault's own user cannot log in.
    (Permission, &["sqlstate 42501", "sqlstate 28p01", "sqlstate 28000"]),
    (Timeout, &["sqlstate 57014", "sqlstate 55p03"]),
    (Connection, &["sqlstate 08", "sqlstate 57p0", "sqlstate 53300", "sqlstate 25006"]),
    // A table or schema in somebody's own statements is missing.
    (Other, &["sqlstate 42p01", "sqlstate 3f000", "sqlstate 42601"]),
    // MySQL and MariaDB: 4006 says that routines or views are defined by the user.
    (ObjectDependency, &["error 4006"]),
    (MissingRole, &["error 1396", "error 1141", "error 1133", "error 1269"]),
    (Permission, &["error 1044", "error 1045", "error 1142", "error 1227", "error 1410", "error 1698"]),
    (Timeout, &["error 1205", "error 3024", "error 1969"]),
    (
        Connection,
        &["error 1040", "error 1053", "error 1129", "error 1203", "error 1290", "error 2006", "error 2013"],
    ),
    // Oracle.
    (ObjectDependency, &["ora-01922", "ora-01940"]),
    (MissingRole, &["ora-01918", "ora-01919"]),
    (Permission, &["ora-01031", "ora-01017", "ora-28000", "ora-28001", "ora-01045"]),
    (Timeout, &["ora-12170", "ora-00054", "ora-30006"]),
    (
        Connection,
        &[
            "ora-12541",
            "ora-12514",
            "ora-12505",
            "ora-12154",
            "ora-12537",
            "ora-12547",
            "ora-03113",
            "ora-03114",
            "ora-03135",
            "ora-01033",
            "ora-01034",
            "ora-01089",
            "ora-00020",
        ],
    ),
    // LDAP and Active Directory.
    (MissingRole, &["ldap result code 32 "]),
    (Permission, &["ldap result code 49 ", "ldap result code 50 "]),
    (Connection, &["ldap result code 51 ", "ldap result code 52 ", "ldap result code 200 "]),
    (Timeout, &["ldap result code 3 ", "ldap result code 85 "]),
];

/// Words, in lower case. The first that is in the text decides.
static WORDS: &[(RevocationTrouble, &[&str])] = &[
    // Vault's own: it does not try these again.
    (Unsupported, &["unsupported operation", "unsupported path", "unrecoverable", "invalid request"]),
    (
        ObjectDependency,
        &[
            // PostgreSQL, Redshift, MSSQL.
            "cannot be dropped because",
            "depend on it",
            "and cannot be dropped",
            "owns objects",
            "owns a schema",
            "as the user is currently logged in",
            "before dropping the server principal",
            // MySQL.
            "referenced as a definer",
            // Oracle.
            "cascade must be specified",
            "cannot drop a user that is currently connected",
            // AWS.
            "deleteconflict",
        ],
    ),
    (
        Permission,
        &[
            "password authentication failed",
            "no pg_hba.conf entry",
            "access denied",
            "accessdenied",
            "login failed for user",
            "not authorized",
            "(unauthorized)",
            "(authenticationfailed)",
            "authentication failed",
            "unable to authenticate",
            "auth error",
            "must be superuser",
            "must be owner",
            "insufficient privilege",
            "insufficient permission",
            "unauthorizedoperation",
            "invalidclienttokenid",
            "authorizationfailed",
            "is forbidden",
        ],
    ),
    (
        Connection,
        &[
            "connection refused",
            "failed to connect",
            "dial tcp",
            "dial unix",
            "connection reset",
            "connection timed out",
            "broken pipe",
            "no such host",
            "no route to host",
            "network is unreachable",
            "unexpected eof",
            "the database system is",
            "too many clients",
            "too many connections",
            "bad connection",
            "invalid connection",
            "error verifying connection",
            "error creating database object",
            "unable to open tcp connection",
            "cannot open database",
            "conn closed",
            "connection is shut down",
            "plugin shut down",
            "code = unavailable",
            "transport is closing",
            "use of closed network connection",
            "server selection error",
            "notwritableprimary",
            "not master",
            "no hosts available",
            "unable to create session",
            "send request failed",
        ],
    ),
    (
        Timeout,
        &[
            "deadline exceeded",
            "timed out",
            "i/o timeout",
            "statement timeout",
            "lock timeout",
            "lock wait timeout",
            "timeout exceeded",
            "timeout expired",
        ],
    ),
    (
        MissingRole,
        &[
            "does not exist",
            "doesn't exist",
            "failed to find entry for connection",
            "could not find role",
            "operation drop user failed",
            "unknown user",
            "(usernotfound)",
            "user not found",
            "nosuchentity",
            "no such user",
            "no such role",
            "no such object",
        ],
    ),
    // Behind the network's: a socket's "permission denied" is no user's.
    (Permission, &["permission denied", "you must have", "do not have permission"]),
];

/// The class of an error text.
pub(super) fn classify(text: &str) -> RevocationTrouble {
    let text = text.to_ascii_lowercase();
    let first = |table: &[(RevocationTrouble, &[&str])]| {
        table
            .iter()
            .find(|(_, patterns)| patterns.iter().any(|pattern| text.contains(pattern)))
            .map(|(trouble, _)| *trouble)
    };
    first(CODES).or_else(|| first(WORDS)).unwrap_or(Other)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages as servers write them, behind the words that Vault puts before all of them.
    const MESSAGES: &[(RevocationTrouble, &str)] = &[
        (MissingRole, r#"ERROR: role "v-appr-app-e[password]QF" does not e[password]ist (SQLSTATE 42704)"#),
        (
            ObjectDependency,
            r#"ERROR: role "v-a" cannot be dropped because some objects depend on it (SQLSTATE 2BP01)"#,
        ),
        (ObjectDependency, r#"pq: user "v-a" cannot be dropped because some objects depend on it"#),
        (Permission, "ERROR: permission denied to drop role (SQLSTATE 42501)"),
        (Permission, "ERROR: must be owner of table orders (SQLSTATE 42501)"),
        (
            Permission,
            r#"failed to connect to `user=vault database=app`: 10.0.0.1:5432 (pg): server error: FATAL: password authentication failed for user "vault" (SQLSTATE 28P01)"#,
        ),
        (
            Connection,
            "failed to connect to `user=vault_admin database=postgres`: 127.0.0.1:55432 (127.0.0.1): dial error: dial tcp 127.0.0.1:55432: connect: connection refused",
        ),
        (Connection, "FATAL: the database system is shutting down (SQLSTATE 57P03)"),
        (Connection, "FATAL: terminating connection due to administrator command (SQLSTATE 57P01)"),
        (Connection, "FATAL: sorry, too many clients already (SQLSTATE 53300)"),
        (Connection, "ERROR: cannot execute DROP ROLE in a read-only transaction (SQLSTATE 25006)"),
        (Timeout, "ERROR: canceling statement due to statement timeout (SQLSTATE 57014)"),
        (Timeout, "ERROR: canceling statement due to lock timeout (SQLSTATE 55P03)"),
        (Timeout, "context deadline exceeded"),
        (Other, r#"ERROR: relation "orders" does not exist (SQLSTATE 42P01)"#),
        (MissingRole, "Error 1396 (HY000): Operation DROP USER failed for 'v-a'@'%'"),
        (MissingRole, "Error 1396: Operation DROP USER failed for 'v-a'@'%'"),
        (
            ObjectDependency,
            "Error 4006 (HY000): Operation DROP USER failed for 'v-a'@'%' as it is referenced as a definer account in a stored routine.",
        ),
        (Permission, "Error 1045 (28000): Access denied for user 'vault'@'10.0.0.2' (using password: YES)"),
        (
            Permission,
            "Error 1227 (42000): Access denied; you need (at least one of) the CREATE USER privilege(s) for this operation",
        ),
        (Timeout, "Error 1205 (HY000): Lock wait timeout exceeded; try restarting transaction"),
        (Connection, "Error 1040: Too many connections"),
        (Connection, "invalid connection"),
        (ObjectDependency, "mssql: The server principal owns a database and cannot be dropped."),
        (ObjectDependency, "mssql: Could not drop login 'v-a' as the user is currently logged in."),
        (
            MissingRole,
            "mssql: Cannot drop the login 'v-a', because it does not exist or you do not have permission.",
        ),
        (Permission, "mssql: login error: Login failed for user 'vault'."),
        (
            Connection,
            "unable to open tcp connection with host 'mssql:1433': dial tcp: lookup mssql: no such host",
        ),
        (MissingRole, "ORA-01918: user 'V_A' does not exist"),
        (ObjectDependency, "ORA-01940: cannot drop a user that is currently connected"),
        (ObjectDependency, "ORA-01922: CASCADE must be specified to drop 'V_A'"),
        (Permission, "ORA-01031: insufficient privileges"),
        (Connection, "ORA-12541: TNS:no listener"),
        (Timeout, "ORA-12170: TNS:Connect timeout occurred"),
        (MissingRole, "(UserNotFound) User 'v-a@admin' not found"),
        (Permission, "(Unauthorized) not authorized on admin to execute command { dropUser: \"v-a\" }"),
        (
            Connection,
            "server selection error: context deadline exceeded, current topology: { Type: Unknown }",
        ),
        (MissingRole, "failed to find entry for connection with name: \"pg\""),
        (MissingRole, "error during revoke: could not find role with name \"app\""),
        (Connection, "error verifying connection: ping failed"),
        (Connection, "rpc error: code = Unavailable desc = error reading from server: EOF"),
        (Unsupported, "unsupported operation"),
        (Unsupported, "no handler for route \"old/\". route entry not found. unsupported path"),
        (MissingRole, "NoSuchEntity: The user with name vault-a cannot be found."),
        (ObjectDependency, "DeleteConflict: Cannot delete entity, must detach all policies first."),
        (
            Permission,
            "AccessDenied: User: arn:aws:iam::1:user/vault is not authorized to perform: iam:DeleteUser",
        ),
        (MissingRole, "LDAP Result Code 32 \"No Such Object\": "),
        (Permission, "dropping role: permission denied"),
        (Connection, "dial unix /run/pg.sock: connect: permission denied"),
        (Other, "something that nobody has seen"),
        (Other, ""),
    ];

    #[test]
    fn messages_of_databases_and_of_vault() {
        for (trouble, message) in MESSAGES {
            assert_eq!(classify(message), *trouble, "{message}");
            let wrapped = format!("failed to revoke entry: resp: (*logical.Response)(nil) err: {message}");
            assert_eq!(classify(&wrapped), *trouble, "{wrapped}");
        }
    }
}
