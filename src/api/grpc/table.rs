//! What the model of the table has to say, as the generated types tell it.

use crate::actors::reconciler::{SyncReport, VipObservation};
use crate::domain::balancing::maglev::{
    self, Difference, Forecast, ForecastServer, NotSeen, RequestedWeight, Share, forecast, lint,
    shares,
};
use crate::domain::controller::{FrontendView, PoolView, WeightPrediction};
use crate::pb;

/// Adds to a frontend what its table makes of its weights.
pub(super) fn add_shares(
    info: &mut pb::FrontendInfo,
    view: &FrontendView,
    sighted: &VipObservation,
) {
    let length = view.settings.table_length;
    info.warnings = cautions(view).collect();
    let members = || view.pools.iter().flat_map(|pool| &pool.backends);
    let weights: Option<Vec<_>> = members()
        .filter_map(|member| Some((member.address?, member.effective)))
        .map(|(address, effective)| Some((address, effective.resolve(address, sighted.as_seen())?)))
        .collect();
    let known = weights.map(|weights| shares(&weights, length)).unwrap_or_default();
    let mut known = known.into_iter();
    let infos = info.pools.iter_mut().flat_map(|pool| &mut pool.backends);
    for (info, member) in infos.zip(members()) {
        let Some(address) = member.address else { continue };
        let share = known.next();
        info.asked_share = share.map(|(asked, _)| Share::fraction(asked));
        info.real_share = share.map(|(_, real)| Share::fraction(real));
        let seen = sighted.as_seen().flatten().and_then(|vip| vip.servers.get(&address));
        info.vpp_buckets = seen.map(|server| server.buckets);
    }
}

/// What the table cannot do, the pool named where it is about one.
fn cautions(view: &FrontendView) -> impl Iterator<Item = String> + use<'_> {
    let asked = |pool: &PoolView| {
        let backends = pool.backends.iter().filter_map(|member| {
            let (name, weight) = (member.name.clone(), member.weight);
            Some(RequestedWeight { name, address: member.address?, weight })
        });
        backends.collect()
    };
    let pools: Vec<Vec<RequestedWeight>> = view.pools.iter().map(asked).collect();
    lint(&pools, view.settings.table_length).into_iter().map(|(place, lint)| {
        match place.and_then(|place| view.pools.get(place)) {
            Some(pool) => format!("pool {}: {lint}", pool.name),
            None => lint.to_string(),
        }
    })
}

/// What the change of a weight would move.
pub(super) fn predict(
    supposed: &WeightPrediction,
    sighted: &VipObservation,
) -> Result<pb::PredictChangeResponse, NotSeen> {
    let Forecast { servers, moved } =
        forecast(&supposed.servers, supposed.length, sighted.as_seen())?;
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
    })
}

/// What each step of a pass moves.
pub(super) fn moves_of_steps(report: &SyncReport) -> Vec<Option<pb::TableMoves>> {
    let steps = report.results.iter().map(|result| &result.planned.step);
    maglev::moves(&report.before, steps).into_iter().map(|moved| moved.map(moves)).collect()
}

fn moves(moved: Difference) -> pb::TableMoves {
    pb::TableMoves { entries: moved.entries, own: moved.own, collateral: moved.collateral }
}
