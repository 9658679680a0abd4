//! Decides when the configuration is loaded, if several ask for it, and holds what became
//! of the last reload.
//!
//! One load is in progress at a time. Requests that come meanwhile wait for the next,
//! and share it: it begins after the last of them, so that none is answered with what
//! was loaded before it, and no older load overtakes a newer one.

use std::time::SystemTime;

use crate::domain::readiness::ReloadRefusal;

/// The outcome of the last reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReloadStatus {
    /// Why the last reload was refused, so that an older configuration is in use.
    pub refusal: Option<ReloadRefusal>,
    /// When the configuration in use was loaded.
    pub last_success: SystemTime,
}

/// Requests for a reload, by whatever identifies them to the caller.
#[derive(Debug)]
pub struct ReloadQueue<R> {
    /// Answered by the load in progress; `None`: there is none.
    loading: Option<Vec<R>>,
    /// Answered by the next load.
    waiting: Vec<R>,
}

impl<R> Default for ReloadQueue<R> {
    fn default() -> Self {
        Self { loading: None, waiting: Vec::new() }
    }
}

impl<R> ReloadQueue<R> {
    /// Adds a request. Returns whether a load begins now.
    pub fn request(&mut self, request: R) -> bool {
        if self.loading.is_some() {
            self.waiting.push(request);
            return false;
        }
        self.loading = Some(vec![request]);
        true
    }

    /// The requests that the load in progress answers.
    pub fn in_progress(&self) -> &[R] {
        self.loading.as_deref().unwrap_or_default()
    }

    /// The load in progress has ended. Returns the requests that it answers, and whether
    /// the next load begins now.
    pub fn loaded(&mut self) -> (Vec<R>, bool) {
        let waiting = std::mem::take(&mut self.waiting);
        let next = (!waiting.is_empty()).then_some(waiting);
        let begins = next.is_some();
        (std::mem::replace(&mut self.loading, next).unwrap_or_default(), begins)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn requests_during_a_load_share_the_next() {
        let mut queue = ReloadQueue::default();
        assert!(queue.request(1));
        assert!(!queue.request(2));
        assert!(!queue.request(3));
        assert_eq!(queue.loaded(), (vec![1], true));
        assert!(!queue.request(4), "one load at a time");
        assert_eq!(queue.loaded(), (vec![2, 3], true));
        assert_eq!(queue.loaded(), (vec![4], false));
        assert!(queue.request(5), "nothing is in progress");
    }

    proptest! {
        /// Each request is answered once, in order, by a load that began at or after it.
        #[test]
        fn each_request_is_answered_by_a_load_that_began_after_it(
            inputs in prop::collection::vec(any::<bool>(), 1..60),
        ) {
            let mut queue = ReloadQueue::default();
            let (mut asked, mut answered, mut loading) = (0, 0, None);
            for is_request in inputs {
                if is_request {
                    asked += 1;
                    let begins = queue.request(asked);
                    prop_assert_eq!(begins, loading.is_none());
                    loading = loading.or(Some(asked));
                } else if let Some(began_at) = loading {
                    let shared = queue.in_progress().to_vec();
                    let (requests, begins) = queue.loaded();
                    prop_assert_eq!(&requests, &shared);
                    for request in requests {
                        answered += 1;
                        prop_assert_eq!(request, answered);
                        prop_assert!(request <= began_at);
                    }
                    loading = begins.then_some(asked);
                }
            }
            while loading.is_some() {
                let (requests, begins) = queue.loaded();
                answered += requests.len();
                loading = begins.then_some(asked);
            }
            prop_assert_eq!(answered, asked);
        }
    }
}
