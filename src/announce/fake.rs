//! A driver that a test plays.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use super::{ApplyReport, DriverError};
use crate::domain::announce::placement::WantedRoutes;

/// What became of one run.
pub type FakeRun = Pin<Box<dyn Future<Output = Result<ApplyReport, DriverError>>>>;

/// Runs what a test gives: `None` only reads.
#[derive(Clone)]
pub struct FakeDriver(Arc<dyn Fn(Option<WantedRoutes>) -> FakeRun + Send + Sync>);

impl FakeDriver {
    pub fn new(run: impl Fn(Option<WantedRoutes>) -> FakeRun + Send + Sync + 'static) -> Self {
        Self(Arc::new(run))
    }

    pub(super) async fn run(
        &self,
        wanted: Option<WantedRoutes>,
    ) -> Result<ApplyReport, DriverError> {
        (self.0)(wanted).await
    }
}

impl fmt::Debug for FakeDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FakeDriver")
    }
}
