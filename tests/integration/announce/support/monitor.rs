//! What happens in the router's kernel, as `ip monitor` tells it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use tokio::sync::mpsc;
use vpp_maglev::domain::announce::placement::VipPrefix;

use super::ip;
use crate::support::soon;

/// A route to one address came, or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RouteEvent {
    Came(VipPrefix),
    Went(VipPrefix),
}

pub(crate) struct Monitor {
    child: Child,
    events: mpsc::UnboundedReceiver<(Instant, RouteEvent)>,
}

impl Monitor {
    /// Watches a namespace. A route that comes and goes there shows that it does.
    pub(crate) async fn start(namespace: &str) -> Self {
        let mut command = Command::new("ip");
        command.args(["-n", namespace, "monitor", "route"]).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (to, events) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if let Some(event) = event(&line) {
                    let _ = to.send((Instant::now(), event));
                }
            }
        });
        let mut monitor = Self { child, events };
        let shown = "203.0.113.254/32".parse().unwrap();
        let mut tries = 0;
        loop {
            tries += 1;
            assert!(tries < 1000, "the monitor shows nothing");
            ip(&format!("-n {namespace} route add blackhole {shown}"));
            ip(&format!("-n {namespace} route del blackhole {shown}"));
            let pause = std::time::Duration::from_millis(50);
            if tokio::time::timeout(pause, monitor.next()).await.is_ok() {
                break;
            }
        }
        // Those of earlier tries.
        while let Ok((_, event)) = monitor.events.try_recv() {
            assert!(matches!(event, RouteEvent::Came(at) | RouteEvent::Went(at) if at == shown));
        }
        monitor
    }

    pub(crate) async fn next(&mut self) -> (Instant, RouteEvent) {
        soon(self.events.recv()).await.expect("no route came or went").unwrap()
    }

    /// The events until one that equals `last`, and when that was.
    pub(crate) async fn until(&mut self, last: RouteEvent) -> (Instant, Vec<RouteEvent>) {
        let mut before = Vec::new();
        loop {
            let Some(event) = soon(self.events.recv()).await else {
                panic!("{last:?} did not happen, but {before:?}");
            };
            match event.unwrap() {
                (at, event) if event == last => return (at, before),
                (_, event) => before.push(event),
            }
        }
    }

    /// Waits for as many different routes as came, or went.
    pub(crate) async fn count(&mut self, number: usize, is_coming: bool) -> Instant {
        let mut seen = std::collections::BTreeSet::new();
        loop {
            let (at, event) = self.next().await;
            match event {
                RouteEvent::Came(prefix) if is_coming => seen.insert(prefix),
                RouteEvent::Went(prefix) if !is_coming => seen.insert(prefix),
                _ => false,
            };
            if seen.len() == number {
                return at;
            }
        }
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn event(line: &str) -> Option<RouteEvent> {
    let mut words = line.split_whitespace().peekable();
    let is_deleted = words.next_if_eq(&"Deleted").is_some();
    let _ = words.next_if(|word| ["blackhole", "unicast"].contains(word));
    let address = words.next()?.parse().ok()?;
    let prefix = VipPrefix::new(address);
    Some(if is_deleted { RouteEvent::Went(prefix) } else { RouteEvent::Came(prefix) })
}
