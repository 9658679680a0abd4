//! Frames, the handshake, routing, silence and the CLI.

use vpp_maglev::vpp::embedded::legacy::MemclntKeepalive;
use vpp_maglev::vpp::wire::*;

use crate::client::*;
use crate::scenario::Scenario;

pub(crate) fn the_handshake_names_every_message_that_we_use(scenario: &mut Scenario) {
    let table = &scenario.client.table;
    assert_ne!(scenario.client.index & 1 << 31, 0);
    assert_eq!(table.id_of::<SockclntCreate>(), Some(15));
    assert_eq!(table.id_of::<SockclntDelete>(), Some(17));
    for id in [
        table.id_of::<ControlPing>(),
        table.id_of::<ShowVersion>(),
        table.id_of::<CliInband>(),
        table.id_of::<LbConfSet>(),
        table.id_of::<LbConfGet>(),
        table.id_of::<LbAddDelVipV2>(),
        table.id_of::<LbAddDelAsV2>(),
        table.id_of::<LbAsSetWeight>(),
        table.id_of::<LbVipDetails>(),
        table.id_of::<LbAsV2Details>(),
        table.id_of::<IpRouteLookupV2>(),
        table.id_of::<FibSourceDump>(),
        table.id_of::<SwInterfaceDump>(),
    ] {
        assert!(id.is_some());
    }
}

pub(crate) fn a_second_handshake_gives_the_same_index_and_table(scenario: &mut Scenario) {
    let (table, index) = (scenario.client.table.clone(), scenario.client.index);
    let again = scenario.client.introduce("again");
    assert_eq!((again.table, again.index), (table, index));
}

pub(crate) fn a_frame_in_pieces_is_put_together(scenario: &mut Scenario) {
    let (context, frame) = scenario.client.frame(&ControlPing);
    for byte in frame {
        scenario.client.raw(&[byte]);
    }
    let reply = scenario.client.reply::<ControlPingReply>(context);
    // VPPs of the time of lb.api 1.1.0 leave that field as it was in their memory.
    assert!(scenario.is_legacy || reply.client_index == scenario.client.index);
}

pub(crate) fn the_header_beside_the_length_is_not_looked_at(scenario: &mut Scenario) {
    let (context, mut frame) = scenario.client.frame(&ControlPing);
    frame[..8].fill(0x5a);
    frame[12..16].fill(0xff);
    scenario.client.raw(&frame);
    scenario.client.reply::<ControlPingReply>(context);
}

pub(crate) fn many_frames_in_one_write_are_answered_in_order(scenario: &mut Scenario) {
    let (mut out, mut contexts) = (Vec::new(), Vec::new());
    for _ in 0..100 {
        let (context, frame) = scenario.client.frame(&LbConfGet);
        out.extend(frame);
        contexts.push(context);
    }
    scenario.client.raw(&out);
    for context in contexts {
        assert_eq!(scenario.client.reply::<LbConfGetReply>(context).retval, 0);
    }
}

pub(crate) fn bytes_after_a_message_are_ignored(scenario: &mut Scenario) {
    let (context, mut frame) = scenario.client.frame(&ControlPing);
    frame.extend([1, 2, 3]);
    frame[11] += 3;
    scenario.client.raw(&frame);
    scenario.client.reply::<ControlPingReply>(context);
}

pub(crate) fn a_truncated_message_gets_no_answer(scenario: &mut Scenario) {
    let key = vip(&scenario.v4(1, 32), 6, 80);
    let (_, mut frame) = scenario.client.frame(&add_vip(key, 0));
    frame.truncate(frame.len() - 1);
    frame[11] -= 1;
    scenario.client.raw(&frame);
    assert!(scenario.client.is_silent());
    assert!(scenario.vips().is_empty());
}

pub(crate) fn an_unknown_id_gets_no_answer(scenario: &mut Scenario) {
    for id in [0_u16, 65535] {
        let (_, mut frame) = scenario.client.frame(&ControlPing);
        frame[16..18].copy_from_slice(&id.to_be_bytes());
        scenario.client.raw(&frame);
    }
    assert!(scenario.client.is_silent());
}

pub(crate) fn a_keepalive_gets_no_answer(scenario: &mut Scenario) {
    scenario.client.send(&MemclntKeepalive);
    assert!(scenario.client.is_silent());
}

pub(crate) fn before_the_handshake_nothing_is_answered(scenario: &mut Scenario) {
    let mut late = VppClient::open(&scenario.api);
    late.table = scenario.client.table.clone();
    late.send(&ControlPing);
    late.introduce("late");
    assert!(late.is_silent());
    late.leave();
}

