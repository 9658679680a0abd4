//! Values that are the same for all backends of a check: made for the first of
//! them, and shared by the others of its thread.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::Hash;
use std::rc::{Rc, Weak};

/// Every `V` that is in use, by the settings it was made of.
pub(super) struct Common<K, V>(RefCell<HashMap<K, Weak<V>>>);

impl<K, V> Default for Common<K, V> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<K: Clone + Eq + Hash, V> Common<K, V> {
    /// The one made of these settings; `make` makes the first.
    ///
    /// # Errors
    /// Those of `make`.
    pub(super) fn get<E>(&self, of: &K, make: impl FnOnce(&K) -> Result<V, E>) -> Result<Rc<V>, E> {
        let mut known = self.0.borrow_mut();
        if let Some(made) = known.get(of).and_then(Weak::upgrade) {
            return Ok(made);
        }
        let made = Rc::new(make(of)?);
        if known.len() == known.capacity() {
            // Not at each insertion: with names, each backend may have its own value.
            known.retain(|_, kept| kept.strong_count() > 0);
        }
        known.insert(of.clone(), Rc::downgrade(&made));
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(common: &Common<u32, String>, of: u32) -> Rc<String> {
        common.get::<()>(&of, |of| Ok(of.to_string())).unwrap()
    }

    #[test]
    fn a_value_is_made_once_for_as_long_as_it_is_in_use() {
        let common = Common::default();
        let first = get(&common, 7);
        assert!(Rc::ptr_eq(&first, &get(&common, 7)));
        assert_eq!(*get(&common, 8), "8");
        assert!(common.get(&9, |_| Err("no")).is_err());
        drop(first);
        for of in 0..1000 {
            get(&common, of);
        }
        let known = common.0.borrow();
        assert!(known.len() < 100, "{} that are not in use", known.len());
    }
}
