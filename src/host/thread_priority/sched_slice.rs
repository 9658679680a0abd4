//! The time slice of a thread: how long it runs before another gets the core.

use std::io;
use std::time::Duration;

/// The kernel's default: some milliseconds.
pub(super) const DEFAULT: Duration = Duration::ZERO;
/// The shortest slice that the kernel grants.
pub(super) const SHORTEST: Duration = Duration::from_micros(100);

/// Sets the slice of the calling thread, if it has the default scheduling policy. A
/// thread with a short slice that wakes does not wait for the end of a longer slice
/// of another. Kernels before Linux 6.12 ignore it.
///
/// # Errors
/// The system refuses it.
pub(super) fn set_slice(slice: Duration) -> io::Result<()> {
    let mut attributes = attributes()?;
    if attributes.sched_policy != libc::SCHED_OTHER.cast_unsigned() {
        return Ok(());
    }
    attributes.sched_runtime = u64::try_from(slice.as_nanos()).unwrap_or(u64::MAX);
    set(&attributes)
}

const THIS_THREAD: libc::pid_t = 0;
const NO_FLAGS: libc::c_uint = 0;
/// The first version of `sched_attr`, which later kernels accept as well.
const SIZE: libc::c_uint = 48;

#[expect(unsafe_code, reason = "neither std nor rustix knows sched_getattr(2)")]
fn attributes() -> io::Result<libc::sched_attr> {
    const { assert!(size_of::<libc::sched_attr>() == SIZE as usize) };
    // SAFETY: it is a struct of integers.
    let mut attributes: libc::sched_attr = unsafe { std::mem::zeroed() };
    let to = &raw mut attributes;
    // SAFETY: the kernel writes `SIZE` bytes, the whole struct.
    let status = unsafe { libc::syscall(libc::SYS_sched_getattr, THIS_THREAD, to, SIZE, NO_FLAGS) };
    if status == 0 { Ok(attributes) } else { Err(io::Error::last_os_error()) }
}

#[expect(unsafe_code, reason = "neither std nor rustix knows sched_setattr(2)")]
fn set(attributes: &libc::sched_attr) -> io::Result<()> {
    let from = &raw const *attributes;
    // SAFETY: the kernel reads as many bytes as the struct's `size` says.
    let status = unsafe { libc::syscall(libc::SYS_sched_setattr, THIS_THREAD, from, NO_FLAGS) };
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_has_the_slice_that_was_set() {
        let usual = attributes().unwrap().sched_runtime;
        set_slice(SHORTEST).unwrap();
        // Earlier kernels return 0.
        let expected = if usual == 0 { 0 } else { 100_000 };
        assert_eq!(attributes().unwrap().sched_runtime, expected);
        set_slice(DEFAULT).unwrap();
        assert_eq!(attributes().unwrap().sched_runtime, usual);
    }
}
