//! The versions of `lb.api` that the plugin can have.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A version of `lb.api`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PluginApi {
    /// VPP 24.02 to 26.06: servers without weights, and a collector that runs only
    /// when something else makes it run.
    V1_1,
    /// VPP 26.10.
    #[default]
    V1_2,
}

/// A version that the embedded dataplane does not have.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("\"{0}\" is no version of lb.api that the embedded dataplane has: give 1.1.0 or 1.2.0")]
pub struct UnknownPluginApi(pub String);

impl FromStr for PluginApi {
    type Err = UnknownPluginApi;

    fn from_str(text: &str) -> Result<Self, UnknownPluginApi> {
        match text {
            "1.1.0" => Ok(Self::V1_1),
            "1.2.0" => Ok(Self::V1_2),
            _ => Err(UnknownPluginApi(text.into())),
        }
    }
}

impl fmt::Display for PluginApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V1_1 => "1.1.0",
            Self::V1_2 => "1.2.0",
        })
    }
}
