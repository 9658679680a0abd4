//! What the fake daemon's doctor finds, and whom it takes callers for.

use vpp_maglev::pb::{CallerIdentity, VppDoctor, VppDoctorFinding};

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

pub(super) fn identity(contrary: bool) -> CallerIdentity {
    let listener = String::from("unix:/run/vpp-maglev/maglevd.sock");
    if contrary {
        return CallerIdentity {
            who: "192.0.2.1:4711".into(),
            role: "none".into(),
            reason: "listener".into(),
            explanation: "nothing in a rights file names the caller\x1b[2J".into(),
            listener: "192.0.2.9:9090".into(),
            listener_role: "none".into(),
            ..CallerIdentity::default()
        };
    }
    CallerIdentity {
        name: "alice".into(),
        who: "alice uid 1000 pid 4712".into(),
        role: "operator".into(),
        reason: "user".into(),
        explanation: "rights.alice of the rights file, by user 1000".into(),
        listener,
        listener_role: "viewer".into(),
        proved: ["user 1000", "group 1000", "group 50"].map(String::from).to_vec(),
        rights_file: true,
        version: "1.2.3".into(),
        now_unix_ns: super::data::NOW_NS,
    }
}
