//! Writing: steps go out in order, as many at once as the window allows.

use super::VppClient;
use super::error::CallError;
use crate::domain::dataplane::step::Step;
use crate::vpp::wire::LbWrite;

impl VppClient {
    /// Sends `steps` in order and gives one result for each. A step that fails
    /// does not keep back those after it. Urgent steps go ahead of everything
    /// that is not sent yet.
    pub async fn apply(&self, steps: Vec<Step>, urgent: bool) -> Vec<Result<(), CallError>> {
        let mut calls = Vec::with_capacity(steps.len());
        let mut confirmations = Vec::with_capacity(steps.len());
        for step in &steps {
            let prepared = LbWrite::try_from(step)
                .map_err(CallError::from)
                .and_then(|write| self.write(&write, urgent));
            confirmations.push(prepared.map(|(call, confirmation)| {
                calls.push(call);
                confirmation
            }));
        }
        self.submit(calls).await;

        let mut results = Vec::with_capacity(confirmations.len());
        for confirmation in confirmations {
            results.push(match confirmation {
                Ok(confirmation) => confirmation.wait().await,
                Err(error) => Err(error),
            });
        }
        results
    }
}
