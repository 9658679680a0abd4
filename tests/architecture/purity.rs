//! What `domain` may name of `std`, and call.

/// What `domain` may name of `std`: values, and nothing that finds anything out by
/// itself or does IO. A hash map would draw its order.
const VALUES: &[&str] = &[
    "borrow",
    "cmp",
    "collections::BTreeMap",
    "collections::BTreeSet",
    "collections::VecDeque",
    "collections::btree_map",
    "fmt",
    "f64::consts",
    "hint::black_box",
    "iter",
    "mem",
    "net::IpAddr",
    "net::Ipv4Addr",
    "net::Ipv6Addr",
    "net::SocketAddr",
    "num",
    "ops",
    "slice",
    "str",
    "sync::Arc",
    "sync::atomic",
    "time::Duration",
    "time::Instant",
    "time::SystemTime",
];

/// What it may not call of these, nor without a path.
const CLOCKS: &[&str] = &["Instant::now", "SystemTime::now"];
pub(crate) const ACTS: &[&str] = &["elapsed", "print!", "println!", "eprint!", "eprintln!", "dbg!"];

/// A path of `std`, unless it is a value's.
pub(crate) fn impure(path: &[String]) -> Option<String> {
    let text = path.join("::");
    let is_of = |value: &str| {
        text.strip_prefix(value).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    let is_pure =
        VALUES.iter().any(|value| is_of(value)) && !CLOCKS.iter().any(|it| text.ends_with(it));
    (!is_pure).then_some(text)
}
