//! The options of maglev-web.

mod words;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueHint};

use crate::VERSION;
use crate::api::{ListenAddr, TlsError, TlsFiles, TlsService, UnixAccess, UnixGroup, UnixMode};
use crate::cli::command::tls_options::TlsOptions;
use crate::domain::events::LogLevel;
use crate::domain::web::access::WebRole;
use crate::domain::web::proxies::TrustedProxy;
use crate::host::logging::LogFormat;
use words::span;
pub(super) use words::{BasePath, DefaultRole, HeaderWord, NamedServer};

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

    /// What `maglevd --demo` starts: everybody views, one who is made up operates,
    /// and it ends with the standard input
    #[arg(long, hide = true)]
    pub demo: bool,

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

fn log_level(word: &str) -> Result<LogLevel, String> {
    LogLevel::from_word(word).ok_or_else(|| "write debug, info, warn or error".into())
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
