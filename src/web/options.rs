//! The options of maglev-web.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use axum::http::HeaderName;
use clap::{Args, Parser, Subcommand, ValueHint};
use thiserror::Error;

use crate::VERSION;
use crate::api::{ListenAddr, TlsError, TlsFiles, TlsService, UnixAccess, UnixGroup, UnixMode};
use crate::cli::command::tls_options::TlsOptions;
use crate::client::address::{DaemonAddress, DaemonAddressError};
use crate::domain::events::LogLevel;
use crate::domain::web::access::{WebRole, WebRoleError};
use crate::domain::web::proxies::TrustedProxy;
use crate::host::logging::LogFormat;

/// Serves a page that shows and operates several maglevd at once.
#[derive(Debug, Parser)]
#[command(
    name = "maglev-web",
    version = VERSION,
    disable_help_subcommand = true,
    args_conflicts_with_subcommands = true
)]
pub struct WebOptions {
    /// The daemons: host:port or unix:/path, each with a name if you like, as in
    /// lb1=192.0.2.1:9090; several separated by commas
    #[arg(
        long,
        value_name = "[NAME=]ADDR",
        env = "MAGLEV_SERVER",
        value_delimiter = ',',
        default_value = "127.0.0.1:9090"
    )]
    pub server: Vec<NamedServer>,
    #[command(flatten)]
    pub tls: TlsOptions,

    /// Where to serve the page: host:port, :port for all addresses, unix:/path;
    /// several separated by commas
    #[arg(
        long,
        env = "MAGLEV_WEB_LISTEN",
        value_name = "ADDR",
        value_delimiter = ',',
        default_value = "127.0.0.1:9080"
    )]
    pub listen: Vec<ListenAddr>,

    /// Certificate for HTTPS, with those between it and its authority, in PEM.
    /// SIGHUP reads it again
    #[arg(long, env = "MAGLEV_WEB_TLS_CERT", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub listen_tls_cert: Option<PathBuf>,

    /// Private key of the certificate, in PEM
    #[arg(long, env = "MAGLEV_WEB_TLS_KEY", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub listen_tls_key: Option<PathBuf>,

    /// Authorities in PEM: a browser with a certificate of one is logged in by its
    /// name; others are let in all the same, and may log in otherwise
    #[arg(long, env = "MAGLEV_WEB_TLS_CLIENT_CA", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub listen_tls_client_ca: Option<PathBuf>,

    /// Mode of the Unix sockets; who may write may connect
    #[arg(long, env = "MAGLEV_WEB_UNIX_MODE", value_name = "MODE", default_value = "0660")]
    pub listen_unix_mode: UnixMode,

    /// Group of the Unix sockets, by name or number; the server's, unless given
    #[arg(long, env = "MAGLEV_WEB_UNIX_GROUP", value_name = "GROUP")]
    pub listen_unix_group: Option<UnixGroup>,

    /// The path below which a reverse proxy serves the page, such as /maglev
    #[arg(long, env = "MAGLEV_WEB_BASE_PATH", value_name = "PATH", default_value = "")]
    pub base_path: BasePath,

    /// Who may log in: a file that `maglev-web passwd` writes. SIGHUP reads it
    /// again. Without it, and without another way to log in, the page is for
    /// viewing
    #[arg(long, env = "MAGLEV_WEB_USERS", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub users: Option<PathBuf>,

    /// Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed:
    /// addresses, networks, or unix for whoever may write to the Unix sockets;
    /// several separated by commas
    #[arg(long, env = "MAGLEV_WEB_TRUSTED_PROXIES", value_name = "PROXY", value_delimiter = ',')]
    pub trusted_proxies: Vec<TrustedProxy>,

    /// The header in which those proxies name the user whom they have logged in
    #[arg(
        long,
        env = "MAGLEV_WEB_TRUSTED_PROXY_HEADER",
        value_name = "NAME",
        requires = "trusted_proxies"
    )]
    pub trusted_proxy_header: Option<HeaderWord>,

    /// What those may whom a certificate or a proxy names and --users does not:
    /// none, viewer or operator
    #[arg(long, env = "MAGLEV_WEB_DEFAULT_ROLE", value_name = "ROLE", default_value = "viewer")]
    pub default_role: DefaultRole,

    /// Let everybody view without a login, and ask for one to operate
    #[arg(long, env = "MAGLEV_WEB_ANONYMOUS_VIEW")]
    pub anonymous_view: bool,

    /// A name of this server, for a page that needs no login: it answers to
    /// addresses, localhost and these names alone; several separated by commas
    #[arg(long, env = "MAGLEV_WEB_HOST", value_name = "NAME", value_delimiter = ',')]
    pub host: Vec<String>,

    /// How long a login lasts that is not used, such as 30m
    #[arg(long, env = "MAGLEV_WEB_SESSION_IDLE", value_name = "SPAN", default_value = "1h", value_parser = span)]
    pub session_idle: Duration,

    /// How long a login lasts at most
    #[arg(long, env = "MAGLEV_WEB_SESSION_MAX", value_name = "SPAN", default_value = "12h", value_parser = span)]
    pub session_max: Duration,

    /// Where to serve Prometheus metrics, /healthz and /readyz: host:port or
    /// :port; empty: nowhere
    #[arg(long, env = "MAGLEV_WEB_METRICS_LISTEN", value_name = "ADDR", default_value = "")]
    pub metrics_listen: String,

    /// The least important records to log
    #[arg(long, env = "MAGLEV_WEB_LOG_LEVEL", value_name = "LEVEL", default_value = "info", value_parser = log_level)]
    pub log_level: LogLevel,

    /// How to log; text on a terminal, journal where standard output is systemd's
    /// journal and json elsewhere, unless given
    #[arg(long, env = "MAGLEV_WEB_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,

    #[command(subcommand)]
    pub command: Option<WebCommand>,
}

