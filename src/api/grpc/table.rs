//! From the model of Maglev's table to the generated types.

use crate::actors::reconciler::{SyncReport, VipObservation};
use crate::domain::balancing::maglev::{
    self, Forecast, ForecastServer, RequestedWeight, Share, TableDiff, WeightUnknown, forecast,
    lint, shares,
};
use crate::domain::balancing::weights::TargetWeight;
use crate::domain::controller::{FrontendView, PoolView, WeightPrediction};
use crate::domain::dataplane::dialect::LbDialect;
use crate::pb;

/// Adds the shares of the table that the weights ask for and get, and warnings.
pub(super) fn add_shares(
    info: &mut pb::FrontendInfo,
    view: &FrontendView,
    observed: &VipObservation,
) {
    let (length, dialect) = (view.settings.table_length, observed.dialect());
    info.warnings = warnings(view, dialect).collect();
    let members = || view.pools.iter().flat_map(|pool| &pool.backends);
    // `None` while the weight of a server that is kept as it is is not known.
    let weights: Option<Vec<_>> = members()
        .filter_map(|member| Some((member.address?, member.effective, member.weight)))
        .map(|(address, effective, weight)| {
            let held = effective.resolve(address, observed.as_seen())?;
            // A VPP without weights does not tell which one was asked for.
            let is_kept = dialect == LbDialect::Membership && effective == TargetWeight::Keep;
            Some((address, if is_kept && held > 0 { weight.get() } else { held }))
        })
        .collect();
    let shares = weights.map(|weights| shares(&weights, length, dialect)).unwrap_or_default();
    let mut shares = shares.into_iter();
    let infos = info.pools.iter_mut().flat_map(|pool| &mut pool.backends);
    for (info, member) in infos.zip(members()) {
        let Some(address) = member.address else { continue };
        let share = shares.next();
        info.asked_share = share.map(|(asked, _)| Share::fraction(asked));
        info.real_share = share.map(|(_, real)| Share::fraction(real));
        let server = observed.as_seen().flatten().and_then(|vip| vip.servers.get(&address));
        info.vpp_buckets = server.map(|server| server.buckets);
    }
}

/// What the table cannot express, with the name of the pool where it is about one.
fn warnings(view: &FrontendView, dialect: LbDialect) -> impl Iterator<Item = String> + use<'_> {
    let requested = |pool: &PoolView| {
        let backends = pool.backends.iter().filter_map(|member| {
            let (name, weight) = (member.name.clone(), member.weight);
            Some(RequestedWeight { name, address: member.address?, weight })
        });
        backends.collect()
    };
    let pools: Vec<Vec<RequestedWeight>> = view.pools.iter().map(requested).collect();
    lint(&pools, view.settings.table_length, dialect).into_iter().map(|(index, lint)| {
        match index.and_then(|index| view.pools.get(index)) {
            Some(pool) => format!("pool {}: {lint}", pool.name),
            None => lint.to_string(),
        }
    })
}

/// The entries of the table that a change of a weight would move.
pub(super) fn predict(
    prediction: &WeightPrediction,
    observed: &VipObservation,
) -> Result<pb::PredictChangeResponse, WeightUnknown> {
    let Forecast { servers, moved } =
        forecast(&prediction.servers, prediction.length, observed.dialect(), observed.as_seen())?;
    let server = |server: ForecastServer| pb::PredictedServer {
        name: server.name.to_string(),
        address: server.address.to_string(),
        weight_before: server.weight.0.into(),
        weight_after: server.weight.1.into(),
        buckets_before: server.buckets.0,
        buckets_after: server.buckets.1,
    };
    Ok(pb::PredictChangeResponse {
        servers: servers.into_iter().map(server).collect(),
        moves: Some(moves(moved)),
        dialect: observed.dialect().to_string(),
    })
}

/// The entries of the table that each step of a pass moves.
pub(super) fn moves_of_steps(report: &SyncReport) -> Vec<Option<pb::TableMoves>> {
    let steps = report.results.iter().map(|result| &result.planned.step);
    maglev::moves(&report.before, steps).into_iter().map(|moved| moved.map(moves)).collect()
}

fn moves(moved: TableDiff) -> pb::TableMoves {
    pb::TableMoves { entries: moved.entries, own: moved.own, collateral: moved.collateral }
}
