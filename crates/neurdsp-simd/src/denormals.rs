//! Flush-to-zero for the duration of a scope.

use std::marker::PhantomData;

/// While it lives, this thread reads and writes denormal numbers as zero; dropping it restores the previous setting.
///
/// A decaying tail ends in numbers below 1.2e-38, on which x86 takes a slow path of a hundred cycles or more for each
/// operation: a silent amp would cost more than one that is playing. A host may or may not have set the mode, and may
/// rely on its own setting, hence a guard. It touches one control register, so it may be used on the audio thread. On other
/// architectures it does nothing.
///
/// # Examples
///
/// ```
/// use neurdsp_simd::FlushDenormals;
///
/// let guard = FlushDenormals::new();
/// // … process audio …
/// drop(guard);
/// ```
#[derive(Debug)]
#[must_use = "the mode is restored when the guard is dropped"]
pub struct FlushDenormals {
    #[cfg(target_arch = "x86_64")]
    previous: u32,
    // The control register belongs to the thread, so the guard must not leave it.
    not_send: PhantomData<*const ()>,
}

/// Flush-to-zero and denormals-are-zero in the MXCSR register.
#[cfg(target_arch = "x86_64")]
const FLUSH: u32 = 0x8040;

#[cfg(target_arch = "x86_64")]
fn read_mxcsr() -> u32 {
    let mut value = 0u32;
    // SAFETY: stores the control register, which every x86-64 has, into a local.
    unsafe { std::arch::asm!("stmxcsr [{}]", in(reg) &raw mut value, options(nostack, preserves_flags)) };
    value
}

#[cfg(target_arch = "x86_64")]
fn write_mxcsr(value: u32) {
    // SAFETY: the value was read from the register and differs at most in two defined bits, which change no exception mask.
    unsafe { std::arch::asm!("ldmxcsr [{}]", in(reg) &raw const value, options(nostack, preserves_flags)) };
}

impl FlushDenormals {
    /// Switches the mode on for this thread.
    #[allow(clippy::new_without_default)]
    pub fn new() -> FlushDenormals {
        #[cfg(target_arch = "x86_64")]
        {
            let previous = read_mxcsr();
            write_mxcsr(previous | FLUSH);
            FlushDenormals { previous, not_send: PhantomData }
        }
        #[cfg(not(target_arch = "x86_64"))]
        FlushDenormals { not_send: PhantomData }
    }
}

#[cfg(target_arch = "x86_64")]
impl Drop for FlushDenormals {
    fn drop(&mut self) {
        write_mxcsr(self.previous);
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::{FlushDenormals, read_mxcsr};
    use std::hint::black_box;

    #[test]
    fn denormals_vanish_inside_and_return_outside() {
        let before = read_mxcsr();
        let (tiny, half) = (f32::MIN_POSITIVE, 0.5f32);
        {
            let _outer = FlushDenormals::new();
            {
                let _inner = FlushDenormals::new();
            }
            assert_eq!(black_box(tiny) * black_box(half), 0.0);
        }
        assert!(black_box(tiny) * black_box(half) > 0.0);
        // The sticky exception flags, the low six bits, may differ.
        assert_eq!(read_mxcsr() & !0x3f, before & !0x3f);
    }
}
