//! Who may do what: every RPC, by every role, over every way in; and the audit of all that
//! changes something.

mod audit;
mod calls;
mod clients;
mod denials;
mod foreign;
mod identity;
mod packaged;
mod reload;
mod table;
