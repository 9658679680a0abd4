//! What the diagnosis of VPP finds, and that frontends are warned of it.

use crate::support::{Dataplane, TestBed, VIP4};
use serde_json::Value;
use tonic::transport::Channel;
use vpp_maglev::pb::maglev_client::MaglevClient;
use vpp_maglev::pb::{GetFrontendRequest, GetVppDoctorRequest};
use vpp_maglev::vpp::embedded::EmbeddedOptions;

fn run(dataplane: &Dataplane, line: &str) {
    let (retval, text) = dataplane.control.cli(line).unwrap();
    assert_eq!(retval, 0, "{line}: {text}");
}

/// Severity and subject of all that is not in order, and what is seen of each.
async fn wrong(client: &mut MaglevClient<Channel>) -> Vec<(String, String)> {
    let doctor = client.get_vpp_doctor(GetVppDoctorRequest {}).await.unwrap().into_inner();
    let findings = doctor.findings.into_iter().filter(|finding| finding.severity != "ok");
    findings
        .map(|finding| {
            assert!(!finding.remedy.is_empty(), "{finding:?}");
            (format!("{} {}", finding.severity, finding.subject), finding.seen)
        })
        .collect()
}

fn subjects(wrong: &[(String, String)]) -> Vec<&str> {
    wrong.iter().map(|(subject, _)| subject.as_str()).collect()
}

async fn warnings(client: &mut MaglevClient<Channel>, name: &str) -> Vec<String> {
    let request = GetFrontendRequest { name: name.into() };
    client.get_frontend(request).await.unwrap().into_inner().warnings
}

#[tokio::test]
async fn a_vip_on_an_interface_and_a_small_mtu_are_found_and_told() {
    let mut bed = TestBed::new(&["a"]).pools(&["a"]);
    let dataplane = bed.dataplane();
    run(&dataplane, "create loopback interface");
    run(&dataplane, "set interface ip address loop0 127.0.0.1/8");
    let daemon = bed.start_with(&["--vpp-stats-addr", ""]).await;
    dataplane.until_both("a=100").await;
    let mut client = daemon.client().await;
    let well = wrong(&mut client).await;
    assert_eq!(well, []);
    assert_eq!(warnings(&mut client, "v4").await, [""; 0]);

    run(&dataplane, &format!("set interface ip address loop0 {VIP4}/32"));
    run(&dataplane, "set interface mtu packet 1400 loop0");
    let ill = wrong(&mut client).await;
    let vip = format!("fault VIP {VIP4}/32 (v4)");
    assert_eq!(subjects(&ill), [vip.as_str(), "fault MTU of loop0 (gre4)"]);
    assert!(ill[0].1.contains("loop0") && ill[1].1.contains("1400"), "{ill:?}");
    let told = warnings(&mut client, "v4").await;
    assert!(told[0].contains("loop0") && told[0].contains("ip address del"), "{told:?}");
    assert_eq!(warnings(&mut client, "v6").await, [""; 0]);

    run(&dataplane, &format!("set interface ip address del loop0 {VIP4}/32"));
    run(&dataplane, "set interface mtu packet 1544 loop0");
    assert_eq!(wrong(&mut client).await, []);
    assert_eq!(warnings(&mut client, "v4").await, [""; 0]);
}

#[tokio::test]
async fn a_frontend_is_warned_although_nobody_asked_the_doctor() {
    let mut bed = TestBed::new(&["a"]).pools(&["a"]);
    let dataplane = bed.dataplane();
    run(&dataplane, "create loopback interface");
    run(&dataplane, &format!("set interface ip address loop0 {VIP4}/32"));
    let mut daemon = bed.start().await;
    dataplane.until_both("a=100").await;
    daemon.logged("vip-not-reached: its packets do not reach lb").await;
    let mut client = daemon.client().await;
    assert!(warnings(&mut client, "v4").await[0].contains("loop0"));
}

#[tokio::test]
async fn a_vpp_without_the_plugin_is_one_fault() {
    let mut bed = TestBed::new(&["a"]).pools(&["a"]);
    let without = vec![
        "lb_conf",
        "lb_conf_reply",
        "lb_conf_get",
        "lb_conf_get_reply",
        "lb_add_del_vip_v2",
        "lb_add_del_vip_v2_reply",
        "lb_add_del_as_v2",
        "lb_add_del_as_v2_reply",
        "lb_as_set_weight",
        "lb_as_set_weight_reply",
        "lb_vip_dump",
        "lb_vip_details",
        "lb_as_v2_dump",
        "lb_as_v2_details",
    ];
    let dataplane = bed.dataplane_with(EmbeddedOptions { without, ..EmbeddedOptions::default() });
    run(&dataplane, "create loopback interface");
    run(&dataplane, "set interface ip address loop0 127.0.0.1/8");
    let mut daemon = bed.start_with(&["--vpp-stats-addr", ""]).await;
    let is_missing = |record: &Value| {
        record["msg"].as_str().is_some_and(|msg| msg.starts_with("vpp-messages-missing"))
    };
    daemon.logged_as("missing messages", is_missing).await;
    let found = wrong(&mut daemon.client().await).await;
    assert_eq!(subjects(&found), ["fault lb plugin"]);
    assert!(found[0].1.contains("not loaded"), "{found:?}");
}

#[tokio::test]
async fn without_a_vpp_that_and_its_socket_is_found() {
    let bed = TestBed::new(&[]);
    let api = bed.dir().join("nowhere.sock");
    let bed = bed.vpp(api.to_str().unwrap());
    let daemon = bed.start_with(&["--vpp-stats-addr", ""]).await;
    let found = wrong(&mut daemon.client().await).await;
    let socket = format!("fault API socket {}", api.display());
    assert_eq!(subjects(&found), ["fault VPP", socket.as_str()]);
}
