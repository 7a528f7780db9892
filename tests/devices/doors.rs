//! TLS and passwords of receivers: who has them is taken, a real server's device among them; who has not is refused and
//! counted, and what was renewed holds without a restart.

use crate::client::Https;
use crate::pki::{Authority, Folder, hashed};
use crate::sender::post;
use crate::support::leasewatch::run;
use crate::support::{Bao, BaoOptions, Leasewatch, Metrics, analyze, free_port, lines};
use base64::Engine as _;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

const TLS: &str = "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n";

/// `serve` with these logs behind such a file.
fn serve(folder: &Folder, file: &str, logs: &[String]) -> Leasewatch {
    folder.write("receive.yml", file);
    let (state, file) = (folder.text("state"), folder.text("receive.yml"));
    let mut arguments = vec!["--state-dir", &state, "--receive.config.file", &file];
    arguments.extend(logs.iter().flat_map(|log| ["--audit-log", log]));
    Leasewatch::start(arguments, &[])
}

fn refused(page: &Metrics, source: &str) -> f64 {
    page.sum("leasewatch_receiver_dropped_total", &[("source", source), ("reason", "refused")])
}

/// Waits until so many were taken, and refused.
fn until(leasewatch: &Leasewatch, source: &str, issued: f64, refusals: f64) {
    leasewatch.metrics_when("what was taken and refused", |page| {
        let found =
            (page.sum("leasewatch_credentials_issued_total", &[("role", "app")]), refused(page, source));
        if found == (issued, refusals) {
            Ok(())
        } else {
            Err(format!("{found:?}, not {issued} and {refusals}"))
        }
    });
}

#[test]
fn the_http_device_of_a_server_sends_by_tls_and_with_a_password() {
    let (folder, authority) = (Folder::new(), Authority::new());
    folder.serve_by(&authority);
    let trusts = folder.write("ca.pem", &authority.pem());
    let users = |password: &str| format!("{TLS}basic_auth_users:\n  bao: {}\n", hashed(password));
    let port = free_port();
    let leasewatch = serve(&folder, &users("entries"), &[format!("received=https://127.0.0.1:{port}/audit")]);
    let password = base64::prelude::BASE64_STANDARD.encode("bao:entries");
    folder.write("authorization", &format!("Basic {password}"));
    let headers = format!(r#"{{\"Authorization\": [\"file://{}\"]}}"#, folder.text("authorization"));
    let options =
        format!(r#"uri = "https://127.0.0.1:{port}/audit", headers = "{headers}", skip_test = "true""#);
    let extra = format!("audit \"http\" \"received\" {{\n  options = {{ {options} }}\n}}\n");
    let mut bao = Bao::start_with(&BaoOptions { extra, trusts: Some(trusts), ..BaoOptions::default() });
    let ask = |bao: &Bao| {
        for _ in 0..20 {
            assert_eq!(bao.root_call("GET", "sys/mounts").send().status, 200);
        }
        analyze([bao.audit_log()]).sum("leasewatch_requests_total", &[])
    };
    let requests = |page: &Metrics| page.sum("leasewatch_requests_total", &[]);
    let all = ask(&bao);
    let page = leasewatch.metrics_when("every request of the file", |page| {
        if requests(page) == all { Ok(()) } else { Err(format!("{} of {all}", requests(page))) }
    });
    assert_eq!(page.sum("leasewatch_receiver_dropped_total", &[]), 0.0);
    // Certificate and key are renewed, and the server connects anew.
    folder.serve_by(&authority);
    bao.sighup();
    let all = ask(&bao);
    leasewatch.metrics_when("every request after the renewal", |page| {
        if requests(page) == all { Ok(()) } else { Err(format!("{} of {all}", requests(page))) }
    });
    // Another password is asked for: the server goes on by its file, and nothing is taken.
    folder.write("receive.yml", &users("changed"));
    ask(&bao);
    let page = leasewatch.metrics_when("refused entries", |page| {
        if refused(page, "received") >= 40.0 {
            Ok(())
        } else {
            Err(page.lines("leasewatch_receiver_dropped_total"))
        }
    });
    assert_eq!(requests(&page), all);
}

#[test]
fn who_has_no_password_or_speaks_no_tls_is_refused() {
    let (folder, authority) = (Folder::new(), Authority::new());
    folder.serve_by(&authority);
    let port = free_port();
    let file = format!("{TLS}basic_auth_users:\n  bao: {}\n", hashed("entries"));
    let leasewatch = serve(&folder, &file, &[format!("received=https://127.0.0.1:{port}/audit")]);
    let nobody = Https::trusting(&authority.pem());
    let send = |client: &Https, number: u64| {
        client.send("POST", port, "/audit", &lines::issued(number, "app")).map(|(status, _)| status)
    };
    assert_eq!(send(&nobody, 0), Ok(401));
    assert_eq!(send(&nobody.saying("bao", "wrong"), 0), Ok(401));
    assert_eq!(send(&nobody.saying("eve", "entries"), 0), Ok(401));
    for number in 1..=3 {
        assert_eq!(send(&nobody.saying("bao", "entries"), number), Ok(200));
    }
    // In plain text.
    assert!(post(port, "/audit", &lines::issued(0, "app"), &[]).is_err());
    until(&leasewatch, "received", 3.0, 4.0);
    // A mistake is not followed, and told where one looks.
    folder.write("receive.yml", "basic_auth_user: {}\n");
    assert_eq!(send(&nobody, 0), Ok(401));
    assert_eq!(send(&nobody.saying("bao", "entries"), 4), Ok(200));
    until(&leasewatch, "received", 4.0, 5.0);
    assert_eq!(leasewatch.metrics().value("leasewatch_config_last_reload_successful", &[]), Some(0.0));
    assert!(leasewatch.get("/").unwrap().text().contains("receive.yml:1: there is no key"));
    folder.write("receive.yml", &file);
    assert_eq!(leasewatch.metrics().value("leasewatch_config_last_reload_successful", &[]), Some(1.0));
}

/// Sends a line over TLS, with a certificate or without one.
fn send_by_tls(port: u16, trusts: &str, shows: Option<&(String, String)>, line: &str) -> std::io::Result<()> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusts.as_bytes()).unwrap()).unwrap();
    let builder =
        rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
    let config = match shows {
        None => builder.with_no_client_auth(),
        Some((cert, key)) => builder
            .with_client_auth_cert(
                vec![CertificateDer::from_pem_slice(cert.as_bytes()).unwrap()],
                PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap(),
            )
            .unwrap(),
    };
    let tls = rustls::ClientConnection::new(Arc::new(config), "127.0.0.1".try_into().unwrap()).unwrap();
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let mut stream = rustls::StreamOwned::new(tls, stream);
    stream.write_all(line.as_bytes())?;
    stream.conn.send_close_notify();
    stream.flush()?;
    stream.sock.shutdown(std::net::Shutdown::Write)?;
    // Until the other side has read all of it, or has refused; that it says no goodbye is no event.
    let _ = stream.read_to_end(&mut Vec::new());
    Ok(())
}

