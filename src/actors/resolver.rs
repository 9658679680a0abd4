//! Looks up the names of backends, as often as their records' TTLs ask for, and
//! tells the Controller what is new. Which address is used, and when a name is
//! looked up again, is [`NameState`]'s to say.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use actix::prelude::*;

use super::Outbox;
use crate::actors::controller::Resolved;
use crate::config::AddressFlaw;
use crate::domain::names::BackendName;
use crate::domain::resolution::{HostName, LookupAnswer, NameState};
use crate::probe::NameService;

/// These are all the names to look up from now on. Names that were known keep
/// their time; new ones are looked up at once.
#[derive(Message, Debug)]
#[rtype(result = "()")]
pub struct LookUp {
    /// By the backend that has it.
    pub names: BTreeMap<BackendName, HostName>,
    /// Who is asked; none: the system's name servers.
    pub nameservers: Vec<SocketAddr>,
}

/// How names are looked up.
#[derive(Clone)]
pub enum NameSource {
    /// By name servers.
    Dns(NameService),
    /// As a simulation has it.
    Script(FakeResolver),
}

/// What a lookup finds, in place of a name server.
pub type FakeResolver =
    Arc<dyn Fn(&HostName) -> Pin<Box<dyn Future<Output = LookupAnswer> + Send>> + Send + Sync>;

impl NameSource {
    async fn look_up(&self, host: &HostName) -> LookupAnswer {
        let answer = match self {
            Self::Dns(service) => service.look_up(host).await,
            Self::Script(script) => script(host).await,
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

/// The actor. See the module's description.
pub struct Resolver {
    book: NameSource,
    nameservers: Vec<SocketAddr>,
    names: BTreeMap<BackendName, Named>,
    checker: Outbox<Resolved>,
}

/// A name that is looked up.
struct Named {
    host: HostName,
    naming: NameState,
    /// The lookup that is under way or waited for.
    under_way: SpawnHandle,
}

impl Resolver {
    /// A resolver that asks the system's name servers, until it is told of
    /// others, or else looks into `script`; it tells `checker`.
    #[must_use]
    pub fn new(script: Option<FakeResolver>, checker: Recipient<Resolved>) -> Self {
        let book =
            script.map_or_else(|| NameSource::Dns(NameService::new(&[])), NameSource::Script);
        let (nameservers, names) = Default::default();
        Self { book, nameservers, names, checker: Outbox::new(checker) }
    }

    fn look_up(
        &self,
        backend: BackendName,
        host: HostName,
        ctx: &mut Context<Self>,
    ) -> SpawnHandle {
        let book = self.book.clone();
        let answer = async move {
            let answer = book.look_up(&host).await;
            (backend, answer)
        };
        let told = answer.into_actor(self).map(|(backend, answer), this, ctx| {
            this.take(&backend, answer, ctx);
        });
        ctx.spawn(told)
    }

    fn take(&mut self, backend: &BackendName, answer: LookupAnswer, ctx: &mut Context<Self>) {
        let Some(named) = self.names.get_mut(backend) else { return };
        let (news, wait) = named.naming.take(answer);
        let again = backend.clone();
        named.under_way = ctx.run_later(wait, move |this, ctx| {
            let Some(host) = this.names.get(&again).map(|named| named.host.clone()) else { return };
            let under_way = this.look_up(again.clone(), host, ctx);
            this.names.entry(again).and_modify(|named| named.under_way = under_way);
        });
        if let Some(resolution) = news {
            let (backend, host) = (backend.clone(), named.host.clone());
            self.checker.send(Resolved { backend, host, resolution });
        }
    }
}

impl Actor for Resolver {
    type Context = Context<Self>;
}

impl Handler<LookUp> for Resolver {
    type Result = ();

    fn handle(&mut self, LookUp { names, nameservers }: LookUp, ctx: &mut Self::Context) {
        if let NameSource::Dns(service) = &mut self.book {
            // Also if they are the same: the system's own may have changed.
            if !names.is_empty() {
                *service = NameService::new(&nameservers);
            }
        }
        self.nameservers = nameservers;
        self.names.retain(|backend, named| {
            let stays = names.get(backend) == Some(&named.host);
            if !stays {
                ctx.cancel_future(named.under_way);
            }
            stays
        });
        for (backend, host) in names {
            if !self.names.contains_key(&backend) {
                let under_way = self.look_up(backend.clone(), host.clone(), ctx);
                let naming = NameState::default();
                self.names.insert(backend, Named { host, naming, under_way });
            }
        }
    }
}

#[cfg(test)]
mod tests;
