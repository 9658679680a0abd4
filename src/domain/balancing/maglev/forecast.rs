//! What steps, or a change that nobody has made yet, move in the tables.

use std::collections::BTreeMap;
use std::net::IpAddr;

use thiserror::Error;

use super::{Difference, Table, difference, table};
use crate::domain::balancing::weights::TargetWeight;
use crate::domain::dataplane::net::{TableLength, Vip};
use crate::domain::dataplane::observed::ObservedVip;
use crate::domain::dataplane::step::Step;
use crate::domain::names::BackendName;

/// What each of `steps`, taken one after the other, moves in the table of its
/// VIP, which before the first of them is as in `seen`.
///
/// `None` where there is nothing to move: for settings, for VIPs as a whole,
/// for servers of a VIP that one of the steps adds and that no flow knows yet,
/// and where VPP cannot report the length of the table.
#[must_use]
pub fn moves<'a>(
    seen: &BTreeMap<Vip, ObservedVip>,
    steps: impl IntoIterator<Item = &'a Step>,
) -> Vec<Option<Difference>> {
    let mut tables: BTreeMap<Vip, Option<Table>> = BTreeMap::new();
    let moved = |step: &Step| {
        let vip = step.vip()?;
        let now = tables.entry(vip).or_insert_with(|| seen.get(&vip).and_then(of_vip));
        if matches!(step, Step::AddVip(_) | Step::RemoveVip(_)) {
            *now = None;
        }
        let now = now.as_mut()?;
        let mut servers = now.servers().to_vec();
        match *step {
            Step::AddServer { server, weight, .. } => servers.push((server, weight.get())),
            Step::RemoveServer { server, .. } => servers.retain(|known| known.0 != server),
            Step::SetWeight { server, weight, .. } => {
                servers.iter_mut().find(|known| known.0 == server)?.1 = weight.get();
            }
            Step::SetConf(_) | Step::AddVip(_) | Step::RemoveVip(_) => {}
        }
        let after = table(&servers, now.length());
        let moved = difference(now, &after);
        *now = after;
        Some(moved)
    };
    steps.into_iter().map(moved).collect()
}

fn of_vip(seen: &ObservedVip) -> Option<Table> {
    Some(table(&seen.weights(), seen.table_length?.get().into()))
}

/// What a change that was not made would do to a frontend's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// Every server, in the order asked for.
    pub servers: Vec<ForecastServer>,
    /// What moves from the present table to that one.
    pub moved: Difference,
}

/// A server before and after a change that was not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForecastServer {
    /// Its backend.
    pub name: BackendName,
    /// Its address.
    pub address: IpAddr,
    /// Its effective weight before and after.
    pub weight: (u8, u8),
    /// The entries it holds before and after.
    pub buckets: (u32, u32),
}

/// A weight is whatever VPP has, and VPP was not seen.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "the weight of \"{backend}\" is left as VPP has it until its health is known, and VPP is not \
     connected: ask again when either is"
)]
pub struct NotSeen {
    /// Whose weight.
    pub backend: BackendName,
}

