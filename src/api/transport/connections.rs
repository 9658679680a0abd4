//! The open connections of a service: how many there may be in all and of one
//! client, and which one makes room for another.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use rustix::process::{Resource, getrlimit};

use crate::api::transport::activity::{ConnectionActivity, Standing};
use crate::api::transport::peer::ClientPeer;

/// How many connections there may be at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ConnectionLimits {
    pub(crate) total: usize,
    /// Of one client, so that it takes no other's place.
    pub(crate) per_client: usize,
}

impl ConnectionLimits {
    /// So many sixteenths of the descriptors that the daemon may have, and `most`
    /// of them. Probes and the daemon itself have the rest.
    pub(crate) fn of_descriptors(sixteenths: u64, most: usize) -> Self {
        let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        Self::within(limit / 16 * sixteenths, most)
    }

    fn within(descriptors: u64, most: usize) -> Self {
        let total = usize::try_from(descriptors).map_or(most, |count| count.clamp(4, most));
        Self { total, per_client: total - total / 4 }
    }
}

/// Those who share a bound: an address, of IPv6 its network of 64 bits, or a user
/// of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ClientKey {
    Network(IpAddr),
    User(u32),
    Unknown,
}

impl ClientKey {
    fn of(peer: ClientPeer) -> Self {
        match peer {
            ClientPeer::Tcp(address) => Self::Network(match address.ip().to_canonical() {
                IpAddr::V6(address) => {
                    let [a, b, c, d, ..] = address.segments();
                    IpAddr::from([a, b, c, d, 0, 0, 0, 0])
                }
                address @ IpAddr::V4(_) => address,
            }),
            ClientPeer::Unix { uid, .. } => Self::User(uid),
            ClientPeer::Unknown => Self::Unknown,
        }
    }
}

/// What becomes of a connection that comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Admission {
    Free,
    /// After this one was closed.
    InPlaceOf(u64),
    Refused,
}

/// The open connections, in the order in which they came.
pub(super) struct ConnectionTable {
    limits: ConnectionLimits,
    open: BTreeMap<u64, (ClientKey, Arc<ConnectionActivity>)>,
    next: u64,
}

impl ConnectionTable {
    pub(super) fn new(limits: ConnectionLimits) -> Self {
        Self { limits, open: BTreeMap::new(), next: 0 }
    }

    /// A client at its own bound makes room itself; otherwise whoever is the least
    /// use: the oldest that never completed a request, or else the one that asked
    /// for nothing for the longest time. Nobody is cut off in a request.
    pub(super) fn admit(&self, peer: ClientPeer) -> Admission {
        let client = ClientKey::of(peer);
        let own = || self.open.iter().filter(move |(_, (owner, _))| *owner == client);
        let most = self.limits.per_client;
        let victim = if self.open.len() >= most && own().count() >= most {
            victim(own())
        } else if self.open.len() >= self.limits.total {
            victim(self.open.iter())
        } else {
            return Admission::Free;
        };
        victim.map_or(Admission::Refused, Admission::InPlaceOf)
    }

    /// Adds a connection and returns its number.
    pub(super) fn add(&mut self, peer: ClientPeer, activity: Arc<ConnectionActivity>) -> u64 {
        let number = self.next;
        self.next += 1;
        self.open.insert(number, (ClientKey::of(peer), activity));
        number
    }

    pub(super) fn remove(&mut self, number: u64) {
        self.open.remove(&number);
    }

    pub(super) fn contains(&self, number: u64) -> bool {
        self.open.contains_key(&number)
    }

    /// Has a connection closed; its place is free once it is removed.
    pub(super) fn close(&self, number: u64) {
        if let Some((_, activity)) = self.open.get(&number) {
            activity.close();
        }
    }
}

