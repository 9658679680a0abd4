//! The resources that the probers of one thread share, by thread.

use std::cell::RefCell;

use super::resources::{ProbeEnvironment, ThreadResources};

thread_local! {
    /// The resources, and the name of the namespace that they are for.
    static CURRENT: RefCell<Option<(Option<String>, ThreadResources)>> =
        const { RefCell::new(None) };
}

/// The resources of this thread. They are made anew when the environment has
/// another namespace than the last one.
#[must_use]
pub fn thread_resources(environment: &ProbeEnvironment) -> ThreadResources {
    let namespace = environment.namespace.as_ref().map(|namespace| namespace.name().to_owned());
    CURRENT.with_borrow_mut(|current| match current {
        Some((name, resources)) if *name == namespace => resources.clone(),
        _ => current.insert((namespace, ThreadResources::on(environment.clone()))).1.clone(),
    })
}
