//! maglevt's options. Those of vpp-maglev 1.0 have its names.

pub mod completions;
pub mod single_dash;
mod values;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, ValueEnum, ValueHint};
use regex::Regex;

use crate::cli::command::tls_options::TlsOptions;
use crate::cli::render::format::ColorWhen;
use crate::client::address::DaemonAddress;
use crate::client::connection::DaemonAccess;
use crate::domain::tester::limits::TestLimits;
use crate::domain::tester::server_name::KnownServer;
use crate::domain::tester::shares::ExpectedShares;
use crate::tester::settings::LoadSettings;
use completions::CompletedShell;
use values::{duration, expected_weight, header_name, host, positive, regex, send_line, uri};

/// Tests VIPs from where it runs: what fails, breaks, moves, and for how long
/// nothing answers.
#[derive(Debug, Parser)]
#[command(
    name = "maglevt",
    version = crate::VERSION,
    after_help = "Exit status: 0 within the limits, 1 not, 2 a wrong flag, 3 nothing can be reached.",
    max_term_width = 100
)]
pub struct TesterOptions {
    /// VIPs to test: [tcp|tls|http|https|udp://]HOST:PORT[/PATH].
    #[arg(value_name = "VIP:PORT")]
    pub vips: Vec<String>,
    #[command(flatten)]
    pub from: TargetOptions,
    #[command(flatten)]
    pub probe: ProbeOptions,
    #[command(flatten)]
    pub hold: HoldOptions,
    #[command(flatten)]
    pub limits: LimitOptions,
    /// How long to test; until Ctrl-C, unless given.
    #[arg(long = "for", value_name = "DURATION", value_parser = positive)]
    pub lasts: Option<Duration>,
    /// How often to report.
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = positive)]
    pub report: Duration,
    /// `screen` is the default on a terminal, `text` elsewhere.
    #[arg(long, value_name = "FORMAT", value_enum)]
    pub output: Option<ReportFormat>,
    /// Whether text is coloured.
    #[arg(long, value_name = "WHEN", value_enum, default_value_t)]
    pub color: ColorWhen,
    /// Print the completions of a shell, and end.
    #[arg(long, value_name = "SHELL", value_enum)]
    pub completions: Option<CompletedShell>,
}

/// Where VIPs come from.
#[derive(Debug, Args)]
#[command(next_help_heading = "Targets")]
pub struct TargetOptions {
    /// Test the frontends of these files of the daemon.
    #[arg(long, value_name = "FILE", value_delimiter = ',', value_hint = ValueHint::FilePath)]
    pub config: Vec<PathBuf>,
    /// Test the frontends of this daemon, and expect the shares that it expects:
    /// host:port or unix:/path.
    #[arg(long, value_name = "ADDR")]
    pub server: Option<DaemonAddress>,
    #[command(flatten)]
    pub tls: TlsOptions,
    /// Of the frontends, only those whose name matches this regular expression.
    #[arg(long, value_name = "REGEX", value_parser = regex)]
    pub filter: Option<Regex>,
}

/// What a new flow is.
#[derive(Debug, Args)]
#[command(next_help_heading = "New flows")]
pub struct ProbeOptions {
    /// What to talk; `auto` goes by protocol and port.
    #[arg(long, value_name = "KIND", value_enum, default_value_t)]
    pub kind: KindChoice,
    /// Between two new flows of a VIP.
    #[arg(long, value_name = "DURATION", default_value = "100ms", value_parser = positive)]
    pub interval: Duration,
    /// For each step of a flow: to connect, TLS, each answer.
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = positive)]
    pub timeout: Duration,
    /// The Host header, and the name that TLS asks for.
    #[arg(long, value_name = "NAME", value_parser = host)]
    pub host: Option<String>,
    /// What HTTP asks for.
    #[arg(long, value_name = "PATH", default_value = "/", value_parser = uri)]
    pub uri: String,
    /// The header that names who answered; otherwise the first line does.
    #[arg(long, value_name = "NAME", value_parser = header_name)]
    pub header: Option<String>,
    /// Believe any certificate.
    #[arg(long, value_name = "BOOL", default_value_t = false, num_args = 0..=1, require_equals = true,
        default_missing_value = "true", action = clap::ArgAction::Set)]
    pub insecure: bool,
    /// Make no new flows: ask over one connection that is kept, at each --interval.
    #[arg(long, value_name = "BOOL", default_value_t = false, num_args = 0..=1, require_equals = true,
        default_missing_value = "true", action = clap::ArgAction::Set)]
    pub keepalive: bool,
    /// The line to say over TCP, TLS and UDP; a line must come back.
    #[arg(long, value_name = "TEXT", value_parser = send_line)]
    pub send: Option<String>,
    /// How often each new flow asks.
    #[arg(long, value_name = "COUNT", default_value_t = 1,
        value_parser = clap::value_parser!(u32).range(1..))]
    pub lines: u32,
    /// Between an answer and the next line of a new flow.
    #[arg(long, value_name = "DURATION", default_value = "300ms", value_parser = duration)]
    pub line_interval: Duration,
    /// Try packets of full size too, which a path with GRE may swallow.
    #[arg(long)]
    pub full_size: bool,
}

