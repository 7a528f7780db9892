//! Basic authentication: the user and the password that a request brings.

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// Name and password of a request, if it has both.
pub fn credentials(headers: &HeaderMap) -> Option<(String, Vec<u8>)> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let value = given.next()?.as_bytes();
    if given.next().is_some() {
        return None;
    }
    let (scheme, rest) = value.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let pair = BASE64_STANDARD.decode(rest.trim_ascii()).ok()?;
    let colon = pair.iter().position(|byte| *byte == b':')?;
    let user = String::from_utf8(pair[..colon].to_vec()).ok()?;
    Some((user, pair[colon + 1..].to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn sent(values: &[&str]) -> Option<(String, Vec<u8>)> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        credentials(&headers)
    }

    #[test]
    fn credentials_are_read_as_browsers_and_scrapers_send_them() {
        let pair = Some(("prom".to_owned(), b"s3:cret".to_vec()));
        assert_eq!(sent(&["Basic cHJvbTpzMzpjcmV0"]), pair);
        assert_eq!(sent(&["basic  cHJvbTpzMzpjcmV0 "]), pair);
        for wrong in ["", "Basic", "Basic ", "Basic cHJvbQ==", "Basic ***", "Bearer cHJvbTpzMzpjcmV0"] {
            assert_eq!(sent(&[wrong]), None, "{wrong}");
        }
        assert_eq!(sent(&["Basic cHJvbTpzMzpjcmV0", "Basic cHJvbTpzMzpjcmV0"]), None);
    }
}
