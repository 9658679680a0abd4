//! What the fake daemon's doctor finds.

use vpp_maglev::pb::{VppDoctor, VppDoctorFinding};

pub(super) fn doctor(contrary: bool) -> VppDoctor {
    let finding = |severity: &str, subject: &str, seen: &str, remedy: &str| VppDoctorFinding {
        severity: severity.into(),
        subject: subject.into(),
        seen: seen.into(),
        remedy: remedy.into(),
    };
    let mut findings = vec![
        finding("warning", "MTU of eth0 (gre4)", "1500, of which GRE takes 24", "advertise less"),
        finding("ok", "VPP", "26.10 is connected", ""),
    ];
    if contrary {
        let (subject, seen) = ("VIP 192.0.2.80/32 (web)", "it is an address of loop0\x1b[2J");
        findings.insert(0, finding("fault", subject, seen, "take it off loop0"));
    }
    VppDoctor { findings }
}
