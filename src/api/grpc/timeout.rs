//! `grpc-timeout`: how long the client waits for its answer, as gRPC's protocol
//! over HTTP/2 has it: up to eight digits and a unit.

use std::time::Duration;

use hyper::HeaderMap;

/// `None` without the header, or with one that cannot be understood.
pub(super) fn requested_timeout(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(number * 60 * 60)),
        "M" => Some(Duration::from_secs(number * 60)),
        "S" => Some(Duration::from_secs(number)),
        "m" => Some(Duration::from_millis(number)),
        "u" => Some(Duration::from_micros(number)),
        "n" => Some(Duration::from_nanos(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_of_every_unit_and_none_that_is_not_one() {
        for (text, expected) in [
            ("2H", Some(Duration::from_secs(7200))),
            ("3M", Some(Duration::from_secs(180))),
            ("20S", Some(Duration::from_secs(20))),
            ("99999999m", Some(Duration::from_millis(99_999_999))),
            ("5u", Some(Duration::from_micros(5))),
            ("0n", Some(Duration::ZERO)),
            ("100000000S", None),
            ("S", None),
            ("1", None),
            ("-1S", None),
            ("1.5S", None),
            ("", None),
        ] {
            let headers = HeaderMap::from_iter([(
                "grpc-timeout".parse::<hyper::header::HeaderName>().unwrap(),
                text.parse().unwrap(),
            )]);
            assert_eq!(requested_timeout(&headers), expected, "{text}");
        }
        assert_eq!(requested_timeout(&HeaderMap::new()), None);
    }
}