#[test]
fn lines_by_tls_are_taken_from_who_shows_a_certificate() {
    let (folder, authority, stranger) = (Folder::new(), Authority::new(), Authority::new());
    folder.serve_by(&authority);
    folder.write("ca.pem", &authority.pem());
    let port = free_port();
    let file = format!("{TLS}  client_auth_type: RequireAndVerifyClientCert\n  client_ca_file: ca.pem\n");
    let leasewatch = serve(&folder, &file, &[format!("received=tls://127.0.0.1:{port}")]);
    let own = authority.leaf(&["vault-0"]);
    let send = |shows: Option<&(String, String)>, number| {
        send_by_tls(port, &authority.pem(), shows, &lines::issued(number, "app"))
    };
    // Who is refused learns of it when he has sent already.
    let _ = send(None, 0);
    let _ = send(Some(&stranger.leaf(&["vault-0"])), 0);
    for number in 1..=3 {
        send(Some(&own), number).unwrap();
    }
    // In plain text; and silence, which holds nobody up.
    TcpStream::connect(("127.0.0.1", port)).unwrap().write_all(lines::issued(0, "app").as_bytes()).unwrap();
    let _silent: Vec<_> = (0..20).map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
    send(Some(&own), 4).unwrap();
    until(&leasewatch, "received", 4.0, 3.0);
}

#[test]
fn tls_needs_a_file_that_has_it() {
    let (folder, authority) = (Folder::new(), Authority::new());
    folder.serve_by(&authority);
    let check = |more: &[&str]| {
        let state = folder.text("state");
        let fixed = ["check-config", "--state-dir", &state, "--audit-log", "https://127.0.0.1:0/"];
        let output = run([&fixed[..], more].concat());
        (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
    };
    let (code, text) = check(&[]);
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("is to speak TLS, and has no certificate. Name a file"), "{text}");
    let file = folder.write("receive.yml", "basic_auth_users: {}\n");
    let named = ["--receive.config.file", file.to_str().unwrap()];
    let (code, text) = check(&named);
    assert_eq!(code, Some(2), "{text}");
    assert!(
        text.contains("receive.yml: there is no tls_server_config, and https://127.0.0.1:0/ is to speak TLS"),
        "{text}"
    );
    folder.write("receive.yml", TLS);
    let (code, text) = check(&named);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("may send by TLS") && text.contains("config.file = "), "{text}");
    // `serve` says the same, and ends.
    folder.write("receive.yml", "tls_server_config:\n  cert_file: gone.pem\n  key_file: server.key\n");
    let (state, web) = (folder.text("state"), "--web.listen-address=127.0.0.1:0");
    let serve = ["serve", web, "--state-dir", &state, "--audit-log", "https://127.0.0.1:0/"];
    let output = run([&serve[..], &named].concat());
    let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(!output.status.success() && text.contains("receive.yml:2: cert_file "), "{text}");
}
