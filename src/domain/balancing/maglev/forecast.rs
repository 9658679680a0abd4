//! Predicts which entries of a table change their server: by planned steps, and by
//! a change of weight that an operator only asks about.

use std::collections::BTreeMap;
use std::net::IpAddr;

use thiserror::Error;

use super::{Table, TableDiff, diff, table};
use crate::domain::balancing::weights::TargetWeight;
use crate::domain::dataplane::dialect::LbDialect;
use crate::domain::dataplane::net::{TableLength, Vip};
use crate::domain::dataplane::observed::ObservedVip;
use crate::domain::dataplane::step::Step;
use crate::domain::names::BackendName;

/// For each of `steps`, done in order from `observed` on, how many entries of its
/// VIP's table change.
///
/// `None` for a step that changes no table: global settings, VIPs as a whole,
/// servers of a VIP that one of the steps adds, which has no flows yet, and VIPs
/// whose table length VPP cannot report.
#[must_use]
pub fn moves<'a>(
    observed: &BTreeMap<Vip, ObservedVip>,
    steps: impl IntoIterator<Item = &'a Step>,
) -> Vec<Option<TableDiff>> {
    let mut tables: BTreeMap<Vip, Option<Table>> = BTreeMap::new();
    let moved = |step: &Step| {
        let vip = step.vip()?;
        let now = tables.entry(vip).or_insert_with(|| observed.get(&vip).and_then(table_of));
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
        let moved = diff(now, &after);
        *now = after;
        Some(moved)
    };
    steps.into_iter().map(moved).collect()
}

fn table_of(vip: &ObservedVip) -> Option<Table> {
    Some(table(&vip.weights(), vip.table_length?.get().into()))
}

/// The effect of a supposed change on a frontend's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// Every server, in the order of the request.
    pub servers: Vec<ForecastServer>,
    /// From the present table to the predicted one.
    pub moved: TableDiff,
}

/// A server before and after a supposed change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForecastServer {
    pub name: BackendName,
    pub address: IpAddr,
    /// The effective weight before and after: 0 or 1 on a VPP without weights.
    pub weight: (u8, u8),
    /// The number of entries before and after.
    pub buckets: (u32, u32),
}

/// A weight is kept as VPP has it, and VPP was not observed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "the weight of \"{backend}\" is left as VPP has it until its health is known, and VPP is not \
     connected: ask again when either is"
)]
pub struct WeightUnknown {
    pub backend: BackendName,
}

/// Predicts the table of `length` entries when each of `servers` changes from its
/// first weight to its second, as a VPP of this dialect makes it. `observed` is the VIP in VPP: `None` if VPP was not
/// read, `Some(None)` if VPP does not have the VIP.
///
/// # Errors
/// A weight is kept as VPP has it, and VPP was not observed.
pub fn forecast(
    servers: &[(BackendName, IpAddr, TargetWeight, TargetWeight)],
    length: TableLength,
    dialect: LbDialect,
    observed: Option<Option<&ObservedVip>>,
) -> Result<Forecast, WeightUnknown> {
    let weight = |name: &BackendName, address: &IpAddr, target: TargetWeight| {
        let weight = target.resolve(*address, observed).map(|weight| dialect.effective(weight));
        weight.ok_or_else(|| WeightUnknown { backend: name.clone() })
    };
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for (name, address, old, new) in servers {
        before.push((*address, weight(name, address, *old)?));
        after.push((*address, weight(name, address, *new)?));
    }
    let length = length.get().into();
    let (before, after) = (table(&before, length), table(&after, length));
    let moved = diff(&before, &after);
    let servers = servers.iter().enumerate().map(|(index, (name, address, ..))| ForecastServer {
        name: name.clone(),
        address: *address,
        weight: (before.servers()[index].1, after.servers()[index].1),
        buckets: (before.buckets()[index], after.buckets()[index]),
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

    fn observed(weights: &[u8]) -> ObservedVip {
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
        let observed = [(vip(), observed(&[100, 100, 0]))].into();
        let steps = [
            set(3, 100),
            set(1, 0),
            set(1, 0),
            Step::RemoveServer { vip: vip(), server: server(1), flush: true },
        ];
        let moved = moves(&observed, &steps);
        let list = |weights: [u8; 3]| [1, 2, 3].map(|n: u8| (server(n), weights[n as usize - 1]));
        let tables = [[100, 100, 0], [100, 100, 100], [0, 100, 100]].map(|w| table(&list(w), 1024));
        assert_eq!(moved[0], Some(diff(&tables[0], &tables[1])));
        assert_eq!(moved[1], Some(diff(&tables[1], &tables[2])));
        let nothing = Some(TableDiff { entries: 1024, own: 0, collateral: 0 });
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
        let again = [(vip(), observed(&[100]))].into();
        let steps = [
            Step::RemoveServer { vip: vip(), server: server(1), flush: true },
            Step::RemoveVip(vip()),
            Step::AddVip(spec),
            add,
        ];
        let moved = moves(&again, &steps);
        assert_eq!(moved[0], Some(TableDiff { entries: 1024, own: 1024, collateral: 0 }));
        assert_eq!(moved[1..], [None, None, None]);
    }

    #[test]
    fn a_weight_that_is_kept_is_unknown_until_vpp_was_read() {
        let half = TargetWeight::Weight(Weight::try_from(50).unwrap());
        let servers = [
            ("a".into(), server(1), TargetWeight::Keep, TargetWeight::Keep),
            ("b".into(), server(2), TargetWeight::Weight(Weight::FULL), half),
        ];
        let predict =
            |observed| forecast(&servers, TableLength::DEFAULT, LbDialect::Weights, observed);
        assert_eq!(predict(None), Err(WeightUnknown { backend: "a".into() }));
        let vip = observed(&[100, 7]);
        let known = predict(Some(Some(&vip))).unwrap();
        assert_eq!(known.servers[0].weight, (100, 100));
        assert_eq!(known.servers[1].weight, (100, 50));
        assert_eq!(known.servers.iter().map(|s| s.buckets.1).sum::<u32>(), 1024);
        assert!(known.moved.own > 0);
        let members =
            forecast(&servers, TableLength::DEFAULT, LbDialect::Membership, Some(Some(&vip)));
        let members = members.unwrap();
        assert_eq!(members.servers[1].weight, (1, 1), "half of a weight changes nothing there");
        assert_eq!((members.servers[1].buckets, members.moved.own), ((512, 512), 0));
        assert_eq!(predict(Some(None)).unwrap().servers[0].weight, (0, 0), "installed at 0");
    }
}