/// What else the program does than to serve.
#[derive(Debug, Subcommand)]
pub enum WebCommand {
    /// Add a user to the file of --users, or set a password anew. The password is
    /// read from the terminal, or is the first line of standard input
    Passwd(PasswdOptions),
}

#[derive(Debug, Args)]
pub struct PasswdOptions {
    /// The file; it is made where there is none
    #[arg(
        long,
        env = "MAGLEV_WEB_USERS",
        value_name = "FILE",
        default_value = "/etc/vpp-maglev/web-users",
        value_hint = ValueHint::FilePath
    )]
    pub users: PathBuf,
    /// viewer or operator; a user that is known keeps theirs, and a new one is a
    /// viewer
    #[arg(long, value_name = "ROLE")]
    pub role: Option<WebRole>,
    /// No password: for one who logs in by certificate or through a proxy
    #[arg(long)]
    pub no_password: bool,
    /// The user
    #[arg(value_name = "NAME")]
    pub name: String,
}

impl WebOptions {
    /// `None`: HTTP.
    ///
    /// # Errors
    /// A flag is given without another that it needs.
    pub fn listen_tls(&self) -> Result<Option<TlsFiles>, TlsError> {
        let file =
            |file: &Option<PathBuf>| file.clone().filter(|path| !path.as_os_str().is_empty());
        let (cert, key) = (file(&self.listen_tls_cert), file(&self.listen_tls_key));
        TlsFiles::of_flags(TlsService::Web, cert, key, file(&self.listen_tls_client_ca))
    }

    #[must_use]
    pub fn listen_unix(&self) -> UnixAccess {
        UnixAccess { mode: self.listen_unix_mode, group: self.listen_unix_group }
    }
}

/// A span such as `90s`, `30m` or `12h`, at least a second.
fn span(word: &str) -> Result<Duration, String> {
    let span = word.len().checked_sub(1).and_then(|end| {
        let (number, unit) = word.split_at_checked(end)?;
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            _ => return None,
        };
        number.parse::<u32>().ok().map(|number| Duration::from_secs(seconds * u64::from(number)))
    });
    let span = span.filter(|span| !span.is_zero());
    span.ok_or_else(|| "write a number with s, m, h or d, such as 30m".into())
}

/// The role of those who are in no file; `None`: none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DefaultRole(pub Option<WebRole>);

impl FromStr for DefaultRole {
    type Err = WebRoleError;

    fn from_str(word: &str) -> Result<Self, WebRoleError> {
        if word == "none" { Ok(Self(None)) } else { word.parse().map(|role| Self(Some(role))) }
    }
}

/// The name of a header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderWord(pub HeaderName);

/// The text is no name of a header.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("a header's name has letters, digits and dashes, such as X-Remote-User")]
pub struct HeaderWordError;

impl FromStr for HeaderWord {
    type Err = HeaderWordError;

    fn from_str(word: &str) -> Result<Self, HeaderWordError> {
        word.parse().map(Self).map_err(|_| HeaderWordError)
    }
}

fn log_level(word: &str) -> Result<LogLevel, String> {
    LogLevel::from_word(word).ok_or_else(|| "write debug, info, warn or error".into())
}

/// A daemon, and what it is called on the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedServer {
    pub name: String,
    pub address: DaemonAddress,
}

/// The text names no daemon.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum NamedServerError {
    #[error(transparent)]
    Address(#[from] DaemonAddressError),
    #[error("a name has 1 to 64 letters, digits, dots, dashes and underscores")]
    Name,
}

impl FromStr for NamedServer {
    type Err = NamedServerError;

