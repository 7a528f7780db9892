//! The configuration: one good file, many bad ones with the exact words for each, and who wins over whom.
#![allow(clippy::unwrap_used, reason = "a helper of a test may fail as loudly as the test")]

use leasewatch::config::setting::{self, Kind};
use leasewatch::config::{Acknowledged, AnomalyConfig, AnomalyMode, Identities, IncidentsFrom, Privacy};
use leasewatch::config::{AuthConfig, Config, Flags, LogFormat, LogKind, SecretSource, StartAt};
use leasewatch::event::Timestamp;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

type Variables<'a> = &'a [(&'a str, &'a str)];

fn load(flags: &[(&'static str, &str)], variables: Variables) -> Result<Config, String> {
    let mut typed = Flags::default();
    for (flag, text) in flags {
        typed.0.entry(flag).or_default().push((*text).to_owned());
    }
    let variables: BTreeMap<_, _> =
        variables.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Config::load(typed, variables).map_err(|error| error.to_string())
}

/// The problems of a file, without its folder.
fn bad(name: &str) -> String {
    let folder = "tests/config/";
    let error = load(&[("config.file", &format!("{folder}{name}"))], &[]).expect_err(name);
    error.replace(folder, "")
}

#[test]
fn the_good_file_says_everything() {
    let config = load(&[("config.file", "tests/config/good.toml")], &[]).unwrap();
    assert_eq!(config.listen_address, "127.0.0.1:9999");
    assert_eq!(config.state_dir.to_str(), Some("/srv/leasewatch"));
    assert_eq!(config.start_at, StartAt::End);
    assert_eq!((config.max_line_bytes, config.label_sets), (1_048_576, 500));
    assert_eq!(config.ledger_capacity, 300);
    assert_eq!(config.identities, Identities::Nobody);
    assert_eq!(config.web_config.as_deref().and_then(|file| file.to_str()), Some("/etc/leasewatch/web.yml"));
    assert_eq!(
        config.anomaly,
        AnomalyConfig {
            mode: AnomalyMode::Shadow,
            alarm_budget: 0.5,
            subjects: 5_000,
            episodes: 100,
            baseline: Some("/srv/leasewatch/baseline.json".into()),
            acknowledged: vec![Acknowledged {
                episode: "0123456789abcdef".to_owned(),
                author: "mira".to_owned(),
                reason: "the yearly audit \"B\"".to_owned(),
                expires: Timestamp::parse_rfc3339("2026-12-31T00:00:00Z").unwrap(),
            }],
        }
    );
    assert_eq!(config.receive.config_file.as_deref(), Some(Path::new("/etc/leasewatch/receive.yml")));
    let networks: Vec<_> = config.receive.allow.iter().map(ToString::to_string).collect();
    assert_eq!(
        (networks.join(" "), config.receive.spool_limit),
        ("10.0.0.0/8 192.168.7.7/32".to_owned(), 100_000_000)
    );
    assert_eq!(config.checkpoint_interval, Duration::from_secs(5));
    let push = &config.push;
    assert_eq!((push.interval, push.privacy), (Duration::from_secs(30), Privacy::Full));
    assert!(push.key_file.is_some() && push.ca_cert.is_some());
    assert_eq!(push.otlp.url().as_deref(), Some("http://collector:4318/custom/metrics"));
    assert_eq!(push.otlp.service_name, "leasewatch-a");
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(push.otlp.resource_attributes, [pair("team", "a b"), pair("x", "1,2")]);
    assert!(matches!(&push.otlp.headers, Some(SecretSource::File(_))));
    let oneuptime = &push.oneuptime;
    assert_eq!(oneuptime.url.as_deref(), Some("https://oneuptime.example"));
    assert!(!oneuptime.metrics && !oneuptime.security_events && oneuptime.token.is_some());
    assert_eq!(oneuptime.incidents.from, IncidentsFrom::Notice);
    assert_eq!(oneuptime.incidents.severity_id.as_deref(), Some("severity-1"));
    assert_eq!(
        (config.output.level.as_str(), config.output.format),
        ("warn,leasewatch::vault=debug", LogFormat::Json)
    );
    let logs: Vec<_> = config
        .logs
        .iter()
        .map(|log| (log.name.as_str(), log.kind, log.path.as_str(), log.node.as_deref()))
        .collect();
    assert_eq!(
        logs,
        [
            ("vault-0-audit", LogKind::Audit, "/logs/0/audit.log", Some("vault-0")),
            ("vault-0-audit-2", LogKind::Audit, "/logs/0/audit-b.log", Some("vault-0")),
            ("vault-0-server", LogKind::Server, "/logs/0/server.log", Some("vault-0")),
            ("v1", LogKind::Audit, "/logs/1/audit.log", Some("vault-1")),
            ("audit", LogKind::Audit, "/var/log/vault/audit.log*", None),
            ("second", LogKind::Audit, "/var/log/vault/audit-2.log", None),
            ("server", LogKind::Server, "-", None),
        ]
    );
    let nodes: Vec<_> = config.nodes.iter().map(|node| (node.name.as_str(), node.address.as_str())).collect();
    assert_eq!(nodes, [("vault-0", "https://vault-0:8200"), ("vault-1", "https://vault-1:8200")]);
    let vault = &config.vault;
    assert_eq!((vault.namespace.as_str(), vault.metrics_prefix.as_str()), ("team-a", "openbao"));
    assert_eq!(vault.namespaces, ["", "team-a", "team-a/sub"]);
    assert_eq!(
        (vault.scrape_interval, vault.timeout),
        (Duration::from_secs(60), Duration::from_millis(2500))
    );
    assert_eq!((vault.monitor, vault.listing_interval), (false, Some(Duration::from_secs(6 * 3600))));
    let AuthConfig::AppRole { mount, role_id, secret_id: SecretSource::File(file) } = &vault.auth else {
        panic!("{:?}", vault.auth)
    };
    assert_eq!((mount.as_str(), role_id.as_str()), ("auth-role", "the-role"));
    assert_eq!(file.to_str(), Some("/run/secrets/secret-id"));
    assert!(vault.tls.skip_verify && vault.tls.ca_cert.is_some() && vault.tls.client_key.is_some());
    assert_eq!(vault.tls.server_name.as_deref(), Some("vault.internal"));
}

#[test]
fn the_good_file_has_every_key() {
    // All but the keys that another one excludes.
    let excluded = ["vault.address", "vault.token_file", "vault.kubernetes"];
    let root: toml::Table = std::fs::read_to_string("tests/config/good.toml").unwrap().parse().unwrap();
    for key in setting::ALL.iter().filter_map(|setting| setting.key) {
        let found =
            key.split('.').try_fold(toml::Value::Table(root.clone()), |table, part| table.get(part).cloned());
        assert!(found.is_some() != excluded.iter().any(|other| key.starts_with(other)), "{key}");
    }
}

#[test]
fn without_anything_the_defaults_hold() {
    let config = load(&[], &[]).unwrap();
    assert_eq!(config.listen_address, ":9748");
    assert_eq!(config.state_dir.to_str(), Some("/var/lib/leasewatch"));
    assert_eq!((config.max_line_bytes, config.label_sets), (32 << 20, 2_000));
    assert_eq!(config.ledger_capacity, 1_000_000);
    assert_eq!(config.identities, Identities::Loopback);
    assert!(config.web_config.is_none());
    assert_eq!((config.anomaly.mode, config.anomaly.alarm_budget), (AnomalyMode::On, 1.0));
    assert_eq!((config.anomaly.subjects, config.anomaly.episodes), (20_000, 4_096));
    assert!(config.anomaly.baseline.is_none() && config.anomaly.acknowledged.is_empty());
    assert!(config.push.is_off() && config.push.privacy == Privacy::Pseudonymous);
    assert_eq!(config.vault.namespaces, [""]);
    assert!(config.nodes.is_empty() && config.logs.is_empty());
    assert!(matches!(config.vault.auth, AuthConfig::None));
    let error = config.something_to_watch().unwrap_err().to_string();
    assert!(error.contains("Give --audit-log PATH"), "{error}");
}

#[test]
fn unknown_keys_are_refused_with_the_known_ones() {
    assert_eq!(
        bad("bad-unknown-key.toml"),
        "bad-unknown-key.toml:1: audit_logs: there is no such setting. Known here: \
         anomaly, audit_log, checkpoint, labels, ledger, log, max_line_bytes, node, push, receive, server_log, start_at, state_dir, vault, web.\n\
         bad-unknown-key.toml:4: vault.adress: there is no such setting. Known here: \
         address, approle, kubernetes, listing_interval, metrics_prefix, monitor, namespace, namespaces, node_name, scrape_interval, timeout, tls, token_file.\n\
         bad-unknown-key.toml:8: node.adress: there is no such setting. Known here: name, address, audit_log, server_log."
    );
}

#[test]
fn what_is_not_toml_is_told_with_its_line() {
    let error = bad("bad-syntax.toml");
    assert!(error.starts_with("bad-syntax.toml:1: this is not TOML: "), "{error}");
    assert_eq!(error.lines().count(), 1);
    assert!(!error.contains("/srv"), "the message quotes the file: {error}");
}

#[test]
fn a_value_of_the_wrong_form_is_told_with_the_right_one() {
    assert_eq!(
        bad("bad-type.toml"),
        "bad-type.toml:1: audit_log: this is a string, not what the setting takes. Write a list of texts: [\"…\", \"…\"].\n\
         bad-type.toml:2: max_line_bytes: this is a string, not what the setting takes. Write a whole number, without quotes.\n\
         bad-type.toml:3: vault: this is a string, not a table. Write [vault] and its keys below it.\n\
         bad-type.toml:4: start_at: this is an integer, not what the setting takes. Write a text: \"…\".\n\
         bad-type.toml:7: checkpoint.interval: this is an integer, not what the setting takes. Write a number and a unit in quotes: \"30s\".\n\
         bad-type.toml:9: vault_tls: there is no such setting. Known here: \
         anomaly, audit_log, checkpoint, labels, ledger, log, max_line_bytes, node, push, receive, server_log, start_at, state_dir, vault, web."
    );
}

#[test]
fn what_is_wrong_with_scores_and_acknowledgements_is_told() {
    assert_eq!(
        bad("bad-anomaly.toml"),
        "bad-anomaly.toml:2: anomaly.mode: \"quiet\" is none of its words. Write on or shadow or off.\n\
         bad-anomaly.toml:3: anomaly.alarm_budget: 0.001 is too small. Write a number from 0.02 to 1000.\n\
         bad-anomaly.toml:4: anomaly.subjects: 1 is too small. Write at least 100.\n\
         bad-anomaly.toml:7: anomaly.acknowledged.episode: \"latest\" is no ID of an episode. \
         Write the 16 digits and letters that `leasewatch episodes` shows.\n\
         bad-anomaly.toml:10: anomaly.acknowledged.expires: \"next year\" is no time. \
         Write a time such as 2026-12-31T00:00:00Z, in quotes.\n\
         bad-anomaly.toml:12: anomaly.acknowledged: an acknowledgement without reason. \
         Write reason = \"…\"; episode, author, reason and expires must be there.\n\
         bad-anomaly.toml:23: anomaly.acknowledged: the episode 0123456789abcdef is acknowledged twice. Keep one of them."
    );
    assert_eq!(
        bad("bad-anomaly-form.toml"),
        "bad-anomaly-form.toml:2: anomaly.alarm_budget: this is a string, not what the setting takes. \
         Write a number, without quotes.\n\
         bad-anomaly-form.toml:4: anomaly.acknowledged: this is not a list of tables. \
         Write [[anomaly.acknowledged]], with two brackets, once for each acknowledged."
    );
    for budget in ["NaN", "inf", "-1", "1e9", "often"] {
        let error = load(&[("anomaly.alarm-budget", budget)], &[]).unwrap_err();
        assert!(error.starts_with("--anomaly.alarm-budget: "), "{error}");
    }
    assert_eq!(
        load(&[("anomaly.alarm-budget", "2.5")], &[]).unwrap().anomaly.alarm_budget.to_string(),
        "2.5"
    );
}

#[test]
fn a_secret_in_the_file_is_refused_and_not_shown() {
    assert_eq!(
        bad("bad-secret.toml"),
        "bad-secret.toml:2: vault.token: a secret must not stand in the file. \
         Take it out, and give VAULT_TOKEN, or the path of a file as vault.token_file.\n\
         bad-secret.toml:5: vault.approle.secret_id: a secret must not stand in the file. \
         Take it out, and give LEASEWATCH_VAULT_APPROLE_SECRET_ID, or the path of a file as vault.approle.secret_id_file."
    );
}

#[test]
fn all_bad_values_are_told_at_once() {
    assert_eq!(
        bad("bad-values.toml"),
        "bad-values.toml:19: vault.address: an address must not hold a user or a password. Take them out; leasewatch logs in with a token.\n\
         bad-values.toml:3: audit_log: \"/var/log/[\" is no glob: invalid range pattern. Write a [ that belongs to a name as [[].\n\
         bad-values.toml:3: audit_log: there is no path. Write a path, a glob in quotes, - for standard input, or an address to receive at.\n\
         bad-values.toml:6: web.listen_address: \"9748\" has no port. Write HOST:PORT, such as 127.0.0.1:9748, [::1]:9748, or :9748 for all addresses.\n\
         bad-values.toml:24: vault.tls.client_key: a key without its certificate. Give vault.tls.client_cert too.\n\
         bad-values.toml:20: vault.timeout: \"forever\" is no duration. Write a number and a unit, such as 500ms, 30s, 5m or 1h.\n\
         bad-values.toml:21: vault.listing_interval: \"5s\" is too short. Write at least 60s.\n\
         bad-values.toml:1: start_at: \"middle\" is none of its words. Write beginning or end.\n\
         bad-values.toml:2: max_line_bytes: 10 is too small. Write at least 4096.\n\
         bad-values.toml:12: labels.budget: 0 is too small. Write at least 1.\n\
         bad-values.toml:9: checkpoint.interval: \"1ms\" is too short. Write at least 1s.\n\
         bad-values.toml:15: log.level: \"loud\" is no level. Write error, warn, info, debug or trace, or a filter such as info,leasewatch::vault=debug.\n\
         bad-values.toml:16: log.format: \"xml\" is none of its words. Write text or json."
    );
}

#[test]
fn nodes_have_a_name_each_and_stand_in_one_place() {
    assert_eq!(
        bad("bad-nodes.toml"),
        "bad-nodes.toml:7: node: the node has no name. Write name = \"…\"; it becomes the label `node`.\n\
         bad-nodes.toml:11: node.name: there are two nodes \"a\". Give each node a name of its own.\n\
         bad-nodes.toml:14: node.name: \"not a name\" is no name. Write up to 100 letters, digits, dots, dashes and underscores.\n\
         bad-nodes.toml:2: vault.address: the file names the nodes already, in [[node]]. Take one of them out; an address of each node stands in its [[node]]."
    );
    assert_eq!(
        bad("bad-node-list.toml"),
        "bad-node-list.toml:1: node: this is not a list of tables. Write [[node]], with two brackets, once for each node."
    );
}

#[test]
fn logs_are_named_and_read_once() {
    assert_eq!(
        bad("bad-logs.toml"),
        "bad-logs.toml:1: audit_log: two logs have the name \"same\". Give one another name: NAME=PATH.\n\
         bad-logs.toml:2: server_log: standard input is read twice. Name it once; lines of the other log in the same stream are told apart.\n\
         bad-logs.toml:2: server_log: /a is read twice. Name it once; lines of the other log in the same stream are told apart."
    );
}

#[test]
fn who_may_send_is_said_wherever_others_can_reach() {
    let flags = [
        ("audit-log", "a=tcp://0.0.0.0:9749"),
        ("audit-log", "b=udp://[::1]:9749"),
        ("audit-log", "ftp://1.2.3.4:5"),
    ];
    let told = load(&flags, &[("LEASEWATCH_RECEIVE_SPOOL_LIMIT", "1000")]).unwrap_err();
    assert_eq!(
        told,
        "LEASEWATCH_RECEIVE_SPOOL_LIMIT: 1000 is too small. Write at least 67108864.\n\
         --audit-log: nothing can be received by \"ftp\". Write tcp://127.0.0.1:9749, udp://127.0.0.1:9749, \
         unix:///run/leasewatch/audit.sock, unixgram:///run/leasewatch/audit.sock, http://127.0.0.1:9749/, tls://10.0.0.5:9749 or https://10.0.0.5:9749/.\n\
         --audit-log: tcp://0.0.0.0:9749 can be reached by other machines, and none is allowed to send. Name their \
         networks in receive.allow, such as 10.0.0.0/8, or listen at 127.0.0.1."
    );
    let config = load(&flags[..2], &[("LEASEWATCH_RECEIVE_ALLOW", "10.0.0.0/8, fd00::/8")]).unwrap();
    assert_eq!(config.receive.allow.len(), 2);
    let at: Vec<_> =
        config.logs.iter().map(|log| (log.name.as_str(), log.receiver().unwrap().is_local())).collect();
    assert_eq!(at, [("a", false), ("b", true)]);
}

#[test]
fn the_server_log_comes_by_one_way() {
    let on = ("vault.monitor", "true");
    let address = ("vault.address", "http://127.0.0.1:8200");
    assert!(load(&[on, address], &[]).unwrap().vault.monitor);
    assert_eq!(
        load(&[on, address, ("server-log", "/v/server.log")], &[]).unwrap_err(),
        "--vault.monitor: the server log is read from /v/server.log already. Take vault.monitor out: \
         the file loses nothing, the stream what is logged while it is away."
    );
    assert_eq!(
        load(&[on], &[]).unwrap_err(),
        "--vault.monitor: there is no node to stream from. Give VAULT_ADDR, or address in [[node]]."
    );
}

#[test]
fn listing_is_off_unless_asked_for() {
    let interval = |flags: &[(&'static str, &str)]| load(flags, &[]).unwrap().vault.listing_interval;
    assert_eq!(interval(&[]), None);
    assert_eq!(interval(&[("vault.listing-interval", "off")]), None);
    assert_eq!(interval(&[("vault.listing-interval", "1h")]), Some(Duration::from_secs(3600)));
}

#[test]
fn a_login_is_given_once_and_whole() {
    assert_eq!(
        bad("bad-two-logins.toml"),
        "bad-two-logins.toml:2: vault.token_file: there is another login: bad-two-logins.toml:5: vault.kubernetes.role. Keep one of them."
    );
    assert_eq!(
        bad("bad-no-secret-id.toml"),
        "bad-no-secret-id.toml:2: vault.approle.role_id: the AppRole login has no secret ID. \
         Give vault.approle.secret_id_file, or LEASEWATCH_VAULT_APPROLE_SECRET_ID."
    );
}

#[test]
fn pushing_takes_the_variables_of_opentelemetry_and_is_whole_or_refused() {
    let url = |variables: Variables| load(&[], variables).unwrap().push.otlp.url();
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://oneuptime.com/otlp/");
    let metrics = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "https://other/m");
    assert_eq!(url(&[endpoint]).as_deref(), Some("https://oneuptime.com/otlp/v1/metrics"));
    assert_eq!(url(&[endpoint, metrics]).as_deref(), Some("https://other/m"));
    let headers = ("OTEL_EXPORTER_OTLP_HEADERS", "x-oneuptime-token=hidden-7");
    let attributes = ("OTEL_RESOURCE_ATTRIBUTES", "team=a%20b,x=y");
    let config = load(&[], &[endpoint, headers, attributes, ("OTEL_SERVICE_NAME", "lw")]).unwrap();
    assert!(!format!("{config:?}{config}").contains("hidden-7"));
    assert_eq!(config.push.otlp.service_name, "lw");
    assert_eq!(config.push.otlp.resource_attributes[0], ("team".to_owned(), "a b".to_owned()));
    // The same receiver by both ways gets the metrics once.
    let oneuptime =
        [("LEASEWATCH_ONEUPTIME_TOKEN", "t"), ("LEASEWATCH_ONEUPTIME_URL", "https://oneuptime.com")];
    assert!(load(&[], &oneuptime).unwrap().push.oneuptime_metrics());
    assert!(!load(&[], &[oneuptime[0], oneuptime[1], endpoint]).unwrap().push.oneuptime_metrics());
    assert_eq!(
        load(&[], &[("LEASEWATCH_ONEUPTIME_TOKEN", "t")]).unwrap_err(),
        "LEASEWATCH_ONEUPTIME_TOKEN: there is a key of OneUptime, but no address of it. Give push.oneuptime.url."
    );
    assert_eq!(
        load(&[("push.oneuptime.incidents", "page")], &[oneuptime[1], ("LEASEWATCH_ONEUPTIME_API_KEY", "k")])
            .unwrap_err(),
        "--push.oneuptime.incidents: incidents need an address, a key, a project and a severity. \
         Give push.oneuptime.project_id.\n\
         --push.oneuptime.incidents: incidents need an address, a key, a project and a severity. \
         Give push.oneuptime.incident_severity_id."
    );
    let error = load(&[("push.otlp.endpoint", "https://u:secret@x")], &[]).unwrap_err();
    assert!(error.contains("must not hold a user") && !error.contains("secret"), "{error}");
}

#[test]
fn a_missing_file_is_told_with_who_named_it() {
    let error = load(&[], &[("LEASEWATCH_CONFIG_FILE", "tests/config/none.toml")]).unwrap_err();
    assert_eq!(
        error,
        "LEASEWATCH_CONFIG_FILE: tests/config/none.toml cannot be read: No such file or directory (os error 2). \
         Name a TOML file that this user may read."
    );
}

#[test]
fn a_flag_wins_over_a_variable_and_that_over_the_file() {
    let file = ("config.file", "tests/config/good.toml");
    let variable = ("LEASEWATCH_WEB_LISTEN_ADDRESS", ":2");
    assert_eq!(load(&[file], &[]).unwrap().listen_address, "127.0.0.1:9999");
    assert_eq!(load(&[file], &[variable]).unwrap().listen_address, ":2");
    assert_eq!(load(&[file, ("web.listen-address", ":3")], &[variable]).unwrap().listen_address, ":3");
    // The stronger layer chooses the login.
    let config = load(&[file], &[("VAULT_TOKEN", "hvs.x")]).unwrap();
    assert!(matches!(&config.vault.auth, AuthConfig::Token(token) if token.reveal() == "hvs.x"));
    let config = load(&[file, ("vault.token-file", "/t")], &[("VAULT_TOKEN", "hvs.x")]).unwrap();
    assert!(matches!(&config.vault.auth, AuthConfig::TokenFile(path) if path.to_str() == Some("/t")));
    assert!(!format!("{config:?}{config}").contains("hvs.x"));
}

#[test]
fn variables_of_openbao_come_before_those_of_vault() {
    let vault = ("VAULT_ADDR", "https://vault:8200");
    let address = |variables: Variables| load(&[], variables).unwrap().nodes[0].address.clone();
    assert_eq!(address(&[vault]), "https://vault:8200");
    assert_eq!(address(&[("BAO_ADDR", "https://bao:8200"), vault]), "https://bao:8200");
    // Set to nothing is not set.
    assert_eq!(address(&[("BAO_ADDR", ""), vault]), "https://vault:8200");
    let config = load(&[], &[("VAULT_SKIP_VERIFY", "T"), ("VAULT_NAMESPACE", "/team-a/")]).unwrap();
    assert!(config.vault.tls.skip_verify);
    assert_eq!(
        (config.vault.namespace.as_str(), config.vault.namespaces.as_slice()),
        ("team-a", &["team-a".to_owned()][..])
    );
    let error = load(&[], &[("VAULT_SKIP_VERIFY", "yes")]).unwrap_err();
    assert_eq!(error, "VAULT_SKIP_VERIFY: \"yes\" is neither true nor false. Write true or false.");
}

#[test]
fn the_state_folder_of_systemd_is_a_default() {
    let systemd = ("STATE_DIRECTORY", "/var/lib/a:/var/lib/b");
    assert_eq!(load(&[], &[systemd]).unwrap().state_dir.to_str(), Some("/var/lib/a"));
    assert_eq!(load(&[("state-dir", "/x")], &[systemd]).unwrap().state_dir.to_str(), Some("/x"));
}

#[test]
fn logs_from_flags_belong_to_the_only_node() {
    let flags = [("audit-log", "/a"), ("audit-log", "b=/b"), ("vault.address", "http://[::1]:8200")];
    let config = load(&flags, &[("LEASEWATCH_SERVER_LOG", "/s, /t")]).unwrap();
    let logs: Vec<_> =
        config.logs.iter().map(|log| (log.name.as_str(), log.path.as_str(), log.node.as_deref())).collect();
    let vault = Some("vault");
    assert_eq!(
        logs,
        [("audit", "/a", vault), ("b", "/b", vault), ("server", "/s", vault), ("server-2", "/t", vault)]
    );
}

#[test]
fn what_is_shown_gives_the_same_configuration_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shown.toml");
    let good: &[(&str, &str)] = &[("config.file", "tests/config/good.toml")];
    let single: &[(&str, &str)] =
        &[("vault.address", "http://v"), ("audit-log", "a=\"/x y"), ("vault.kubernetes.role", "r")];
    for flags in [good, single, &[]] {
        let config = load(flags, &[]).unwrap();
        std::fs::write(&path, config.to_string()).unwrap();
        let mut again = load(&[("config.file", path.to_str().unwrap())], &[]).unwrap();
        // Nodes and what is on top are shown in another order.
        again.logs.sort_by(|a, b| a.name.cmp(&b.name));
        let mut config = config;
        config.logs.sort_by(|a, b| a.name.cmp(&b.name));
        assert_eq!(format!("{again:?}"), format!("{config:?}"));
    }
}

#[test]
fn every_setting_can_be_set_in_every_way() {
    let mut names = std::collections::BTreeSet::new();
    for setting in setting::ALL {
        for name in setting
            .flag
            .iter()
            .chain(setting.variables)
            .chain(setting.key.iter().filter(|key| Some(**key) != setting.flag))
        {
            assert!(names.insert(*name), "{name} is there twice");
        }
        assert!(!setting.variables.is_empty(), "{} has no variable", setting.name());
        if let (Some(flag), Some(key)) = (setting.flag, setting.key) {
            assert_eq!(flag, key.replace('_', "-"), "flag and key have the same words");
        }
        // A value that cannot be meant is refused, so the setting is looked at.
        let nonsense = match setting.kind {
            Kind::Integer | Kind::Number | Kind::Duration | Kind::Switch | Kind::Choice(_) => "nonsense",
            Kind::Text(_) | Kind::List(_) => continue,
        };
        let error = load(&[], &[(setting.variables[0], nonsense)]).expect_err(setting.variables[0]);
        assert!(error.starts_with(setting.variables[0]), "{error}");
    }
}
