//! Addresses by the short names that tests use, so that what is expected can
//! be written down although addresses differ from run to run.

use std::net::IpAddr;

use super::{Backend, VIP4, VIP6};

/// See the module's description.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names(Vec<(String, String)>);

impl Names {
    pub(crate) fn of<'a>(backends: impl IntoIterator<Item = &'a Backend>) -> Self {
        let vips = [
            (format!("{VIP4}/32 tcp/80"), "v4".into()),
            (format!("{VIP6}/128 tcp/80"), "v6".into()),
        ];
        let servers = backends.into_iter();
        let servers = servers.map(|backend| (backend.ip().to_string(), backend.name.to_owned()));
        Self(vips.into_iter().chain(servers).collect())
    }

    /// `text` with every known address replaced by its name.
    pub(crate) fn shorten(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, (address, name)| text.replace(address, name))
    }

    pub(crate) fn ip(&self, address: IpAddr) -> String {
        self.shorten(&address.to_string())
    }
}
