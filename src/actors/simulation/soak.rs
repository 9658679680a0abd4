//! Runs the simulation for a day of simulated time, and checks each hour that the
//! process does not leak memory, file descriptors or probes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix::prelude::*;
use fastrand::Rng;
use tokio::time::sleep;

use crate::actors::controller::Reload;
use crate::actors::simulation::driver::{Daemon, write};
use crate::actors::simulation::scenario::{Scenario, SimulatedServers};
use crate::actors::simulation::vpp_fake::SharedVpp;
use crate::domain::controller::AdminCommand;
use crate::vpp::embedded::plugin::Plugin;

/// The length of the run.
const HOURS: u64 = 24;
/// The time between two reloads.
const PERIOD: Duration = Duration::from_secs(30);

/// Resident memory in KiB, and the number of open descriptors.
fn process_usage() -> (u64, usize) {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let resident = resident.expect("Linux has it").trim().trim_end_matches(" kB");
    let descriptors = std::fs::read_dir("/proc/self/fd").expect("Linux has it").count();
    (resident.parse().expect("a number"), descriptors)
}

/// Must run alone in its process, or the measurements include other tests:
/// `cargo test --release --lib a_day_of_24_hours -- --ignored --nocapture`.
#[test]
#[ignore = "a minute, and alone in its process: `make test-long` runs it"]
fn a_day_of_24_hours_uses_no_more_than_its_sixth_hour() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("maglev.yaml");
    let servers = SimulatedServers::new(1);
    let hours = System::new().block_on(async move { soak(&path, &servers).await });
    eprintln!("hour  RSS KiB  descriptors  probes");
    for (hour, (resident, descriptors, probes)) in hours.iter().enumerate() {
        eprintln!("{:4} {resident:8} {descriptors:12} {probes:7}", hour + 1);
    }
    // By the sixth hour the ring of events for subscribers that resume is full.
    let (early, late) = (hours[5], hours[hours.len() - 1]);
    assert!(late.0 <= early.0 + 1024, "memory grew: {early:?}, {late:?}");
    assert_eq!(late.1, early.1, "descriptors");
    // At most one per backend: cancelled probes do not go on.
    assert!(hours.iter().all(|(_, _, probes)| *probes <= 8), "{hours:?}");
}

/// At the end of each hour: memory in KiB, descriptors, and probes in progress.
async fn soak(
    path: &std::path::Path,
    servers: &Arc<Mutex<SimulatedServers>>,
) -> Vec<(u64, usize, usize)> {
    tokio::time::pause();
    let mut rng = Rng::with_seed(1);
    let scenario = Scenario::new(&mut rng);
    write(path, &scenario.yaml());
    let vpp = SharedVpp::new(Plugin::default(), 1);
    let daemon = Daemon::start(&vpp, path, servers);
    let mut hours = Vec::new();
    for _ in 0..HOURS {
        for _ in 0..3600 / PERIOD.as_secs() {
            sleep(PERIOD).await;
            {
                let mut servers = servers.lock().expect("no holder panics");
                servers.reset();
                scenario.addresses().for_each(|address| servers.set(address, rng.u8(..4) > 0));
            }
            // Each reload changes the same scenario, so that the configuration does not grow.
            let mut edited = scenario.clone();
            (0..3).for_each(|_| edited.edit(&mut rng));
            write(path, &edited.yaml());
            let reloaded =
                daemon.controller.send(Reload { force: true }).await.expect("the actor runs");
            reloaded.unwrap_or_else(|fault| panic!("{fault}"));
            let backend = edited.backend(&mut rng);
            for command in [AdminCommand::Pause, AdminCommand::Resume] {
                daemon.administer(&backend, command).await;
            }
            if rng.u8(..20) == 0 {
                vpp.restart(Duration::from_secs(1)).await;
            }
            vpp.get().drop_history();
        }
        assert_eq!(vpp.get().violations, Vec::<String>::new());
        let (resident, descriptors) = process_usage();
        let probes = servers.lock().expect("no holder panics").probes();
        hours.push((resident, descriptors, probes));
    }
    hours
}
