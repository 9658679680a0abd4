//! What the probers of one thread share: the way to the Controller, the backends that
//! passed last, and the text of the last transition.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::messages::{
    Answered, CertificateSeen, Damped, ProberRecipients, Suspected, Transitioned, TrendChanged,
};
use crate::actors::Outbox;
use crate::domain::evidence::group::ProbeGroup;
use crate::domain::evidence::passes::PassedProbes;
use crate::domain::prober_id::ProberId;

thread_local! {
    static SHARED: RefCell<Option<Rc<SharedByThread>>> = const { RefCell::new(None) };
    static LAST_REASON: RefCell<Arc<str>> = RefCell::new(Arc::from(""));
}

/// See the module's description.
pub(super) struct SharedByThread {
    pub(super) transitions: Outbox<Transitioned>,
    pub(super) suspicions: Outbox<Suspected>,
    pub(super) trends: Outbox<TrendChanged>,
    pub(super) damped: Outbox<Damped>,
    pub(super) certificates: Outbox<CertificateSeen>,
    pub(super) answers: Outbox<Answered>,
    passes: RefCell<BTreeMap<ProbeGroup, PassedProbes>>,
}

/// What this thread's probers of `to` share.
pub(super) fn shared(to: ProberRecipients) -> Rc<SharedByThread> {
    SHARED.with_borrow_mut(|shared| match shared {
        Some(shared) if shared.transitions.sends_to(&to.transitions) => Rc::clone(shared),
        _ => Rc::clone(shared.insert(Rc::new(SharedByThread {
            transitions: Outbox::new(to.transitions),
            suspicions: Outbox::new(to.suspicions),
            trends: Outbox::new(to.trends),
            damped: Outbox::new(to.damped),
            certificates: Outbox::new(to.certificates),
            answers: Outbox::new(to.answers),
            passes: RefCell::default(),
        }))),
    })
}

impl SharedByThread {
    /// Notes that a probe passed that began at `began`.
    pub(super) fn note_pass(&self, group: ProbeGroup, prober: ProberId, began: Instant) {
        self.passes.borrow_mut().entry(group).or_default().record(prober, began);
    }

    /// When the last passed probe of another backend of the group began.
    pub(super) fn pass_of_another(&self, group: ProbeGroup, prober: ProberId) -> Option<Instant> {
        self.passes.borrow().get(&group)?.by_another(prober)
    }

    /// The passed probe of the group that began last.
    pub(super) fn last_pass(&self, group: ProbeGroup) -> Option<(ProberId, Instant)> {
        self.passes.borrow().get(&group)?.latest()
    }
}

/// The reason of a transition, in the memory of the previous one if it is equal: when
/// thousands of backends change at once, it is for one reason.
pub(super) fn shared_reason(reason: String) -> Arc<str> {
    LAST_REASON.with_borrow_mut(|last| {
        if **last != *reason {
            *last = reason.into();
        }
        Arc::clone(last)
    })
}
