//! The connection to VPP: whether it stands, what VPP lacks, which clients it has not
//! let go, and how much its send buffer takes.

use super::facts::{ConnectedVpp, FrontendFacts, VppFacts};
use super::finding::{Finding, Severity, some};
use crate::domain::dataplane::dialect::LbDialect;

/// Bytes that the kernel books for a row of a dump, measured.
const ROW: usize = 768;

/// Rows that others may add.
const SLACK: usize = 8;

/// What a message that both known versions of the plugin have is called.
const ANY_PLUGIN: &str = "lb_add_del_vip_v2_";

pub(super) fn examine(vpp: &VppFacts) -> Vec<Finding> {
    match vpp {
        VppFacts::Off => vec![Finding::new(
            Severity::Warning,
            "VPP",
            "maglevd runs without one",
            "start maglevd with --vpp-api-addr",
        )],
        VppFacts::Away(why) => vec![Finding::new(
            Severity::Fault,
            "VPP",
            why.clone(),
            "make VPP answer: until then nothing is programmed",
        )],
        VppFacts::Connected(vpp) => {
            let connected = Finding::ok("VPP", format!("{} is connected", vpp.version));
            [connected, plugin(vpp), dead_clients(vpp)].into()
        }
    }
}

fn plugin(vpp: &ConnectedVpp) -> Finding {
    let subject = "lb plugin";
    let missing = &vpp.missing;
    // Another layout of a message counts as missing, too, and is named with what VPP
    // has in its place: `lb_conf_get_51077d14 (this VPP has …)`.
    let lacks = |name: &str| missing.iter().any(|key| key.starts_with(name) && !key.contains(' '));
    if missing.is_empty() {
        return Finding::ok(
            subject,
            match vpp.dialect {
                Some(LbDialect::Membership) => {
                    "VPP has every message that maglevd needs, and no weights: servers with a weight above 0 get equal shares"
                }
                _ => "VPP has every message that maglevd needs",
            },
        );
    }
    if lacks(ANY_PLUGIN) {
        return Finding::new(
            Severity::Fault,
            subject,
            "VPP has no message of it: it is not loaded, and no VIP is programmed",
            "`plugins { plugin lb_plugin.so { enable } }` in VPP's startup.conf, and the package that has lb_plugin.so; then restart VPP",
        );
    }
    Finding::new(
        Severity::Fault,
        subject,
        format!("VPP {} lacks messages of it: {}", vpp.version, some(missing, 4)),
        "install VPP 26.10 or later, whose lb.api is 1.2.0, or one of 24.02 to 26.06, with 1.1.0: until then no VIP is programmed",
    )
}

fn dead_clients(vpp: &ConnectedVpp) -> Finding {
    let clients = &vpp.dead_clients;
    if clients.is_empty() {
        return Finding::ok("API clients", "VPP has let go of all that are gone");
    }
    Finding::new(
        Severity::Warning,
        "API clients",
        format!(
            "VPP had not noticed that these are gone, and spun until maglevd made it: {}",
            some(clients, 4)
        ),
        "raise net.core.wmem_default before VPP starts, and have these programs leave by sockclnt_delete (docs/operations.md)",
    )
}

/// Whether VPP's send buffer takes the longest answer that the configuration needs:
/// the rows of one VIP's servers.
pub(super) fn send_buffer(bytes: Option<usize>, frontends: &[FrontendFacts]) -> Vec<Finding> {
    let Some(bytes) = bytes else { return Vec::new() };
    let subject = "net.core.wmem_default";
    let most = frontends.iter().max_by_key(|frontend| frontend.servers.len());
    let servers = most.map_or(0, |frontend| frontend.servers.len());
    // Removed servers stay in the dump for a while, so that there may be twice as many.
    let wanted = (2 * servers + SLACK) * ROW;
    let safe = bytes / 4 * 3;
    let finding = match most {
        Some(frontend) if wanted > safe => Finding::new(
            Severity::Warning,
            subject,
            format!(
                "{bytes} bytes, and the {servers} servers of frontend {} may take {wanted} of VPP's send buffer: what does not fit makes VPP's main thread spin",
                frontend.name
            ),
            "`sysctl net.core.wmem_default=8388608` before VPP starts (docs/operations.md)",
        ),
        _ => {
            Finding::ok(subject, format!("{bytes} bytes, enough for what maglevd reads at a time"))
        }
    };
    vec![finding]
}
