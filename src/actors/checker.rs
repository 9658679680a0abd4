//! Owns the accepted configuration, the operators' overrides and every
//! backend's verdict, and tells the Reconciler what each frontend should look
//! like. What follows from what is the [`Roster`]'s to say; the actor carries
//! out its orders.

mod answer;
mod ground;
mod messages;
mod naming;
mod probers;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use actix::prelude::*;
use tracing::{info, warn};

pub use answer::tell_warnings;
pub use messages::*;
use probers::Placed;

use super::Outbox;
use super::broadcaster::Announce;
use super::herald::{Happened, Herald};
use super::prober::{self, Script};
use super::resolver::{self, Resolver};
use crate::domain::config::Config;
use crate::domain::events::Event;
use crate::domain::names::BackendName;
use crate::domain::placement::Placement;
use crate::domain::roster::{Order, Refusal, Roster};
use crate::probe::{Ground, Shared};

/// Mailbox places: a transition of every backend at once fits.
const MAILBOX: usize = 65_536;

thread_local! {
    /// What the probers of one thread share, and the namespace it is in.
    static SHARED: RefCell<Option<(Option<String>, Shared)>> = const { RefCell::new(None) };
}

/// What this thread's probers share on `ground`.
pub(super) fn shared_on(ground: &Ground) -> Shared {
    let namespace = ground.namespace.as_ref().map(|namespace| namespace.name().to_owned());
    SHARED.with_borrow_mut(|shared| match shared {
        Some((of, shared)) if *of == namespace => shared.clone(),
        _ => shared.insert((namespace, Shared::on(ground.clone()))).1.clone(),
    })
}

/// The actor. See the module's description.
pub struct Checker {
    path: PathBuf,
    roster: Roster,
    probers: BTreeMap<BackendName, Placed>,
    arbiters: Vec<ArbiterHandle>,
    placement: Placement,
    ground: Ground,
    herald: Addr<Herald>,
    links: Option<Links>,
    reconciler: Recipients,
    first_orders: Vec<Order>,
    script: Option<Script>,
    book: Option<resolver::Script>,
    resolver: Option<Addr<Resolver>>,
}

/// Who hears of what should be.
#[derive(Clone)]
pub struct Recipients {
    /// Of single frontends.
    pub changed: Recipient<DesiredChanged>,
    /// Of everything at once.
    pub replaced: Recipient<DesiredReplaced>,
}

struct Links {
    events: Outbox<Happened>,
    changed: Outbox<DesiredChanged>,
    replaced: Outbox<DesiredReplaced>,
}

impl Checker {
    /// A Checker of `config`, which was read from `path`. Probers run on as many
    /// of the `arbiters` as it takes, or beside the Checker if there are none.
    #[must_use]
    pub fn new(
        path: PathBuf,
        config: Config,
        arbiters: Vec<ArbiterHandle>,
        herald: Addr<Herald>,
        reconciler: Recipients,
    ) -> Self {
        let (roster, first_orders) = Roster::new(Arc::new(config), SystemTime::now());
        Self {
            path,
            roster,
            probers: BTreeMap::new(),
            placement: Placement::over(arbiters.len()),
            arbiters,
            ground: Ground::default(),
            herald,
            links: None,
            reconciler,
            first_orders,
            script: None,
            book: None,
            resolver: None,
        }
    }

    /// Has probes made on `ground`, and not without a bound from the daemon's
    /// own namespace.
    #[must_use]
    pub fn on(mut self, ground: Ground) -> Self {
        self.ground = ground;
        self
    }

    /// The same, and its probes find what `script` says: no network is used.
    #[must_use]
    pub fn with_script(self, script: Script) -> Self {
        Self { script: Some(script), ..self }
    }

    /// The same, and its backends' names lead where `book` says.
    #[must_use]
    pub fn with_book(self, book: resolver::Script) -> Self {
        Self { book: Some(book), ..self }
    }

    fn carry_out(&mut self, orders: Vec<Order>, decided: Option<Instant>, ctx: &Context<Self>) {
        for order in orders {
            match order {
                Order::StartProber { id, backend, settings } => {
                    self.start_prober(id, backend, settings, ctx);
                }
                Order::StopProber(backend) => self.stop_prober(&backend),
                Order::CheckChanged(backend, check) => self.change_check(&backend, check, ctx),
                Order::Administer { backend, admin, why } => {
                    if let Some(prober) = self.prober(backend.as_str()) {
                        prober.do_send(prober::Administer { admin, why });
                    }
                }
                Order::Readdress(backend, address) => {
                    if let Some(prober) = self.prober(backend.as_str()) {
                        prober.do_send(prober::Readdressed(address));
                    }
                }
                Order::AddressShared { backend, other, address } => warn!(
                    %backend, %other, %address,
                    "backend-address-shared: they are one server, with the greater weight of the two"
                ),
                Order::Publish(event) => self.publish(event),
                Order::Desire(frontends) => {
                    if let Some(links) = &self.links {
                        links.changed.send(DesiredChanged { frontends, decided });
                    }
                }
                Order::OverrideDropped(what) => {
                    warn!(
                        dropped = what,
                        "override-dropped: the file now says something else, or has no such item"
                    );
                }
            }
        }
    }

