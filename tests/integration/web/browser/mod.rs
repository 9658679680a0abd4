//! The page in a real browser, from daemons that probe and programme a dataplane through
//! maglev-web to what is read and pressed. Without Chromium and its driver the tests say
//! that they skip; `MAGLEV_TEST_CHROMIUM` makes that a failure.

mod actions;
mod bed;
mod functions;
mod live;
mod login;
mod page;
mod picture;
mod proxy;
mod scale;
mod users;
mod views;
mod webdriver;