pub(crate) fn the_client_index_decides_who_gets_the_answer(scenario: &mut Scenario) {
    let mut other = VppClient::connect(&scenario.api, "other");
    let (ours, theirs) = (scenario.client.index, other.index);
    scenario.client.index = theirs;
    let context = scenario.client.send(&ControlPing);
    scenario.client.index = ours;
    assert_eq!(other.reply::<ControlPingReply>(context).client_index, theirs);
    assert!(scenario.client.is_silent());
    other.leave();
}

pub(crate) fn a_foreign_client_index_is_obeyed_without_an_answer(scenario: &mut Scenario) {
    let key = vip(&scenario.v4(1, 32), 6, 80);
    let ours = scenario.client.index;
    for (index, change) in [(0, add_vip(key, 0)), (u32::MAX, del_vip(key))] {
        scenario.client.index = index;
        scenario.client.send(&change);
        scenario.client.send(&LbVipDump::ALL);
        scenario.client.index = ours;
        assert!(scenario.client.is_silent());
        assert_eq!(scenario.vips().len(), usize::from(index == 0));
    }
}

pub(crate) fn leaving_in_words_is_answered_and_closes(scenario: &mut Scenario) {
    let client = VppClient::connect(&scenario.api, "leaver-in-words");
    assert!(scenario.client.cli("show api clients").1.contains(" leaver-in-words "));
    client.leave();
    assert!(!scenario.client.cli("show api clients").1.contains("leaver-in-words"));
}

pub(crate) fn leaving_for_nobody_is_refused(scenario: &mut Scenario) {
    let nobody = SockclntDelete { index: 0x8000_4000 };
    assert_eq!(scenario.client.call(&nobody).response, -1);
    assert!(scenario.client.is_silent());
}

/// Ends with the cure, so that the VPP is as good as new.
pub(crate) fn a_full_buffer_hides_the_clients_that_leave_without_a_word(scenario: &mut Scenario) {
    let mut sleeper = VppClient::connect(&scenario.api, "sleeper");
    // More than any send buffer's worth of answers, none of which is read.
    let (_, frame) = sleeper.frame(&ShowVersion);
    sleeper.raw(&frame.repeat(2000));
    scenario.client.is_silent();
    drop(VppClient::connect(&scenario.api, "deserter"));
    let listed = scenario.client.cli("show api clients").1;
    assert!(listed.contains(" deserter "), "{listed}");
    assert_eq!(scenario.client.cli("exec /nonexistent/script").0, -1);
    // What was queued for the sleeper may arm the trap again, until it is read.
    for _ in 0..2000 {
        sleeper.body().unwrap();
    }
    assert_eq!(scenario.client.cli("exec /nonexistent/script").0, -1);
    let mut listed = String::new();
    for _ in 0..1000 {
        listed = scenario.client.cli("show api clients").1;
        if !listed.contains("deserter") {
            break;
        }
    }
    assert!(!listed.contains("deserter"), "{listed}");
    sleeper.leave();
}

pub(crate) fn the_version_is_told_twice_and_alike(scenario: &mut Scenario) {
    let version = scenario.client.call(&ShowVersion);
    assert_eq!(version.program.to_string(), "vpe");
    let (code, text) = scenario.client.cli("show version");
    assert_eq!(code, 0);
    let start = format!("vpp v{} built by ", version.version);
    assert!(text.starts_with(&start), "{text}");
    assert!(text.ends_with(&format!(" at {}\n", version.build_date)), "{text}");
}

pub(crate) fn an_unknown_command_is_refused_in_words(scenario: &mut Scenario) {
    let cases = [
        ("nonsense", "unknown input `nonsense'\n"),
        ("", "unknown input `'\n"),
        ("show", "show: unknown input `'\n"),
        ("show lbx", "show: unknown input `lbx'\n"),
        ("exec", "exec: expecting file name, got `'\n"),
        ("exec /nonexistent", "exec: failed to open `/nonexistent': No such file or directory\n"),
    ];
    for (command, answer) in cases {
        assert_eq!(scenario.client.cli(command), (-1, answer.to_owned()), "{command}");
    }
}

pub(crate) fn spaces_and_unknown_words_after_vips_do_not_matter(scenario: &mut Scenario) {
    scenario.vip();
    let plain = "show lb vips";
    let listings = [plain, "show  lb  vips bogus", plain].map(|line| scenario.client.cli(line));
    // VIPs that were removed go from the list once, before it or after it.
    let [before, odd, after] = &listings;
    assert!(odd == before || odd == after, "{listings:?}");
}
