//! Whether the daemon is there, told while the operator types: a stream that
//! stays open sees it go and come back.

use std::time::Duration;

use tokio::sync::watch;

use crate::cli::error::CliError;
use crate::cli::shell::runtime_thread::Engine;
use crate::cli::watch::{AGAIN, next, open};
use crate::client::server::DaemonClient;
use crate::pb;

/// How long the first prompt may wait to know whether the daemon is there.
const SETTLE: Duration = Duration::from_secs(1);

/// How long a daemon that answers may take to tell its life, which it does with
/// its first event. One that has no frontends has none to tell.
const FIRST: Duration = Duration::from_millis(200);

/// What is known of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
enum LinkStatus {
    /// Nothing yet.
    Unknown,
    /// The daemon answers. Its life's number, once an event told it.
    Up { boot_id: Option<u64> },
    /// It does not, in words.
    Down { why: String },
}

/// Tells a line beside the one that is typed.
pub(super) type Printer = Box<dyn FnMut(String) + Send>;

/// The watch over the connection.
pub(super) struct ConnectionWatch {
    state: watch::Receiver<LinkStatus>,
    editing: watch::Sender<bool>,
}

impl ConnectionWatch {
    /// Watches the daemon from now on, and tells by `printer`.
    pub(super) fn follow(engine: &Engine, client: &DaemonClient, printer: Printer) -> Self {
        let (tell, state) = watch::channel(LinkStatus::Unknown);
        let (editing, edited) = watch::channel(false);
        engine.handle().spawn(follow(client.clone(), tell));
        engine.handle().spawn(herald(state.clone(), edited, printer));
        Self { state, editing }
    }

    /// Waits until it is known whether the daemon is there, for a moment.
    pub(super) fn settle(&mut self, engine: &Engine) {
        let known = self.state.wait_for(|state| *state != LinkStatus::Unknown);
        // Not known in time is not known.
        let _ = engine.wait(async { tokio::time::timeout(SETTLE, known).await.is_ok() });
    }

    /// Whether the daemon answers, as far as is known.
    pub(super) fn is_up(&self) -> bool {
        !matches!(*self.state.borrow(), LinkStatus::Down { .. })
    }

    /// Edits a line. Only meanwhile there is a place for news: a command's
    /// output is not broken into.
    pub(super) fn while_editing<T>(&self, edit: impl FnOnce() -> T) -> T {
        self.editing.send_replace(true);
        let edited = edit();
        self.editing.send_replace(false);
        edited
    }
}

/// Keeps a stream open and tells what becomes of it.
async fn follow(client: DaemonClient, tell: watch::Sender<LinkStatus>) {
    // The fewest events that there are; each tells the daemon's life.
    let wanted = pb::WatchRequest {
        log: Some(false),
        backend: Some(false),
        dataplane: Some(false),
        ..pb::WatchRequest::default()
    };
    loop {
        let lost = match open(&client, wanted.clone()).await {
            Err(error) => error,
            Ok(mut stream) => {
                let mut told = tokio::time::timeout(FIRST, next(&client, &mut stream)).await;
                loop {
                    let boot_id = match told {
                        Ok(Ok(event)) => Some(event.boot_id),
                        Ok(Err(error)) => break error,
                        Err(_) => None,
                    };
                    tell.send_if_modified(|state| answered(state, boot_id));
                    told = Ok(next(&client, &mut stream).await);
                }
            }
        };
        let down = match lost {
            CliError::Unreachable { .. } => LinkStatus::Down { why: lost.to_string() },
            // It has no stream to spare, and is there all the same.
            _ => LinkStatus::Up { boot_id: None },
        };
        tell.send_if_modified(|state| went(state, down));
        tokio::time::sleep(AGAIN).await;
    }
}

/// Notes an answer; true where that is news.
fn answered(state: &mut LinkStatus, boot_id: Option<u64>) -> bool {
    let known = match state {
        LinkStatus::Up { boot_id } => *boot_id,
        LinkStatus::Unknown | LinkStatus::Down { .. } => None,
    };
    let new = LinkStatus::Up { boot_id: boot_id.or(known) };
    let news = *state != new;
    *state = new;
    news
}

/// Notes a loss; only the first reason is news.
fn went(state: &mut LinkStatus, new: LinkStatus) -> bool {
    if matches!((&*state, &new), (LinkStatus::Down { .. }, LinkStatus::Down { .. })) {
        return false;
    }
    let news = *state != new;
    *state = new;
    news
}

/// Tells the news, each when there is a place for it.
async fn herald(
    mut state: watch::Receiver<LinkStatus>,
    mut editing: watch::Receiver<bool>,
    mut printer: Printer,
) {
    let mut said = LastNotice::default();
    while state.changed().await.is_ok() && editing.wait_for(|editing| *editing).await.is_ok() {
        let now = state.borrow_and_update().clone();
        if let Some(line) = said.news(&now) {
            printer(line);
        }
    }
}

/// What the operator was told last.
#[derive(Debug, Default)]
struct LastNotice {
    down: bool,
    boot_id: Option<u64>,
}

impl LastNotice {
    /// The line that tells of `now`, if it is news.
    fn news(&mut self, now: &LinkStatus) -> Option<String> {
        match now {
            LinkStatus::Unknown => None,
            LinkStatus::Down { why } if !self.down => {
                self.down = true;
                Some(format!("{why}; trying again until it is back"))
            }
            LinkStatus::Down { .. } => None,
            LinkStatus::Up { boot_id } => {
                let other = |(new, old): (u64, u64)| new != old;
                let restarted = boot_id.zip(self.boot_id).is_some_and(other);
                let was_down = std::mem::replace(&mut self.down, false);
                self.boot_id = boot_id.or(self.boot_id);
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

    fn up(boot_id: u64) -> LinkStatus {
        LinkStatus::Up { boot_id: Some(boot_id) }
    }

    fn down() -> LinkStatus {
        LinkStatus::Down { why: "gone".into() }
    }

    #[test]
    fn news_are_told_once() {
        let mut said = LastNotice::default();
        let lost = Some("gone; trying again until it is back".to_owned());
        assert_eq!(said.news(&up(1)), None);
        assert_eq!(said.news(&down()), lost);
        assert_eq!(said.news(&down()), None);
        assert_eq!(said.news(&LinkStatus::Up { boot_id: None }), Some("connected again".into()));
        assert_eq!(said.news(&up(2)), Some("maglevd was restarted".into()));
        assert_eq!(said.news(&down()), lost);
        assert_eq!(said.news(&up(3)), Some("connected again; maglevd was restarted".into()));
        assert_eq!(said.news(&up(3)), None);
    }

    #[test]
    fn a_daemon_absent_from_the_start_is_news() {
        assert!(LastNotice::default().news(&down()).is_some());
    }

    #[test]
    fn only_changes_wake_the_herald() {
        let mut state = LinkStatus::Unknown;
        assert!(answered(&mut state, None));
        assert!(answered(&mut state, Some(7)));
        assert!(!answered(&mut state, None) && !answered(&mut state, Some(7)));
        assert!(went(&mut state, down()));
        assert!(!went(&mut state, LinkStatus::Down { why: "another reason".into() }));
        assert_eq!(state, down());
    }
}
