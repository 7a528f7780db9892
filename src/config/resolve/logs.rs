//! Nodes and logs: which there are, and which log belongs to which node.

use super::{Resolver, problem};
use crate::config::layers::Given;
use crate::config::problem::Origin;
use crate::config::{LogConfig, LogKind, NodeConfig, ReceiveConfig, setting, value};

impl Resolver<'_> {
    /// The nodes and all logs. They are read together, as a log belongs to a node.
    pub(super) fn nodes_and_logs(&mut self, receive: &ReceiveConfig) -> (Vec<NodeConfig>, Vec<LogConfig>) {
        let mut nodes = Vec::new();
        let mut names: Vec<(String, Origin)> = Vec::new();
        let mut logs: Vec<(LogConfig, Origin)> = Vec::new();
        for table in &self.layers.file.nodes {
            let Some(given) = table.values.get("name") else {
                let remedy = "Write name = \"…\"; it becomes the label `node`";
                self.problems.0.push(table.origin.problem("the node has no name", remedy));
                continue;
            };
            let name =
                self.problems.take(value::name(given.text()).map_err(|wrong| problem(&given.origin, wrong)));
            let Some(name) = name else { continue };
            if names.iter().any(|(other, _)| *other == name) {
                let remedy = "Give each node a name of its own";
                self.problems.0.push(given.origin.problem(format!("there are two nodes {name:?}"), remedy));
            }
            names.push((name.clone(), given.origin.clone()));
            if let Some(given) = table.values.get("address") {
                let address = value::api_address(given.text()).map_err(|wrong| problem(&given.origin, wrong));
                nodes.extend(
                    self.problems.take(address).map(|address| NodeConfig { name: name.clone(), address }),
                );
            }
            for (key, kind) in [("audit_log", LogKind::Audit), ("server_log", LogKind::Server)] {
                if let Some(given) = table.values.get(key) {
                    self.logs(given, kind, Some(&name), &mut logs);
                }
            }
        }
        let single = self.single_node(!names.is_empty());
        for (setting, kind) in
            [(&setting::AUDIT_LOG, LogKind::Audit), (&setting::SERVER_LOG, LogKind::Server)]
        {
            if let Some(given) = self.layers.get(setting) {
                self.logs(&given, kind, single.as_ref().map(|node| node.name.as_str()), &mut logs);
            }
        }
        nodes.extend(single);
        self.check_logs(&logs, receive);
        (nodes, logs.into_iter().map(|(log, _)| log).collect())
    }

    /// The node at `vault.address`.
    fn single_node(&mut self, tables: bool) -> Option<NodeConfig> {
        let name = self.parsed(&setting::VAULT_NODE_NAME, value::name);
        let given = self.layers.get(&setting::VAULT_ADDRESS)?;
        if tables {
            let remedy = "Take one of them out; an address of each node stands in its [[node]]";
            self.problems
                .0
                .push(given.origin.problem("the file names the nodes already, in [[node]]", remedy));
        }
        let address = value::api_address(given.text()).map_err(|wrong| problem(&given.origin, wrong));
        self.problems.take(address).map(|address| NodeConfig { name, address })
    }

    fn logs(
        &mut self,
        given: &Given,
        kind: LogKind,
        node: Option<&str>,
        logs: &mut Vec<(LogConfig, Origin)>,
    ) {
        let word = match kind {
            LogKind::Audit => "audit",
            LogKind::Server => "server",
        };
        // A node's name stands in front only where nodes stand in tables: else there is one node.
        let in_table = matches!(&given.origin, Origin::File { key, .. } if key.starts_with("node."));
        let stem = node.filter(|_| in_table).map_or(word.to_owned(), |node| format!("{node}-{word}"));
        for (index, text) in given.texts.iter().enumerate() {
            let named = value::named_path(text).map_err(|wrong| problem(&given.origin, wrong));
            let Some((name, path)) = self.problems.take(named) else {
                continue;
            };
            let name = name
                .unwrap_or_else(|| if index == 0 { stem.clone() } else { format!("{stem}-{}", index + 1) });
            let log = LogConfig { name, kind, path, node: node.map(str::to_owned) };
            logs.push((log, given.origin.clone()));
        }
    }

    /// No two logs of one name or path, standard input once, and nothing that anybody may send to.
    fn check_logs(&mut self, logs: &[(LogConfig, Origin)], receive: &ReceiveConfig) {
        for (index, (log, origin)) in logs.iter().enumerate() {
            if receive.allow.is_empty() && log.receiver().is_some_and(|at| !at.is_local()) {
                let text =
                    format!("{} can be reached by other machines, and none is allowed to send", log.path);
                let remedy =
                    "Name their networks in receive.allow, such as 10.0.0.0/8, or listen at 127.0.0.1";
                self.problems.0.push(origin.problem(text, remedy));
            }
            if receive.config_file.is_none() && log.receiver().is_some_and(|at| at.speaks_tls()) {
                let text = format!("{} is to speak TLS, and has no certificate", log.path);
                let remedy = "Name a file with tls_server_config by receive.config.file, see docs/devices.md";
                self.problems.0.push(origin.problem(text, remedy));
            }
            let before = &logs[..index];
            if before.iter().any(|(other, _)| other.path == log.path) {
                let problem = match log.path.as_str() {
                    "-" => "standard input is read twice".to_owned(),
                    path => format!("{path} is read twice"),
                };
                // Vault mixes both logs in one stream where a container collects its output.
                let remedy = "Name it once; lines of the other log in the same stream are told apart";
                self.problems.0.push(origin.problem(problem, remedy));
            } else if before.iter().any(|(other, _)| other.name == log.name) {
                let problem = format!("two logs have the name {:?}", log.name);
                self.problems.0.push(origin.problem(problem, "Give one another name: NAME=PATH"));
            }
        }
    }
}
