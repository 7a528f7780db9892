//! Audit lines by the thousand: responses to issued credentials as `OpenBao` 2.7.2 writes
//! them, each with a request, a lease and a time of its own.

use std::fmt::Write as _;

/// Start of a line: its time follows.
const BEFORE_TIME: &str = r#"{"time":""#;
/// Between time and request ID.
const BEFORE_ID: &str = concat!(
    r#"","type":"response","auth":{"client_token":"hmac-sha256:9c5b73518178b5a3463dff3c25e30c452213793b895a16af2a33b11167cf2bdd","#,
    r#""accessor":"hmac-sha256:25fd8f6873d3e450a25ed87bf0861f923221117ff7584432270612023852aa97","display_name":"approle","#,
    r#""policies":["app-cli","default"],"token_policies":["app-cli","default"],"policy_results":{"allowed":true,"#,
    r#""granting_policies":[{"name":"app-cli","namespace_id":"root","type":"acl"}]},"metadata":{"role_name":"app-2"},"#,
    r#""entity_id":"63d5afda-00b7-d9b3-91d3-aeb5e3107633","token_type":"service","token_ttl":120,"#,
    r#""token_issue_time":"2026-11-23T19:40:43Z"},"request":{"id":""#
);
/// Between request ID and role.
const BEFORE_ROLE: &str = concat!(
    r#"","client_id":"63d5afda-00b7-d9b3-91d3-aeb5e3107633","operation":"read","mount_point":"database/","#,
    r#""mount_type":"database","mount_accessor":"database_83cf36ad","mount_running_version":"v2.7.2+builtin.bao","#,
    r#""mount_class":"secret","client_token":"hmac-sha256:9c5b73518178b5a3463dff3c25e30c452213793b895a16af2a33b11167cf2bdd","#,
    r#""client_token_accessor":"hmac-sha256:25fd8f6873d3e450a25ed87bf0861f923221117ff7584432270612023852aa97","#,
    r#""namespace":{"id":"root"},"path":"database/creds/"#
);
/// Between role and lease ID.
const BEFORE_LEASE: &str = concat!(
    r#"","remote_address":"127.0.1.3","remote_port":56087},"response":{"mount_point":"database/","mount_type":"database","#,
    r#""mount_accessor":"database_83cf36ad","mount_running_plugin_version":"v2.7.2+builtin.bao","mount_class":"secret","#,
    r#""secret":{"lease_id":""#
);
/// After the lease ID.
const REST: &str = concat!(
    r#""},"data":{"password":"hmac-sha256:4254fe5c12dd03de5ad3d5fd6d5d571f18a271939e1e67a49a59e97c027f5681","#,
    r#""username":"hmac-sha256:5f49f8d2a2d557427556fde5bf8eef2f4e9881c5b4b5f407cdfbc44372b94045"}}}"#
);

/// The line, end included, that says that the `number`th credential was issued for a role,
/// now. Numbers must differ for lines to be of different requests.
pub(crate) fn issued(number: u64, role: &str) -> String {
    let mut line = String::with_capacity(2_000);
    let now = jiff::Timestamp::now();
    write!(
        line,
        "{BEFORE_TIME}{now}{BEFORE_ID}{number:08x}-992e-27b5-6099-12c89146ba7f{BEFORE_ROLE}{role}\
         {BEFORE_LEASE}database/creds/{role}/{number:024}{REST}"
    )
    .expect("a String takes everything");
    line.push('\n');
    line
}
