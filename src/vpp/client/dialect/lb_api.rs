//! What the client needs of the `lb` API, whichever version of it VPP has.

use std::collections::BTreeMap;

use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::observed::{Observed, ObservedServers};
use crate::domain::dataplane::step::Step;
use crate::vpp::cli_text::VipTexts;
use crate::vpp::client::calls::PreparedWrite;
use crate::vpp::client::connection::{Connection, RequiredMessages};
use crate::vpp::client::error::CallError;

/// A dialect. See [`VppClient`](crate::vpp::client::VppClient) for what its
/// functions promise.
pub(crate) trait LbApi: RequiredMessages + Sized {
    /// The one message that carries out `step`.
    ///
    /// # Errors
    /// [`CallError::Unsafe`]: its numbers would harm VPP.
    fn write(
        connection: &Connection<Self>,
        step: &Step,
        urgent: bool,
    ) -> Result<PreparedWrite, CallError>;

    async fn read_state(connection: &Connection<Self>) -> Result<Observed, CallError>;

    async fn read_servers(
        connection: &Connection<Self>,
        expected: &BTreeMap<Vip, usize>,
    ) -> Result<BTreeMap<Vip, ObservedServers>, CallError>;

    async fn read_verbose(connection: &Connection<Self>) -> Result<Option<VipTexts>, CallError>;
}

/// Sends `steps` in order, as many at once as the window allows, and gives one
/// result for each.
pub(super) async fn apply<D: LbApi>(
    connection: &Connection<D>,
    steps: Vec<Step>,
    urgent: bool,
) -> Vec<Result<(), CallError>> {
    let mut calls = Vec::with_capacity(steps.len());
    let mut confirmations = Vec::with_capacity(steps.len());
    for step in &steps {
        let prepared = D::write(connection, step, urgent);
        confirmations.push(prepared.map(|(call, confirmation)| {
            calls.push(call);
            confirmation
        }));
    }
    connection.submit(calls).await;

    let mut results = Vec::with_capacity(confirmations.len());
    for confirmation in confirmations {
        results.push(match confirmation {
            Ok(confirmation) => confirmation.wait().await,
            Err(error) => Err(error),
        });
    }
    results
}
