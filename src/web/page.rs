//! The files of the page, which stand in the program.

use std::borrow::Cow;
use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use prost::bytes::Bytes;

use crate::api::transport::encoding::{Encoding, gzipped};
use crate::domain::fingerprint::of_bytes;

/// Path and bytes of each file below `src/web/page`.
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/web_page.rs"));

const INDEX: &str = "index.html";
/// Where the index names its first module.
const FIRST_MODULE: &str = "<script type=\"module\"";
/// The one that is no module: it sets the theme before anything is painted.
const PLAIN_SCRIPT: &str = "theme.js";

/// A file, ready to be sent.
struct PageFile {
    kind: HeaderValue,
    tag: String,
    plain: Bytes,
    /// Unless it is no shorter.
    gzip: Option<Bytes>,
}

/// All files, by their path.
pub(super) struct PageFiles(BTreeMap<&'static str, PageFile>);

impl PageFiles {
    pub(super) fn load() -> Self {
        let file = |&(path, bytes): &(&'static str, &'static [u8])| {
            let bytes = if path == INDEX { with_preloads(bytes) } else { bytes.into() };
            let gzip = gzipped(&bytes);
            let file = PageFile {
                kind: HeaderValue::from_static(content_type(path)),
                tag: of_bytes(&bytes).to_string(),
                gzip: (gzip.len() < bytes.len()).then(|| gzip.into()),
                plain: match bytes {
                    Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                    Cow::Owned(bytes) => bytes.into(),
                },
            };
            (path, file)
        };
        Self(FILES.iter().map(file).collect())
    }

    /// The answer to a GET of `path`, without its slash at the beginning.
    pub(super) fn get(&self, path: &str, headers: &HeaderMap) -> Option<Response> {
        let file = self.0.get(if path.is_empty() { INDEX } else { path })?;
        let encoding = match &file.gzip {
            Some(_) => Encoding::of(headers),
            None => Encoding::Plain,
        };
        // The two encodings are two representations (RFC 9110, section 8.8.3.3).
        let (body, tag) = match (encoding, &file.gzip) {
            (Encoding::Gzip, Some(gzip)) => (gzip, format!("\"{}-gzip\"", file.tag)),
            _ => (&file.plain, format!("\"{}\"", file.tag)),
        };
        let known = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
        let is_known = known.is_some_and(|known| {
            known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag)
        });
        let mut response = Response::new(Body::from(body.clone()));
        if is_known {
            response = Response::new(Body::empty());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        }
        let fields = response.headers_mut();
        fields.insert(CONTENT_TYPE, file.kind.clone());
        fields.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        fields.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
        if let Ok(tag) = HeaderValue::from_str(&tag) {
            fields.insert(ETAG, tag);
        }
        if encoding == Encoding::Gzip && !is_known {
            fields.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Some(response)
    }
}

/// The index with the names of all modules, so that a browser asks for them at once in
/// place of finding each by the one that imports it.
fn with_preloads(index: &'static [u8]) -> Cow<'static, [u8]> {
    let text = String::from_utf8_lossy(index);
    let Some((before, after)) = text.split_once(FIRST_MODULE) else { return index.into() };
    let modules = FILES.iter().filter(|(path, _)| path.ends_with(".js") && *path != PLAIN_SCRIPT);
    let preloads: String = modules
        .map(|(path, _)| format!("<link rel=\"modulepreload\" href=\"./{path}\">\n"))
        .collect();
    Cow::Owned(format!("{before}{preloads}{FIRST_MODULE}{after}").into_bytes())
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "webmanifest" => "application/manifest+json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_page_is_of_a_known_kind_and_there_is_an_index() {
        assert!(FILES.iter().any(|(path, _)| *path == INDEX));
        for (path, bytes) in FILES {
            assert_ne!(content_type(path), "application/octet-stream", "{path}");
            assert!(!bytes.is_empty(), "{path}");
        }
    }

    #[test]
    fn the_index_names_every_module_so_that_none_is_found_late() {
        let index = PageFiles::load().0.remove(INDEX).unwrap();
        let text = std::str::from_utf8(&index.plain).unwrap();
        let preloaded: Vec<_> = text.lines().filter(|it| it.contains("modulepreload")).collect();
        let scripts = FILES.iter().filter(|(path, _)| path.ends_with(".js"));
        assert_eq!(preloaded.len() + 1, scripts.count());
        assert!(preloaded.contains(&"<link rel=\"modulepreload\" href=\"./views/overview.js\">"));
        assert!(text.contains("<script src=\"./theme.js\"></script>"));
        assert!(text.ends_with("</html>\n"), "{text}");
    }

    #[test]
    fn a_file_that_the_browser_has_is_not_sent_again() {
        let files = PageFiles::load();
        let none = HeaderMap::new();
        let first = files.get("", &none).unwrap();
        assert_eq!(first.status(), StatusCode::OK);
        assert_eq!(first.headers()[CONTENT_TYPE], "text/html; charset=utf-8");
        let tag = first.headers()[ETAG].clone();
        let known = HeaderMap::from_iter([(IF_NONE_MATCH, tag)]);
        assert_eq!(files.get("index.html", &known).unwrap().status(), StatusCode::NOT_MODIFIED);
        let other = HeaderMap::from_iter([(IF_NONE_MATCH, HeaderValue::from_static("\"x\""))]);
        assert_eq!(files.get("index.html", &other).unwrap().status(), StatusCode::OK);
        assert!(files.get("none.js", &none).is_none());
        assert!(files.get("../Cargo.toml", &none).is_none());
    }
}
