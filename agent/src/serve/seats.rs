//! Who has a place, and who gives it up for others.
//!
//! When all places are taken and somebody new comes, whoever has had a place for longest without
//! asking for anything, or has held up an answer for longest, gives it up: so slow clients, however
//! many, keep nobody out. A scraper that loses its idle connection makes another one. Where there
//! is no room for a page, those give up their places who have held up an answer for longest.
//!
//! **Invariant**: nobody is asked to leave before [`GRACE`] is over.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Context;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::{Instant, timeout};

use super::room::Share;

/// What everybody has, however many wait: three round trips across the world.
pub(super) const GRACE: Duration = Duration::from_millis(250);

/// How long a page may wait for its turn and for room. Prometheus waits for ten seconds.
const ROOM_MAX: Duration = Duration::from_secs(2);

/// Who is at the other end of a connection, and what is on its way there.
#[derive(Clone)]
pub(super) struct Peer {
    pub(super) address: IpAddr,
    seats: Arc<Seats>,
    share: Arc<Share>,
}

impl Peer {
    /// A page, once there is room for its bytes; `None`: there is none in time.
    pub(super) async fn page<P>(
        &self,
        make: impl Future<Output = P>,
        bytes: impl Fn(&P) -> usize,
    ) -> Option<P> {
        let made = async {
            let _turn = self.share.turn().await;
            let page = make.await;
            self.find_room(bytes(&page)).await;
            page
        };
        timeout(ROOM_MAX, made).await.ok()
    }

    /// Room for so many bytes, made free if there is none.
    async fn find_room(&self, bytes: usize) {
        loop {
            self.seats.ask_to_make_room(Instant::now(), self.share.missing(bytes));
            if timeout(GRACE, self.share.take(bytes)).await.is_ok() {
                return;
            }
        }
    }
}

/// Who has a place.
#[derive(Default)]
pub(super) struct Seats(Mutex<Taken>);

#[derive(Default)]
struct Taken {
    last: u64,
    all: BTreeMap<u64, Sitting>,
}

struct Sitting {
    /// Whether it has been answered before.
    answered: bool,
    /// When it came, or its last answer began.
    since: Instant,
    /// What is on its way to it.
    share: Arc<Share>,
    /// Asks it to leave; `None`: it was asked.
    leave: Option<oneshot::Sender<()>>,
}

impl Sitting {
    /// Whether it may be asked already.
    fn had_its_time(&self, now: Instant) -> bool {
        now.duration_since(self.since) >= GRACE
    }

    fn ask_to_leave(&mut self) {
        if let Some(leave) = self.leave.take() {
            // An error: it has just left by itself.
            let _ = leave.send(());
        }
    }
}

impl Seats {
    /// Gives a place, with what is on its way to it.
    pub(super) fn take(
        seats: &Arc<Seats>,
        share: Share,
        slot: Option<OwnedSemaphorePermit>,
    ) -> Seat {
        let (leave, asked) = oneshot::channel();
        let share = Arc::new(share);
        let mut taken = seats.taken();
        taken.last += 1;
        let number = taken.last;
        let (since, leave) = (Instant::now(), Some(leave));
        let sitting = Sitting { answered: false, since, share: Arc::clone(&share), leave };
        taken.all.insert(number, sitting);
        Seat { number, seats: Arc::clone(seats), share, asked: Some(asked), _slot: slot }
    }

    /// Asks the one that can be spared: those who have asked for nothing yet come first.
    pub(super) fn ask_to_leave(&self, now: Instant) {
        let mut taken = self.taken();
        let asked_before = |one: &Sitting| one.leave.is_none();
        let candidates =
            taken.all.values_mut().filter(|one| !asked_before(one) && one.had_its_time(now));
        let longest = candidates.min_by_key(|one| (one.answered, one.since));
        longest.into_iter().for_each(Sitting::ask_to_leave);
    }

