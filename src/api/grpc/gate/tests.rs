//! What no client of the integration tests can be: one of another machine, and one whom
//! the kernel does not name.

use std::net::SocketAddr;

use actix::Actor;
use tonic::Code;

use super::*;
use crate::actors::broadcaster::Limits;
use crate::api::rights::bearer::NewToken;
use crate::api::transport::peer::ClientPeer;
use crate::host::logging::LogDemand;

struct GateBed {
    gate: Gate,
    token: NewToken,
    _dir: tempfile::TempDir,
}

/// A gate before a listener of operators, with one token that is a viewer's.
fn bed() -> GateBed {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rights.yaml");
    let token = NewToken::generate().unwrap();
    let text = format!("rights:\n  a: {{ role: viewer, tokens: [\"{}\"] }}\n", token.digest);
    std::fs::write(&path, text).unwrap();
    let rights = RightsInForce::load(Some(&path)).unwrap();
    let broadcaster = Broadcaster::new(1, Limits::default(), LogDemand::default()).start();
    let gate = Gate::new(rights, vec![entrance()], DeniedCalls::default(), broadcaster);
    GateBed { gate, token, _dir: dir }
}

fn entrance() -> Arc<Entrance> {
    Arc::new(Entrance { address: ":9090".into(), role: Role::Operator })
}

impl GateBed {
    fn admit(&self, peer: ClientPeer, is_readable: bool, token: bool) -> Result<Role, Code> {
        let (groups, certificate, entrance) = ([].into(), None, entrance());
        let client = IdentifiedClient { peer, groups, certificate, entrance, is_readable };
        let mut request = Request::get("/maglev.Maglev/ListBackends");
        if token {
            request = request.header("authorization", format!("Bearer {}", self.token.token));
        }
        let mut request = request.body(Body::empty()).unwrap();
        let admitted = self.gate.admit(&mut request, &client, None);
        assert!(request.headers().is_empty(), "the token is passed on");
        admitted.map(|call| call.caller.grant.role).map_err(|status| status.code())
    }
}

#[actix_rt::test]
async fn a_token_is_refused_where_others_can_read_it() {
    let bed = bed();
    let peer = ClientPeer::Tcp(SocketAddr::from(([192, 0, 2, 1], 4711)));
    assert_eq!(bed.admit(peer, true, true), Err(Code::Unauthenticated));
    assert_eq!(bed.admit(peer, true, false), Ok(Role::Operator));
    assert_eq!(bed.admit(peer, false, true), Ok(Role::Viewer));
}

#[actix_rt::test]
async fn whom_the_kernel_does_not_name_has_no_role() {
    let bed = bed();
    assert_eq!(bed.admit(ClientPeer::Unknown, false, false), Err(Code::PermissionDenied));
    assert_eq!(bed.admit(ClientPeer::Unknown, false, true), Ok(Role::Viewer));
    let named = ClientPeer::Unix { uid: 1, pid: None };
    assert_eq!(bed.admit(named, false, false), Ok(Role::Operator));
}
