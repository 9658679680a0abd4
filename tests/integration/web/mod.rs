//! maglev-web.

mod browser;
