//! lb.api 1.1.0: what VPP 24.02 to 26.06 do with VIPs, servers and lines of their CLI.

mod golden;
pub(crate) mod messages;
mod random;
mod servers;
pub(crate) mod tables;
mod texts;
mod vips;

pub(crate) use servers::*;
pub(crate) use texts::*;
pub(crate) use vips::*;
