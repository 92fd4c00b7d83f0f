//! Work beside running plugins, which gets only what they leave of the processors.

use std::thread;

use tokio::sync::oneshot;

/// The lowest priority that the system has.
#[cfg(target_os = "linux")]
const LOWEST: i32 = 19;

/// Does this in a thread of its own of the lowest priority, as threads are that it starts. None where that thread can't be started,
/// or panics.
pub(crate) async fn at_low_priority<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (done, made) = oneshot::channel();
    thread::Builder::new()
        .name("poolhouse-low".into())
        .spawn(move || {
            // On Linux it is this one thread's; elsewhere it would be the whole process's. Refused, the work is done all the same.
            #[cfg(target_os = "linux")]
            let _ = rustix::process::nice(LOWEST);
            // Nobody waits any more where the host stops.
            let _ = done.send(work());
        })
        .ok()?;
    made.await.ok()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_is_that_thread_s_and_its_own_threads_alone() {
        let own = rustix::process::nice(0).ok();
        let there = at_low_priority(|| {
            let inside = thread::spawn(|| rustix::process::nice(0).ok()).join().ok();
            (rustix::process::nice(0).ok(), inside.flatten())
        })
        .await;
        assert_eq!(there, Some((Some(LOWEST), Some(LOWEST))));
        assert_eq!(rustix::process::nice(0).ok(), own);
        let nothing = at_low_priority(|| std::panic::resume_unwind(Box::new(()))).await;
        assert_eq!(nothing, None::<()>);
    }
}
