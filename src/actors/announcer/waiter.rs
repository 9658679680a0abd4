//! Somebody who waits until announcements are as they are wanted.

use tokio::sync::oneshot;

use crate::domain::announce::orders::AnnounceScope;

pub(super) struct SettlingWaiter {
    pub(super) scope: AnnounceScope,
    pub(super) settled: oneshot::Sender<()>,
}
