//! The values of options, parsed where they come in.

use std::time::Duration;

use regex::Regex;

use crate::config::parse_duration;

/// A duration as Go writes it.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|error| error.to_string())
}

/// The shortest that timers keep.
pub(super) fn positive(text: &str) -> Result<Duration, String> {
    let least = Duration::from_millis(1);
    duration(text).and_then(|found| {
        if found < least { Err("it must be at least 1ms".into()) } else { Ok(found) }
    })
}

pub(super) fn regex(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|error| error.to_string().lines().last().unwrap_or_default().into())
}

/// A `Host` header, which must not bring others with it.
pub(super) fn host(text: &str) -> Result<String, String> {
    let permitted = |c: char| c.is_ascii_alphanumeric() || "-_.:[]".contains(c);
    if text.is_empty() || !text.chars().all(permitted) {
        return Err("write a name or an address, and :port where it is not the usual one".into());
    }
    Ok(text.to_owned())
}

pub(super) fn uri(text: &str) -> Result<String, String> {
    if !text.starts_with('/') || !text.chars().all(|c| c.is_ascii_graphic()) {
        return Err("write a path that begins with / and has no blanks".into());
    }
    Ok(text.to_owned())
}

/// A field name (RFC 9110, section 5.1).
pub(super) fn header_name(text: &str) -> Result<String, String> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if text.is_empty() || !text.chars().all(is_token) {
        return Err("write the name of a header alone, as in X-Served-By".into());
    }
    Ok(text.to_owned())
}

pub(super) fn send_line(text: &str) -> Result<String, String> {
    if text.contains(['\n', '\r']) {
        return Err("write one line, without its end".into());
    }
    Ok(text.to_owned())
}

/// `nginx0=100`
pub(super) fn expected_weight(text: &str) -> Result<(String, f64), String> {
    let wrong = || "write NAME=WEIGHT, as in nginx0=100".to_owned();
    let (name, weight) = text.rsplit_once('=').ok_or_else(wrong)?;
    let weight: f64 = weight.parse().map_err(|_| wrong())?;
    if name.is_empty() || !weight.is_finite() || weight < 0.0 {
        return Err(wrong());
    }
    Ok((name.to_owned(), weight))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_would_do_something_else_are_refused() {
        assert!(host("a\r\nX: y").is_err() && host("www.example.org:8080").is_ok());
        assert!(uri("x").is_err() && uri("/a b").is_err() && uri("/a?b").is_ok());
        assert!(header_name("X: y").is_err() && header_name("X-Served-By").is_ok());
        assert!(send_line("a\nb").is_err() && send_line("").is_ok());
        assert!(positive("0s").is_err() && positive("1ms").is_ok() && duration("0s").is_ok());
        assert!(regex("(").is_err());
    }

    #[test]
    fn expected_weights_have_a_name_and_a_number() {
        assert_eq!(expected_weight("a=b=2.5"), Ok(("a=b".into(), 2.5)));
        for text in ["a", "=1", "a=", "a=-1", "a=inf", "a=x"] {
            assert!(expected_weight(text).is_err(), "{text}");
        }
    }
}
