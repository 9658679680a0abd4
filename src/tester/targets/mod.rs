//! The VIPs to test: given one by one, out of the daemon's file, or from a daemon.

mod arguments;
mod daemon;
mod file;
pub mod target;

use std::net::SocketAddr;

use regex::Regex;

use crate::client::connection::DaemonClient;
use crate::tester::error::TesterError;
use crate::tester::options::TesterOptions;

use target::{KnownFrontend, TargetKind, VipTarget, chosen};

pub use daemon::DaemonShares;

/// All targets, what was left out, and the daemon that expects shares.
pub struct Targets {
    pub vips: Vec<VipTarget>,
    /// Sentences.
    pub left_out: Vec<String>,
    pub daemon: Option<DaemonShares>,
}

/// Finds out what to test.
///
/// # Errors
/// Nothing is left to test, or something is wrong with where it comes from.
pub async fn find(options: &TesterOptions) -> Result<Targets, TesterError> {
    let mut vips = Vec::new();
    for text in &options.vips {
        vips.push(arguments::parse(text, options).await?);
    }
    let mut frontends = Vec::new();
    for path in &options.from.config {
        frontends.extend(file::frontends(path)?);
    }
    let mut client = None;
    if let Some(access) = options.access() {
        let connected = DaemonClient::connect(&access).await?;
        frontends.extend(daemon::frontends(&connected).await?);
        client = Some(connected);
    }
    let mut left_out = Vec::new();
    for frontend in frontends {
        if !options.from.filter.as_ref().is_none_or(|filter| filter.is_match(&frontend.name)) {
            continue;
        }
        match of_frontend(frontend, options) {
            Ok(target) => vips.push(target),
            Err(why) => left_out.push(why),
        }
    }
    if vips.is_empty() {
        return Err(TesterError::NothingToTest { why: nothing(options, &left_out) });
    }
    if let Some(expected) = options.expected() {
        for vip in &mut vips {
            vip.expected = Some(expected.clone());
        }
    }
    // What was given by hand is not to be replaced.
    let client = client.filter(|_| options.limits.expect.is_empty());
    let names = vips.iter().map(|vip| vip.name.clone()).collect();
    let daemon = client.map(|client| DaemonShares::new(client, names));
    Ok(Targets { vips, left_out, daemon })
}

fn nothing(options: &TesterOptions, left_out: &[String]) -> String {
    let filter = |filter: &Regex| format!("no frontend's name matches --filter {filter}");
    match (left_out, &options.from.filter) {
        ([], None) if options.from.config.is_empty() && options.from.server.is_none() => {
            "give VIP:port, --config FILE or --server ADDR".into()
        }
        ([], None) => "there is no frontend".into(),
        ([], Some(found)) => filter(found),
        (left_out, _) => left_out.join("; "),
    }
}

/// The target of a frontend, or why it has none.
fn of_frontend(frontend: KnownFrontend, options: &TesterOptions) -> Result<VipTarget, String> {
    let KnownFrontend { name, prefix, service, expected } = frontend;
    let (address, length) = prefix.split_once('/').unwrap_or((&prefix, ""));
    let no_target =
        |why: &str| format!("{name} is not tested: {why}; give an address of it as VIP:port");
    let address: std::net::IpAddr =
        address.parse().map_err(|_| no_target(&format!("{prefix} is no address")))?;
    let whole = if address.is_ipv4() { "32" } else { "128" };
    if !length.is_empty() && length != whole {
        return Err(no_target(&format!("{prefix} is a prefix")));
    }
    let kind = match service {
        None => return Err(no_target("it takes every protocol and port")),
        Some((17, _)) => TargetKind::Udp,
        Some((6, port)) => chosen(options.probe.kind).unwrap_or(TargetKind::of_port(port)),
        Some((protocol, _)) => return Err(no_target(&format!("it takes protocol {protocol}"))),
    };
    let port = service.map_or(0, |(_, port)| port);
    Ok(VipTarget {
        name,
        address: SocketAddr::new(address, port),
        kind,
        host: options.probe.host.clone(),
        uri: options.probe.uri.clone(),
        expected,
    })
}
