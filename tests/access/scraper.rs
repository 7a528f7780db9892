//! A real Prometheus as the client: by TLS, with passwords and certificates, over a renewal.

use crate::pki::{Authority, Folder, arguments, hashed};
use crate::support::{Leasewatch, Prometheus};
use std::fmt::Write as _;

/// A job of that name, with these lines.
fn job(name: &str, port: u16, lines: &[String]) -> String {
    let mut text = format!("- job_name: {name}\n  scheme: https\n");
    for line in lines {
        writeln!(text, "  {line}").unwrap();
    }
    text + &format!("  static_configs:\n  - targets: ['127.0.0.1:{port}']\n")
}

#[test]
fn prometheus_scrapes_by_tls_and_password_over_a_renewal() {
    let (folder, before, after) = (Folder::new(), Authority::new(), Authority::new());
    let (old, new) = (folder.write("old-ca.pem", &before.pem()), folder.write("new-ca.pem", &after.pem()));
    folder.serve_by(&before);
    let web = folder.write(
        "web.yml",
        &format!(
            "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\nbasic_auth_users:\n  prometheus: {}\n",
            hashed("s3cret")
        ),
    );
    let serving = Leasewatch::start(arguments(&folder, &web), &[]);
    let tls = |ca: &std::path::Path| format!("tls_config: {{ca_file: {}}}", ca.display());
    let says = |password: &str| format!("basic_auth: {{username: prometheus, password: {password}}}");
    let port = serving.port();
    let jobs = [
        job("old", port, &[tls(&old), says("s3cret")]),
        job("new", port, &[tls(&new), says("s3cret")]),
        job("wrong", port, &[tls(&old), says("guess")]),
        job("anonymous", port, &[tls(&old)]),
    ];
    let prometheus = Prometheus::with_past(&jobs.concat(), &[]);
    prometheus.expect("up{job='old'}", 1.0);
    prometheus.expect("sum(leasewatch_build_info{job='old'})", 1.0);
    for job in ["new", "wrong", "anonymous"] {
        prometheus.expect(&format!("up{{job='{job}'}}"), 0.0);
    }
    // Renewed, by another authority: whoever trusts it is answered, without a restart. In between, certificate and key
    // do not belong together, and the pair before is shown on.
    folder.serve_by(&after);
    prometheus.expect("up{job='new'}", 1.0);
    prometheus.expect("leasewatch_config_last_reload_successful{job='new'}", 1.0);
    prometheus.expect("up{job='wrong'}", 0.0);
}

#[test]
fn prometheus_scrapes_with_a_certificate_and_not_without() {
    let (folder, authority) = (Folder::new(), Authority::new());
    let ca = folder.write("ca.pem", &authority.pem());
    folder.serve_by(&authority);
    let web = folder.write(
        "web.yml",
        "tls_server_config:\n  cert_file: server.pem\n  key_file: server.key\n  client_ca_file: ca.pem\n  \
         client_auth_type: RequireAndVerifyClientCert\n  client_allowed_sans: [prometheus.example]\n",
    );
    let client = |name: &str| {
        let (cert, key) = authority.leaf(&[name]);
        let (cert, key) =
            (folder.write(&format!("{name}.pem"), &cert), folder.write(&format!("{name}.key"), &key));
        format!(
            "tls_config: {{ca_file: {}, cert_file: {}, key_file: {}}}",
            ca.display(),
            cert.display(),
            key.display()
        )
    };
    let serving = Leasewatch::start(arguments(&folder, &web), &[]);
    let port = serving.port();
    let jobs = [
        job("with", port, &[client("prometheus.example")]),
        job("other", port, &[client("other.example")]),
        job("without", port, &[format!("tls_config: {{ca_file: {}}}", ca.display())]),
    ];
    let prometheus = Prometheus::with_past(&jobs.concat(), &[]);
    prometheus.expect("up{job='with'}", 1.0);
    prometheus.expect("up{job='other'}", 0.0);
    prometheus.expect("up{job='without'}", 0.0);
}
