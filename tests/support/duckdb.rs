//! `DuckDB`, which reads what is written for it.

use super::process::command;
use super::tools_dir;
use serde_json::Value;
use std::path::Path;

/// Runs a query in a folder, and gives each row as an array of texts, numbers and nulls.
const SCRIPT: &str = "
import duckdb, json, sys
duckdb.sql(\"SET TimeZone = 'UTC'\")
rows = duckdb.sql(sys.argv[1]).fetchall()
plain = lambda cell: cell if cell is None or isinstance(cell, (bool, int, float)) else str(cell)
print(json.dumps([[plain(cell) for cell in row] for row in rows]))
";

/// What a query gives whose files are in this folder.
pub(crate) fn query(folder: &Path, sql: &str) -> Vec<Vec<Value>> {
    let package = tools_dir().join("duckdb-2.0.1");
    assert!(package.is_dir(), "DuckDB is not installed ({}): run scripts/setup", package.display());
    let output = command(Path::new("/usr/bin/env"))
        .args(["python3", "-c", SCRIPT, sql])
        .env("PYTHONPATH", package)
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}
