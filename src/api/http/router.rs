//! The HTTP router: pages by their path, and the listener that serves them.
//!
//! A page is an async function that gets the state by value, and answers with
//! anything that axum makes a response of. An actor that is gone means that the
//! daemon is stopping: a page returns that with `?`, and the client gets 503.

use std::io;
use std::sync::Arc;

use actix::MailboxError;
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use thiserror::Error;
use tokio::sync::watch;

use super::connection::{self, IDLE_LIMIT};
use crate::api::actors::Actors;
use crate::api::transport::accept::{ConnectionAcceptor, accept_all};
use crate::api::transport::activity::ConnectionActivity;
use crate::api::transport::arrival::{Listener, ListeningSocket};
use crate::api::transport::connections::ConnectionLimits;
use crate::api::transport::peer::{AcceptedConnection, Entrance};
use crate::api::transport::phase::DaemonPhase;
use crate::api::transport::tcp_socket;
use crate::domain::rights::Role;

/// Connections at a time, however many descriptors there are.
const MAX_CONNECTIONS: usize = 256;
/// Sixteenths of the descriptors that connections may take.
const DESCRIPTORS: u64 = 1;

/// Pages by their path. `S` is the state that each request gets a clone of.
pub(super) struct HttpRouter<S = Actors> {
    routes: Router<S>,
}

/// The HTTP listener could not be opened.
#[derive(Debug, Error)]
#[error(
    "cannot serve metrics on {address}: {source}; give another --metrics-addr, or an empty one"
)]
pub struct HttpListenError {
    /// As the operator gave it.
    pub address: String,
    pub source: io::Error,
}

/// The daemon is stopping, so a page cannot be made: 503.
pub(super) struct StoppingResponse;

impl From<MailboxError> for StoppingResponse {
    fn from(_: MailboxError) -> Self {
        Self
    }
}

impl IntoResponse for StoppingResponse {
    fn into_response(self) -> Response {
        (StatusCode::SERVICE_UNAVAILABLE, "maglevd is stopping\n").into_response()
    }
}

impl<S: Clone + Send + Sync + 'static> Default for HttpRouter<S> {
    fn default() -> Self {
        Self { routes: Router::new() }
    }
}

impl<S: Clone + Send + Sync + 'static> HttpRouter<S> {
    /// Adds a page that answers GET and HEAD. Each path is taken once.
    pub(super) fn get<P, F, R>(self, path: &str, page: P) -> Self
    where
        P: Fn(S) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = R> + Send + 'static,
        R: IntoResponse + 'static,
    {
        let handler = move |State(state): State<S>| page(state);
        Self { routes: self.routes.route(path, get(handler)) }
    }

    /// Adds the pages of another router.
    pub(super) fn merge(self, other: Self) -> Self {
        Self { routes: self.routes.merge(other.routes) }
    }

    /// Adds a page that depends on the request's headers.
    pub(super) fn get_by_headers<P, F, R>(self, path: &str, page: P) -> Self
    where
        P: Fn(S, HeaderMap) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = R> + Send + 'static,
        R: IntoResponse + 'static,
    {
        let handler = move |State(state): State<S>, headers: HeaderMap| page(state, headers);
        Self { routes: self.routes.route(path, get(handler)) }
    }

    /// Serves the pages on `address`, of which `:9091` means all of the
    /// machine's, as for gRPC. Returns the address that was bound.
    ///
    /// # Errors
    /// The address cannot be opened.
    pub(super) async fn serve(self, state: S, address: &str) -> Result<String, HttpListenError> {
        let failed = |source| HttpListenError { address: address.into(), source };
        let listener = tcp_socket::listen(address).await.map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?.to_string();
        let routes = self.routes.with_state(state);
        // The pages are for everybody, and show no more than viewers see.
        let entrance = Arc::new(Entrance { address: bound.clone(), role: Role::Viewer });
        let acceptor = ConnectionAcceptor {
            service: "metrics",
            is_grpc: false,
            tls: None,
            limits: ConnectionLimits::of_descriptors(DESCRIPTORS, MAX_CONNECTIONS),
            idle_limit: Some(IDLE_LIMIT),
            serve: move |stream: AcceptedConnection, activity: Arc<ConnectionActivity>| {
                connection::serve(routes.clone(), stream, activity)
            },
        };
        tokio::spawn(async move {
            // Pages are served for as long as the runtime lives.
            let (_phase, changes) = watch::channel(DaemonPhase::Serving);
            let socket = ListeningSocket::Tcp(listener);
            accept_all(vec![Listener { socket, entrance }], acceptor, changes).await;
        });
        Ok(bound)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    /// The first line and the body of the answer to a GET.
    async fn fetch(address: &str, path: &str) -> (String, String) {
        let mut connection = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.lines().next().unwrap().to_owned(), body.to_owned())
    }

    #[tokio::test]
    async fn pages_of_several_groups_are_served_with_the_state() {
        let first = HttpRouter::default()
            .get("/state", |state: u32| async move { format!("{state}") })
            .get("/stopping", |_| async {
                Err::<&str, _>(StoppingResponse::from(MailboxError::Closed))
            });
        let second = HttpRouter::default().get("/other", |_| async { "other" });
        let address = first.merge(second).serve(7, "127.0.0.1:0").await.unwrap();
        for (path, status, body) in [
            ("/state", "HTTP/1.1 200 OK", "7"),
            ("/other", "HTTP/1.1 200 OK", "other"),
            ("/stopping", "HTTP/1.1 503 Service Unavailable", "maglevd is stopping\n"),
            ("/none", "HTTP/1.1 404 Not Found", ""),
        ] {
            assert_eq!(fetch(&address, path).await, (status.into(), body.into()), "{path}");
        }
        let taken = HttpRouter::<u32>::default().serve(7, &address).await.unwrap_err();
        assert!(taken.to_string().starts_with(&format!("cannot serve metrics on {address}: ")));
    }
}
