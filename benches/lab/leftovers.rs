//! What a lab makes outside of itself, namespaces and a folder, and that has to
//! go. Names carry the lab's process id: they go when it ends, or when the next
//! lab finds that no lab has that id any more.

use std::path::Path;
use std::process::{self, Command};
use std::{env, fs};

/// Where ip-netns(8) keeps names.
pub(crate) const NAMESPACES: &str = "/run/netns";

const PREFIX: &str = "maglevlab";

/// What the names of this process's begin with.
pub(crate) fn own() -> String {
    format!("{PREFIX}{}", process::id())
}

/// Removes those of this process.
pub(crate) fn remove() {
    remove_those(|id| id == process::id());
}

/// Removes those of labs that are no more.
pub(crate) fn remove_stale() {
    let is_lab = |id| {
        let name = fs::read_to_string(format!("/proc/{id}/comm"));
        name.is_ok_and(|name| name.starts_with("lab"))
    };
    remove_those(|id| !is_lab(id));
}

/// Somebody else may be quicker, which is as good.
fn remove_those(so: impl Fn(u32) -> bool) {
    for name in names(Path::new(NAMESPACES)) {
        if owner(&name).is_some_and(&so) {
            let _ = Command::new("ip").args(["netns", "delete", &name]).status();
        }
    }
    for name in names(&env::temp_dir()) {
        if owner(&name).is_some_and(&so) {
            let _ = fs::remove_dir_all(env::temp_dir().join(name));
        }
    }
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// The process id in a name of a lab's.
fn owner(name: &str) -> Option<u32> {
    name.strip_prefix(PREFIX)?.split('-').next()?.parse().ok()
}
