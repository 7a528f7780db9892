//! `check-config --online`: whether the receiver knows the key, and how Vault's nodes are.

use super::receiver::{Receiver, TOKEN};
use std::process::Command;

fn check(variables: &[(&str, &str)], online: bool) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("audit.log"), "").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_leasewatch"));
    command.current_dir(folder.path()).env_clear().envs(variables.iter().copied());
    command.args(["check-config", "--audit-log=audit.log", "--server-log=audit.log2", "--state-dir=."]);
    let output = command.args(online.then_some("--online")).output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn the_key_is_tried_only_where_that_is_asked_for() {
    let receiver = Receiver::start();
    let url = receiver.url();
    let with = |token: &'static str, url: &str, online| {
        check(&[("LEASEWATCH_ONEUPTIME_URL", url), ("LEASEWATCH_ONEUPTIME_TOKEN", token)], online)
    };
    let (code, text) = with(TOKEN, &url, false);
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains(&format!("ok       pushed to {url} (not asked): metrics, security events")),
        "{text}"
    );
    assert!(!text.contains(TOKEN) && receiver.world().requests.is_empty(), "{text}");
    let (code, text) = with(TOKEN, &url, true);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains(&format!("ok       {url} knows the ingestion key")), "{text}");
    let (code, text) = with("another", &url, true);
    assert_eq!(code, Some(2));
    assert!(text.contains(&format!("error    {url} does not know the ingestion key")), "{text}");
    receiver.was_treated_well();
    let nobody = format!("http://127.0.0.1:{}", super::support::free_port());
    let (code, text) = with(TOKEN, &nobody, true);
    assert_eq!(code, Some(2));
    assert!(text.contains(&format!("error    {nobody}: no connection: ")), "{text}");
}

#[test]
fn a_node_of_vault_is_asked_how_it_is() {
    let (code, text) = check(&[("VAULT_ADDR", "http://127.0.0.1:9")], true);
    assert_eq!(code, Some(2));
    assert!(text.contains("error    node vault: "), "{text}");
    let bao = super::support::Bao::start();
    let address = bao.address();
    let (code, text) = check(&[("VAULT_ADDR", &address)], true);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains(&format!("ok       node vault: {address} answers; it is active")), "{text}");
}