/// Connections that are kept open.
#[derive(Debug, Args)]
#[command(next_help_heading = "Held connections")]
pub struct HoldOptions {
    /// Keep so many connections to each VIP open.
    #[arg(long = "hold", value_name = "COUNT", default_value_t = 0,
        value_parser = clap::value_parser!(u32).range(..=100_000))]
    pub count: u32,
    /// Between two questions on a held connection.
    #[arg(long, value_name = "DURATION", default_value = "100ms", value_parser = positive)]
    pub hold_interval: Duration,
    /// Without an answer for so long a held connection is broken.
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = positive)]
    pub hold_timeout: Duration,
}

/// What decides the exit status.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
pub struct LimitOptions {
    /// Fail if more held connections break.
    #[arg(long, value_name = "COUNT")]
    pub max_broken: Option<u64>,
    /// Fail if more answers come from another server than before.
    #[arg(long, value_name = "COUNT")]
    pub max_moved: Option<u64>,
    /// Fail if more new flows fail.
    #[arg(long, value_name = "COUNT")]
    pub max_failed: Option<u64>,
    /// Fail if a VIP has no success for longer.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub max_gap: Option<Duration>,
    /// Fail if servers get other shares than expected.
    #[arg(long)]
    pub check_shares: bool,
    /// The shares to expect of every VIP, as weights; implies --check-shares.
    #[arg(long, value_name = "NAME=WEIGHT", value_delimiter = ',', value_parser = expected_weight)]
    pub expect: Vec<(String, f64)>,
}

/// What to talk to VIPs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum KindChoice {
    #[default]
    Auto,
    Tcp,
    Tls,
    Http,
    Https,
    Udp,
}

/// How the test is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// On the whole terminal.
    Screen,
    /// Lines for people.
    Text,
    /// A line for programs; its schema is documented and stable.
    Json,
}

impl TesterOptions {
    /// The daemon to ask, if one is.
    #[must_use]
    pub fn access(&self) -> Option<DaemonAccess> {
        let TargetOptions { server, tls, .. } = &self.from;
        Some(tls.access(server.clone()?))
    }

    /// The shares of `--expect`.
    #[must_use]
    pub fn expected(&self) -> Option<ExpectedShares> {
        let expect = &self.limits.expect;
        let server = |name: &String| KnownServer { name: name.clone(), address: None };
        let weights = expect.iter().map(|(name, weight)| (server(name), *weight));
        (!expect.is_empty()).then(|| ExpectedShares::of_weights(weights))
    }

    #[must_use]
    pub fn test_limits(&self) -> TestLimits {
        let limits = &self.limits;
        TestLimits {
            broken: limits.max_broken,
            moved: limits.max_moved,
            failed: limits.max_failed,
            gap: limits.max_gap,
            shares: limits.check_shares || !limits.expect.is_empty(),
        }
    }

    #[must_use]
    pub fn load(&self) -> LoadSettings {
        let Self { probe, hold, .. } = self;
        let keeps = probe.keepalive;
        let count = usize::try_from(hold.count).unwrap_or(usize::MAX);
        LoadSettings {
            interval: (!keeps).then_some(probe.interval),
            timeout: probe.timeout,
            hold: if keeps { count.max(1) } else { count },
            hold_interval: if keeps { probe.interval } else { hold.hold_interval },
            hold_timeout: hold.hold_timeout.max(probe.timeout),
            lines: probe.lines,
            line_interval: probe.line_interval,
            header: probe.header.clone(),
            send: probe.send.clone(),
            insecure: probe.insecure,
            full_size: probe.full_size,
        }
    }
}