    /// Asks as many as have so many bytes: those who have held up an answer for longest come first.
    fn ask_to_make_room(&self, now: Instant, bytes: usize) {
        let mut taken = self.taken();
        let slow = taken.all.values_mut().filter(|one| one.had_its_time(now));
        let mut slow: Vec<_> = slow.map(|one| (one.since, one.share.bytes(), one)).collect();
        slow.sort_by_key(|(since, ..)| *since);
        let mut freed = 0;
        for (_, held, one) in slow.into_iter().filter(|(_, held, _)| *held > 0) {
            if freed >= bytes {
                break;
            }
            freed += held;
            one.ask_to_leave();
        }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place, given back when it is dropped.
pub(super) struct Seat {
    number: u64,
    seats: Arc<Seats>,
    share: Arc<Share>,
    asked: Option<oneshot::Receiver<()>>,
    _slot: Option<OwnedSemaphorePermit>,
}

impl Seat {
    /// Who has it, and is there.
    pub(super) fn peer(&self, address: IpAddr) -> Peer {
        Peer { address, seats: Arc::clone(&self.seats), share: Arc::clone(&self.share) }
    }

    /// So many bytes were written to it.
    pub(super) fn written(&self, bytes: usize) {
        self.share.written(bytes);
    }

    /// Notes that an answer begins.
    pub(super) fn answers(&self) {
        if let Some(sitting) = self.seats.taken().all.get_mut(&self.number) {
            (sitting.answered, sitting.since) = (true, Instant::now());
        }
    }

    /// Whether it is asked to leave.
    pub(super) fn is_asked(&mut self, cx: &mut Context<'_>) -> bool {
        let asked = self.asked.as_mut().is_some_and(|asked| Pin::new(asked).poll(cx).is_ready());
        if asked {
            self.asked = None;
        }
        asked
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.taken().all.remove(&self.number);
        self.share.let_go();
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;

    use super::super::room::{BYTES_MAX, Room};
    use super::*;

    /// Whether it is asked to leave.
    async fn is_asked(seat: &mut Seat) -> bool {
        poll_fn(|cx| Poll::Ready(seat.is_asked(cx))).await
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_asked_for_nothing_gives_way_first_and_who_has_just_come_never() {
        let seats = Arc::new(Seats::default());
        let take = || Seats::take(&seats, Share::new(&Arc::default()), None);
        let (mut answered, mut silent) = (take(), take());
        answered.answers();
        tokio::time::advance(Duration::from_secs(5)).await;
        let mut slow = take();
        slow.answers();
        tokio::time::advance(GRACE).await;
        let mut fresh = take();
        let mut asked = Vec::new();
        for _ in 0..4 {
            seats.ask_to_leave(Instant::now());
            for (name, seat) in [
                ("silent", &mut silent),
                ("answered", &mut answered),
                ("slow", &mut slow),
                ("fresh", &mut fresh),
            ] {
                asked.extend(is_asked(seat).await.then_some(name));
            }
        }
        assert_eq!(asked, ["silent", "answered", "slow"]);
        tokio::time::advance(GRACE).await;
        drop((silent, answered, slow));
        assert_eq!(seats.taken().all.len(), 1);
        seats.ask_to_leave(Instant::now());
        assert!(is_asked(&mut fresh).await);
    }

    fn peer(seat: &Seat) -> Peer {
        seat.peer(IpAddr::from([127, 0, 0, 1]))
    }

    #[tokio::test(start_paused = true)]
    async fn who_holds_up_pages_for_longest_gives_them_up_for_others() {
        let (seats, room) = (Arc::new(Seats::default()), Arc::new(Room::default()));
        let take = || Seats::take(&seats, Share::new(&room), None);
        let mut slow: Vec<Seat> = (0..3).map(|_| take()).collect();
        for seat in &slow {
            assert!(peer(seat).page(async {}, |()| BYTES_MAX / 3).await.is_some());
            seat.answers();
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        let (idle, scraper) = (take(), take());
        let start = Instant::now();
        let made = tokio::spawn(async move {
            let page = peer(&scraper).page(async {}, |()| BYTES_MAX / 2).await;
            (page, scraper)
        });
        // Two of them have to leave, and leave when they are asked.
        for mut seat in slow.drain(..2) {
            poll_fn(|cx| if seat.is_asked(cx) { Poll::Ready(()) } else { Poll::Pending }).await;
            assert!(start.elapsed() >= GRACE, "it had its time");
        }
        let (page, scraper) = made.await.unwrap();
        assert!(page.is_some() && scraper.share.bytes() == BYTES_MAX / 2);
        assert!(!is_asked(&mut slow[0]).await, "it was enough without it");
        drop(idle);
    }

    #[tokio::test(start_paused = true)]
    async fn without_room_in_time_there_is_no_page() {
        let (seats, room) = (Arc::new(Seats::default()), Arc::new(Room::default()));
        let stuck = Share::new(&room);
        stuck.take(1).await;
        let seat = Seats::take(&seats, Share::new(&room), None);
        let start = Instant::now();
        assert_eq!(peer(&seat).page(async { 7 }, |_| BYTES_MAX).await, None);
        assert!(start.elapsed() >= ROOM_MAX);
        assert_eq!(peer(&seat).page(async { 7 }, |_| BYTES_MAX - 1).await, Some(7));
        assert_eq!(seat.share.bytes(), BYTES_MAX - 1);
        let (_turn, mut is_made) = (stuck.turn().await, false);
        assert_eq!(peer(&seat).page(async { is_made = true }, |()| 1).await, None);
        assert!(!is_made, "it was not its turn");
    }
}
