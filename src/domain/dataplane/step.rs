//! The writes to VPP's load balancer: one step is one message.

use std::fmt;
use std::net::IpAddr;

use crate::domain::config::LbConf;
use crate::domain::dataplane::net::{Encap, TableLength, Vip, Weight};

/// One write to VPP's load balancer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Set the global settings (`lb_conf`).
    SetConf(LbConf),
    /// Add a VIP without servers (`lb_add_del_vip_v2`).
    AddVip(VipSpec),
    /// Remove a VIP (`lb_add_del_vip_v2`). Its servers must be removed before, or
    /// VPP would retire them with their flows.
    RemoveVip(Vip),
    /// Add a server to a VIP (`lb_add_del_as_v2`).
    AddServer { vip: Vip, server: IpAddr, weight: Weight },
    /// Change the weight of a server (`lb_as_set_weight`).
    SetWeight {
        vip: Vip,
        server: IpAddr,
        weight: Weight,
        /// Also flush its established flows.
        flush: bool,
    },
    /// Remove a server from a VIP (`lb_add_del_as_v2`).
    RemoveServer {
        vip: Vip,
        server: IpAddr,
        /// Also flush its established flows; otherwise VPP keeps its row until
        /// they end.
        flush: bool,
    },
}

/// The attributes of a VIP, none of which VPP can change on a VIP in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VipSpec {
    pub vip: Vip,
    pub encap: Encap,
    /// VPP chooses the server by the client's address alone.
    pub src_ip_sticky: bool,
    pub table_length: TableLength,
}

impl Step {
    /// `None` for the global settings.
    #[must_use]
    pub fn vip(&self) -> Option<Vip> {
        match self {
            Self::SetConf(_) => None,
            Self::AddVip(spec) => Some(spec.vip),
            Self::RemoveVip(vip)
            | Self::AddServer { vip, .. }
            | Self::SetWeight { vip, .. }
            | Self::RemoveServer { vip, .. } => Some(*vip),
        }
    }

    /// The server that it is about; `None`: a VIP as a whole, or all of VPP.
    #[must_use]
    pub fn server(&self) -> Option<IpAddr> {
        match self {
            Self::SetConf(_) | Self::AddVip(_) | Self::RemoveVip(_) => None,
            Self::AddServer { server, .. }
            | Self::SetWeight { server, .. }
            | Self::RemoveServer { server, .. } => Some(*server),
        }
    }

    /// The step's name in logs and answers: `vip-add`, `as-weight`, …
    #[must_use]
    pub fn action(&self) -> &'static str {
        match self {
            Self::SetConf(_) => "conf-set",
            Self::AddVip(_) => "vip-add",
            Self::RemoveVip(_) => "vip-del",
            Self::AddServer { .. } => "as-add",
            Self::SetWeight { .. } => "as-weight",
            Self::RemoveServer { .. } => "as-del",
        }
    }
}

/// The step without the name of its action.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flushing = |flush: bool| if flush { ", flush" } else { "" };
        match self {
            Self::SetConf(conf) => write!(
                f,
                "ip4-src {} ip6-src {} sticky-buckets {} flow-timeout {}s",
                conf.ip4_src, conf.ip6_src, conf.sticky_buckets_per_core, conf.flow_timeout_s
            ),
            Self::AddVip(spec) => write!(
                f,
                "{} {} table {}{}",
                spec.vip,
                spec.encap,
                spec.table_length.get(),
                if spec.src_ip_sticky { ", src-ip-sticky" } else { "" }
            ),
            Self::RemoveVip(vip) => write!(f, "{vip}"),
            Self::AddServer { vip, server, weight } => {
                write!(f, "{vip} {server} weight {weight}")
            }
            Self::SetWeight { vip, server, weight, flush } => {
                write!(f, "{vip} {server} weight {weight}{}", flushing(*flush))
            }
            Self::RemoveServer { vip, server, flush } => {
                write!(f, "{vip} {server}{}", flushing(*flush))
            }
        }
    }
}
