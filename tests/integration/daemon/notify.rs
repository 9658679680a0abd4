//! What maglevd sends to a service manager: `$NOTIFY_SOCKET` is the test's own.

use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram as StdDatagram};
use std::path::Path;

use crate::support::{Daemon, TestBed, soon};
use rustix::process::Signal;
use rustix::time::{ClockId, clock_gettime};
use tokio::net::UnixDatagram;

/// A service manager, as far as it receives notifications.
struct Manager {
    socket: UnixDatagram,
    /// Lines, in order.
    received: Vec<String>,
}

impl Manager {
    fn new(socket: StdDatagram) -> Self {
        socket.set_nonblocking(true).unwrap();
        Self { socket: UnixDatagram::from_std(socket).unwrap(), received: Vec::new() }
    }

    fn at(path: &Path) -> Self {
        Self::new(StdDatagram::bind(path).unwrap())
    }

    /// Reads until a line begins like this; gives it, and forgets what came
    /// before.
    async fn until(&mut self, begin: &str) -> String {
        // Lines keep coming, so the deadline is for all of them.
        let found = soon(self.read_until(begin)).await;
        found.unwrap_or_else(|| panic!("no {begin} in time: {:?}", self.received))
    }

    async fn read_until(&mut self, begin: &str) -> String {
        loop {
            if let Some(place) = self.received.iter().position(|line| line.starts_with(begin)) {
                return self.received.drain(..=place).next_back().unwrap();
            }
            let mut bytes = [0; 4096];
            let count = self.socket.recv(&mut bytes).await.unwrap();
            let text = String::from_utf8(bytes[..count].to_vec()).unwrap();
            self.received.extend(text.lines().map(str::to_owned));
        }
    }

    /// What is in its socket already.
    fn rest(&mut self) -> Vec<String> {
        let mut bytes = [0; 4096];
        while let Ok(count) = self.socket.try_recv(&mut bytes) {
            let text = String::from_utf8(bytes[..count].to_vec()).unwrap();
            self.received.extend(text.lines().map(str::to_owned));
        }
        std::mem::take(&mut self.received)
    }
}

fn monotonic_us() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    u64::try_from(now.tv_sec).unwrap() * 1_000_000 + u64::try_from(now.tv_nsec).unwrap() / 1000
}

#[tokio::test]
async fn it_is_ready_reloads_lives_and_stops() {
    let mut bed = TestBed::new(&["a", "b"]).pools(&["a b"]);
    bed.backends[1].stop().await;
    let dataplane = bed.dataplane();
    // VPP accepts connections and says nothing yet.
    dataplane.control.freeze().unwrap();
    let path = bed.dir().join("notify.sock");
    let mut manager = Manager::at(&path);
    let mut command = bed.command();
    command.args(["--grpc-addr", "127.0.0.1:0"]);
    command.env("NOTIFY_SOCKET", &path).env("WATCHDOG_USEC", "200000");
    let mut daemon = bed.run(&mut command).await;
    daemon.all(&["a"], "up").await;
    daemon.all(&["b"], "down").await;
    let status = manager.until("STATUS=starting, VPP is being connected").await;
    assert!(status.ends_with("backends 1 of 2 up, VPP being connected"), "{status}");
    manager.until("EXTEND_TIMEOUT_USEC=").await;
    assert!(!manager.rest().contains(&"READY=1".to_owned()), "ready before VPP was read");

    dataplane.control.thaw().unwrap();
    manager.until("READY=1").await;
    let status = manager.until("STATUS=").await;
    assert_eq!(status, "STATUS=frontends 2 of 2 up, backends 1 of 2 up, VPP connected");
    for _ in 0..3 {
        manager.until("WATCHDOG=1").await;
    }

    // A reload that is taken, and one that is refused: both are over, and the status
    // says which it was.
    let good = bed.config().both(&["a b"]).text();
    let refused = "; the last reload was refused: maglevd --check says why";
    for (text, outcome) in [(&*good, None), ("maglev: nonsense", Some(refused)), (&good, Some(""))]
    {
        bed.write_config(text);
        manager.rest();
        let before = monotonic_us();
        daemon.signal(Signal::HUP);
        manager.until("RELOADING=1").await;
        let began = manager.until("MONOTONIC_USEC=").await;
        let began: u64 = began.strip_prefix("MONOTONIC_USEC=").unwrap().parse().unwrap();
        assert!((before..=monotonic_us()).contains(&began), "{before} {began}");
        if let Some(outcome) = outcome {
            let status = manager.until("STATUS=").await;
            assert!(status.ends_with(&format!("VPP connected{outcome}")), "{status}");
        }
        manager.until("READY=1").await;
    }

    bed.backends[1].serve();
    let status = manager.until("STATUS=frontends 2 of 2 up, backends 2 of 2 up").await;
    assert!(status.ends_with("VPP connected"), "{status}");
    dataplane.control.stop().unwrap();
    manager.until("STATUS=frontends 2 of 2 up, backends 2 of 2 up, VPP not connected").await;

    daemon.signal(Signal::TERM);
    manager.until("STOPPING=1").await;
    assert!(daemon.ended().await.success());
    assert_eq!(manager.rest(), ["STATUS=stopping"]);
}

