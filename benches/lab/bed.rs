//! The running lab, as an action of a scenario finds it.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::configuration::{Configuration, HEALTH_PORT, PORT, SERVERS, VIP, address};
use super::daemon::Daemon;
use super::namespaces::{CLIENT, enter, lead_client_through, second_address};
use super::row::{Finding, Unavoidable};
use super::servers::Server;
use super::support::eventually;
use super::vpp::{Vpp, VppPaths};

/// The primary pool.
pub(crate) const PRIMARY: [usize; 3] = [0, 1, 2];

/// See the module's description.
pub(crate) struct Bed<'a> {
    pub(crate) daemon: Daemon,
    pub(crate) vpp: Vpp<'a>,
    /// The VPP that takes over, and its daemon.
    second: Option<(Vpp<'a>, Daemon)>,
    /// Where the VPP of the other kind is, and where this one was before it was replaced.
    other: Option<&'a VppPaths>,
    pub(crate) servers: &'a [Server],
    /// What the action found that nobody could have kept.
    pub(crate) unavoidable: Unavoidable,
    /// What else it found.
    pub(crate) findings: Vec<Finding>,
}

impl<'a> Bed<'a> {
    /// Starts VPP and the daemon, with all servers well, and waits until they
    /// serve. Logs begin with `log`.
    pub(crate) fn start(
        paths: &'a VppPaths,
        servers: &'a [Server],
        configuration: &Configuration,
        folder: &Path,
        log: &Path,
    ) -> Self {
        for server in servers {
            server.set_ill(false);
            server.begin_run();
        }
        lead_client_through(0);
        let (vpp, daemon) = start_pair(paths, 0, configuration, folder, log);
        let unavoidable = Unavoidable::default();
        Self { daemon, vpp, second: None, other: None, servers, unavoidable, findings: Vec::new() }
    }

    /// A VPP that [`Self::replace_vpp`] may start.
    pub(crate) fn has_other(&mut self, other: &'a VppPaths) {
        self.other = Some(other);
    }

    /// Starts the other VPP and a daemon of its own, with the same configuration.
    pub(crate) fn start_second(
        &mut self,
        paths: &'a VppPaths,
        configuration: &Configuration,
        folder: &Path,
        log: &Path,
    ) {
        self.second = Some(start_pair(paths, 1, configuration, folder, log));
    }

    /// The client's route goes through the second VPP from now on.
    pub(crate) fn take_over(&self) {
        assert!(self.second.is_some(), "the scenario does not ask for a second VPP");
        lead_client_through(1);
    }

    /// Notes what else was found, and whether it is in its bound.
    pub(crate) fn find(&mut self, what: String, is_ok: bool) {
        self.findings.push(Finding { what, is_ok });
    }

    /// For as long as the scenario wants to watch.
    pub(crate) fn watch(&self, milliseconds: u64) {
        thread::sleep(Duration::from_millis(milliseconds));
    }

    pub(crate) fn set(&self, index: usize, what: &str) {
        self.daemon.command(&["set", "backend", &self.daemon.name(index), what]);
    }

    pub(crate) fn set_weight(&self, index: usize, weight: u8) {
        let (name, weight) = (self.daemon.name(index), weight.to_string());
        let pool = ["set", "frontend", "line", "pool", "primary", "backend"];
        self.daemon.command(&[&pool[..], &[&name, "weight", &weight]].concat());
    }

    /// The health checks of these servers fail from now on. What is held to
    /// them cannot be kept.
    pub(crate) fn fall_ill(&mut self, indices: &[usize]) {
        for &index in indices {
            self.unavoidable.held += self.servers[index].held() as u64;
            self.servers[index].set_ill(true);
        }
    }

    pub(crate) fn get_well(&self, indices: &[usize]) {
        indices.iter().for_each(|&index| self.servers[index].set_ill(false));
    }

    /// Nothing can serve meanwhile, and how long that takes cannot be avoided.
    pub(crate) fn without_service(&mut self, act: impl FnOnce(&mut Self)) {
        let begun = Instant::now();
        act(self);
        self.unavoidable.away += begun.elapsed();
    }

    pub(crate) fn restart_daemon(&mut self, signal: Signal) {
        self.daemon.end(signal);
        self.watch(1000);
        self.daemon.start_again();
        self.daemon.until_settled(&[]);
        self.watch(2000);
    }

    /// VPP is killed, and started again after so many seconds. Watches for as long as
    /// clients may take to send again what was lost.
    pub(crate) fn restart_vpp(&mut self, seconds: u64) {
        self.without_service(|bed| bed.start_vpp_again(Duration::from_secs(seconds)));
        self.daemon.until_settled(&[]);
        self.watch(if seconds == 0 { 8000 } else { 20_000 });
    }

    /// VPP is killed, and one of the other kind is started at its sockets.
    pub(crate) fn replace_vpp(&mut self) {
        self.vpp.kill();
        let Some(other) = self.other else { panic!("the scenario does not ask for another VPP") };
        self.other = Some(self.vpp.become_of(other));
        self.without_service(|bed| bed.start_vpp_again(Duration::ZERO));
    }

    fn start_vpp_again(&mut self, after: Duration) {
        let begun = Instant::now();
        self.vpp.kill();
        thread::sleep(after.saturating_sub(begun.elapsed()));
        self.vpp.start();
        until_forwarding(0);
    }

    /// Fails unless VPP has the VIP, and no other was ever made there by mistake.
    pub(crate) fn assert_no_other_vip(&self) {
        let listing = self.vpp.cli("show lb vips verbose");
        let heads = listing.lines().filter(|line| line.starts_with(" ip"));
        let heads: Vec<_> = heads.collect();
        let is_ours = |head: &&str| head.ends_with(&format!("] {VIP}/32"));
        assert!(heads.len() == 1 && heads.iter().all(is_ours), "{listing}");
    }

    /// Somebody writes to VPP what the daemon does not want there: what follows the server in
    /// the line.
    pub(crate) fn write_by_hand(&self, index: usize, what: &str) {
        let words = format!("lb as {VIP}/32 protocol tcp port {PORT} {}{what}", address(index));
        let answer = self.vpp.cli(&words);
        assert!(!answer.contains("error"), "{words}: {answer}");
    }
}

fn start_pair<'a>(
    paths: &'a VppPaths,
    index: usize,
    configuration: &Configuration,
    folder: &Path,
    log: &Path,
) -> (Vpp<'a>, Daemon) {
    let mut vpp = Vpp::new(paths, index, folder);
    vpp.start();
    until_forwarding(index);
    let of_daemon = folder.join(format!("daemon{index}"));
    let log = log.with_extension(format!("maglevd{index}"));
    let daemon = Daemon::start(&of_daemon, vpp.api(), &log, configuration);
    daemon.until_settled(&[]);
    (vpp, daemon)
}

/// Waits until the client reaches every server through this VPP.
fn until_forwarding(vpp: usize) {
    let reached = thread::spawn(move || {
        enter(CLIENT);
        for index in 0..SERVERS {
            let address = if vpp == 0 { address(index) } else { second_address(index) };
            let address = SocketAddr::new(address.parse().unwrap(), HEALTH_PORT);
            eventually("VPP forwards", || {
                TcpStream::connect_timeout(&address, Duration::from_millis(50)).is_ok()
            });
        }
    });
    reached.join().unwrap();
}
