//! Names in logs that are HTML: they are shown as they are, and do nothing.

use crate::pki::Folder;
use crate::support::{Leasewatch, lines};
use std::fs;

#[test]
fn html_from_a_log_is_shown_and_does_nothing_on_every_page() {
    let folder = Folder::new();
    let hostile = "<script>alert(1)<img src=x onerror=alert(2)>'\\\"&";
    let mut text = String::new();
    for number in 0..50 {
        let line = lines::issued(number, hostile);
        text += &line
            .replace("\"display_name\":\"approle\"", &format!("\"display_name\":\"{hostile}\""))
            .replace("\"role_name\":\"app-2\"", &format!("\"role_name\":\"{hostile}\""))
            .replace(
                "\"remote_address\":\"127.0.1.3\"",
                &format!("\"headers\":{{\"user-agent\":[\"{hostile}\"]}},\"remote_address\":\"{hostile}\""),
            );
    }
    fs::write(folder.path("<i>audit<u>.log"), text).unwrap();
    let log = folder.text("<i>audit<u>.log");
    let missing = folder.text("missing-<u>");
    let state = folder.text("state");
    let arguments =
        ["--audit-log", &log, "--audit-log", &missing, "--state-dir", &state, "--anomaly.mode", "on"];
    let serving = Leasewatch::start(arguments, &[]);
    serving.metrics_when("all is read", |page| {
        let issued = page.sum("leasewatch_credentials_issued_total", &[]);
        if issued == 50.0 { Ok(()) } else { Err(format!("{issued} issued")) }
    });
    let pages = ["/", "/docs", "/ready", "/live", "/api/episodes?min_score=0", "/%3Cscript%3E"];
    for path in pages {
        let reply = serving.get(path).unwrap();
        let kind = reply.header("content-type").unwrap_or_default().to_owned();
        if kind.contains("html") {
            let page = reply.text();
            for live in ["<script", "<img", "<u>", "<i>", "onerror=alert(2)>"] {
                assert!(!page.contains(live), "{live} at {path}: {page}");
            }
            assert!(reply.header("content-security-policy").unwrap().contains("default-src 'none'"));
        }
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{path} is {kind}");
        assert_eq!(reply.header("cache-control"), Some("no-store"), "{path}");
        assert_eq!(reply.header("referrer-policy"), Some("no-referrer"), "{path}");
    }
    let page = serving.get("/").unwrap().text();
    assert!(page.contains("&lt;script&gt;alert(1)"), "the role is shown: {page}");
}