#[tokio::test]
async fn it_is_ready_without_vpp_and_finds_an_abstract_socket() {
    let bed = TestBed::new(&["a"]).pools(&["a"]);
    let nowhere = bed.dir().join("nowhere.sock").display().to_string();
    let bed = bed.vpp(nowhere);
    let name = format!("maglevd-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let mut manager = Manager::new(StdDatagram::bind_addr(&address).unwrap());
    let mut command = bed.command();
    command.args(["--grpc-addr", "127.0.0.1:0"]).env("NOTIFY_SOCKET", format!("@{name}"));
    let daemon = bed.run(&mut command).await;
    manager.until("READY=1").await;
    let status = manager.until("STATUS=").await;
    assert_eq!(status, "STATUS=frontends 2 of 2 up, backends 1 of 1 up, VPP not connected");
    daemon.terminate().await;
}

#[tokio::test]
async fn a_socket_that_is_not_there_is_told_of_and_harms_nobody() {
    let bed = TestBed::new(&[]);
    let mut command = bed.command();
    command.args(["--grpc-addr", "127.0.0.1:0"]);
    command.env("NOTIFY_SOCKET", bed.dir().join("nowhere.sock"));
    let mut daemon = bed.run(&mut command).await;
    daemon.logged("notify-failed").await;
    daemon.logged("ready").await;
    daemon.terminate().await;
}

#[tokio::test]
async fn the_level_of_the_log_changes_while_it_runs() {
    let bed = TestBed::new(&["a"]).pools(&["a"]);
    let mut command = bed.command();
    command.args(["--grpc-addr", "127.0.0.1:0", "--log-level", "warn"]);
    // At this level it does not say that it listens.
    let mut daemon = Daemon::spawn(&mut command);
    // Its signal handlers are there by the time that backends are probed.
    let mut requests = bed.backends[0].requests();
    soon(requests.wait_for(|count| *count > 2)).await.unwrap().unwrap();
    assert_eq!(daemon.records("probe-done"), Vec::<serde_json::Value>::new());
    daemon.signal(Signal::USR1);
    daemon.logged("probe-done").await;
    daemon.signal(Signal::USR2);
    let set =
        |record: &serde_json::Value| record["msg"] == "log-level-set" && record["to"] == "warn";
    daemon.logged_as("the level of the flag", set).await;
    let before = daemon.records("probe-done").len();
    let now = *requests.borrow();
    soon(requests.wait_for(|count| *count > now + 2)).await.unwrap().unwrap();
    let after = daemon.records("probe-done").len();
    // One may have been under way.
    assert!(after <= before + 1, "{before} {after}");
    daemon.terminate().await;
}
