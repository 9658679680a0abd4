//! Any RPC of the interface, called without knowing its messages.

use prost::Message;
use prost_types::FileDescriptorSet;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};
use tonic_prost::ProstCodec;

/// What reads. It takes a viewer.
pub(super) const READING: &[&str] = &[
    "CheckConfig",
    "ExplainBackend",
    "ExplainFrontend",
    "GetAnnouncements",
    "GetBackend",
    "GetBackends",
    "GetFingerprints",
    "GetFrontend",
    "GetHealthCheck",
    "GetOverrides",
    "GetTimeline",
    "GetVPPDoctor",
    "GetVPPInfo",
    "GetVPPLBCounters",
    "GetVPPLBState",
    "ListBackends",
    "ListFrontends",
    "ListHealthChecks",
    "PredictChange",
    "WatchEvents",
];

/// What changes something. It takes an operator.
pub(super) const CHANGING: &[&str] = &[
    "DisableBackend",
    "DrainBackend",
    "EnableBackend",
    "PauseBackend",
    "ReloadConfig",
    "ResumeBackend",
    "SetAnnouncement",
    "SetFrontendPoolBackendWeight",
    "SyncVPPLBState",
    "UndrainBackend",
    "UnsetAnnouncement",
    "UnsetBackend",
    "UnsetFrontendPoolBackendWeight",
];

/// What everybody may ask.
pub(super) const OPEN: &[&str] = &["GetIdentity"];

/// The roles, from the least on.
pub(super) const ROLES: [&str; 3] = ["none", "viewer", "operator"];

/// The names of all RPCs, and whether each has a stream of answers.
pub(super) fn methods() -> Vec<(String, bool)> {
    let set = FileDescriptorSet::decode(vpp_maglev::pb::DESCRIPTORS).unwrap();
    let file = set.file.into_iter().find(|file| file.package() == "maglev").unwrap();
    let methods = file.service.into_iter().flat_map(|service| service.method);
    methods.map(|it| (it.name().to_owned(), it.server_streaming())).collect()
}

/// Whether `role` may call a method, by the lists above.
pub(super) fn may(role: &str, method: &str) -> bool {
    match role {
        _ if OPEN.contains(&method) => true,
        "none" => false,
        "viewer" => READING.contains(&method),
        "operator" => READING.contains(&method) || CHANGING.contains(&method),
        other => panic!("no role {other}"),
    }
}

/// Calls a method with an empty request; its error, if it has one.
pub(super) async fn call(
    channel: &Channel,
    token: Option<&str>,
    method: &str,
    is_stream: bool,
) -> Result<(), Status> {
    let path = format!("/maglev.Maglev/{method}");
    call_path(channel, token, &path, is_stream).await
}

pub(super) async fn call_path(
    channel: &Channel,
    token: Option<&str>,
    path: &str,
    is_stream: bool,
) -> Result<(), Status> {
    let mut request = Request::new(());
    if let Some(token) = token {
        let value = format!("Bearer {token}").parse().unwrap();
        request.metadata_mut().insert("authorization", value);
    }
    let mut grpc = Grpc::new(channel.clone());
    grpc.ready().await.unwrap();
    let path: PathAndQuery = path.parse().unwrap();
    let codec: ProstCodec<(), ()> = ProstCodec::default();
    if is_stream {
        grpc.server_streaming(request, path, codec).await.map(drop)
    } else {
        grpc.unary(request, path, codec).await.map(drop)
    }
}

/// Calls every RPC and asserts that those are denied that the role does not allow, and no
/// other.
pub(super) async fn assert_role(channel: &Channel, token: Option<&str>, role: &str, way: &str) {
    for (method, is_stream) in methods() {
        let code = call(channel, token, &method, is_stream).await.err().map(|it| it.code());
        let is_denied = matches!(code, Some(Code::PermissionDenied | Code::Unauthenticated));
        assert_eq!(is_denied, !may(role, &method), "{method} by {role} over {way}: {code:?}");
    }
}
