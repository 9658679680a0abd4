//! Tests who is asked, and what follows.
