//! Dumps of servers, of whichever message a dialect has for them.

use crate::vpp::client::batches::{DumpBatch, DumpScope};
use crate::vpp::client::budget;
use crate::vpp::client::connection::{Connection, SpokenIn};
use crate::vpp::client::error::CallError;
use crate::vpp::wire::{Dump, VipKey};

/// A dump of servers, by the VIPs that it lists.
pub(super) trait ServerDump: Dump {
    /// With the filter that [`VipKey::filter_for`] makes, or [`VipKey::ZERO`] for all.
    fn of(filter: VipKey) -> Self;
}

/// The dumps that `scope` takes.
pub(super) fn server_dumps<M: ServerDump>(scope: &DumpScope) -> Vec<M> {
    match scope {
        DumpScope::All => vec![M::of(VipKey::ZERO)],
        DumpScope::Vips(vips) => {
            vips.iter().filter_map(|vip| VipKey::filter_for(*vip)).map(M::of).collect()
        }
    }
}

/// The rows of each batch, followed by the stale client workaround if one of them may fill
/// VPP's send buffer.
pub(super) async fn read_batches<D, M: ServerDump + SpokenIn<D>>(
    connection: &Connection<D>,
    batches: Vec<DumpBatch>,
) -> Result<Vec<(DumpScope, Vec<M::Answer>)>, CallError> {
    let limit = budget::of_bulk(connection.state().budget);
    let may_overflow = batches.iter().any(|batch| batch.cost > limit);
    let mut calls = Vec::with_capacity(batches.len() + 1);
    let mut dumps = Vec::with_capacity(batches.len());
    for batch in batches {
        let (call, pending) = connection.dumps(&server_dumps::<M>(&batch.of), batch.cost)?;
        calls.push(call);
        dumps.push((batch.of, pending));
    }
    let mut workaround = None;
    if may_overflow && let Some((call, pending)) = connection.stale_client_workaround()? {
        calls.push(call);
        workaround = Some(pending);
    }
    connection.submit(calls).await;
    let mut answers = Vec::with_capacity(dumps.len());
    for (scope, pending) in dumps {
        answers.push((scope, pending.rows().await?));
    }
    if let Some(workaround) = workaround {
        workaround.any().await?;
    }
    Ok(answers)
}
