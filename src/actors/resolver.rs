//! Looks up the names of backends, as often as their records' TTLs ask for, and
//! sends each new resolution to the Controller. Which address is used, and when a
//! name is looked up again, is decided by [`NameState`].

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;

use super::Outbox;
use crate::config::AddressFlaw;
use crate::domain::names::BackendName;
use crate::domain::resolution::{HostName, LookupAnswer, NameState, Resolution};
use crate::probe::NameService;

/// Replaces the names that are looked up. All are looked up at once, also those that
/// were there before: their records, or who is asked for them, may have changed.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct SetNames {
    pub names: BTreeMap<BackendName, HostName>,
    /// Empty: the system's name servers.
    pub nameservers: Vec<SocketAddr>,
}

/// A backend's name resolves to another address, or fails to resolve.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct Resolved {
    pub backend: BackendName,
    /// The name that was looked up.
    pub host: HostName,
    pub resolution: Resolution,
}

/// How names are looked up.
#[derive(Clone)]
pub enum NameSource {
    /// By name servers.
    Dns(NameService),
    /// By a test.
    Fake(FakeResolver),
}

/// Answers lookups in place of a name server.
pub type FakeResolver =
    Arc<dyn Fn(&HostName) -> Pin<Box<dyn Future<Output = LookupAnswer> + Send>> + Send + Sync>;

impl NameSource {
    async fn look_up(&self, host: &HostName) -> LookupAnswer {
        let answer = match self {
            Self::Dns(service) => service.look_up(host).await,
            Self::Fake(resolver) => resolver(host).await,
        };
        match answer {
            LookupAnswer::Found { addresses, ttl } => {
                let usable = |address: &_| AddressFlaw::of(*address).is_none();
                let found = addresses.iter().copied().filter(usable).collect::<Vec<_>>();
                match (found.is_empty(), addresses.first()) {
                    (true, Some(bad)) => {
                        LookupAnswer::Failed(format!("{bad} cannot be the address of a server"))
                    }
                    _ => LookupAnswer::Found { addresses: found, ttl },
                }
            }
            failed @ LookupAnswer::Failed(_) => failed,
        }
    }
}

pub struct Resolver {
    source: NameSource,
    nameservers: Vec<SocketAddr>,
    names: BTreeMap<BackendName, WatchedName>,
    controller: Outbox<Resolved>,
}

/// A name that is looked up again and again.
struct WatchedName {
    host: HostName,
    state: NameState,
    /// The lookup that is under way, or the timer before the next.
    pending: SpawnHandle,
    lookup: LookupProgress,
}

/// How far a lookup is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LookupProgress {
    Waiting,
    UnderWay,
    /// Under way since before the last [`SetNames`]: another one follows at once. It is
    /// not cancelled, so that a series of reloads cannot keep a name from its address.
    Outdated,
}

impl WatchedName {
    fn begin(&mut self, lookup: SpawnHandle) {
        (self.pending, self.lookup) = (lookup, LookupProgress::UnderWay);
    }
}

impl Resolver {
    /// A resolver that uses `fake`, or else the system's name servers until
    /// [`SetNames`] has others.
    #[must_use]
    pub fn new(fake: Option<FakeResolver>, controller: Recipient<Resolved>) -> Self {
        let source = fake.map_or_else(|| NameSource::Dns(NameService::new(&[])), NameSource::Fake);
        let (nameservers, names) = Default::default();
        Self { source, nameservers, names, controller: Outbox::new(controller) }
    }

    fn look_up(
        &self,
        backend: BackendName,
        host: HostName,
        ctx: &mut Context<Self>,
    ) -> SpawnHandle {
        let source = self.source.clone();
        let answer = async move {
            let answer = source.look_up(&host).await;
            (backend, answer)
        };
        let lookup = answer.into_actor(self).map(|(backend, answer), this, ctx| {
            this.take(&backend, answer, ctx);
        });
        ctx.spawn(lookup)
    }

    fn take(&mut self, backend: &BackendName, answer: LookupAnswer, ctx: &mut Context<Self>) {
        let Some(name) = self.names.get_mut(backend) else { return };
        let (new, mut wait) = name.state.update(answer);
        if name.lookup == LookupProgress::Outdated {
            wait = Duration::ZERO;
        }
        name.lookup = LookupProgress::Waiting;
        let again = backend.clone();
        name.pending = ctx.run_later(wait, move |this, ctx| {
            let Some(host) = this.names.get(&again).map(|name| name.host.clone()) else { return };
            let pending = this.look_up(again.clone(), host, ctx);
            this.names.entry(again).and_modify(|name| name.begin(pending));
        });
        if let Some(resolution) = new {
            let (backend, host) = (backend.clone(), name.host.clone());
            self.controller.send(Resolved { backend, host, resolution });
        }
    }
}

impl Actor for Resolver {
    type Context = Context<Self>;
}

impl Handler<SetNames> for Resolver {
    type Result = ();

    fn handle(&mut self, SetNames { names, nameservers }: SetNames, ctx: &mut Self::Context) {
        if let NameSource::Dns(service) = &mut self.source {
            // Even if they are the same: the system's own may have changed.
            if !names.is_empty() {
                *service = NameService::new(&nameservers);
            }
        }
        self.nameservers = nameservers;
        self.names.retain(|backend, name| {
            let stays = names.get(backend) == Some(&name.host);
            if !stays {
                ctx.cancel_future(name.pending);
            }
            stays
        });
        for (backend, host) in names {
            let known = self.names.get_mut(&backend);
            if let Some(name) = known {
                if name.lookup != LookupProgress::Waiting {
                    name.lookup = LookupProgress::Outdated;
                    continue;
                }
                ctx.cancel_future(name.pending);
            }
            let pending = self.look_up(backend.clone(), host.clone(), ctx);
            let (state, lookup) = (NameState::default(), LookupProgress::UnderWay);
            let name = self.names.entry(backend);
            name.or_insert(WatchedName { host, state, pending, lookup }).begin(pending);
        }
    }
}

#[cfg(test)]
mod tests;