    fn from_str(text: &str) -> Result<Self, NamedServerError> {
        let Some((name, address)) = text.split_once('=') else {
            return Ok(Self { name: text.to_owned(), address: text.parse()? });
        };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if name.is_empty() || name.len() > 64 || !name.chars().all(is_plain) {
            return Err(NamedServerError::Name);
        }
        Ok(Self { name: name.to_owned(), address: address.parse()? })
    }
}

/// A path in front of all paths of the page: empty, or `/a/b`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BasePath(String);

/// The text is no path.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("write a path such as /maglev, of letters, digits, dots, dashes and underscores")]
pub struct BasePathError;

impl FromStr for BasePath {
    type Err = BasePathError;

    fn from_str(text: &str) -> Result<Self, BasePathError> {
        let text = text.trim_end_matches('/');
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let is_part = |part: &str| {
            !part.is_empty() && part.chars().all(is_plain) && !part.chars().all(|c| c == '.')
        };
        let mut parts = text.split('/');
        if parts.next() == Some("") && parts.all(is_part) {
            return Ok(Self(text.to_owned()));
        }
        Err(BasePathError)
    }
}

impl fmt::Display for BasePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl BasePath {
    /// What is behind it in `path`, from its slash on; `None`: the path is elsewhere, or
    /// the base without the slash at its end.
    #[must_use]
    pub fn behind<'a>(&self, path: &'a str) -> Option<&'a str> {
        path.strip_prefix(&self.0).filter(|rest| rest.starts_with('/'))
    }

    /// Where the cookie holds.
    #[must_use]
    pub fn cookie_path(&self) -> &str {
        if self.0.is_empty() { "/" } else { &self.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn daemons_have_names_if_they_are_given() {
        let server: NamedServer = "lb-1.a=192.0.2.1:9090".parse().unwrap();
        assert_eq!(
            (server.name.as_str(), server.address.to_string().as_str()),
            ("lb-1.a", "192.0.2.1:9090")
        );
        let server: NamedServer = "unix:/run/m.sock".parse().unwrap();
        assert_eq!(server.name, "unix:/run/m.sock");
        for text in ["=192.0.2.1:1", "a b=192.0.2.1:1", "a/b=192.0.2.1:1"] {
            assert_eq!(text.parse::<NamedServer>(), Err(NamedServerError::Name), "{text}");
        }
        let long = format!("{}=192.0.2.1:1", "x".repeat(65));
        assert_eq!(long.parse::<NamedServer>(), Err(NamedServerError::Name));
        assert!("a=nowhere".parse::<NamedServer>().is_err());
    }

    #[test]
    fn spans_have_a_unit() {
        for (word, seconds) in [("1s", 1), ("30m", 1800), ("12h", 43_200), ("2d", 172_800)] {
            assert_eq!(span(word), Ok(Duration::from_secs(seconds)));
        }
        for word in ["", "h", "0s", "1", "1w", "-1h", "1.5h", "1é"] {
            assert!(span(word).is_err(), "{word}");
        }
    }

    #[test]
    fn passwd_is_a_program_of_its_own() {
        let parse = |words: &[&str]| WebOptions::try_parse_from([&["maglev-web"], words].concat());
        let options = parse(&["passwd", "--role", "operator", "ann"]).unwrap();
        let Some(WebCommand::Passwd(passwd)) = options.command else { panic!("no passwd") };
        assert_eq!((passwd.name.as_str(), passwd.role), ("ann", Some(WebRole::Operator)));
        assert!(parse(&["--trusted-proxy-header", "X-User"]).is_err(), "no proxy is trusted");
        assert!(parse(&["--default-role", "admin"]).is_err());
        assert_eq!(parse(&["--default-role", "none"]).unwrap().default_role, DefaultRole(None));
    }

    #[test]
    fn a_base_path_is_in_front_of_every_path() {
        let base: BasePath = "/a/b/".parse().unwrap();
        assert_eq!(base.behind("/a/b/api/state"), Some("/api/state"));
        assert_eq!(base.behind("/a/b/"), Some("/"));
        for path in ["/a/b", "/a/bc/", "/", "/x/a/b/"] {
            assert_eq!(base.behind(path), None, "{path}");
        }
        assert_eq!((base.cookie_path(), BasePath::default().cookie_path()), ("/a/b", "/"));
        assert_eq!("".parse::<BasePath>(), Ok(BasePath::default()));
        assert_eq!("/".parse::<BasePath>(), Ok(BasePath::default()));
        for text in ["a", "/a b", "/a//b", "/..", "/a/./b", "/é"] {
            assert_eq!(text.parse::<BasePath>(), Err(BasePathError), "{text}");
        }
    }
}
