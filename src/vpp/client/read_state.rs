//! Reading: the whole state in one conversation, or one VIP, in portions that
//! VPP's send buffer holds.

use std::sync::atomic::Ordering::Relaxed;

use super::calls::PreparedCall;
use super::error::{Applied, CallError};
use super::observe::StateRows;
use super::portions::{Portion, Portions, divide, of_vip};
use super::{VppClient, budget};
use crate::domain::config::LbConf;
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::observed::{Observed, ObservedVip};
use crate::vpp::cli_text::{VipTexts, parse_vips};
use crate::vpp::client::stale_client_workaround::CURE;
use crate::vpp::session::{EndReason, SMALL_REPLY};
use crate::vpp::wire::{
    CliInband, CliInbandReply, LbAsV2Details, LbConfGet, LbConfGetReply, LbVipDump, Message,
};

impl VppClient {
    /// Reads everything that the load balancer holds.
    ///
    /// # Errors
    /// See [`CallError`]. Nothing that VPP may hold is one.
    pub async fn read_state(&self) -> Result<Observed, CallError> {
        let (conf, listing) = self.read_listing().await?;
        let limit = budget::of_bulk(self.shared.budget);
        let plan = divide(&listing, limit);
        let servers = plan.servers.clone();
        self.read_portions(conf, listing, plan, servers).await
    }

    /// Reads one VIP; `None` if VPP does not hold it.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn read_vip(&self, vip: Vip) -> Result<Option<ObservedVip>, CallError> {
        let (conf, listing) = self.read_listing().await?;
        let limit = budget::of_bulk(self.shared.budget);
        let plan = divide(&listing, limit);
        let (plan, servers) = if listing.complete {
            if !listing.entries.iter().any(|entry| entry.vip == vip && !entry.removed) {
                return Ok(None);
            }
            let portion = of_vip(&listing, vip);
            let unsafe_size = portion.cost > limit;
            // The listing tells of the VIPs all that their dump does.
            (Portions { vips: None, unsafe_size, ..plan }, vec![portion])
        } else {
            let servers = plan.servers.clone();
            (plan, servers)
        };
        Ok(self.read_portions(conf, listing, plan, servers).await?.vips.remove(&vip))
    }

    /// Reads `show lb vips verbose`, which tells the pool index that a VIP's
    /// counters stand at. A text that may not fit in VPP's send buffer goes
    /// alone and is followed by the cure; `None` if the options forbid that.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn read_verbose(&self) -> Result<Option<VipTexts>, CallError> {
        let (_, listing) = self.read_listing().await?;
        let fits = divide(&listing, budget::of_bulk(self.shared.budget)).verbose;
        if fits.is_none() && !self.shared.cure {
            return Ok(None);
        }
        let cost = fits.unwrap_or(self.shared.budget);
        let (call, pending) = self.line("show lb vips verbose", cost)?;
        let mut calls = vec![call];
        let mut cure = None;
        if fits.is_none() {
            let (call, pending) = self.line(CURE, SMALL_REPLY)?;
            calls.push(call);
            cure = Some(pending);
        }
        self.submit(calls).await;
        let verbose = parse_vips(&text(&pending.one().await?));
        if let Some(cure) = cure {
            cure.any().await?;
        }
        Ok(Some(verbose))
    }

    /// The global settings and the short listing, which sizes what follows.
    async fn read_listing(&self) -> Result<(LbConf, VipTexts), CallError> {
        let expected = match self.shared.listing_size.load(Relaxed) {
            // The first goes alone: its size is not known.
            0 => self.shared.budget,
            size => budget::text(size + size / 4),
        };
        let (conf_call, conf) = self.single(&LbConfGet, SMALL_REPLY)?;
        let (list_call, list) = self.line("show lb vips", expected)?;
        self.submit(vec![conf_call, list_call]).await;
        let (conf, reply) = (conf.one().await?, list.any().await?);
        self.shared.listing_size.store(reply.reply.len().max(1), Relaxed);
        if budget::text(reply.reply.len()) > self.shared.budget {
            self.cure().await?;
        }
        // A VPP that refuses the line gives an answer that is not understood.
        let listing = if reply.retval < 0 {
            VipTexts { entries: Vec::new(), complete: false }
        } else {
            parse_vips(&text(&reply))
        };
        Ok((settings(&conf), listing))
    }

    async fn read_portions(
        &self,
        conf: LbConf,
        listing: VipTexts,
        plan: Portions,
        servers: Vec<Portion>,
    ) -> Result<Observed, CallError> {
        let mut calls = Vec::with_capacity(servers.len() + 3);
        let mut vips = None;
        if let Some(cost) = plan.vips {
            let (call, pending) = self.dumps(&[LbVipDump::ALL], cost)?;
            calls.push(call);
            vips = Some(pending);
        }
        let mut parts = Vec::with_capacity(servers.len());
        for portion in servers {
            let (call, pending) = self.dumps(&portion.dumps, portion.cost)?;
            calls.push(call);
            parts.push(pending);
        }
        let mut verbose = None;
        if let Some(cost) = plan.verbose {
            let (call, pending) = self.line("show lb vips verbose", cost)?;
            calls.push(call);
            verbose = Some(pending);
        }
        let mut cure = None;
        if plan.unsafe_size && self.shared.cure {
            let (call, pending) = self.line(CURE, SMALL_REPLY)?;
            calls.push(call);
            cure = Some(pending);
        }
        self.submit(calls).await;

        let vips = match vips {
            Some(pending) => Some(pending.rows().await?),
            None => None,
        };
        let mut rows: Vec<LbAsV2Details> = Vec::new();
        for pending in parts {
            rows.extend(pending.rows().await?);
        }
        let verbose = match verbose {
            Some(pending) => Some(parse_vips(&text(&pending.any().await?))),
            None => None,
        };
        if let Some(pending) = cure {
            pending.any().await?;
        }
        // Of thousands of VIPs this takes milliseconds, in which nobody's call
        // on this thread is to wait.
        let reading = StateRows { conf, listing, vips, servers: rows, verbose };
        let observed = tokio::task::spawn_blocking(move || reading.observe()).await;
        // Only a runtime that stops does not come to it.
        observed.map_err(|_| CallError::Lost {
            call: LbAsV2Details::NAME,
            applied: Applied::No,
            why: EndReason::LeftUnconfirmed,
        })
    }

    /// Makes VPP notice clients that are gone, if the options allow it.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn cure(&self) -> Result<(), CallError> {
        if self.shared.cure {
            let (call, pending) = self.line(CURE, SMALL_REPLY)?;
            self.submit(vec![call]).await;
            // The line fails in VPP: that is what it is for.
            pending.any().await?;
        }
        Ok(())
    }

    pub(super) fn line(
        &self,
        line: &str,
        cost: usize,
    ) -> Result<PreparedCall<CliInbandReply>, CallError> {
        self.single(&CliInband { cmd: line.into() }, cost)
    }
}

fn text(reply: &CliInbandReply) -> String {
    String::from_utf8_lossy(&reply.reply).into_owned()
}

fn settings(reply: &LbConfGetReply) -> LbConf {
    LbConf {
        ip4_src: reply.conf.ip4_src_address,
        ip6_src: reply.conf.ip6_src_address,
        sticky_buckets_per_core: reply.conf.sticky_buckets_per_core,
        flow_timeout_s: reply.conf.flow_timeout,
    }
}
