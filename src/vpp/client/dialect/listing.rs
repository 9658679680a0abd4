//! VPP's listings of VIPs, as replies of its CLI.

use std::sync::atomic::Ordering::Relaxed;

use crate::vpp::cli_text::{VipTexts, parse_vips};
use crate::vpp::client::budget;
use crate::vpp::client::connection::{Connection, ConnectionShared};
use crate::vpp::client::error::CallError;
use crate::vpp::wire::CliInbandReply;

/// Bytes that the brief listing may take: a quarter more than the last one.
pub(super) fn expected_size(state: &ConnectionShared) -> usize {
    match state.listing_size.load(Relaxed) {
        // The first goes alone: its size is not known.
        0 => state.budget,
        size => budget::text(size + size / 4),
    }
}

/// The brief listing, which sizes the next one; followed by the stale client workaround if it
/// may have filled VPP's send buffer.
pub(super) async fn take_brief<D>(
    connection: &Connection<D>,
    reply: &CliInbandReply,
) -> Result<VipTexts, CallError> {
    let state = connection.state();
    state.listing_size.store(reply.reply.len().max(1), Relaxed);
    if budget::text(reply.reply.len()) > state.budget {
        connection.run_stale_client_workaround().await?;
    }
    Ok(listing_of(reply))
}

/// A VPP that refuses the line gives an answer that is not understood.
pub(super) fn listing_of(reply: &CliInbandReply) -> VipTexts {
    if reply.retval < 0 {
        return VipTexts { entries: Vec::new(), complete: false };
    }
    parse_vips(&text(reply))
}

pub(super) fn text(reply: &CliInbandReply) -> String {
    String::from_utf8_lossy(&reply.reply).into_owned()
}
