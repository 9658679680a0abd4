//! Settings of the C library's allocator.

/// Makes threads share the allocator's arenas. By default each thread has one of
/// its own, up to eight times the number of cores, and memory that was freed in one
/// is not used by another: the daemon would grow with every reload and every scrape
/// on another thread. Large blocks also go back to the system when they are freed;
/// by default the threshold for that grows with the largest block.
#[cfg(target_env = "gnu")]
#[expect(unsafe_code, reason = "nothing that is safe reaches mallopt(3)")]
pub fn share_between_threads() {
    const LARGE: libc::c_int = 256 << 10;
    // SAFETY: it takes two numbers, and no other thread runs yet. A call that
    // fails changes nothing.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, 2);
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
    }
}

/// Other C libraries share memory between threads by default.
#[cfg(not(target_env = "gnu"))]
pub fn share_between_threads() {}
