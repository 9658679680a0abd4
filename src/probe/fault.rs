//! From what went wrong to a probe result: the one place where errors of the
//! system and of the TLS library get their code and their text.
//!
//! The line that matters runs between the backend's faults and this machine's:
//! a daemon that is out of descriptors must not look like ten thousand
//! refused connections.

use std::borrow::Cow;
use std::error::Error as _;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use rustix::io::Errno;
use tokio_native_tls::native_tls;

use super::file_fault::FileFault;
use super::namespace::NamespaceError;
use crate::domain::health::probe_result::{ProbeResult, ResultCode};

/// How far a probe has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    /// An echo request is out.
    Network,
    /// A connection is being made.
    Connect,
    Tls,
    /// A request is out.
    Exchange,
    /// TLS was done; it is being closed in order.
    Close,
}

impl Layer {
    /// The result of a timeout in this layer.
    pub(super) fn timed_out(self, after: Duration) -> ProbeResult {
        let (code, what) = match self {
            Self::Network => (ResultCode::L3Timeout, "no echo reply"),
            Self::Connect => (ResultCode::L4Timeout, "no connection"),
            Self::Tls => (ResultCode::L6Timeout, "no TLS handshake"),
            Self::Exchange => (ResultCode::L7Timeout, "no whole answer"),
            Self::Close => return ProbeResult::new(ResultCode::L6Ok, ""),
        };
        ProbeResult::new(code, format!("{what} within {after:?}"))
    }
}

/// What kept a probe from its result. Small, since every run has room for one.
#[derive(Debug)]
pub(super) enum ProbeFault {
    /// The network namespace could not be entered.
    Namespace(NamespaceError),
    /// A socket could not be opened.
    Open(io::Error),
    /// An ICMP socket could not be opened, neither datagram nor raw.
    OpenIcmp(io::Error),
    /// A file that the check needs.
    File(Box<FileFault>),
    /// The source address could not be taken.
    Bind(IpAddr, io::Error),
    /// The kernel reported an error on the way to the backend or back.
    Io(io::Error),
    /// The TLS handshake failed.
    Tls(native_tls::Error),
    /// HTTP/2 ended in an error.
    Http2(Box<h2::Error>),
    /// The connection ended before the answer.
    Http2Closed,
    /// What is asked for cannot be put into a request.
    Request(http::Error),
    /// The server chose none of the protocols that were offered.
    NoProtocol,
}

impl From<io::Error> for ProbeFault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<native_tls::Error> for ProbeFault {
    fn from(error: native_tls::Error) -> Self {
        Self::Tls(error)
    }
}

impl From<h2::Error> for ProbeFault {
    fn from(error: h2::Error) -> Self {
        Self::Http2(Box::new(error))
    }
}

impl ProbeFault {
    /// The result of a fault in `layer`.
    pub(super) fn result_in(self, layer: Layer) -> ProbeResult {
        match self {
            Self::Namespace(error) => local(error.to_string()),
            Self::File(fault) => local(format!("{} {}", fault.path, fault.why)),
            Self::Open(error) => match Errno::from_io_error(&error) {
                Some(Errno::AFNOSUPPORT) => {
                    local("this machine has no such address family: is IPv6 disabled?")
                }
                _ => local_error("socket", &error),
            },
            Self::OpenIcmp(error) if error.kind() == io::ErrorKind::PermissionDenied => local(
                "no permission to open an ICMP socket: give CAP_NET_RAW, or put the daemon's \
                 group into net.ipv4.ping_group_range",
            ),
            Self::OpenIcmp(error) => local_error("ICMP socket", &error),
            Self::Bind(source, error) => match Errno::from_io_error(&error) {
                Some(Errno::ADDRNOTAVAIL) => {
                    local(format!("source address {source} is not an address of this machine"))
                }
                Some(Errno::ADDRINUSE) => local(format!(
                    "no free port at source address {source}: widen net.ipv4.ip_local_port_range"
                )),
                _ => local_error("bind", &error),
            },
            Self::Io(error) => io_result(&error, layer),
            Self::Tls(error) => tls_result(&error),
            Self::Http2(error) => http2_result(*error, layer),
            Self::Http2Closed => {
                ProbeResult::new(ResultCode::L7Response, "connection closed before the response")
            }
            Self::Request(error) => local(format!("the request cannot be made: {error}")),
            Self::NoProtocol => ProbeResult::new(
                ResultCode::L6Response,
                "the backend chose none of the protocols that were offered (ALPN)",
            ),
        }
    }
}

/// This machine's fault, not the backend's.
fn local(detail: impl Into<Cow<'static, str>>) -> ProbeResult {
    ProbeResult::new(ResultCode::SocketError, detail)
}

