//! The flags of maglevd and their environment variables. Flags win.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::{Parser, ValueEnum};
use vpp_maglev::VERSION;
use vpp_maglev::api::{
    ListenerList, TlsError, TlsFiles, TlsService, UnixAccess, UnixGroup, UnixMode,
};
use vpp_maglev::domain::events::LogLevel;
use vpp_maglev::host::logging::LogFormat;
use vpp_maglev::vpp::embedded::plugin::PluginApi;

/// Probes backends and programs VPP's Maglev load balancer with what it finds.
#[derive(Parser, Debug)]
#[command(name = "maglevd", version = VERSION, disable_help_subcommand = true)]
pub struct Flags {
    /// Configuration file
    #[arg(long, env = "MAGLEV_CONFIG", value_name = "FILE", default_value = DEFAULT_CONFIG)]
    pub config: PathBuf,

    /// Where to serve gRPC: host:port, :port for all addresses, unix:/path;
    /// several separated by commas. Behind each may stand what those are that
    /// nothing in the rights file names: role=operator, unless given,
    /// role=viewer, or role=none, as in unix:/run/maglevd.sock,role=operator
    #[arg(
        long,
        env = "MAGLEV_GRPC_ADDR",
        value_name = "ADDR[,role=ROLE]",
        default_value = "127.0.0.1:9090"
    )]
    pub grpc_addr: Vec<ListenerList>,

    /// Who has which role, by certificates, users, groups and tokens (YAML).
    /// SIGHUP reads it again
    #[arg(long, env = "MAGLEV_RIGHTS", value_name = "FILE")]
    pub rights: Option<PathBuf>,

    /// Certificate for gRPC over TLS, with those between it and its authority,
    /// in PEM. SIGHUP reads it again
    #[arg(long, env = "MAGLEV_GRPC_TLS_CERT", value_name = "FILE")]
    pub grpc_tls_cert: Option<PathBuf>,

    /// Private key of the certificate, in PEM
    #[arg(long, env = "MAGLEV_GRPC_TLS_KEY", value_name = "FILE")]
    pub grpc_tls_key: Option<PathBuf>,

    /// Authorities in PEM: only TCP clients with a certificate of one are let in
    #[arg(long, env = "MAGLEV_GRPC_TLS_CLIENT_CA", value_name = "FILE")]
    pub grpc_tls_client_ca: Option<PathBuf>,

    /// Mode of gRPC's Unix sockets; who may write may connect
    #[arg(long, env = "MAGLEV_GRPC_UNIX_MODE", value_name = "MODE", default_value = "0660")]
    pub grpc_unix_mode: UnixMode,

    /// Group of gRPC's Unix sockets, by name or number; the daemon's, unless
    /// given
    #[arg(long, env = "MAGLEV_GRPC_UNIX_GROUP", value_name = "GROUP")]
    pub grpc_unix_group: Option<UnixGroup>,

    /// Events held for event streams that resume; log records count apart
    #[arg(
        long,
        env = "MAGLEV_EVENT_HISTORY",
        value_name = "COUNT",
        default_value = "10000",
        value_parser = event_history
    )]
    pub event_history: usize,

    /// Where to serve Prometheus metrics, /healthz and /readyz: host:port or
    /// :port; empty: nowhere
    #[arg(
        long,
        env = "MAGLEV_METRICS_ADDR",
        value_name = "ADDR",
        default_value = "127.0.0.1:9091"
    )]
    pub metrics_addr: String,

    /// VPP's binary API socket; empty: no VPP; "embedded": a dataplane inside
    /// the process, "embedded:1.1.0": one without weights, as VPP 24.02 to 26.06
    #[arg(
        long,
        env = "MAGLEV_VPP_API_ADDR",
        value_name = "SOCKET",
        default_value = "/run/vpp/api.sock"
    )]
    pub vpp_api_addr: String,

    /// VPP's stats socket; empty: no counters. The embedded dataplane has its
    /// own
    #[arg(
        long,
        env = "MAGLEV_VPP_STATS_ADDR",
        value_name = "SOCKET",
        default_value = "/run/vpp/stats.sock"
    )]
    pub vpp_stats_addr: String,

    /// Whether to make VPP notice API clients that are gone, by a line of its
    /// CLI that fails and does nothing else
    #[arg(
        long,
        env = "MAGLEV_VPP_CURE",
        value_name = "BOOL",
        default_value_t = true,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        action = clap::ArgAction::Set
    )]
    pub vpp_cure: bool,

    /// Where operators' overrides are kept over restarts; empty: nowhere. Without
    /// it, where systemd says by StateDirectory=, or else nowhere; with --demo
    /// nowhere
    #[arg(long, env = "MAGLEV_STATE_DIR", value_name = "DIR", value_parser = clap::value_parser!(OsString))]
    pub state_dir: Option<OsString>,

    /// What becomes of announced VIPs when the daemon is told to stop: keep, or
    /// withdraw, for when VPP or the machine is about to stop as well
    #[arg(long, env = "MAGLEV_ON_STOP", value_name = "WHAT", default_value = "keep", value_enum)]
    pub on_stop: OnStop,

    /// The least important records to log
    #[arg(long, env = "MAGLEV_LOG_LEVEL", value_name = "LEVEL", default_value = "info", value_parser = log_level)]
    pub log_level: LogLevel,

    /// How to log; text on a terminal, journal where standard output is systemd's
    /// journal and json elsewhere, unless given
    #[arg(long, env = "MAGLEV_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,

    /// Validate the configuration file, and the one of --rights, and exit: 0 valid,
    /// 1 cannot be read or parsed, 2 breaks rules
    #[arg(long, conflicts_with_all = ["dataplane_only", "demo"])]
    pub check: bool,

    /// Print a new bearer token, and its digest for the rights file, and exit
    #[arg(long, conflicts_with_all = ["check", "dataplane_only", "demo"])]
    pub new_token: bool,

    /// Whether to offer gRPC server reflection
    #[arg(
        long,
        value_name = "BOOL",
        default_value_t = true,
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        action = clap::ArgAction::Set
    )]
    pub reflection: bool,

    /// Serve the embedded dataplane on DIR/api.sock and DIR/stats.sock, and
    /// nothing else
    #[arg(long, value_name = "DIR", conflicts_with = "demo")]
    pub dataplane_only: Option<PathBuf>,

    /// The version of VPP's lb.api that --dataplane-only serves: 1.2.0, or 1.1.0,
    /// which has no weights, as VPP 24.02 to 26.06
    #[arg(long, value_name = "VERSION", default_value = "1.2.0", requires = "dataplane_only")]
    pub dataplane_api: PluginApi,

    /// Run on demo backends and the embedded dataplane, without root
    #[arg(long)]
    pub demo: bool,
}

