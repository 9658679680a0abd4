//! `/metrics`, in Prometheus' text format.
//!
//! Nothing is counted here: each scrape asks the actors, so a backend that was
//! removed has no series. Those who scrape at the same time share a page, and it
//! is written and compressed on a thread for blocking work.

mod announcements;
mod denied;
mod families;
mod overrides;
pub(crate) mod page;
mod probes;
pub(crate) mod process;
mod vpp;

use axum::Extension;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use prost::bytes::Bytes;

use super::router::{HttpRouter, StoppingResponse};
use crate::api::actors::Actors;
use crate::api::answers::body::Answer;
use crate::api::answers::pool::AnswerPool;
use crate::api::answers::shared::{AskError, SharedAnswer};
use crate::api::rights::denied::DeniedCalls;
use crate::api::transport::encoding::{Encoding, gzipped};
use page::MetricsPage;

/// As Prometheus names the format.
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A page that was built, unless the daemon is stopping.
type BuiltPage = Result<Answer, AskError>;

/// The page in each encoding.
#[derive(Clone)]
struct Pages {
    plain: SharedAnswer<BuiltPage>,
    gzip: SharedAnswer<BuiltPage>,
}

pub(super) fn routes(actors: &Actors, denied: &DeniedCalls, answers: &AnswerPool) -> HttpRouter {
    let page = |encoding| {
        let (actors, denied, answers) = (actors.clone(), denied.clone(), answers.clone());
        SharedAnswer::new(move || build(actors.clone(), denied.clone(), answers.clone(), encoding))
    };
    let pages = Pages { plain: page(Encoding::Plain), gzip: page(Encoding::Gzip) };
    HttpRouter::default()
        .get_by_headers("/metrics", move |_, headers| metrics(pages.clone(), headers))
}

async fn build(
    actors: Actors,
    denied: DeniedCalls,
    answers: AnswerPool,
    encoding: Encoding,
) -> BuiltPage {
    let scrape = families::collect(&actors, &denied).await.map_err(|_| AskError::Stopping)?;
    let write = move || {
        let mut page = MetricsPage::default();
        families::write(&scrape, &mut page);
        let text = page.into_text().into_bytes();
        let bytes = match encoding {
            Encoding::Plain => text,
            Encoding::Gzip => gzipped(&text),
        };
        Answer::new(Bytes::from(bytes), &answers)
    };
    tokio::task::spawn_blocking(write).await.map_err(|_| AskError::Stopping)
}

async fn metrics(pages: Pages, headers: HeaderMap) -> Response {
    let encoding = Encoding::of(&headers);
    let shared = match encoding {
        Encoding::Plain => &pages.plain,
        Encoding::Gzip => &pages.gzip,
    };
    let page = match shared.ask().await.and_then(|page| page) {
        Ok(page) => page,
        Err(AskError::Stopping) => return StoppingResponse.into_response(),
        Err(error @ AskError::TooMany) => {
            return (StatusCode::SERVICE_UNAVAILABLE, format!("{error}\n")).into_response();
        }
    };
    let format = [(CONTENT_TYPE, FORMAT), (VARY, "accept-encoding")];
    // The connection hands the answer out.
    let answer = Extension(page);
    match encoding {
        Encoding::Plain => (format, answer).into_response(),
        Encoding::Gzip => (format, [(CONTENT_ENCODING, "gzip")], answer).into_response(),
    }
}