/// The same, with the remedy for the resources that a busy machine runs out of.
fn local_error(doing: &str, error: &io::Error) -> ProbeResult {
    match Errno::from_io_error(error) {
        Some(Errno::MFILE) => local("out of file descriptors: raise LimitNOFILE of the daemon"),
        Some(Errno::NFILE) => local("the system is out of file descriptors: raise fs.file-max"),
        Some(Errno::NOBUFS | Errno::NOMEM) => {
            local("the kernel is out of socket memory: raise net.core.wmem_max or probe less")
        }
        Some(Errno::ADDRNOTAVAIL) => {
            local("no free local port: widen net.ipv4.ip_local_port_range")
        }
        Some(Errno::ACCESS | Errno::PERM) => local(format!(
            "{doing}: not permitted ({error}): look at this machine's packet filter and routes"
        )),
        _ => local(format!("{doing}: {error}")),
    }
}

fn io_result(error: &io::Error, layer: Layer) -> ProbeResult {
    let unreachable = match layer {
        Layer::Network => ResultCode::L3Unreachable,
        _ => ResultCode::L4Connect,
    };
    // An error of an established connection belongs to its own layer.
    let broken = match layer {
        Layer::Network => ResultCode::L3Unreachable,
        Layer::Connect => ResultCode::L4Connect,
        Layer::Tls | Layer::Close => ResultCode::L6Response,
        Layer::Exchange => ResultCode::L7Response,
    };
    match Errno::from_io_error(error) {
        Some(Errno::CONNREFUSED) => ProbeResult::new(unreachable, "connection refused"),
        Some(Errno::HOSTUNREACH | Errno::HOSTDOWN) => {
            ProbeResult::new(unreachable, "no route to host: it does not answer on its network")
        }
        Some(Errno::NETUNREACH | Errno::NETDOWN) => {
            ProbeResult::new(unreachable, "no route to its network")
        }
        Some(Errno::NOPROTOOPT | Errno::PROTO) => {
            ProbeResult::new(unreachable, "the network rejected the protocol")
        }
        Some(Errno::CONNRESET | Errno::PIPE | Errno::CONNABORTED | Errno::NOTCONN) => {
            ProbeResult::new(
                broken,
                match layer {
                    Layer::Exchange => "connection reset before the whole response",
                    Layer::Tls | Layer::Close => "connection reset in the TLS handshake",
                    Layer::Network | Layer::Connect => "connection reset",
                },
            )
        }
        // The kernel gave up before our own timer did.
        Some(Errno::TIMEDOUT) => {
            let code = match layer {
                Layer::Network => ResultCode::L3Timeout,
                Layer::Connect => ResultCode::L4Timeout,
                Layer::Tls | Layer::Close => ResultCode::L6Timeout,
                Layer::Exchange => ResultCode::L7Timeout,
            };
            ProbeResult::new(code, "the kernel gave up waiting")
        }
        Some(_) => local_error("network", error),
        // Without a number it comes from the TLS library, also after the
        // handshake: TLS 1.3 servers refuse a client only then.
        None => ProbeResult::new(ResultCode::L6Response, readable(&error.to_string())),
    }
}

fn http2_result(error: h2::Error, layer: Layer) -> ProbeResult {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let Some(kind) = error.get_io().map(io::Error::kind) else {
        return ProbeResult::new(ResultCode::L7Response, format!("not as HTTP/2 has it: {error}"));
    };
    match (kind, error.into_io()) {
        // h2 keeps the kinds of errors and not their numbers.
        (ConnectionReset | ConnectionAborted | BrokenPipe, _) => {
            io_result(&Errno::CONNRESET.into(), Layer::Exchange)
        }
        (UnexpectedEof, _) | (_, None) => ProbeFault::Http2Closed.result_in(layer),
        (_, Some(error)) => io_result(&error, layer),
    }
}

/// Whether the peer ended TLS by an alert other than its orderly end.
pub(super) fn is_alert(error: &io::Error) -> bool {
    error.raw_os_error().is_none() && error.to_string().contains(":SSL alert number ")
}

fn tls_result(error: &native_tls::Error) -> ProbeResult {
    let mut cause = error.source();
    while let Some(source) = cause {
        if let Some(io) = source.downcast_ref::<io::Error>() {
            return io_result(io, Layer::Tls);
        }
        cause = source.source();
    }
    ProbeResult::new(ResultCode::L6Response, readable(&error.to_string()))
}

