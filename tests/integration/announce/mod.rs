//! The drivers that announce VIPs through routing daemons: against daemons that the
//! tests play, and, as root, against real ones in namespaces of the test's own.

mod bird_control;
mod bird_files;
mod command;
mod daemon;
mod decided;
mod fake_bird;
mod fake_gobgp;
mod frr;
mod gobgp;
mod gobgp_api;
mod kernel_table;
mod leaving;
mod netlink_bird;
mod orders;
mod sites;
mod support;
mod times;
