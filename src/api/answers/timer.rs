//! The deadline of an answer that its client does not take.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::api::transport::activity::ConnectionActivity;

/// Within this time a client must take something of an answer.
const PROGRESS: Duration = Duration::from_secs(30);
/// Within this time it must take all of it.
const WHOLE: Duration = Duration::from_secs(300);

/// Closes the connection of an answer that is not taken in time, until it is
/// dropped.
pub(super) struct AnswerTimer(watch::Sender<()>);

impl AnswerTimer {
    pub(super) fn start(connection: &Arc<ConnectionActivity>) -> Self {
        let (progress, mut changes) = watch::channel(());
        let connection = Arc::clone(connection);
        tokio::spawn(async move {
            let taking = async {
                loop {
                    match timeout(PROGRESS, changes.changed()).await {
                        Ok(Ok(())) => {}
                        Ok(Err(_)) => return true,
                        Err(_) => return false,
                    }
                }
            };
            if !timeout(WHOLE, taking).await.unwrap_or(false) {
                connection.close();
            }
        });
        Self(progress)
    }

    /// The client has taken a part.
    pub(super) fn progressed(&self) {
        self.0.send_replace(());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::{Instant, advance, sleep};

    async fn is_closed(connection: &ConnectionActivity) -> bool {
        // The timer's task runs first.
        tokio::task::yield_now().await;
        timeout(Duration::ZERO, connection.closed()).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_not_taken_closes_its_connection() {
        let connection = Arc::new(ConnectionActivity::new());
        let timer = AnswerTimer::start(&connection);
        let begun = Instant::now();
        connection.closed().await;
        assert_eq!(begun.elapsed(), PROGRESS);

        // A slow one has longer, and not for ever.
        drop(timer);
        let timer = AnswerTimer::start(&connection);
        let begun = Instant::now();
        let slow = async {
            loop {
                sleep(PROGRESS / 2).await;
                timer.progressed();
            }
        };
        tokio::select! {
            () = connection.closed() => {}
            () = slow => {}
        }
        assert_eq!(begun.elapsed(), WHOLE);

        let timer = AnswerTimer::start(&connection);
        tokio::task::yield_now().await;
        drop(timer);
        advance(2 * WHOLE).await;
        assert!(!is_closed(&connection).await, "it was taken");
    }
}
