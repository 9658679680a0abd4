//! The bounds of a connection that speaks HTTP/1.1 or HTTP/2.

use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;

/// What one connection may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HttpLimits {
    /// How long it may be without a request, or with half of one.
    pub(crate) idle: Duration,
    /// Bytes of a request's head, and of an answer that the client has not taken.
    pub(crate) buffer: usize,
    pub(crate) headers: usize,
    /// Requests at a time, in HTTP/2.
    pub(crate) streams: u32,
    /// Bytes of a request, and of all of them, that may be in flight in HTTP/2.
    pub(crate) windows: (u32, u32),
}

impl HttpLimits {
    /// A builder of connections with these bounds.
    pub(crate) fn builder(self) -> Builder<TokioExecutor> {
        let Self { idle, buffer, headers, streams, windows: (of_stream, of_all) } = self;
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(idle)
            .max_buf_size(buffer)
            .max_headers(headers);
        builder
            .http2()
            .timer(TokioTimer::new())
            .max_concurrent_streams(streams)
            .initial_stream_window_size(of_stream)
            .initial_connection_window_size(of_all)
            .max_send_buf_size(buffer)
            .keep_alive_interval(idle)
            .keep_alive_timeout(idle);
        builder
    }
}
