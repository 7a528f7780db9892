//! The web configuration file, key by key, against a client that speaks TLS.

use crate::client::Https;
use crate::pki::{Authority, Folder, arguments, hashed};
use crate::support::http::Request;
use crate::support::leasewatch::run;
use crate::support::{Leasewatch, Metrics, eventually};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

const TLS: &str = "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n";

#[test]
fn with_a_password_everything_is_shown_to_whoever_has_it_and_nothing_to_others() {
    let (folder, authority) = (Folder::new(), Authority::new());
    folder.serve_by(&authority);
    let users = format!("basic_auth_users:\n  prom: {}\n  ops: '{}'\n", hashed("scrape"), hashed("look"));
    let web = folder.write("web.yml", &format!("{TLS}{users}"));
    let serving = Leasewatch::start(arguments(&folder, &web), &[]);
    let (port, nobody) = (serving.port(), Https::trusting(&authority.pem()));
    for path in ["/", "/metrics", "/api/episodes", "/docs", "/nowhere"] {
        for wrong in
            [&nobody, &nobody.saying("prom", "look"), &nobody.saying("eve", "scrape"), &nobody.saying("", "")]
        {
            let (status, body) = wrong.get(port, path).unwrap();
            assert_eq!(status, 401, "{path}");
            assert!(body.starts_with("a user and a password"), "{body}");
        }
    }
    // Whatever watches over processes has no password.
    assert_eq!(nobody.get(port, "/live").unwrap().0, 200);
    assert!([200, 503].contains(&nobody.get(port, "/ready").unwrap().0));
    assert_eq!(nobody.saying("prom", "look").get(port, "/live").unwrap().0, 401);
    let known = nobody.saying("prom", "scrape");
    for path in ["/", "/metrics", "/api/episodes", "/docs", "/live"] {
        // Twice: the second time it is remembered.
        for _ in 0..2 {
            eventually(path, Duration::from_secs(300), || match known.get(port, path) {
                Ok((200, _)) => Ok(()),
                other => Err(format!("{other:?}")),
            });
        }
    }
    assert_eq!(nobody.ask("POST", port, "/-/reload").unwrap().0, 401);
    assert_eq!(nobody.saying("ops", "look").ask("POST", port, "/-/reload").unwrap().0, 200);

    // A user who is taken out, and a password that is changed: from the next request on, without a restart.
    folder.write("web.yml", &format!("{TLS}basic_auth_users:\n  prom: {}\n", hashed("changed")));
    assert_eq!(known.get(port, "/metrics").unwrap().0, 401);
    assert_eq!(nobody.saying("ops", "look").get(port, "/metrics").unwrap().0, 401);
    let known = nobody.saying("prom", "changed");
    assert_eq!(known.get(port, "/metrics").unwrap().0, 200);

    // A mistake lets nobody in and locks nobody out; it is told where one looks.
    folder.write("web.yml", &format!("{TLS}basic_auth_user:\n  eve: x\n"));
    assert_eq!(nobody.get(port, "/metrics").unwrap().0, 401);
    let (_, page) = known.get(port, "/metrics").unwrap();
    assert!(page.contains("\nleasewatch_config_last_reload_successful 0\n"), "{page}");
    let (_, page) = known.get(port, "/").unwrap();
    assert!(page.contains("web.yml:4: there is no key `basic_auth_user`"), "{page}");
    assert!(serving.output().contains("is not followed"), "{}", serving.output());
    folder.write("web.yml", TLS);
    let (status, page) = nobody.get(port, "/metrics").unwrap();
    assert!(status == 200 && page.contains("\nleasewatch_config_last_reload_successful 1\n"), "{page}");
    let log = serving.output();
    for secret in ["scrape", "changed", "$2b$"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

/// Waits until the counts of whom it turned away are these, by reason; all others are 0.
fn turned_away(ask: impl Fn() -> Metrics, requests: &[(&str, f64)], handshakes: &[(&str, f64)]) {
    for (metric, number, expected) in [
        ("leasewatch_http_requests_refused_total", 10, requests),
        ("leasewatch_http_tls_failures_total", 4, handshakes),
    ] {
        eventually(metric, Duration::from_secs(60), || {
            let page = ask();
            let is_so = page.matching(metric, &[]).count() == number
                && expected
                    .iter()
                    .all(|(reason, times)| page.value(metric, &[("reason", reason)]) == Some(*times))
                && page.sum(metric, &[]) == expected.iter().map(|(_, times)| times).sum::<f64>();
            if is_so { Ok(()) } else { Err(page.lines(metric)) }
        });
    }
}

#[test]
fn who_is_turned_away_is_counted_by_reason_and_over_a_kill() {
    let (folder, authority, stranger) = (Folder::new(), Authority::new(), Authority::new());
    folder.serve_by(&authority);
    folder.write("ca.pem", &authority.pem());
    let users = format!("basic_auth_users:\n  prom: {}\n", hashed("scrape"));
    let verified = "  client_ca_file: ca.pem\n  client_auth_type: VerifyClientCertIfGiven\n";
    let web = folder.write("web.yml", &format!("{TLS}{verified}{users}"));
    let mut serving = Leasewatch::start(arguments(&folder, &web), &[]);
    let nobody = Https::trusting(&authority.pem());
    let known = nobody.saying("prom", "scrape");
    let page = |port: u16| {
        let known = &known;
        move || {
            eventually("a page", Duration::from_secs(60), || match known.get(port, "/metrics") {
                Ok((200, text)) => Ok(Metrics::parse(&text)),
                other => Err(format!("{other:?}")),
            })
        }
    };
    let port = serving.port();
    turned_away(page(port), &[], &[]);
    for (user, password) in [("prom", "wrong"), ("eve", "scrape")] {
        assert_eq!(nobody.saying(user, password).get(port, "/metrics").unwrap().0, 401);
    }
    assert_eq!(nobody.get(port, "/").unwrap().0, 401);
    // Neither what is let through nor what there is not is refused.
    assert_eq!(nobody.get(port, "/live").unwrap().0, 200);
    assert_eq!(known.get(port, "/nowhere").unwrap().0, 404);
    assert_eq!(serving.get("/live").unwrap().status, 400);
    // Looks whether the port is open, and says nothing.
    drop(TcpStream::connect(("127.0.0.1", port)).unwrap());
    // Another authority is trusted; another one's certificate is shown; noise.
    assert!(Https::trusting(&stranger.pem()).get(port, "/live").is_err());
    assert!(nobody.showing(&stranger.leaf(&["x"])).get(port, "/live").is_err());
    let mut noisy = TcpStream::connect(("127.0.0.1", port)).unwrap();
    noisy.write_all(&[0; 64]).unwrap();
    let _ = noisy.read_to_end(&mut Vec::new());
    let requests = [("password", 3.0), ("plain", 1.0)];
    let handshakes = [("alert", 1.0), ("certificate", 1.0), ("other", 1.0)];
    turned_away(page(port), &requests, &handshakes);
    serving.kill9();
    serving.restart();
    turned_away(page(serving.port()), &requests, &handshakes);
}

#[test]
fn without_passwords_too_who_is_turned_away_is_counted() {
    let folder = Folder::new();
    let web = folder.write("web.yml", "");
    let serving = Leasewatch::start(arguments(&folder, &web), &[]);
    let refused = |request: Request| assert_eq!(request.send(serving.port()).unwrap().status, 403);
    refused(Request::new("GET", "/").header("x-forwarded-for", "192.0.2.1"));
    refused(Request::new("GET", "/api/episodes").header("host", "evil.example"));
    refused(Request::new("POST", "/-/reload").header("origin", "https://evil.example"));
    assert_eq!(Request::new("GET", "/live").body(b"x").send(serving.port()).unwrap().status, 413);
    turned_away(|| serving.metrics(), &[("proxy", 1.0), ("host", 1.0), ("site", 1.0), ("body", 1.0)], &[]);
    folder.write("web.yml", "rate_limit:\n  interval: 1h\n  burst: 2\n");
    let statuses: Vec<_> = (0..4).map(|_| serving.get("/live").unwrap().status).collect();
    assert_eq!(statuses, [200, 200, 429, 429]);
    folder.write("web.yml", "");
    let all = [("proxy", 1.0), ("host", 1.0), ("site", 1.0), ("body", 1.0), ("rate", 2.0)];
    turned_away(|| serving.metrics(), &all, &[]);
}

#[test]
fn a_client_has_to_show_a_certificate_of_the_authority_and_with_an_allowed_name() {
    let (folder, authority, stranger) = (Folder::new(), Authority::new(), Authority::new());
    folder.serve_by(&authority);
    folder.write("ca.pem", &authority.pem());
    let with = |more: &str| format!("{TLS}  client_ca_file: ca.pem\n{more}");
    let web = folder.write("web.yml", &with("  client_auth_type: RequireAndVerifyClientCert\n"));
    let serving = Leasewatch::start(arguments(&folder, &web), &[]);
    let port = serving.port();
    let nobody = Https::trusting(&authority.pem());
    let (own, other) = (authority.leaf(&["prometheus"]), stranger.leaf(&["prometheus"]));
    for tls12 in [false, true] {
        let nobody = Https { tls12, ..nobody.clone() };
        assert!(nobody.get(port, "/live").is_err());
        assert!(nobody.showing(&other).get(port, "/live").is_err());
        // It says who he is, so that he sees everything.
        assert_eq!(nobody.showing(&own).get(port, "/api/episodes").unwrap().0, 200);
    }
    // Names: of a host, of SPIFFE; not those of others.
    for (allowed, is_let_in) in
        [("prometheus", true), ("spiffe://example.org/prometheus", true), ("prom", false), ("*", false)]
    {
        let policy = "client_auth_type: RequireAndVerifyClientCert";
        folder.write(
            "web.yml",
            &with(&format!("  {policy}\n  client_allowed_sans: ['x.example', '{allowed}']\n")),
        );
        assert_eq!(nobody.showing(&own).get(port, "/live").is_ok(), is_let_in, "{allowed}");
    }
    // Where there need not be one, nobody is known without, and sees what anybody sees; a wrong one is refused.
    folder.write("web.yml", &with("  client_auth_type: VerifyClientCertIfGiven\n"));
    assert_eq!(nobody.get(port, "/live").unwrap().0, 200);
    assert!(nobody.showing(&other).get(port, "/live").is_err());
    // Any certificate will do, and proves nothing; from this machine the pages are shown anyway.
    folder.write("web.yml", &format!("{TLS}  client_auth_type: RequireAnyClientCert\n"));
    assert!(nobody.get(port, "/live").is_err());
    assert_eq!(nobody.showing(&other).get(port, "/live").unwrap().0, 200);
}

#[test]
fn versions_and_what_is_no_tls_at_all() {
    let (folder, authority) = (Folder::new(), Authority::new());
    folder.serve_by(&authority);
    let web = folder.write("web.yml", &format!("{TLS}  min_version: TLS13\n"));
    let serving = Leasewatch::start(arguments(&folder, &web), &[]);
    let port = serving.port();
    let new = Https::trusting(&authority.pem());
    let old = Https { tls12: true, ..new.clone() };
    assert!(new.get(port, "/live").is_ok() && old.get(port, "/live").is_err());
    folder.write(
        "web.yml",
        &format!("{TLS}  max_version: TLS12\n  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384]\n  curve_preferences: [CurveP384]\n"),
    );
    assert!(new.get(port, "/live").is_ok() && old.get(port, "/live").is_ok());
    // Plain HTTP is told so.
    let plain = serving.get("/live").unwrap();
    assert_eq!(plain.status, 400);
    assert!(plain.text().contains("https://"), "{}", plain.text());
    // Silence and noise hold nobody up.
    let _silent: Vec<_> = (0..200).map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
    let mut noisy = TcpStream::connect(("127.0.0.1", port)).unwrap();
    noisy.write_all(&[0; 64]).unwrap();
    let mut end = Vec::new();
    let _ = noisy.read_to_end(&mut end);
    assert!(new.get(port, "/live").is_ok());
    // A connection from the time of plain text is not served on in it.
    folder.write("web.yml", "");
    let mut before = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut ask = |expected: &str| {
        before.write_all(b"GET /live HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut answer = [0; 12];
        before.read_exact(&mut answer).unwrap();
        assert_eq!(std::str::from_utf8(&answer).unwrap(), expected);
        let mut rest = [0; 4096];
        let _ = before.read(&mut rest);
    };
    ask("HTTP/1.1 200");
    folder.write("web.yml", TLS);
    ask("HTTP/1.1 400");
}

#[test]
fn headers_and_rates_are_as_the_file_says() {
    let folder = Folder::new();
    let headers = "http_server_config:\n  http2: false\n  headers:\n    X-Frame-Options: sameorigin\n    \
                   Strict-Transport-Security: max-age=300\n    X-XSS-Protection: ''\n";
    let web = folder.write("web.yml", headers);
    let serving = Leasewatch::start(arguments(&folder, &web), &[]);
    let reply = serving.get("/live").unwrap();
    assert_eq!(reply.header("x-frame-options"), Some("sameorigin"));
    assert_eq!(reply.header("strict-transport-security"), Some("max-age=300"));
    assert_eq!(reply.header("x-xss-protection"), None);
    assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
    folder.write("web.yml", "rate_limit:\n  interval: 1h\n  burst: 2\n");
    let statuses: Vec<_> = (0..4).map(|_| serving.get("/live").unwrap().status).collect();
    assert_eq!(statuses, [200, 200, 429, 429]);
}

#[test]
fn a_mistake_ends_the_start_and_check_config_finds_it() {
    let (folder, authority) = (Folder::new(), Authority::new());
    folder.serve_by(&authority);
    folder.write("ca.pem", &authority.pem());
    folder.write("other.key", &authority.leaf(&["x"]).1);
    let hash = hashed("x");
    for (text, told) in [
        ("tls_server_config:\n  cert_file: server.pem\n".to_owned(), "neither key nor key_file"),
        (
            "tls_server_config:\n  cert_file: gone.pem\n  key_file: server.key\n".to_owned(),
            "web.yml:2: cert_file ",
        ),
        (
            "tls_server_config:\n  cert_file: server.pem\n  key_file: other.key\n".to_owned(),
            "web.yml:3: certificate and key",
        ),
        (
            "tls_server_config:\n  cert_file: server.key\n  key_file: server.key\n".to_owned(),
            "web.yml:2: the certificate is no PEM",
        ),
        (format!("{TLS}  min_version: TLS10\n"), "web.yml:4: TLS10 is not spoken here"),
        (format!("{TLS}  min_version: TLS13\n  max_version: TLS12\n"), "web.yml:4: no version"),
        (
            format!("{TLS}  cipher_suites:\n  - TLS_AES_128_GCM_SHA256\n  - TLS_RSA_WITH_AES_128_CBC_SHA\n"),
            "web.yml:6: TLS_RSA_WITH_AES_128_CBC_SHA is not spoken",
        ),
        (format!("{TLS}  curve_preferences: [CurveP521]\n"), "web.yml:4: CurveP521 is not spoken"),
        (format!("{TLS}  client_auth_type: Verify\n"), "web.yml:4: there is no such client_auth_type"),
        (
            format!("{TLS}  client_auth_type: RequireAndVerifyClientCert\n"),
            "web.yml:4: certificates of clients are to be verified",
        ),
        (format!("{TLS}  client_ca_file: ca.pem\n"), "web.yml:4: no certificate is asked"),
        (
            format!(
                "{TLS}  client_ca_file: ca.pem\n  client_auth_type: VerifyClientCertIfGiven\n  client_allowed_sans: [a]\n"
            ),
            "web.yml:6: a client may come without",
        ),
        (
            "basic_auth_users:\n  eve: plain-text\n".to_owned(),
            "web.yml:2: the password of a user is not hashed",
        ),
        (format!("basic_auth_users:\n  eve: {}\n", hash.replace("$04$", "$31$")), "web.yml:2: the cost"),
        (
            "http_server_config:\n  headers:\n    Set-Cookie: a=b\n".to_owned(),
            "web.yml:3: the header Set-Cookie cannot be set",
        ),
        (
            "http_server_config:\n  headers:\n    X-Frame-Options: maybe\n".to_owned(),
            "web.yml:3: x-frame-options has no such value",
        ),
        ("rate_limit:\n  interval: soon\n".to_owned(), "web.yml:2: this is no duration"),
        ("rate_limit:\n  interval: 1s\n".to_owned(), "web.yml:2: with a burst of 0"),
        ("listen: x\n".to_owned(), "web.yml:1: there is no key `listen`"),
    ] {
        let web = folder.write("web.yml", &text);
        for command in ["serve", "check-config"] {
            let mut all = vec![command.to_owned(), "--web.listen-address=127.0.0.1:0".to_owned()];
            all.extend(arguments(&folder, &web));
            let ended = run(all);
            let said = [ended.stdout, ended.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            assert_eq!(ended.status.code(), Some(2), "{command}: {said}");
            assert!(said.contains(told), "{command} does not say {told}: {said}");
            assert!(!said.contains("plain-text") && !said.contains("PRIVATE"), "{said}");
        }
    }
    let (cert, key) = authority.leaf(&["127.0.0.1"]);
    let inline = |pem: &str| pem.trim().replace('\n', "\n    ");
    let text = format!(
        "tls_server_config:\n  cert: |\n    {}\n  key: |\n    {}\n  client_ca: |\n    {}\n  client_auth_type: RequireAndVerifyClientCert\nbasic_auth_users: {{a: {hash}}}\n",
        inline(&cert),
        inline(&key),
        inline(&authority.pem())
    );
    let web = folder.write("web.yml", &text);
    let mut all = vec!["check-config".to_owned()];
    all.extend(arguments(&folder, &web));
    let said = String::from_utf8_lossy(&run(all).stdout).into_owned();
    assert!(said.contains("TLS, certificates of clients verified, users with a password: 1"), "{said}");
    assert!(!said.contains("PRIVATE") && !said.contains(&hash), "{said}");
}
