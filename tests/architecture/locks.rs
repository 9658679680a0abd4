//! Actors exchange messages and share no state: each lock in the code that ships
//! stands here with what it holds and why.

use std::fmt::Write as _;

use super::source::{Source, files, is_of_tests, read};

/// Files that may name a lock, and why.
const ALLOWED: &[(&str, &str)] = &[
    (
        "src/api/answers/pool.rs",
        "the bytes of answers that connections have not handed out yet, so that the oldest can be dropped: \
     a connection reads a part at a time and nothing decides by what it holds",
    ),
    (
        "src/probe/resources.rs",
        "the ICMP sockets of all threads, one a source address: the kernel copies every ICMP packet to \
     each raw socket, so a socket a thread would cost all of them; nothing decides by what it holds",
    ),
];

/// The test doubles of simulations, which are built for tests alone.
const DOUBLES: &str = "src/actors/simulation";

const LOCKS: [&str; 3] = ["Mutex", "RwLock", "ReentrantLock"];

#[test]
fn every_lock_has_a_reason() {
    let mut found = Vec::new();
    for path in files("src") {
        let shown = path.display().to_string();
        if is_of_tests(&path) || shown.starts_with(DOUBLES) {
            continue;
        }
        let source = Source::of(&read(&path));
        let imported = source.imports.iter().map(|import| &import.named);
        let named = imported.chain(&source.paths).filter(|named| !named.in_tests);
        let lock = |named: &&super::source::Named| {
            named.path.iter().any(|part| LOCKS.contains(&part.as_str()))
        };
        found.extend(named.filter(lock).map(|named| (shown.clone(), named.line)));
        // By themselves, if a `*` imported them.
        let words = LOCKS.iter().filter_map(|lock| source.words.get(*lock));
        found.extend(words.map(|line| (shown.clone(), *line)));
    }
    let is_allowed = |path: &str| ALLOWED.iter().any(|(allowed, _)| *allowed == path);
    let mut new = String::new();
    for (path, line) in found.iter().filter(|(path, _)| !is_allowed(path)) {
        writeln!(new, "{path}:{line}").unwrap();
    }
    assert!(new.is_empty(), "send a message, or add the reason to the list:\n{new}");
    for (allowed, why) in ALLOWED {
        let is_needed = found.iter().any(|(path, _)| path == allowed);
        assert!(is_needed && !why.is_empty(), "{allowed} has no lock: delete it here");
    }
}
