//! How long a thread may run before another has its turn.

use std::io;
use std::time::Duration;

/// What the kernel gives by itself: some milliseconds.
pub const USUAL: Duration = Duration::ZERO;
/// The shortest that the kernel gives.
pub const SHORTEST: Duration = Duration::from_micros(100);

/// Asks for slices of this length for the present thread, if the kernel schedules
/// it as it does most. A thread that wakes need not wait for the rest of a longer
/// slice of whoever runs. Kernels before Linux 6.12 take no notice.
///
/// # Errors
/// The system does not let it.
pub fn ask_for(slice: Duration) -> io::Result<()> {
    let mut attributes = attributes()?;
    if attributes.sched_policy != libc::SCHED_OTHER.cast_unsigned() {
        return Ok(());
    }
    attributes.sched_runtime = u64::try_from(slice.as_nanos()).unwrap_or(u64::MAX);
    set(&attributes)
}

const THIS_THREAD: libc::pid_t = 0;
const NO_FLAGS: libc::c_uint = 0;
/// Of `sched_attr` as Linux has had it from the first; later kernels take it too.
const SIZE: libc::c_uint = 48;

#[expect(unsafe_code, reason = "neither std nor rustix knows sched_getattr(2)")]
fn attributes() -> io::Result<libc::sched_attr> {
    const { assert!(size_of::<libc::sched_attr>() == SIZE as usize) };
    // SAFETY: it is a struct of integers.
    let mut attributes: libc::sched_attr = unsafe { std::mem::zeroed() };
    let to = &raw mut attributes;
    // SAFETY: the kernel writes `SIZE` bytes, which are all of it.
    let status = unsafe { libc::syscall(libc::SYS_sched_getattr, THIS_THREAD, to, SIZE, NO_FLAGS) };
    if status == 0 { Ok(attributes) } else { Err(io::Error::last_os_error()) }
}

#[expect(unsafe_code, reason = "neither std nor rustix knows sched_setattr(2)")]
fn set(attributes: &libc::sched_attr) -> io::Result<()> {
    let from = &raw const *attributes;
    // SAFETY: the kernel reads as many bytes as the struct says, which are its own.
    let status = unsafe { libc::syscall(libc::SYS_sched_setattr, THIS_THREAD, from, NO_FLAGS) };
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_is_as_long_as_it_was_asked_for_where_the_kernel_heeds_it() {
        let usual = attributes().unwrap().sched_runtime;
        ask_for(SHORTEST).unwrap();
        // Earlier kernels tell of none.
        let expected = if usual == 0 { 0 } else { 100_000 };
        assert_eq!(attributes().unwrap().sched_runtime, expected);
        ask_for(USUAL).unwrap();
        assert_eq!(attributes().unwrap().sched_runtime, usual);
    }
}
