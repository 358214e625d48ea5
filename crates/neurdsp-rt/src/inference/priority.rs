//! The priority of a worker, where the system grants it.

use super::monitor::Priority;

/// Asks for a real-time priority for the thread that calls.
pub(super) fn raise() -> Priority {
    if set() { Priority::RealTime } else { Priority::Refused }
}

/// Low among real-time priorities: above all normal threads, and below the audio threads, which hosts run at 50 and more of 99.
#[cfg(unix)]
fn set() -> bool {
    use thread_priority::{
        RealtimeThreadSchedulePolicy, ThreadPriority, ThreadPriorityValue, ThreadSchedulePolicy,
        set_thread_priority_and_policy, thread_native_id,
    };
    let Ok(value) = ThreadPriorityValue::try_from(10) else { return false };
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Crossplatform(value), policy).is_ok()
}

#[cfg(windows)]
fn set() -> bool {
    use thread_priority::{
        ThreadPriority, ThreadPriorityOsValue, WinAPIThreadPriority, set_current_thread_priority,
    };
    let value = ThreadPriorityOsValue::from(WinAPIThreadPriority::Highest);
    set_current_thread_priority(ThreadPriority::Os(value)).is_ok()
}

#[cfg(not(any(unix, windows)))]
fn set() -> bool {
    false
}
