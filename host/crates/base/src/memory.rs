//! What the C library does with memory that is given back.

/// Blocks from this size on go back to the system as soon as they are free, in bytes.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const LARGE: libc::c_int = 1 << 20;

/// Free memory that a heap keeps at its end, in bytes: some documents' worth. With 128 KiB, the default, each document
/// that was served would give its memory back and the next one ask for it again, page by page.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT: libc::c_int = 2 << 20;

/// Makes large blocks go back to the system when they are free. glibc stops doing that for blocks up to 32 MiB
/// after the first one was freed (mallopt(3), `M_MMAP_THRESHOLD`), and each of its arenas then keeps a document's
/// worth of memory. Other C libraries don't; there this does nothing. To be called before a second thread runs.
pub fn give_back_large_blocks() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    for (setting, bytes) in [(libc::M_MMAP_THRESHOLD, LARGE), (libc::M_TRIM_THRESHOLD, KEPT)] {
        // SAFETY: mallopt reads two numbers and no memory of ours; it must not race with itself, which the one
        // thread that runs sees to. A refusal leaves the setting as it was.
        let _ = unsafe { libc::mallopt(setting, bytes) };
    }
}
