//! How many packets VPP has sent to servers: no message tells, and its CLI does.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::budget;
use super::connection::{Connection, InbandCommand};
use super::error::CallError;
use crate::vpp::cli_text::parse_packets;

/// Bytes that the text of one may take: some two dozen paths.
const TEXT: usize = 4 << 10;

/// Lists a load-balance object, its counters first.
struct ShowLoadBalance(u32);

impl<D> InbandCommand<D> for ShowLoadBalance {
    fn line(&self) -> Cow<'static, str> {
        format!("show load-balance {}", self.0).into()
    }
}

/// See [`VppClient::read_packets`](crate::vpp::client::VppClient::read_packets).
pub(super) async fn read_packets<D>(
    connection: &Connection<D>,
    load_balances: &BTreeSet<u32>,
) -> Result<BTreeMap<u32, u64>, CallError> {
    let mut packets = BTreeMap::new();
    for &index in load_balances {
        let (call, pending) = connection.line(&ShowLoadBalance(index), budget::text(TEXT))?;
        connection.submit(vec![call]).await;
        let reply = pending.any().await?;
        let text = String::from_utf8_lossy(&reply.reply);
        packets.extend(parse_packets(&text, index).map(|packets| (index, packets)));
    }
    Ok(packets)
}
