//! How an answer over HTTP is encoded: compressed if the client asks for that.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::HeaderMap;
use hyper::header::ACCEPT_ENCODING;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    Plain,
    Gzip,
}

impl Encoding {
    /// RFC 9110 section 12.5.3: `gzip` unless it has the quality 0. What `*` would
    /// take is plain.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let values =
            headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
        let is_gzip = |coding: &str| {
            let (name, parameters) = coding.split_once(';').unwrap_or((coding, ""));
            let quality =
                parameters.trim().strip_prefix("q=").map(|text| text.trim().parse::<f32>());
            let is_excluded = matches!(quality, Some(Ok(quality)) if quality <= 0.0);
            name.trim().eq_ignore_ascii_case("gzip") && !is_excluded
        };
        if values.flat_map(|value| value.split(',')).any(is_gzip) {
            Self::Gzip
        } else {
            Self::Plain
        }
    }
}

/// The fastest level makes a page of metrics a twentieth as long.
pub(crate) fn gzipped(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to a Vec cannot fail.
    let _ = encoder.write_all(text);
    encoder.finish().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn gzip_is_for_those_who_ask_for_it() {
        for (values, expected) in [
            (&[][..], Encoding::Plain),
            (&["gzip"], Encoding::Gzip),
            (&["deflate, GZIP ;q=0.5"], Encoding::Gzip),
            (&["br", "gzip"], Encoding::Gzip),
            (&["gzip;q=0"], Encoding::Plain),
            (&["gzip; q=0.000, identity"], Encoding::Plain),
            (&["gzip;q=nonsense"], Encoding::Gzip),
            (&["identity"], Encoding::Plain),
            (&["*"], Encoding::Plain),
            (&["gzipped"], Encoding::Plain),
        ] {
            let headers = values.iter().map(|value| (ACCEPT_ENCODING, value.parse().unwrap()));
            let mut map = HeaderMap::new();
            headers.for_each(|(name, value)| {
                map.append(name, value);
            });
            assert_eq!(Encoding::of(&map), expected, "{values:?}");
        }
    }

    #[test]
    fn what_is_compressed_comes_back() {
        let text = "maglev_backend_health{backend=\"a\"} 1\n".repeat(1000);
        let bytes = gzipped(text.as_bytes());
        assert!(bytes.len() < text.len() / 20);
        let mut back = String::new();
        flate2::read::GzDecoder::new(&*bytes).read_to_string(&mut back).unwrap();
        assert_eq!(back, text);
    }
}
