//! What is served over plain HTTP: metrics for Prometheus, and health for load
//! balancers. Each group of pages is one file or folder with a `routes`
//! function; [`serve`] has the list of all of them.

mod connection;
mod health;
pub(crate) mod metrics;
mod router;

pub use router::HttpListenError;

use crate::api::actors::Actors;
use crate::api::answers::pool::AnswerPool;
use crate::api::rights::denied::DeniedCalls;
use router::HttpRouter;

/// Serves every page on `address` for as long as the runtime lives. Returns the
/// address that was bound, in which a port 0 is replaced by the real one.
///
/// # Errors
/// The address cannot be opened.
pub async fn serve(
    actors: Actors,
    denied: &DeniedCalls,
    address: &str,
) -> Result<String, HttpListenError> {
    let answers = AnswerPool::default();
    HttpRouter::default()
        .merge(metrics::routes(&actors, denied, &answers))
        .merge(health::routes())
        .serve(actors, address)
        .await
}
