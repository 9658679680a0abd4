//! What the fake daemon foresees, and what its steps move.

use vpp_maglev::pb::{PredictChangeRequest, PredictChangeResponse, PredictedServer, TableMoves};

/// The fallback serves alone, whatever the weight of others.
pub(super) fn predicted(wanted: &PredictChangeRequest) -> PredictChangeResponse {
    let server =
        |name: &str, address: &str, weights: [u32; 2], buckets: [u32; 2]| PredictedServer {
            name: name.into(),
            address: address.into(),
            weight_before: weights[0],
            weight_after: weights[1],
            buckets_before: buckets[0],
            buckets_after: buckets[1],
        };
    let asked = u32::try_from(wanted.weight).unwrap();
    let moves = if wanted.backend == "nginx0" { [0, 0] } else { [509, 37] };
    let servers = match moves {
        [0, 0] => vec![
            server("nginx0", "198.51.100.10", [0, 0], [0, 0]),
            server("größter-ersatz", "198.51.100.12", [100, 100], [1024, 1024]),
        ],
        _ => vec![
            server("größter-ersatz", "198.51.100.12", [100, asked], [1024, 515]),
            server("zweiter", "198.51.100.13", [0, 100], [0, 509]),
        ],
    };
    let moves = TableMoves { entries: 1024, own: moves[0], collateral: moves[1] };
    PredictChangeResponse { servers, moves: Some(moves), dialect: "weights".into() }
}

/// Of a step that changes a weight; a whole VIP moves nothing.
pub(super) fn moves(action: &str) -> Option<TableMoves> {
    (action == "as-weight").then_some(TableMoves { entries: 1024, own: 341, collateral: 66 })
}
