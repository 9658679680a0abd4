//! Drivers that put routes for VIPs where a routing daemon on this machine finds
//! them, so that it announces them. They decide nothing about health: they get the
//! whole wanted set, read what there is, write the difference
//! (`domain::announce::placement`) and read again. They keep no memory of routes.
//!
//! | driver | for | writes |
//! |---|---|---|
//! | [`NetlinkDriver`] | BIRD (`learn`), FRR (`redistribute kernel`) | blackhole routes in a kernel table |
//! | [`GobgpDriver`] | GoBGP 3 and 4 | paths, over its gRPC API |
//! | [`BirdDriver`] | BIRD without CAP_NET_ADMIN | include files, then `configure` |
//! | [`CommandDriver`] | anything else | what a program of the operator's does |

mod bird;
mod command;
mod error;
#[cfg(test)]
mod fake;
mod gobgp;
mod netlink;
mod pass;

use crate::domain::announce::DriverSettings;
use crate::domain::announce::placement::{PlacedRoutes, WantedRoutes};
use crate::probe::Namespace;

pub use bird::{BirdDriver, BirdOptions, BirdWatch};
pub use command::{CommandDriver, CommandOptions};
pub use error::{DriverError, STEP_LIMIT};
#[cfg(test)]
pub use fake::{FakeDriver, FakeRun};
pub use gobgp::{GobgpDriver, GobgpOptions, GobgpWatch, pb as gobgp_pb};
pub use netlink::{MAIN_TABLE, NetlinkDriver, NetlinkOptions, NetlinkWatch};
pub use pass::ApplyReport;

/// A driver; a clone is the same one. A driver keeps no connection: each call opens
/// one, so that no answer to an earlier call is taken for one to this.
#[derive(Clone, Debug)]
pub enum RouteDriver {
    Netlink(NetlinkDriver),
    Gobgp(GobgpDriver),
    Bird(BirdDriver),
    Command(CommandDriver),
    #[cfg(test)]
    Fake(FakeDriver),
}

impl RouteDriver {
    /// The driver that the configuration asks for.
    #[must_use]
    pub fn of(settings: &DriverSettings) -> Self {
        match settings {
            DriverSettings::Netlink { table, protocol, netns } => {
                let (table, protocol) = (*table, *protocol);
                let namespace = netns.as_deref().map(Namespace::later);
                let options = NetlinkOptions { table, protocol, namespace, ..Default::default() };
                Self::Netlink(NetlinkDriver::new(options))
            }
            DriverSettings::Gobgp { address, community } => {
                let address = address.to_string();
                let options = GobgpOptions { address, marker: *community, ..Default::default() };
                Self::Gobgp(GobgpDriver::new(options))
            }
            DriverSettings::Bird { socket, directory } => {
                let (socket, directory) = (socket.into(), directory.into());
                let options = BirdOptions { socket, directory, ..Default::default() };
                Self::Bird(BirdDriver::new(options))
            }
            DriverSettings::Command { argv } => {
                Self::Command(CommandDriver::new(CommandOptions::new(argv.clone())))
            }
        }
    }

    /// As it is named in the configuration.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Netlink(_) => "netlink",
            Self::Gobgp(_) => "gobgp",
            Self::Bird(_) => "bird",
            Self::Command(_) => "command",
            #[cfg(test)]
            Self::Fake(_) => "fake",
        }
    }

    /// Every route there is where this driver puts its own, and whose it is.
    ///
    /// # Errors
    /// It could not be read: nothing is known then.
    pub async fn read(&self) -> Result<PlacedRoutes, DriverError> {
        match self {
            Self::Netlink(driver) => driver.read().await,
            Self::Gobgp(driver) => driver.read().await,
            Self::Bird(driver) => driver.read().await,
            Self::Command(driver) => driver.read().await,
            #[cfg(test)]
            Self::Fake(driver) => Ok(driver.run(None).await?.placed.unwrap_or_default()),
        }
    }

    /// Makes the routes of ours `wanted`, the whole set. What fails for one prefix is
    /// in the report and stops no other.
    ///
    /// # Errors
    /// It could not be read what there is. Nothing was written then, but for the files
    /// that BIRD reads when it starts.
    pub async fn apply(&self, wanted: &WantedRoutes) -> Result<ApplyReport, DriverError> {
        match self {
            Self::Netlink(driver) => driver.apply(wanted).await,
            Self::Gobgp(driver) => driver.apply(wanted).await,
            Self::Bird(driver) => driver.apply(wanted).await,
            Self::Command(driver) => driver.apply(wanted).await,
            #[cfg(test)]
            Self::Fake(driver) => driver.run(Some(wanted.clone())).await,
        }
    }

    /// Watches for changes by others, and for a daemon that went or came.
    #[must_use]
    pub fn changes(&self) -> RouteWatch {
        match self {
            Self::Netlink(driver) => RouteWatch::Netlink(driver.watch()),
            Self::Gobgp(driver) => RouteWatch::Gobgp(driver.watch()),
            Self::Bird(driver) => RouteWatch::Bird(driver.watch()),
            Self::Command(_) => RouteWatch::Never,
            #[cfg(test)]
            Self::Fake(_) => RouteWatch::Never,
        }
    }
}

/// Tells when the routes should be read again.
#[derive(Debug)]
pub enum RouteWatch {
    Netlink(NetlinkWatch),
    Gobgp(GobgpWatch),
    Bird(BirdWatch),
    /// A program is asked at intervals.
    Never,
}

impl RouteWatch {
    /// Waits until something may have moved: a route, or the daemon itself. What is
    /// lost in between counts as a change; a connection that ends is made anew, after
    /// 100 ms at first and 5 s at most.
    pub async fn changed(&mut self) {
        match self {
            Self::Netlink(watch) => watch.changed().await,
            Self::Gobgp(watch) => watch.changed().await,
            Self::Bird(watch) => watch.changed().await,
            Self::Never => std::future::pending().await,
        }
    }
}
