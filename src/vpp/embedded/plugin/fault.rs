//! How a call of the plugin fails, by VPP's numbers.

use thiserror::Error;

/// The answer of the plugin when it does not do what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PluginFault {
    /// The call is answered with this code, and nothing was done.
    #[error("refused: {0:?}")]
    Refused(PluginRefusal),
    /// VPP does not survive the call.
    #[error("VPP would crash: {0}")]
    Crash(&'static str),
}

/// Return codes of the plugin other than 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PluginRefusal {
    /// No such VIP, or no such server in it.
    NoSuchEntry,
    /// A length or a number of buckets that is not a power of two.
    InvalidMemorySize,
    /// Another encapsulation than the prefix's other ports have.
    InvalidArgument,
    /// It exists, or an all-port VIP and a per-port VIP would share a prefix.
    ValueExist,
    /// The address family does not go with the encapsulation.
    InvalidAddressFamily,
}

impl PluginRefusal {
    /// The number on the wire (VPP's `VNET_API_ERROR_…`).
    #[must_use]
    pub fn retval(self) -> i32 {
        match self {
            Self::NoSuchEntry => -6,
            Self::InvalidMemorySize => -70,
            Self::InvalidArgument => -73,
            Self::ValueExist => -81,
            Self::InvalidAddressFamily => -97,
        }
    }
}

impl From<PluginRefusal> for PluginFault {
    fn from(refusal: PluginRefusal) -> Self {
        Self::Refused(refusal)
    }
}
