//! VPP's `lb` plugin as a state without packets: what its API can set and dump,
//! and what it refuses, faults included.
//!
//! Modelled on lb.api 1.2.0 (VPP 26.10) and checked against a running one.

mod address;
mod fault;
mod index;
mod rows;
mod servers;
mod state;
#[cfg(test)]
mod tests;
mod text;
mod vips;

pub use self::address::{
    PluginPrefix, PluginVipKey, address_from_wire, address_to_wire, from_ip, to_ip,
};
pub use self::fault::{PluginFault, PluginRefusal};
pub(super) use self::index::ServerFilter;
pub use self::rows::{ServerRow, VipRow};
pub use self::state::{Conf, NewVip, Plugin};
pub use self::text::COUNTER_NAMES;
