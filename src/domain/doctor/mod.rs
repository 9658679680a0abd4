//! Diagnoses what keeps packets from the servers although nothing has failed: VPP
//! answers every call, and a VIP never reaches `lb`, or packets do not fit.
//!
//! [`examine`] takes facts that others collected and returns findings, each with what
//! to do. A finding says what was seen, so that it can be checked by hand.

mod connection;
mod facts;
mod finding;
mod packet_size;
mod programming;
mod schedule;
mod sockets;
#[cfg(test)]
mod tests;
mod vips;

pub use facts::{
    ConnectedVpp, DoctorFacts, FibFacts, FibQuery, FrontendFacts, PassFacts, ProcessIdentity,
    SocketAccess, SocketFacts, VppFacts, VppSocket,
};
pub use finding::{Finding, Severity};
pub use packet_size::{Family, largest_segment};
pub use schedule::RouteChecks;
pub use vips::vip_warning;

/// Everything that is found, the worst first.
#[must_use]
pub fn examine(facts: &DoctorFacts) -> Vec<Finding> {
    let mut findings = connection::examine(&facts.vpp);
    findings.extend(sockets::examine(&facts.sockets, &facts.identity, &facts.vpp));
    if let VppFacts::Connected(vpp) = &facts.vpp {
        findings.extend(connection::send_buffer(facts.send_buffer, &facts.frontends));
        if vpp.missing.is_empty() {
            findings.extend(programming::examine(&facts.passes));
        }
        findings.extend(vips::examine(vpp, &facts.frontends, facts.passes.age.is_some()));
        findings.extend(packet_size::examine(vpp, &facts.frontends));
    }
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    findings
}
