//! The lab: TCP connections of clients through a real VPP that the built maglevd
//! programs, and what breaks of them while something is done (docs/lab.md).
//!
//! `make lab`, as root; `make lab SCENARIOS="pause drain" RUNS=3`. Without VPP or
//! what else it needs it says so and skips. Ends with 1 if a row is over its bound.

#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

mod actions;
mod announced;
mod bed;
mod configuration;
mod daemon;
mod drained;
mod gre;
mod leaving;
mod leftovers;
mod namespaces;
mod record;
mod row;
mod scenario;
mod scenarios;
mod servers;
mod slow_start;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "other benchmarks use the rest")]
mod support;
mod tester;
mod vpp;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, exit};
use std::thread;

use bed::Bed;
use configuration::SERVERS;
use namespaces::Namespaces;
use row::{Row, Unavoidable};
use scenario::Scenario;
use scenarios::SCENARIOS;
use servers::Server;
use support::process::is_installed;
use tester::Tester;
use tokio::signal::unix::{SignalKind, signal};
use vpp::VppPaths;

fn main() -> ExitCode {
    let asked: Vec<_> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    if let Some(unknown) = asked.iter().find(|&name| SCENARIOS.iter().all(|of| of.name != name)) {
        let names: Vec<_> = SCENARIOS.iter().map(|of| of.name).collect();
        eprintln!("there is no scenario {unknown}; there are {}", names.join(", "));
        return ExitCode::from(2);
    }
    let paths = prerequisites().and_then(|()| vpp_paths("MAGLEV_LAB_VPP", "MAGLEV_LAB_PLUGINS"));
    let paths = match paths {
        Ok(paths) => paths,
        Err(why) => {
            println!("skipped: {why}");
            return ExitCode::SUCCESS;
        }
    };
    let other = vpp_paths("MAGLEV_LAB_OTHER_VPP", "MAGLEV_LAB_OTHER_PLUGINS");
    let runs = std::env::var("MAGLEV_LAB_RUNS").map_or(1, |runs| runs.parse().unwrap());
    clean_up_on_signals();
    let namespaces = Namespaces::make();
    let servers: Vec<_> = (0..SERVERS).map(Server::start).collect();
    let logs = Path::new(env!("CARGO_TARGET_TMPDIR")).join("lab");
    let lab = Lab { paths, other, servers, logs };
    fs::create_dir_all(&lab.logs).unwrap();
    println!("{}", Row::HEAD);
    let mut over = Vec::new();
    let chosen = |of: &&Scenario| asked.is_empty() || asked.iter().any(|name| name == of.name);
    for scenario in SCENARIOS.iter().filter(chosen) {
        if let (true, Err(why)) = (scenario.needs_other, &lab.other) {
            println!("skipped: {}: {why}", scenario.name);
            continue;
        }
        for run in 1..=runs {
            let row = lab.run(scenario, run);
            println!("{row}");
            if !row.is_ok() {
                over.push(scenario.name);
            }
        }
    }
    drop(namespaces);
    println!("\nlogs are in {}", lab.logs.display());
    if over.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("over their bound: {}", over.join(", "));
    ExitCode::FAILURE
}

/// What every run of a scenario uses.
struct Lab {
    paths: VppPaths,
    /// A VPP of the other kind, or what is missing.
    other: Result<VppPaths, String>,
    servers: Vec<Server>,
    logs: PathBuf,
}

impl Lab {
    fn run(&self, scenario: &'static Scenario, run: u32) -> Row<'static> {
        let folder =
            tempfile::Builder::new().prefix(&format!("{}-", leftovers::own())).tempdir().unwrap();
        let log = self.logs.join(format!("{}-{run}.log", scenario.name));
        let of = &scenario.configuration;
        let mut bed = Bed::start(&self.paths, &self.servers, of, folder.path(), &log);
        if scenario.has_second {
            bed.start_second(&self.paths, of, folder.path(), &log);
        }
        if let (true, Ok(other)) = (scenario.needs_other, &self.other) {
            bed.has_other(other);
        }
        (scenario.prepare)(&mut bed);
        bed.unavoidable = Unavoidable::default();
        let tester = Tester::start(&log.with_extension("maglevt"), scenario.held);
        (scenario.act)(&mut bed);
        let counted = tester.stop();
        bed.assert_no_other_vip();
        let Bed { findings, unavoidable, .. } = bed;
        Row { what: scenario.what, counted, findings, bound: scenario.bound.with(unavoidable) }
    }
}

/// Says what the machine lacks.
fn prerequisites() -> Result<(), String> {
    if !rustix::process::geteuid().is_root() {
        return Err("network namespaces take root".into());
    }
    for program in ["ip", "ethtool", "nsenter", "setpriv", "sysctl"] {
        if !is_installed(program) {
            return Err(format!("{program} is not installed"));
        }
    }
    Ok(())
}

/// Where these variables say that a VPP is, or what is missing.
fn vpp_paths(vpp: &str, plugins: &str) -> Result<VppPaths, String> {
    let path = |name: &str, what: &str| {
        let value = std::env::var_os(name).filter(|value| !value.is_empty());
        value.map(PathBuf::from).ok_or_else(|| format!("{name} is not set: {what}"))
    };
    let paths = VppPaths {
        vpp: path(vpp, "the program vpp, with vppctl beside it")?,
        plugins: path(plugins, "the folder of its plugins lb, af_packet and ping")?,
    };
    paths.missing().map_or(Ok(paths), |path| Err(format!("there is no {}", path.display())))
}

/// Children die with this process, and namespaces have to be removed.
fn clean_up_on_signals() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    thread::spawn(move || {
        runtime.block_on(async {
            let mut interrupt = signal(SignalKind::interrupt()).unwrap();
            let mut terminate = signal(SignalKind::terminate()).unwrap();
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
        leftovers::remove();
        exit(130);
    });
}
