//! Frontends of the daemon's file. Which pool serves is not in it: the first is
//! expected to.

use std::path::Path;

use super::target::KnownFrontend;
use crate::config;
use crate::domain::config::Config;
use crate::domain::dataplane::net::Service;
use crate::domain::tester::server_name::KnownServer;
use crate::domain::tester::shares::ExpectedShares;
use crate::tester::error::TesterError;

pub(super) fn frontends(path: &Path) -> Result<Vec<KnownFrontend>, TesterError> {
    let loaded = config::load(path)
        .map_err(|error| TesterError::Config { path: path.to_owned(), error: Box::new(error) })?;
    let config = &loaded.config;
    let frontends = config.frontends.iter().map(|(name, frontend)| KnownFrontend {
        name: name.to_string(),
        prefix: frontend.vip.prefix().to_string(),
        service: match frontend.vip.service() {
            Service::All => None,
            Service::Port { protocol, port } => Some((protocol, port.get())),
        },
        expected: frontend.pools.first().map(|pool| {
            let weights = pool.backends.iter();
            ExpectedShares::of_weights(
                weights
                    .map(|(name, weight)| (server(config, name.as_str()), f64::from(weight.get()))),
            )
        }),
    });
    Ok(frontends.collect())
}

fn server(config: &Config, name: &str) -> KnownServer {
    let backend = config.backends.iter().find(|(known, _)| known.as_str() == name);
    let address = backend.and_then(|(_, backend)| backend.address.fixed());
    KnownServer { name: name.to_owned(), address: address.map(|address| address.to_string()) }
}