/// What becomes of announced VIPs when the daemon is told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OnStop {
    /// They stay.
    Keep,
    Withdraw,
}

impl Flags {
    /// `None` without TLS.
    ///
    /// # Errors
    /// A flag is given without another that it needs.
    pub fn grpc_tls(&self) -> Result<Option<TlsFiles>, TlsError> {
        let file =
            |file: &Option<PathBuf>| file.clone().filter(|path| !path.as_os_str().is_empty());
        TlsFiles::of_flags(
            TlsService::Grpc,
            file(&self.grpc_tls_cert),
            file(&self.grpc_tls_key),
            file(&self.grpc_tls_client_ca),
        )
    }

    /// The rights file; `None`: nobody is named.
    pub fn rights_file(&self) -> Option<&Path> {
        self.rights.as_deref().filter(|path| !path.as_os_str().is_empty())
    }

    /// The directory that overrides are kept in; `None`: they are not kept.
    /// `of_service`: what the service manager has made for that, several separated by
    /// colons.
    pub fn state_dir(&self, of_service: Option<OsString>) -> Option<PathBuf> {
        let given = self.state_dir.clone().map(PathBuf::from);
        let dir = given.or_else(|| {
            let paths = of_service.filter(|_| !self.demo)?;
            std::env::split_paths(&paths).next()
        });
        dir.filter(|path| !path.as_os_str().is_empty())
    }

    pub fn grpc_unix(&self) -> UnixAccess {
        UnixAccess { mode: self.grpc_unix_mode, group: self.grpc_unix_group }
    }
}

/// The configuration file without `--config`.
pub const DEFAULT_CONFIG: &str = "/etc/vpp-maglev/maglev.yaml";

/// More events would take gigabytes of memory.
const MAX_EVENTS: usize = 1_000_000;

fn event_history(word: &str) -> Result<usize, String> {
    let count = word.parse().ok().filter(|count| *count <= MAX_EVENTS);
    count.ok_or_else(|| format!("write a number from 0 to {MAX_EVENTS}"))
}

fn log_level(word: &str) -> Result<LogLevel, String> {
    LogLevel::from_word(word).ok_or_else(|| "write debug, info, warn or error".into())
}
