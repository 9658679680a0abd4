//! Measures how much memory a piece of code holds at most, so that an oracle
//! finds a length of the peer's choosing that was trusted.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    /// Bytes held by this thread since [`peak`] was called, and the most of it.
    static HELD: Cell<(isize, isize)> = const { Cell::new((0, 0)) };
}

/// The most bytes that `work` held at one time, beyond what was held before.
pub fn peak<T>(work: impl FnOnce() -> T) -> (T, usize) {
    HELD.set((0, 0));
    let result = work();
    (result, HELD.get().1.unsigned_abs())
}

fn note(change: isize) {
    // A thread that ends has no counter any more, and needs none.
    let _ = HELD.try_with(|held| {
        let now = held.get().0.wrapping_add(change);
        held.set((now, held.get().1.max(now)));
    });
}

/// The system's allocator, with a counter for each thread.
struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

// SAFETY: every call goes to the system's allocator as it came; counting
// touches no memory that is allocated.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size().cast_signed());
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note(layout.size().cast_signed());
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        note(-layout.size().cast_signed());
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size.cast_signed() - layout.size().cast_signed());
        unsafe { System.realloc(memory, layout, size) }
    }
}
