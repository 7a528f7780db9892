//! The pack: every alert of alerts/rules and every test of alerts/tests, as text.

use std::path::{Path, PathBuf};

/// The repository's folder `alerts`.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("alerts")
}

/// One alert.
#[derive(Clone, Debug)]
pub(crate) struct Alert {
    pub(crate) name: String,
    /// The file of rules, without its folder and ending.
    pub(crate) file: String,
    /// Its lines in that file, from `- alert:` to the next rule.
    pub(crate) text: String,
    /// Its expression, as it is written.
    pub(crate) expression: String,
}

impl Alert {
    /// The rest of a line that begins with this.
    pub(crate) fn field(&self, key: &str) -> Option<&str> {
        self.text.lines().find_map(|line| line.trim_start().strip_prefix(key)).map(str::trim)
    }
}

/// The files of a folder below `alerts`, by name.
pub(crate) fn files(of: &str) -> Vec<(String, String)> {
    let mut all: Vec<_> = std::fs::read_dir(folder().join(of))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    all.sort();
    all
}

/// Every alert, by file.
pub(crate) fn alerts() -> Vec<Alert> {
    const RULE: &str = "\n      - ";
    let mut all = Vec::new();
    for (file, text) in files("rules") {
        for (at, _) in text.match_indices(RULE) {
            let rule = &text[at + 1..];
            let rule = rule[1..].find(RULE).map_or(rule, |end| &rule[..=end]);
            let rule = rule.split("\n      #").next().unwrap();
            let Some(name) = rule.trim_start().strip_prefix("- alert: ") else { continue };
            let name = name.lines().next().unwrap().to_owned();
            let begin = rule.find("expr: ").unwrap();
            let end = ["\n        for: ", "\n        labels: "]
                .iter()
                .filter_map(|next| rule[begin..].find(next))
                .min()
                .unwrap();
            let expression = rule[begin..begin + end].trim_start_matches("expr: ").to_owned();
            all.push(Alert { name, file: file.clone(), text: rule.to_owned(), expression });
        }
    }
    all
}

/// One test of promtool's, of the file of that name.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    pub(crate) file: String,
    /// What stands before the first test of the file.
    pub(crate) head: String,
    /// What it says that it shows.
    pub(crate) name: String,
    pub(crate) text: String,
}

/// Every test, with what its anchors stand for written out.
pub(crate) fn units() -> Vec<Unit> {
    const FIRING: &str = "'count by (alertname) (ALERTS{alertstate=\"firing\"})'";
    let mut all = Vec::new();
    for (file, text) in files("tests") {
        let text = text.replace("&firing ", "").replace("*firing", FIRING);
        let begin = text.find("tests:\n").unwrap() + "tests:\n".len();
        for test in text[begin..].split("  - name: ").skip(1) {
            all.push(Unit {
                file: file.clone(),
                head: text[..begin].to_owned(),
                name: test.lines().next().unwrap().to_owned(),
                text: format!("  - name: {test}"),
            });
        }
    }
    all
}