/// The reason in OpenSSL's text of an error, which is
/// `error:CODE:library:function:reason:file:line:data`, then in parentheses
/// what the verification of the certificate said.
fn readable(text: &str) -> String {
    let Some(reason) = text.strip_prefix("error:").and_then(|rest| rest.split(':').nth(3)) else {
        return match text {
            "unexpected EOF" => "connection closed in the TLS handshake".into(),
            _ => text.into(),
        };
    };
    match reason {
        "certificate verify failed" => {
            let why = text.strip_suffix(')').and_then(|text| Some(text.rsplit_once('(')?.1));
            format!("certificate: {}", why.unwrap_or("not accepted"))
        }
        "unexpected eof while reading" => "connection closed in the TLS handshake".into(),
        "wrong version number" | "packet length too long" | "http request" => {
            format!("the backend does not speak TLS on this port ({reason})")
        }
        _ => format!("TLS: {reason}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn io(errno: Errno) -> ProbeFault {
        ProbeFault::Io(errno.into())
    }

    #[test]
    fn errors_belong_to_their_layer_and_to_the_backend_or_this_machine() {
        use Layer::*;
        use ResultCode::*;
        for (fault, layer, code, words) in [
            (io(Errno::CONNREFUSED), Connect, L4Connect, "connection refused"),
            (io(Errno::CONNREFUSED), Exchange, L4Connect, "connection refused"),
            (io(Errno::CONNRESET), Connect, L4Connect, "connection reset"),
            (io(Errno::CONNRESET), Tls, L6Response, "in the TLS handshake"),
            (io(Errno::CONNRESET), Exchange, L7Response, "before the whole response"),
            (io(Errno::HOSTUNREACH), Connect, L4Connect, "no route to host"),
            (io(Errno::NETUNREACH), Connect, L4Connect, "no route to its network"),
            (io(Errno::HOSTUNREACH), Network, L3Unreachable, "no route to host"),
            (io(Errno::NETUNREACH), Network, L3Unreachable, "no route to its network"),
            (io(Errno::TIMEDOUT), Connect, L4Timeout, "gave up"),
            (io(Errno::TIMEDOUT), Exchange, L7Timeout, "gave up"),
            (io(Errno::ADDRNOTAVAIL), Connect, SocketError, "ip_local_port_range"),
            (io(Errno::PERM), Network, SocketError, "packet filter"),
            (io(Errno::NOBUFS), Network, SocketError, "socket memory"),
            (io(Errno::INVAL), Connect, SocketError, "Invalid argument"),
            (ProbeFault::Open(Errno::MFILE.into()), Connect, SocketError, "LimitNOFILE"),
            (ProbeFault::Open(Errno::NFILE.into()), Connect, SocketError, "fs.file-max"),
            (ProbeFault::Open(Errno::AFNOSUPPORT.into()), Connect, SocketError, "IPv6 disabled"),
            (ProbeFault::OpenIcmp(Errno::PERM.into()), Network, SocketError, "CAP_NET_RAW"),
            (ProbeFault::OpenIcmp(Errno::ACCESS.into()), Network, SocketError, "ping_group_range"),
            (ProbeFault::OpenIcmp(Errno::MFILE.into()), Network, SocketError, "LimitNOFILE"),
        ] {
            let case = format!("{fault:?} in {layer:?}");
            let result = fault.result_in(layer);
            assert_eq!(result.code, code, "{case}: {result}");
            assert!(result.detail.contains(words), "{case}: {result}");
        }
    }

    #[test]
    fn a_source_address_that_cannot_be_taken_is_named() {
        let source = IpAddr::from([192, 0, 2, 10]);
        for (errno, words) in [
            (Errno::ADDRNOTAVAIL, "source address 192.0.2.10 is not an address of this machine"),
            (Errno::ADDRINUSE, "no free port at source address 192.0.2.10"),
            (Errno::ACCESS, "not permitted"),
        ] {
            let result = ProbeFault::Bind(source, errno.into()).result_in(Layer::Connect);
            assert_eq!(result.code, ResultCode::SocketError);
            assert!(result.detail.contains(words), "{result}");
        }
    }

    #[test]
    fn openssl_is_made_readable() {
        let verify = "error:0A000086:SSL routines:tls_post_process_server_certificate:certificate \
                      verify failed:../ssl/statem/statem_clnt.c:2092:";
        for (text, readable_text) in [
            (format!("{verify} (certificate has expired)"), "certificate: certificate has expired"),
            (verify.to_owned(), "certificate: not accepted"),
            (
                "error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../x.c:354:".into(),
                "the backend does not speak TLS on this port (wrong version number)",
            ),
            (
                "error:0A000126:SSL routines:ssl3_read_n:unexpected eof while reading:../x.c:1:".into(),
                "connection closed in the TLS handshake",
            ),
            (
                "error:0A000410:SSL routines:ssl3_read_bytes:sslv3 alert handshake failure:../x.c:1:SSL alert number 40".into(),
                "TLS: sslv3 alert handshake failure",
            ),
            ("unexpected EOF".into(), "connection closed in the TLS handshake"),
            ("something new".into(), "something new"),
        ] {
            assert_eq!(readable(&text), readable_text);
        }
    }
}
