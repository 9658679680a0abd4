//! Watches the connection to the daemon while the operator types: a stream that
//! stays open shows when the daemon goes and comes back.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::api::views::text::printable;
use crate::cli::error::client_error_text;
use crate::cli::shell::runtime_thread::RuntimeThread;
use crate::client::connection::DaemonClient;
use crate::client::follow::{FollowItem, FollowPolicy, StreamFollower};
use crate::pb;

/// How long the first prompt waits for the daemon's first answer.
const FIRST_ANSWER_DEADLINE: Duration = Duration::from_secs(1);

/// How long after the stream is open its first event is waited for, which
/// shows whether the daemon restarted. Without frontends there is none.
const FIRST_EVENT_DEADLINE: Duration = Duration::from_millis(200);

/// What is known of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
enum ConnectionStatus {
    /// Nothing yet.
    Unknown,
    /// The daemon answers.
    Up {
        /// How often it was seen to restart.
        restarts: u64,
    },
    /// It is unreachable, and why.
    Down { why: String },
}

/// Prints a line above the one that is typed.
pub(super) type Printer = Box<dyn FnMut(String) + Send>;

pub(super) struct ConnectionMonitor {
    status: watch::Receiver<ConnectionStatus>,
    editing: watch::Sender<bool>,
}

impl ConnectionMonitor {
    /// Starts to monitor the connection.
    pub(super) fn start(runtime: &RuntimeThread, client: DaemonClient, printer: Printer) -> Self {
        let (sender, status) = watch::channel(ConnectionStatus::Unknown);
        let (editing, edited) = watch::channel(false);
        runtime.handle().spawn(monitor(client, sender));
        runtime.handle().spawn(print_changes(status.clone(), edited, printer));
        Self { status, editing }
    }

    /// Waits for the first answer or failure, for a moment.
    pub(super) fn wait_until_known(&mut self, runtime: &RuntimeThread) {
        let known = self.status.wait_for(|status| *status != ConnectionStatus::Unknown);
        // The first prompt may come without it.
        let _ = runtime
            .wait(async { tokio::time::timeout(FIRST_ANSWER_DEADLINE, known).await.is_ok() });
    }

    /// Whether the daemon answers, or nothing is known yet.
    pub(super) fn is_up(&self) -> bool {
        !matches!(*self.status.borrow(), ConnectionStatus::Down { .. })
    }

    /// Edits a line. Changes are printed only meanwhile: the output of a
    /// command is not interrupted.
    pub(super) fn while_editing<T>(&self, edit: impl FnOnce() -> T) -> T {
        self.editing.send_replace(true);
        let edited = edit();
        self.editing.send_replace(false);
        edited
    }
}

/// Keeps a stream open and publishes what becomes of it.
async fn monitor(client: DaemonClient, status: watch::Sender<ConnectionStatus>) {
    // The kind with the fewest events.
    let request = pb::WatchRequest {
        log: Some(false),
        backend: Some(false),
        dataplane: Some(false),
        ..pb::WatchRequest::default()
    };
    let policy = FollowPolicy { retry_first: true, retry_refused: true };
    let mut follower = StreamFollower::new(client, request, policy);
    let mut restarts = 0;
    let mut first_event_due = None;
    loop {
        let item = match first_event_due {
            Some(due) => timeout_at(due, follower.next()).await.ok(),
            None => Some(follower.next().await),
        };
        let now = match item {
            Some(Ok(FollowItem::Connected { .. })) => {
                first_event_due = Some(Instant::now() + FIRST_EVENT_DEADLINE);
                continue;
            }
            Some(Ok(FollowItem::Restarted)) => {
                restarts += 1;
                continue;
            }
            Some(Ok(FollowItem::Lost { first: false, .. })) => continue,
            Some(Ok(FollowItem::Lost { error, .. })) => {
                ConnectionStatus::Down { why: client_error_text(&error) }
            }
            // Without a stream to spare the daemon is there all the same.
            Some(Ok(FollowItem::Event(_) | FollowItem::Refused(_))) | None => {
                ConnectionStatus::Up { restarts }
            }
            // This policy retries every failure.
            Some(Err(_)) => return,
        };
        first_event_due = None;
        status.send_if_modified(|known| {
            let changed = *known != now;
            *known = now;
            changed
        });
    }
}

/// Prints the changes of the status while a line is edited.
async fn print_changes(
    mut status: watch::Receiver<ConnectionStatus>,
    mut editing: watch::Receiver<bool>,
    mut printer: Printer,
) {
    let mut notices = Notices::default();
    while status.changed().await.is_ok() && editing.wait_for(|editing| *editing).await.is_ok() {
        let now = status.borrow_and_update().clone();
        if let Some(line) = notices.next(&now) {
            printer(printable(&line));
        }
    }
}

/// What was printed last.
#[derive(Debug, Default)]
struct Notices {
    down: bool,
    restarts: u64,
}

impl Notices {
    /// The line for a status, if it differs from what was printed.
    fn next(&mut self, now: &ConnectionStatus) -> Option<String> {
        match now {
            ConnectionStatus::Unknown => None,
            ConnectionStatus::Down { why } => {
                let was_down = std::mem::replace(&mut self.down, true);
                (!was_down).then(|| format!("{why}; trying again until it is back"))
            }
            ConnectionStatus::Up { restarts } => {
                let was_down = std::mem::replace(&mut self.down, false);
                let restarted = std::mem::replace(&mut self.restarts, *restarts) != *restarts;
                match (was_down, restarted) {
                    (true, true) => Some("connected again; maglevd was restarted".into()),
                    (true, false) => Some("connected again".into()),
                    (false, true) => Some("maglevd was restarted".into()),
                    (false, false) => None,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up(restarts: u64) -> ConnectionStatus {
        ConnectionStatus::Up { restarts }
    }

    fn down() -> ConnectionStatus {
        ConnectionStatus::Down { why: "gone".into() }
    }

    #[test]
    fn every_change_is_printed_once() {
        let mut notices = Notices::default();
        let lost = Some("gone; trying again until it is back".to_owned());
        assert_eq!(notices.next(&up(0)), None);
        assert_eq!(notices.next(&down()), lost);
        assert_eq!(notices.next(&down()), None);
        assert_eq!(notices.next(&up(0)), Some("connected again".into()));
        assert_eq!(notices.next(&up(1)), Some("maglevd was restarted".into()));
        assert_eq!(notices.next(&down()), lost);
        assert_eq!(notices.next(&up(2)), Some("connected again; maglevd was restarted".into()));
        assert_eq!(notices.next(&up(2)), None);
    }

    #[test]
    fn a_daemon_absent_from_the_start_is_printed() {
        assert!(Notices::default().next(&down()).is_some());
    }
}