    fn publish(&self, event: Event) {
        match &event {
            Event::Backend(name, change) => info!(
                backend = %name, from = %change.from, to = %change.to, why = &*change.why,
                "backend-transition"
            ),
            Event::Frontend(name, change) => info!(
                frontend = %name, from = %change.from, to = %change.to, why = &*change.why,
                "frontend-transition"
            ),
            Event::Log(_) | Event::Dataplane(_) | Event::Change(_) => {}
        }
        if let Some(links) = &self.links {
            links.events.send(Happened(event));
        }
    }

    /// Tells watchers what there is at the start. A reload is told by events:
    /// to replace what they start with would have the events come after what
    /// they lead to.
    fn announce(&self) {
        let states = self.roster.states();
        // It is the first message of many places.
        self.herald.do_send(Announce { states, at: SystemTime::now() });
    }

    /// Tells the Reconciler all that should be: after a start and a reload.
    fn replace_desired(&self) {
        let Some(links) = &self.links else { return };
        links.replaced.send(DesiredReplaced(self.desired()));
    }

    fn desired(&self) -> DesiredNow {
        DesiredNow {
            desired: Arc::new(self.roster.desired()),
            settings: Arc::new(self.roster.config().lb.clone()),
        }
    }
}

impl Actor for Checker {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        ctx.set_mailbox_capacity(MAILBOX);
        self.links = Some(Links {
            events: Outbox::new(self.herald.clone().recipient()),
            changed: Outbox::new(self.reconciler.changed.clone()),
            replaced: Outbox::new(self.reconciler.replaced.clone()),
        });
        let resolver = Resolver::new(self.book.take(), ctx.address().recipient());
        self.resolver = Some(resolver.start());
        let orders = std::mem::take(&mut self.first_orders);
        self.announce();
        self.replace_desired();
        self.carry_out(orders, None, ctx);
        self.have_names_looked_up();
        ctx.run_later(self.roster.config().lb.startup_max_delay, |this, ctx| {
            let orders = this.roster.lose_patience(SystemTime::now());
            this.carry_out(orders, None, ctx);
        });
    }
}

impl Handler<Transitioned> for Checker {
    type Result = ();

    fn handle(&mut self, message: Transitioned, ctx: &mut Self::Context) {
        let Transitioned { prober, backend, transition, decided } = message;
        let orders = self.roster.transitioned(prober, &backend, transition);
        self.carry_out(orders, Some(decided), ctx);
    }
}

impl Handler<Administer> for Checker {
    type Result = ResponseFuture<Result<(), Refusal>>;

    fn handle(&mut self, message: Administer, _: &mut Self::Context) -> Self::Result {
        let Administer { backend, command, who } = message;
        let orders = self.roster.administer(&backend, command, (&who, SystemTime::now()));
        let mut probers = Vec::new();
        for order in orders.iter().flatten() {
            match order {
                Order::Administer { backend, admin, why } => {
                    let message = prober::Administer { admin: *admin, why: why.clone() };
                    let prober = self.prober(backend.as_str());
                    probers.extend(prober.map(|prober| (prober.clone(), message)));
                }
                // What was asked for is told before what comes of it.
                Order::Publish(event) => self.publish(event.clone()),
                _ => {}
            }
        }
        Box::pin(async move {
            orders?;
            for (prober, message) in probers {
                // Its transition is in our mailbox before this answer is.
                if prober.send(message).await.is_err() {
                    // A reload took it away in between.
                    return Err(Refusal::NoBackend(backend));
                }
            }
            Ok(())
        })
    }
}

impl Handler<SetWeight> for Checker {
    type Result = Result<(), Refusal>;

    fn handle(&mut self, message: SetWeight, ctx: &mut Self::Context) -> Self::Result {
        let SetWeight { frontend, pool, backend, weight, who } = message;
        let now = SystemTime::now();
        let orders = self.roster.set_weight(&frontend, &pool, &backend, weight, (&who, now))?;
        info!(frontend, pool, backend, %weight, who, "weight-set");
        self.carry_out(orders, None, ctx);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
