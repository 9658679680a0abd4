//! What a plan is made of: steps, each with what it does to traffic, and the flushes
//! that need no step any more.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use crate::domain::balancing::weights::FlushSeq;
use crate::domain::dataplane::net::Vip;
use crate::domain::dataplane::step::Step;
use crate::domain::names::FrontendName;

/// The flushes that VPP has confirmed.
pub type Flushed = BTreeMap<(Vip, IpAddr), FlushSeq>;

/// What a step does to traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Disruption {
    None,
    /// Some new flows go to another server than before.
    NewFlows,
    /// The established flows of one server are flushed and go to others.
    Flush,
    /// A VIP stops serving for a moment or for good, or all flows are dropped.
    Disruptive,
}

impl Disruption {
    /// The name in logs and answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::NewFlows => "new-flows",
            Self::Flush => "flush",
            Self::Disruptive => "disruptive",
        }
    }
}

impl fmt::Display for Disruption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One step of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// `None` for the global settings and for VIPs of no frontend.
    pub frontend: Option<FrontendName>,
    pub step: Step,
    pub disruption: Disruption,
}
