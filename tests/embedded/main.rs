//! One list of scenarios, run on the embedded dataplane and, where
//! `MAGLEV_TEST_VPP_API` and `MAGLEV_TEST_VPP_STATS` name the sockets of a real
//! VPP, on that one. Nothing else may use that VPP meanwhile: the
//! global settings are changed, and the list ends with what it found there.
//!
//! A test program of its own: against a real VPP it must run in one thread, and
//! with nothing beside it (`--test-threads=1`).

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop where it fails")]

mod client;
mod control;
mod fib;
mod legacy;
mod random;
mod scenario;
mod servers;
mod stats;
mod tables;
mod transport;
mod vips;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use client::VppClient;
use legacy::tables as legacy_tables;
use scenario::Scenario;
use vpp_maglev::vpp::embedded::plugin::PluginApi;
use vpp_maglev::vpp::embedded::{Embedded, EmbeddedOptions};
use vpp_maglev::vpp::wire::LbConfGet;

type Entry = (&'static str, fn(&mut Scenario));

macro_rules! scenarios {
    ($($module:ident: $($name:ident)*;)*) => {
        &[$($((concat!(stringify!($module), "::", stringify!($name)), $module::$name)),*),*]
    };
}

const SCENARIOS: &[Entry] = scenarios! {
    transport:
        the_handshake_names_every_message_that_we_use
        a_second_handshake_gives_the_same_index_and_table
        a_frame_in_pieces_is_put_together
        the_header_beside_the_length_is_not_looked_at
        many_frames_in_one_write_are_answered_in_order
        bytes_after_a_message_are_ignored
        a_truncated_message_gets_no_answer
        an_unknown_id_gets_no_answer
        a_keepalive_gets_no_answer
        before_the_handshake_nothing_is_answered
        the_client_index_decides_who_gets_the_answer
        a_foreign_client_index_is_obeyed_without_an_answer
        leaving_in_words_is_answered_and_closes
        leaving_for_nobody_is_refused
        a_full_buffer_hides_the_clients_that_leave_without_a_word
        the_version_is_told_twice_and_alike
        an_unknown_command_is_refused_in_words
        spaces_and_unknown_words_after_vips_do_not_matter;
    vips:
        a_vip_is_listed_as_it_was_added
        a_vip_twice_exists
        an_all_port_vip_excludes_per_port_vips
        a_per_port_vip_excludes_an_all_port_vip
        the_ports_of_a_prefix_share_an_encapsulation
        a_shorter_prefix_is_another_prefix
        a_table_length_is_a_power_of_two
        a_table_length_shows_sixteen_bits
        host_bits_are_cleared_everywhere
        port_zero_makes_every_protocol_255
        protocols_are_not_checked
        both_families_take_both_gre_encapsulations
        an_ipv4_vip_refuses_nat6_and_unknown_encapsulations
        an_ipv6_vip_turns_what_it_does_not_know_into_gre6
        l3dsr_keeps_six_bits_of_dscp
        nat_remembers_its_target_port
        a_missing_vip_cannot_be_deleted
        a_deleted_vip_is_not_listed_and_can_be_added_at_once
        the_vip_dump_ignores_its_filter
        ipv6_inside_the_first_96_bits_counts_as_ipv4
        the_first_version_of_the_message_adds_too
        stickiness_shows_in_the_cli_alone;
    servers:
        a_server_is_listed_as_it_was_added
        a_server_needs_its_vip
        a_server_twice_exists
        the_encapsulation_decides_the_servers_family
        the_address_of_no_server_is_one
        a_server_of_no_family_is_refused
        a_weight_is_set_and_set_again
        weights_past_100_are_used_as_given
        an_unknown_server_is_no_entry
        a_removed_server_stays_in_the_dump_without_its_flag
        a_removed_server_can_be_removed_but_not_weighed
        a_removed_server_is_revived_in_its_row
        the_servers_of_a_deleted_vip_stay_beside_the_new_ones
        an_ipv4_vip_is_found_by_the_last_four_bytes_only
        an_ipv6_vip_is_found_whatever_the_length_says
        an_all_port_vip_is_found_with_protocol_255
        the_zero_address_asks_for_all_whatever_else_it_says
        the_first_version_of_the_messages_weighs_100
        a_flush_of_a_vip_is_answered_with_zero
        the_object_that_the_verbose_text_names_counts_packets
        the_verbose_text_lists_a_vip_with_its_servers
        the_settings_are_read_as_they_were_written
        all_ones_keep_the_numbers_and_nothing_keeps_the_addresses
        sticky_buckets_are_a_power_of_two_or_none;
    tables:
        shares_are_those_of_the_model
        buckets_of_random_configurations_are_those_of_the_model;
    fib:
        a_vip_has_an_entry_of_lb_as_long_as_it_is_there
        an_address_of_an_interface_goes_before_a_vip
        a_server_is_reached_through_the_interface_of_its_network
        without_a_route_a_path_drops
        an_interface_is_listed_alone_with_its_mtu
        lb_and_interfaces_are_sources_by_name
        only_table_0_is_there;
    stats:
        the_segment_tells_of_the_process
        a_vip_has_counters_at_its_slot
        a_new_vip_does_not_disturb_an_old_map;
};

/// The list for lb.api 1.1.0.
const LEGACY_SCENARIOS: &[Entry] = scenarios! {
    transport:
        a_second_handshake_gives_the_same_index_and_table
        a_frame_in_pieces_is_put_together
        the_header_beside_the_length_is_not_looked_at
        bytes_after_a_message_are_ignored
        an_unknown_id_gets_no_answer
        before_the_handshake_nothing_is_answered
        leaving_in_words_is_answered_and_closes
        leaving_for_nobody_is_refused
        a_full_buffer_hides_the_clients_that_leave_without_a_word
        the_version_is_told_twice_and_alike
        an_unknown_command_is_refused_in_words;
    legacy:
        the_message_table_lacks_what_came_later
        a_vip_is_listed_by_the_cli_and_badly_by_the_dump
        later_bytes_make_another_vip
        a_gre6_vip_of_later_bytes_is_refused_or_an_ipv6_one
        a_vip_twice_exists
        all_ports_and_one_port_exclude_each_other
        the_ports_of_a_prefix_share_an_encapsulation
        a_table_length_is_a_power_of_two
        lengths_of_no_prefix_are_accepted
        host_bits_are_cleared
        a_missing_vip_cannot_be_deleted
        a_deleted_vip_stays_in_the_dump_and_is_marked_in_the_text
        a_vip_that_comes_back_has_a_slot_of_its_own
        the_first_version_adds_too
        stickiness_shows_in_the_verbose_text_alone
        the_brief_text_needs_a_word_more
        a_server_has_a_row_without_protocol_and_weight
        a_server_twice_exists
        a_server_needs_its_vip
        the_encapsulation_decides_the_servers_family
        a_removed_server_keeps_its_row
        a_removed_server_can_be_removed_again
        a_removed_server_is_revived
        a_flush_with_an_add_is_ignored
        servers_get_equal_shares
        an_ipv4_vip_is_asked_for_by_its_last_four_bytes
        a_port_is_asked_for_in_the_order_of_the_host
        vips_of_other_lengths_answer_too
        tcp_and_udp_rows_look_alike
        the_zero_address_asks_for_all
        a_flush_takes_the_last_four_bytes
        settings_are_told_in_part
        settings_of_three_buckets_are_refused
        a_line_of_several_servers_is_all_or_nothing
        a_line_names_a_server_twice
        lines_that_fail_say_why
        a_line_without_a_port_is_of_all_ports
        the_line_of_the_address_alone_keeps_the_rest
        removed_servers_do_not_go_by_themselves;
    legacy_tables:
        buckets_of_random_memberships_are_those_of_the_model;
    fib:
        a_vip_has_an_entry_of_lb_as_long_as_it_is_there
        an_address_of_an_interface_goes_before_a_vip
        without_a_route_a_path_drops
        an_interface_is_listed_alone_with_its_mtu
        lb_and_interfaces_are_sources_by_name
        only_table_0_is_there;
    stats:
        the_segment_tells_of_the_process
        a_vip_has_counters_at_its_slot
        a_new_vip_does_not_disturb_an_old_map;
};

/// The real VPP's sockets, if there is one.
fn real_vpp() -> Option<(PathBuf, PathBuf)> {
    let path = |name| std::env::var_os(name).filter(|path| !path.is_empty()).map(PathBuf::from);
    Some((path("MAGLEV_TEST_VPP_API")?, path("MAGLEV_TEST_VPP_STATS")?))
}

/// Runs the whole list for the version of lb.api that the VPP has, and says at the end
/// what failed.
fn run(api: &Path, stats: &Path, whom: &str) {
    let mut failed = Vec::new();
    let scenarios = if is_legacy(api) { LEGACY_SCENARIOS } else { SCENARIOS };
    for (name, run) in scenarios {
        let mut scenario = Scenario::new(api, stats);
        match catch_unwind(AssertUnwindSafe(|| run(&mut scenario))) {
            Ok(()) => println!("{whom}: {name} ok"),
            Err(_) => failed.push(*name),
        }
        scenario.end();
    }
    println!("{whom}: {} of {} scenarios passed", scenarios.len() - failed.len(), scenarios.len());
    assert!(failed.is_empty(), "{whom}: {failed:#?}");
}

/// Whether a VPP has lb.api 1.1.0.
fn is_legacy(api: &Path) -> bool {
    let client = VppClient::connect(api, "which");
    let is_legacy = client.table.id_of::<LbConfGet>().is_none();
    client.leave();
    is_legacy
}

#[test]
fn scenarios_on_the_embedded_dataplane() {
    let vpp = Embedded::start_private(EmbeddedOptions::default()).unwrap();
    run(vpp.api_path(), vpp.stats_path(), "embedded");
}

#[test]
fn scenarios_of_1_1_0_on_the_embedded_dataplane() {
    let options = EmbeddedOptions { api: PluginApi::V1_1, ..EmbeddedOptions::default() };
    let vpp = Embedded::start_private(options).unwrap();
    assert!(is_legacy(vpp.api_path()));
    run(vpp.api_path(), vpp.stats_path(), "embedded 1.1.0");
}

#[test]
fn scenarios_on_a_real_vpp() {
    match real_vpp() {
        Some((api, stats)) => run(&api, &stats, "real"),
        None => println!("skipped: MAGLEV_TEST_VPP_API and MAGLEV_TEST_VPP_STATS are not set"),
    }
}
