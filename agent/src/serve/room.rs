//! Room for pages that are on their way: bytes that were made and not yet written to their
//! connections, over all connections.
//!
//! ```text
//!  a request ──> its turn ──> page ──> room for it ──> written: gives back what was written
//!                                  └─> none in time: no page
//! ```
//!
//! One at a time has a page made, and waits for room with it: so beside what is on its way there is
//! one page at most. A page that is larger than all room waits until all of it is free.
//!
//! Cost: a lock that nobody else holds for each write.
//!
//! **Invariant**: at most [`BYTES_MAX`] are on their way, or one page alone, however large.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Mutex as Turns, MutexGuard as Turn, OwnedSemaphorePermit, Semaphore};

/// The largest pages, of the 20,000 series that an agent tells, have some 2 MB: four of them.
pub(super) const BYTES_MAX: usize = 8 * 1024 * 1024;

const _: () = assert!(BYTES_MAX <= u32::MAX as usize);

/// Of all connections.
#[derive(Debug)]
pub(super) struct Room {
    bytes: Arc<Semaphore>,
    turns: Turns<()>,
}

impl Default for Room {
    fn default() -> Room {
        Room { bytes: Arc::new(Semaphore::new(BYTES_MAX)), turns: Turns::default() }
    }
}

/// Of one connection; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Share {
    room: Arc<Room>,
    own: Mutex<Own>,
}

/// What is on its way.
#[derive(Debug, Default)]
struct Own {
    room: Option<OwnedSemaphorePermit>,
    /// Bytes for which there was no room: those of a page that is larger than all of it.
    beyond: usize,
}

impl Share {
    /// One that has nothing yet.
    pub(super) fn new(room: &Arc<Room>) -> Share {
        Share { room: Arc::clone(room), own: Mutex::default() }
    }

    /// Waits for the turn of who has a page made.
    pub(super) async fn turn(&self) -> Turn<'_, ()> {
        self.room.turns.lock().await
    }

    /// How much room it has.
    pub(super) fn bytes(&self) -> usize {
        self.own().room.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }

    /// How much room is missing for a page of so many bytes.
    pub(super) fn missing(&self, bytes: usize) -> usize {
        bytes.min(BYTES_MAX).saturating_sub(self.room.bytes.available_permits())
    }

    /// Waits until there is room for so many bytes, and takes it.
    pub(super) async fn take(&self, bytes: usize) {
        let granted = bytes.min(BYTES_MAX);
        let permits = u32::try_from(granted).unwrap_or(u32::MAX);
        // An error: it is closed, which it never is.
        let Ok(new) = Arc::clone(&self.room.bytes).acquire_many_owned(permits).await else {
            return;
        };
        let mut own = self.own();
        own.beyond += bytes - granted;
        match &mut own.room {
            Some(room) => room.merge(new),
            room => *room = Some(new),
        }
    }

    /// So many bytes were written. Those of a page's head, some 300, are taken for its own.
    pub(super) fn written(&self, bytes: usize) {
        let mut own = self.own();
        let past = bytes.min(own.beyond);
        own.beyond -= past;
        if let Some(room) = &mut own.room {
            let back = (bytes - past).min(room.num_permits());
            drop(room.split(back));
        }
    }

    /// Nobody takes the rest any more.
    pub(super) fn let_go(&self) {
        *self.own() = Own::default();
    }

    fn own(&self) -> MutexGuard<'_, Own> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;

    use super::*;

    /// Whether there is room at once.
    async fn has_room(share: &Share, bytes: usize) -> bool {
        let mut taken = pin!(share.take(bytes));
        poll_fn(|cx| Poll::Ready(taken.as_mut().poll(cx).is_ready())).await
    }

    #[tokio::test]
    async fn what_is_written_or_given_up_makes_room() {
        let room = Arc::new(Room::default());
        let (slow, other) = (Share::new(&room), Share::new(&room));
        assert!(has_room(&slow, BYTES_MAX - 10).await);
        assert!(has_room(&other, 10).await);
        assert!(!has_room(&other, 1).await);
        assert_eq!((slow.bytes(), other.bytes(), other.missing(7)), (BYTES_MAX - 10, 10, 7));
        slow.written(5);
        assert!(has_room(&other, 5).await && !has_room(&other, 1).await);
        // More than it has: the heads.
        other.written(1_000);
        assert_eq!((other.bytes(), other.missing(16)), (0, 1));
        slow.let_go();
        assert!(has_room(&other, BYTES_MAX).await);
        drop(other);
        assert_eq!(room.bytes.available_permits(), BYTES_MAX);
    }

    #[tokio::test]
    async fn one_page_is_always_possible() {
        let room = Arc::new(Room::default());
        let (slow, large) = (Share::new(&room), Share::new(&room));
        assert!(has_room(&slow, 1).await);
        assert!(!has_room(&large, BYTES_MAX + 100).await);
        assert_eq!(large.missing(BYTES_MAX + 100), 1);
        slow.written(1);
        assert!(has_room(&large, BYTES_MAX + 100).await);
        large.written(100);
        assert!(!has_room(&slow, 1).await, "all that is left fills the room");
        large.written(1);
        assert!(has_room(&slow, 1).await);
    }
}