fn victim<'a>(
    open: impl Iterator<Item = (&'a u64, &'a (ClientKey, Arc<ConnectionActivity>))>,
) -> Option<u64> {
    let mut idle = None;
    for (number, (_, activity)) in open {
        match activity.standing() {
            Standing::Stranger => return Some(*number),
            Standing::Idle(since) if idle.is_none_or(|(longest, _)| since < longest) => {
                idle = Some((since, *number));
            }
            Standing::Idle(_) | Standing::Busy => {}
        }
    }
    idle.map(|(_, number)| number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(address: &str) -> ClientPeer {
        ClientPeer::Tcp(address.parse().unwrap())
    }

    fn add(table: &mut ConnectionTable, peer: ClientPeer) -> (u64, Arc<ConnectionActivity>) {
        let activity = Arc::new(ConnectionActivity::new());
        (table.add(peer, Arc::clone(&activity)), activity)
    }

    #[test]
    fn a_part_of_the_descriptors_is_for_connections() {
        for (descriptors, total, per_client) in
            [(2, 4, 3), (16, 16, 12), (256, 256, 192), (u64::MAX, 16_384, 12_288)]
        {
            let limits = ConnectionLimits { total, per_client };
            assert_eq!(ConnectionLimits::within(descriptors, 16_384), limits, "{descriptors}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_stranger_makes_room_and_then_the_longest_idle() {
        let mut table = ConnectionTable::new(ConnectionLimits { total: 4, per_client: 4 });
        let (a, b) = (tcp("192.0.2.1:1"), tcp("192.0.2.2:1"));
        let (first, client) = add(&mut table, a);
        let busy = client.begin();
        client.received();
        let (second, _) = add(&mut table, a);
        let (third, _) = add(&mut table, b);
        assert_eq!(table.admit(a), Admission::Free);
        let (fourth, other) = add(&mut table, b);
        assert_eq!(table.admit(a), Admission::InPlaceOf(second), "no matter whose it is");
        table.close(second);
        assert!(table.contains(second), "it has its place until it is closed");
        table.remove(second);
        assert_eq!(table.admit(a), Admission::Free);
        let (fifth, last) = add(&mut table, a);
        assert_eq!(table.admit(a), Admission::InPlaceOf(third));
        table.remove(third);
        let (sixth, newest) = add(&mut table, b);

        // None is a stranger any more, and the first is in a request.
        for activity in [&last, &other, &newest] {
            tokio::time::advance(std::time::Duration::from_secs(1)).await;
            let request = activity.begin();
            activity.received();
            drop(request);
        }
        assert_eq!(table.admit(a), Admission::InPlaceOf(fifth));
        let (_in_last, _in_other) = (last.begin(), other.begin());
        assert_eq!(table.admit(a), Admission::InPlaceOf(sixth));
        let in_newest = newest.begin();
        assert_eq!(table.admit(a), Admission::Refused, "{first} and {fourth} are in a request");
        drop(in_newest);
        tokio::time::advance(std::time::Duration::from_secs(1)).await;
        drop(busy);
        assert_eq!(table.admit(a), Admission::InPlaceOf(sixth), "the first was used last");
    }

    #[test]
    fn a_client_at_its_own_bound_takes_no_other_s_place() {
        let mut table = ConnectionTable::new(ConnectionLimits { total: 4, per_client: 2 });
        let (stranger, _) = add(&mut table, tcp("192.0.2.9:1"));
        let (own, _) = add(&mut table, tcp("[2001:db8:1:2:a::]:1"));
        let same = tcp("[2001:db8:1:2:b::]:7");
        assert_eq!(table.admit(same), Admission::Free);
        let (second, activity) = add(&mut table, same);
        assert_eq!(table.admit(same), Admission::InPlaceOf(own));
        table.remove(own);
        let _busy = activity.begin();
        activity.received();
        let (third, activity) = add(&mut table, same);
        let _busy = activity.begin();
        activity.received();
        assert_eq!(table.admit(same), Admission::Refused, "{stranger} {second} {third}");
        assert_eq!(table.admit(tcp("[2001:db8:1:3::]:7")), Admission::Free);
        // The same address in the form of the other family.
        assert_eq!(ClientKey::of(tcp("[::ffff:192.0.2.9]:2")), ClientKey::of(tcp("192.0.2.9:1")));
        let user = |uid| ClientKey::of(ClientPeer::Unix { uid, pid: Some(1) });
        assert_ne!(user(1), user(2));
    }
}
