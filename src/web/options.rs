//! The options of maglev-web.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use clap::{Parser, ValueHint};
use thiserror::Error;

use crate::VERSION;
use crate::api::{ListenAddr, TlsError, TlsFiles, TlsService, UnixAccess, UnixGroup, UnixMode};
use crate::cli::command::tls_options::TlsOptions;
use crate::client::address::{DaemonAddress, DaemonAddressError};
use crate::domain::events::LogLevel;
use crate::host::logging::LogFormat;

/// Serves a page that shows and operates several maglevd at once.
#[derive(Debug, Parser)]
#[command(name = "maglev-web", version = VERSION, disable_help_subcommand = true)]
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

    /// Mode of the Unix sockets; who may write may connect
    #[arg(long, env = "MAGLEV_WEB_UNIX_MODE", value_name = "MODE", default_value = "0660")]
    pub listen_unix_mode: UnixMode,

    /// Group of the Unix sockets, by name or number; the server's, unless given
    #[arg(long, env = "MAGLEV_WEB_UNIX_GROUP", value_name = "GROUP")]
    pub listen_unix_group: Option<UnixGroup>,

    /// The path below which a reverse proxy serves the page, such as /maglev
    #[arg(long, env = "MAGLEV_WEB_BASE_PATH", value_name = "PATH", default_value = "")]
    pub base_path: BasePath,

    /// The least important records to log
    #[arg(long, env = "MAGLEV_WEB_LOG_LEVEL", value_name = "LEVEL", default_value = "info", value_parser = log_level)]
    pub log_level: LogLevel,

    /// How to log; text on a terminal, journal where standard output is systemd's
    /// journal and json elsewhere, unless given
    #[arg(long, env = "MAGLEV_WEB_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
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
        TlsFiles::of_flags(TlsService::Web, cert, key, None)
    }

    #[must_use]
    pub fn listen_unix(&self) -> UnixAccess {
        UnixAccess { mode: self.listen_unix_mode, group: self.listen_unix_group }
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
