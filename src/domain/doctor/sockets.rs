//! VPP's sockets: whether they are there, and whether the daemon may open them. Without
//! that of the stats segment VPP is programmed, so that its faults are warnings.

use super::facts::{ProcessIdentity, SocketAccess, SocketFacts, VppFacts, VppSocket};
use super::finding::{Finding, Severity};

pub(super) fn examine(
    sockets: &[SocketFacts],
    identity: &ProcessIdentity,
    vpp: &VppFacts,
) -> Vec<Finding> {
    sockets.iter().map(|socket| one(socket, identity, vpp)).collect()
}

fn one(socket: &SocketFacts, identity: &ProcessIdentity, vpp: &VppFacts) -> Finding {
    let SocketFacts { of, path, access } = socket;
    let (name, severity, section) = match of {
        VppSocket::Api => ("API socket", Severity::Fault, "socksvr { socket-name }"),
        VppSocket::Stats => ("stats socket", Severity::Warning, "statseg { socket-name }"),
    };
    let subject = format!("{name} {path}");
    let fault =
        |seen: String, remedy: String| Finding::new(severity, subject.clone(), seen, remedy);
    match access {
        // The socket of a connection that stands may be gone: a VPP that was
        // restarted makes another.
        SocketAccess::Absent if matches!(vpp, VppFacts::Connected(_)) => Finding::new(
            Severity::Warning,
            subject,
            "there is no such file",
            format!("give VPP a `{section}` of this path in its startup.conf, and restart it"),
        ),
        SocketAccess::Absent => fault(
            "there is no such file".into(),
            format!(
                "start VPP, with a `{section}` of this path in its startup.conf; or name its path to maglevd"
            ),
        ),
        SocketAccess::NotASocket => fault(
            "it is no socket".into(),
            "remove it, and name the path of VPP's socket to maglevd".into(),
        ),
        SocketAccess::Hidden(why) => fault(
            format!("it cannot be looked at: {why}; maglevd runs as {}", whom(identity)),
            "let maglevd's user enter the directories above it, by their group or mode".into(),
        ),
        SocketAccess::Present { mode, group, allowed: false } => fault(
            format!("{mode}; maglevd runs as {}, which may not open it", whom(identity)),
            format!(
                "run maglevd in the group {group} (`SupplementaryGroups={group}` in a drop-in of its unit), or give VPP's sockets one of its groups (`unix {{ gid GROUP }}` in startup.conf); restart what was changed"
            ),
        ),
        SocketAccess::Present { mode, allowed: true, .. } => {
            Finding::ok(subject, format!("{mode}, and maglevd may open it"))
        }
    }
}

fn whom(identity: &ProcessIdentity) -> String {
    format!("user {} in the groups {}", identity.user, identity.groups.join(", "))
}
