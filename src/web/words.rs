//! Go's names of TLS versions, cipher suites and curves, which the file uses, and what they are here. What the TLS
//! library does not have is refused by name: a setting that is silently without effect would be worse. Pure.

use rustls::crypto::{CryptoProvider, SupportedKxGroup, aws_lc_rs};
use rustls::{SupportedCipherSuite, SupportedProtocolVersion, version};

/// What is wrong with a name, and what to write.
pub(super) type Wrong = (String, String);

/// Suites of TLS 1.2 and 1.3 that Go knows and the library has not: with RSA key exchange or CBC.
const WITHOUT: &[&str] = &[
    "TLS_RSA_WITH_AES_128_CBC_SHA",
    "TLS_RSA_WITH_AES_256_CBC_SHA",
    "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_RSA_WITH_RC4_128_SHA",
    "TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_ECDSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    "TLS_ECDHE_RSA_WITH_RC4_128_SHA",
    "TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA",
];

/// The version of that name, by its number: 12 or 13.
pub(super) fn version(name: &str) -> Result<u8, Wrong> {
    let remedy = || "Write TLS12 or TLS13".to_owned();
    match name {
        "TLS13" => Ok(13),
        "TLS12" => Ok(12),
        "TLS10" | "TLS11" => Err((format!("{name} is not spoken here: it is broken"), remedy())),
        _ => Err((format!("{name:?} is no version of TLS"), remedy())),
    }
}

/// The versions from one to another.
pub(super) fn versions(least: u8, most: u8) -> Vec<&'static SupportedProtocolVersion> {
    let all = [(13, &version::TLS13), (12, &version::TLS12)];
    all.into_iter()
        .filter(|(number, _)| (least..=most).contains(number))
        .map(|(_, version)| version)
        .collect()
}

/// Go's name of a suite.
fn suite_name(suite: SupportedCipherSuite) -> String {
    let own = format!("{:?}", suite.suite());
    own.strip_prefix("TLS13_").map_or_else(|| own.clone(), |rest| format!("TLS_{rest}"))
}

/// The suite of that name.
pub(super) fn suite(name: &str) -> Result<SupportedCipherSuite, Wrong> {
    let wanted = match name {
        // Go's older names of the same.
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305" => "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305" => "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        other => other,
    };
    let all = aws_lc_rs::ALL_CIPHER_SUITES;
    if let Some(found) = all.iter().find(|suite| suite_name(**suite) == wanted) {
        return Ok(*found);
    }
    let known: Vec<_> = all.iter().map(|suite| suite_name(*suite)).collect();
    let remedy = format!("Known here: {}", known.join(", "));
    if WITHOUT.contains(&name) {
        return Err((
            format!("{name} is not spoken here: it is without forward secrecy or authenticated encryption"),
            remedy,
        ));
    }
    Err((format!("{name:?} is no cipher suite"), remedy))
}

/// The group of that name.
pub(super) fn curve(name: &str) -> Result<&'static dyn SupportedKxGroup, Wrong> {
    match name {
        "X25519" => Ok(aws_lc_rs::kx_group::X25519),
        "CurveP256" => Ok(aws_lc_rs::kx_group::SECP256R1),
        "CurveP384" => Ok(aws_lc_rs::kx_group::SECP384R1),
        "X25519MLKEM768" => Ok(aws_lc_rs::kx_group::X25519MLKEM768),
        _ => {
            let remedy = "Known here: X25519, CurveP256, CurveP384, X25519MLKEM768".to_owned();
            let problem =
                if name == "CurveP521" { "CurveP521 is not spoken here" } else { "there is no such curve" };
            Err((problem.to_owned(), remedy))
        }
    }
}

/// The library's cryptography, as it comes.
pub(super) fn provider() -> CryptoProvider {
    aws_lc_rs::default_provider()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_names_are_known_or_refused_by_name() {
        for name in [
            "TLS_AES_128_GCM_SHA256",
            "TLS_AES_256_GCM_SHA384",
            "TLS_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305",
        ] {
            assert!(suite(name).is_ok(), "{name}");
        }
        for name in WITHOUT {
            assert!(suite(name).unwrap_err().0.contains("not spoken here"), "{name}");
        }
        assert!(suite("AES").unwrap_err().0.contains("no cipher suite"));
        for name in ["X25519", "CurveP256", "CurveP384", "X25519MLKEM768"] {
            assert!(curve(name).is_ok(), "{name}");
        }
        assert!(curve("CurveP521").unwrap_err().0.contains("not spoken"));
        assert!(curve("P256").is_err());
        for name in ["TLS10", "TLS11"] {
            assert!(version(name).unwrap_err().0.contains("not spoken"), "{name}");
        }
        assert!(version("1.2").is_err());
        assert_eq!(versions(12, 13).len(), 2);
        assert_eq!(versions(13, 12).len(), 0);
    }
}