/// What it means for the table of `length` entries when each of `servers` goes
/// from the first weight to the second. `seen` is the VIP in VPP: `Some(None)`
/// where VPP was read and does not have it.
///
/// # Errors
/// A weight is to stay as it is in VPP, which was not seen.
pub fn forecast(
    servers: &[(BackendName, IpAddr, TargetWeight, TargetWeight)],
    length: TableLength,
    seen: Option<Option<&ObservedVip>>,
) -> Result<Forecast, NotSeen> {
    let weight = |name: &BackendName, address: &IpAddr, want: TargetWeight| {
        want.resolve(*address, seen).ok_or_else(|| NotSeen { backend: name.clone() })
    };
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for (name, address, old, new) in servers {
        before.push((*address, weight(name, address, *old)?));
        after.push((*address, weight(name, address, *new)?));
    }
    let length = length.get().into();
    let (before, after) = (table(&before, length), table(&after, length));
    let moved = difference(&before, &after);
    let servers = servers.iter().enumerate().map(|(place, (name, address, ..))| ForecastServer {
        name: name.clone(),
        address: *address,
        weight: (before.servers()[place].1, after.servers()[place].1),
        buckets: (before.buckets()[place], after.buckets()[place]),
    });
    Ok(Forecast { servers: servers.collect(), moved })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::dataplane::net::{Encap, Service, Weight};
    use crate::domain::dataplane::observed::{ObservedEncap, ObservedServer};
    use crate::domain::dataplane::step::VipSpec;

    fn vip() -> Vip {
        Vip::new("192.0.2.80/32".parse().unwrap(), Service::All)
    }

    fn server(last: u8) -> IpAddr {
        [10, 0, 0, last].into()
    }

    fn seen(weights: &[u8]) -> ObservedVip {
        let servers = (1..).zip(weights);
        let servers = servers
            .map(|(last, &weight)| (server(last), ObservedServer { weight, buckets: 0 }))
            .collect();
        ObservedVip {
            encap: ObservedEncap::Gre(Encap::Gre4),
            table_length: Some(TableLength::DEFAULT),
            src_ip_sticky: None,
            servers,
            retired: Vec::new(),
        }
    }

    fn set(last: u8, weight: i64) -> Step {
        let weight = Weight::try_from(weight).unwrap();
        Step::SetWeight { vip: vip(), server: server(last), weight, flush: false }
    }

    #[test]
    fn steps_move_what_the_tables_before_and_after_them_differ_in() {
        let seen = [(vip(), seen(&[100, 100, 0]))].into();
        let steps = [
            set(3, 100),
            set(1, 0),
            set(1, 0),
            Step::RemoveServer { vip: vip(), server: server(1), flush: true },
        ];
        let moved = moves(&seen, &steps);
        let list = |weights: [u8; 3]| [1, 2, 3].map(|n: u8| (server(n), weights[n as usize - 1]));
        let tables = [[100, 100, 0], [100, 100, 100], [0, 100, 100]].map(|w| table(&list(w), 1024));
        assert_eq!(moved[0], Some(difference(&tables[0], &tables[1])));
        assert_eq!(moved[1], Some(difference(&tables[1], &tables[2])));
        let nothing = Some(Difference { entries: 1024, own: 0, collateral: 0 });
        assert_eq!(moved[2..], [nothing, nothing]);
    }

    #[test]
    fn a_new_vip_has_no_flows_to_move() {
        let spec = VipSpec {
            vip: vip(),
            encap: Encap::Gre4,
            src_ip_sticky: false,
            table_length: TableLength::DEFAULT,
        };
        let add = Step::AddServer { vip: vip(), server: server(1), weight: Weight::FULL };
        assert_eq!(moves(&BTreeMap::new(), &[Step::AddVip(spec), add.clone()]), [None, None]);
        let again = [(vip(), seen(&[100]))].into();
        let steps = [
            Step::RemoveServer { vip: vip(), server: server(1), flush: true },
            Step::RemoveVip(vip()),
            Step::AddVip(spec),
            add,
        ];
        let moved = moves(&again, &steps);
        assert_eq!(moved[0], Some(Difference { entries: 1024, own: 1024, collateral: 0 }));
        assert_eq!(moved[1..], [None, None, None]);
    }

    #[test]
    fn what_is_left_as_it_is_needs_a_look_at_vpp() {
        let half = TargetWeight::Weight(Weight::try_from(50).unwrap());
        let asked = [
            ("a".into(), server(1), TargetWeight::Keep, TargetWeight::Keep),
            ("b".into(), server(2), TargetWeight::Weight(Weight::FULL), half),
        ];
        let ask = |seen| forecast(&asked, TableLength::DEFAULT, seen);
        assert_eq!(ask(None), Err(NotSeen { backend: "a".into() }));
        let vip = seen(&[100, 7]);
        let known = ask(Some(Some(&vip))).unwrap();
        assert_eq!(known.servers[0].weight, (100, 100));
        assert_eq!(known.servers[1].weight, (100, 50));
        assert_eq!(known.servers.iter().map(|s| s.buckets.1).sum::<u32>(), 1024);
        assert!(known.moved.own > 0);
        assert_eq!(ask(Some(None)).unwrap().servers[0].weight, (0, 0), "installed at 0");
    }
}
