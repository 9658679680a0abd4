//! What the probers of one thread share: their outbox to the Controller, and the text of
//! the last transition.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use actix::prelude::*;

use super::messages::Transitioned;
use crate::actors::Outbox;

thread_local! {
    static OUTBOX: RefCell<Option<Rc<Outbox<Transitioned>>>> = const { RefCell::new(None) };
    static LAST_REASON: RefCell<Arc<str>> = RefCell::new(Arc::from(""));
}

/// This thread's outbox to `to`.
pub(super) fn outbox(to: Recipient<Transitioned>) -> Rc<Outbox<Transitioned>> {
    OUTBOX.with_borrow_mut(|outbox| match outbox {
        Some(outbox) if outbox.sends_to(&to) => Rc::clone(outbox),
        _ => Rc::clone(outbox.insert(Rc::new(Outbox::new(to)))),
    })
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
