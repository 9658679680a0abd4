//! How memory that is given back is used again.

/// Has the C library keep less for itself. By default each thread has memory of
/// its own, up to eight times the number of cores, and what one of them gave
/// back serves no other: with every reload and every scrape that falls to
/// another thread, the daemon grows by all that took. Large pieces also go back
/// to the system at once, whatever was asked for before.
#[cfg(target_env = "gnu")]
#[expect(unsafe_code, reason = "nothing that is safe reaches mallopt(3)")]
pub fn share_between_threads() {
    const LARGE: libc::c_int = 256 << 10;
    // SAFETY: it takes two numbers, and no other thread runs yet. What is
    // refused stays as it was.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 2);
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
    }
}

/// Other C libraries share memory between threads as it is.
#[cfg(not(target_env = "gnu"))]
pub fn share_between_threads() {}
