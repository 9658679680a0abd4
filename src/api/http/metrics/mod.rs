//! `/metrics`, in Prometheus' text format.
//!
//! Nothing is counted here: each scrape asks the actors, so a backend that was
//! removed has no series.

mod families;
mod page;
mod probes;
mod process;
mod vpp;

use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;

use super::router::{HttpRouter, StoppingResponse};
use crate::api::actors::Actors;
use page::MetricsPage;

/// As Prometheus names the format.
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) fn routes() -> HttpRouter {
    HttpRouter::default().get("/metrics", metrics)
}

async fn metrics(actors: Actors) -> Result<impl IntoResponse, StoppingResponse> {
    let mut page = MetricsPage::default();
    families::collect(&actors, &mut page).await?;
    Ok(([(CONTENT_TYPE, FORMAT)], page.into_text()))
}
