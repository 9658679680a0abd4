//! Reading the servers of a few VIPs again: what a flip has touched, without
//! the listing of all VIPs that a look at everything begins with.

use std::collections::BTreeMap;

use super::error::CallError;
use super::observe::rows_by_vip;
use super::portions::group;
use super::{VppClient, budget};
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::observed::ObservedServers;
use crate::vpp::client::stale_client_workaround::CURE;
use crate::vpp::session::SMALL_REPLY;
use crate::vpp::wire::VipKey;

impl VppClient {
    /// Reads the servers of these VIPs, for each of which about so many rows
    /// are expected: they size the portions. VIPs that VPP cannot be asked for
    /// alone (of prefix 0.0.0.0/0 or ::/0) are missing in the answer.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn read_servers(
        &self,
        expected: &BTreeMap<Vip, usize>,
    ) -> Result<BTreeMap<Vip, ObservedServers>, CallError> {
        let limit = budget::of_bulk(self.shared.budget);
        let known = |(vip, rows): (&Vip, &usize)| Some((*vip, VipKey::filter_for(*vip)?, *rows));
        let asked: Vec<_> = expected.iter().filter_map(known).collect();
        let portions = group(asked.iter().map(|(_, key, rows)| (*key, *rows)), limit);
        let is_unsafe = portions.iter().any(|portion| portion.cost > limit);
        let mut calls = Vec::with_capacity(portions.len() + 1);
        let mut parts = Vec::with_capacity(portions.len());
        for portion in portions {
            let (call, pending) = self.dumps(&portion.dumps, portion.cost)?;
            calls.push(call);
            parts.push(pending);
        }
        let mut cure = None;
        if is_unsafe && self.shared.cure {
            let (call, pending) = self.line(CURE, SMALL_REPLY)?;
            calls.push(call);
            cure = Some(pending);
        }
        self.submit(calls).await;
        let mut rows = Vec::new();
        for pending in parts {
            rows.extend(pending.rows().await?);
        }
        if let Some(cure) = cure {
            cure.any().await?;
        }
        Ok(rows_by_vip(asked.iter().map(|(vip, _, _)| *vip), &rows))
    }
}
