//! What is written comes back, whatever is cut or damaged does no harm, and all is bounded.

use std::collections::BTreeMap;
use std::sync::Arc;

use loop_core::buckets::Scale;
use loop_core::snapshot::{
    ClockKind, Events, Histogram, Limit, LoopSnapshot, Profile, ProfileFrame, SampleState,
    Snapshot, Stall, Target,
};
use proptest::prelude::*;
use prost::Message;

use super::arbitrary::{Random, snapshot, target};
use super::limits::{self, SIZE_BYTES_DEFAULT};
use super::{Dropped, End, Head, Lost, NotRead, Recording, Size, Writer, block, parse, wire};

const SECOND_NS: u64 = 1_000_000_000;

fn head() -> Head {
    Head {
        version: "0.1.0".to_owned(),
        began_unix_ns: 1_795_248_000 * SECOND_NS,
        command: vec!["node".to_owned(), "a b.js".to_owned(), String::new()],
        pids: vec![4711, 0],
        stall_threshold_ns: 50_000_000,
        machine: BTreeMap::from([("cpu".to_owned(), "one".to_owned())]),
        redacted: true,
        looks: 3,
    }
}

fn end() -> End {
    End {
        unix_ns: 1_795_248_060 * SECOND_NS,
        exit_code: 124,
        status: Some(0),
        signal: Some(9),
        timed_out: true,
        notes: vec!["a note".to_owned()],
        cpu_ns: Some(1_234_567_890),
        from_start: true,
        first_turn: true,
    }
}

fn write_within(max_bytes: u64, snapshots: &[Snapshot]) -> (Size, Vec<u8>) {
    let (last, others) = snapshots.split_last().expect("there is one");
    let mut writer = Writer::new(Vec::new(), &head(), max_bytes).expect("it can be written");
    for (second, snapshot) in (0..).zip(others) {
        writer.add(second * SECOND_NS, snapshot).expect("it can be written");
    }
    writer.finish(&end(), last).expect("it can be written")
}

fn write(snapshots: &[Snapshot]) -> Vec<u8> {
    write_within(SIZE_BYTES_DEFAULT, snapshots).1
}

/// A loop that was held up so often, each time in the same function.
fn stalled(second: u64, stalls: std::ops::Range<u64>, samples: u64) -> Snapshot {
    let stall = |number: u64| {
        let mut profile = Profile::new(number);
        for sample in 0..samples {
            let line = u32::try_from((sample * 7_919 + number * 104_729) % 1_000_003).ok();
            let name = format!("f{}", sample * 31 % 257);
            let frame = ProfileFrame { name, file: Some("/a.js".into()), line };
            profile.add(sample * 1_000_003, 1_000_000, SampleState::OnCpu, [frame]);
        }
        Stall {
            start_unix_ns: number * SECOND_NS,
            duration_ns: 100_000_000 + number,
            stack: Some(vec![format!("work (/a.js:{number})")]),
            profile: (samples > 0).then(|| Arc::new(profile)),
            ..Stall::default()
        }
    };
    let observed = LoopSnapshot {
        pid: 7,
        thread: "main".to_owned(),
        tid: 7,
        turns: Some(second * 100),
        active_ns: Some(second * SECOND_NS / 4),
        idle_ns: Some(second * SECOND_NS / 4 * 3),
        stalls: stalls.map(stall).collect(),
        ..LoopSnapshot::default()
    };
    Snapshot {
        wall_ns: second * SECOND_NS,
        loops: vec![observed],
        ..Snapshot::empty(ClockKind::Real)
    }
}

fn read(bytes: &[u8]) -> Recording {
    parse(bytes).expect("it is a recording")
}

proptest! {
    #[test]
    fn what_was_written_comes_back_equal(seed in any::<u64>(), count in 1..4) {
        let mut random = Random(seed);
        let snapshots: Vec<Snapshot> = (0..count).map(|_| snapshot(&mut random)).collect();
        let found = read(&write(&snapshots));
        prop_assert_eq!(Some(&found.snapshot), snapshots.last());
        prop_assert_eq!(found.timeline.len(), snapshots.len());
        prop_assert_eq!(found.head, head());
        prop_assert_eq!(found.end, Some(end()));
        prop_assert_eq!((found.lost, found.dropped), (Lost::default(), Dropped::default()));
    }

    #[test]
    fn no_bytes_do_harm(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse(&bytes);
        let mut begun = block::start().to_vec();
        begun.extend_from_slice(&bytes);
        prop_assert!(parse(&begun).is_ok());
    }

    #[test]
    fn no_message_does_harm(kind in 1..7_u8, bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut begun = block::start().to_vec();
        let kinds = [
            block::Kind::Head,
            block::Kind::Stall,
            block::Kind::Samples,
            block::Kind::Snapshot,
            block::Kind::Dropped,
            block::Kind::End,
        ];
        block::add(&mut begun, kinds[usize::from(kind - 1)], &bytes);
        prop_assert!(parse(&begun).is_ok());
    }
}

#[test]
fn each_byte_at_which_it_is_cut_leaves_what_was_whole() {
    let snapshots = [stalled(1, 0..1, 3), stalled(2, 0..2, 3), stalled(3, 1..3, 3)];
    let whole = write(&snapshots);
    let mut seen = 0;
    for cut in 0..whole.len() {
        let Ok(found) = parse(&whole[..cut]) else {
            assert!(cut < block::START_BYTES, "{cut}");
            continue;
        };
        assert!(cut >= block::START_BYTES, "{cut}");
        assert_eq!(found.end, None, "{cut}");
        assert_eq!(Lost { cut_bytes: 0, ..found.lost }, Lost::default(), "{cut}");
        let ticks = found.timeline.len();
        assert!(ticks == seen || ticks == seen + 1, "{cut}");
        seen = ticks;
        if let Some(last) = ticks.checked_sub(1) {
            assert_eq!(found.snapshot, snapshots[last], "{cut}");
            assert_eq!(found.head, head());
            assert!(found.stalls.len() >= [1, 2, 3][last], "{cut}");
        }
    }
    assert_eq!(seen, snapshots.len());
    assert_eq!(parse(&[]), Err(NotRead::Empty));
    assert_eq!(parse(&whole[..3]), Err(NotRead::NoStart));
}

#[test]
fn a_bit_that_was_flipped_is_refused_or_told() {
    let whole = write(&[stalled(1, 0..1, 3), stalled(2, 0..2, 3)]);
    let want = read(&whole);
    let mut refused = 0;
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut damaged = whole.clone();
            damaged[at] ^= 1 << bit;
            match parse(&damaged) {
                Ok(found) => {
                    assert_ne!(found, want, "{at}");
                    let lost = found.lost;
                    assert_eq!((lost.damaged_blocks, lost.unknown_blocks), (1, 0), "{at}");
                }
                Err(_) => {
                    refused += 1;
                    assert!(at < block::START_BYTES, "{at}");
                }
            }
        }
    }
    assert_eq!(refused, block::START_BYTES * 8);
}

#[test]
fn a_newer_format_is_refused_and_a_newer_field_is_not() {
    let mut newer = write(&[stalled(1, 0..1, 0)]);
    newer[8] = 2;
    let sum = {
        let mut crc = flate2::Crc::new();
        crc.update(&newer[..12]);
        crc.sum()
    };
    newer[12..16].copy_from_slice(&sum.to_le_bytes());
    assert_eq!(parse(&newer), Err(NotRead::Newer { version: 2 }));

    let mut more = write(&[stalled(1, 0..1, 0)]);
    // A field 900 of three bytes, in an end that knows of none.
    block::add(&mut more, block::Kind::End, &[0xa2, 0x38, 3, 1, 2, 3, 0x10, 5]);
    assert_eq!(read(&more).end.map(|end| end.exit_code), Some(5));
}

#[test]
fn stalls_that_the_last_snapshot_no_longer_lists_are_there() {
    let snapshots: Vec<Snapshot> =
        (0..10).map(|second| stalled(second, second..second + 3, 2)).collect();
    let found = read(&write(&snapshots));
    let begun: Vec<u64> =
        found.stalls.iter().map(|of| of.stall.start_unix_ns / SECOND_NS).collect();
    assert_eq!(begun, (0..12).collect::<Vec<_>>());
    assert!(found.stalls.iter().all(|of| of.stall.profile.is_some() && of.whose.pid == 7));
    let busy: Vec<Option<f64>> =
        found.timeline.iter().map(|tick| tick.loops[0].utilization).collect();
    assert_eq!(busy[0], None);
    assert!(busy[1..].iter().all(|busy| *busy == Some(0.25)), "{busy:?}");
}

#[test]
fn all_stalls_of_a_recording_are_told_or_counted() {
    let mut snapshots: Vec<Snapshot> =
        (0..10).map(|second| stalled(second, second * 20..second * 20 + 64, 2)).collect();
    for (snapshot, seen) in snapshots.iter_mut().zip([64, 84, 104, 124, 144, 164, 184, 204, 224]) {
        snapshot.events = Events { seen, kept: 64, dropped: seen - 64 };
    }
    // The one that lasted longest was over long ago, and a loop has gone.
    snapshots[0].loops[0].stalls[3].duration_ns = 9 * SECOND_NS;
    let gone = LoopSnapshot { pid: 8, tid: 8, ..snapshots[1].loops[0].clone() };
    snapshots[1].loops.push(gone);
    snapshots[9].events = Events { seen: 244, kept: 64, dropped: 180 };
    let last = &mut snapshots[9].loops[0];
    last.stalls[63].running = true;
    let found = read(&write(&snapshots));
    assert_eq!(found.snapshot.loops[0].stalls.len(), 64);
    let begun = |snapshot: &Snapshot| -> Vec<u64> {
        snapshot.loops[0].stalls.iter().map(|of| of.start_unix_ns / SECOND_NS).collect()
    };
    let (told, notes) = found.told();
    assert_eq!(begun(&told), (0..244).collect::<Vec<_>>());
    assert!(told.loops[0].stalls.iter().all(|stall| stall.profile.is_some()));
    assert_eq!(told.events, Events { seen: 244, kept: 244, dropped: 0 });
    assert!(notes.len() == 1 && notes[0].starts_with("64 more stalls"), "{notes:?}");

    let (told, notes) = found.told_within(5);
    let others: Vec<u64> = begun(&told).into_iter().filter(|number| *number < 180).collect();
    assert_eq!(others, [3, 176, 177, 178, 179], "the longest");
    assert!(notes[0].starts_with("239 more stalls"), "{notes:?}");
    assert_eq!(told.loops[0].stalls.len(), 69);

    let short = read(&write(&snapshots[..1]));
    assert_eq!(short.told(), (short.snapshot.clone(), Vec::new()), "it lists all there are");
}

#[test]
fn a_stall_that_changes_is_told_as_it_was_last() {
    let mut running = stalled(1, 0..1, 2);
    let stall = &mut running.loops[0].stalls[0];
    (stall.running, stall.duration_ns) = (true, 1);
    let mut named = stalled(3, 0..1, 2);
    named.loops[0].stalls[0].stack = Some(vec!["named".to_owned()]);
    let found = read(&write(&[running.clone()]));
    assert!(found.stalls.is_empty() && found.snapshot == running);
    let found = read(&write(&[running, stalled(2, 0..1, 2), named.clone()]));
    assert_eq!(found.stalls.len(), 1);
    assert_eq!(found.stalls[0].stall, named.loops[0].stalls[0]);
}

#[test]
fn what_is_too_long_is_thinned_and_told_and_the_last_snapshot_is_whole() {
    let max_bytes = 128 << 10;
    let snapshots: Vec<Snapshot> =
        (0..2_000).map(|second| stalled(second, second / 4..second / 4 + 5, 100)).collect();
    let mut writer = Writer::new(Vec::new(), &head(), max_bytes).expect("it can be written");
    for (second, snapshot) in (0..).zip(&snapshots) {
        writer.add(second * SECOND_NS, snapshot).expect("it can be written");
    }
    let last = snapshots.last().expect("there is one");
    let (size, bytes) = writer.finish(&end(), last).expect("it can be written");
    assert!(size.bytes <= max_bytes && size.bytes == bytes.len() as u64, "{size:?}");
    let found = read(&bytes);
    assert_eq!((&found.snapshot, found.lost), (last, Lost::default()));
    assert_eq!(found.dropped, size.dropped);
    // Each that was taken is there, or counted.
    assert_eq!(found.timeline.len() as u64, size.snapshots);
    assert_eq!(found.timeline.len() as u64 + found.dropped.snapshots, 2_001);
    assert_eq!(found.stalls.len() as u64 + found.dropped.stalls, 504);
    let bare = found.stalls.iter().filter(|of| of.stall.profile.is_none()).count() as u64;
    assert_eq!(bare, found.dropped.samples - found.dropped.stalls);
    assert_eq!(found.timeline[0].wall_ns, 0);
    assert!(found.timeline.is_sorted_by_key(|tick| tick.wall_ns) && found.timeline.len() > 64);
}

#[test]
fn what_one_snapshot_needs_is_dropped_last_the_longest_of_it_at_all() {
    let max_bytes = 64 << 10;
    let last = stalled(1, 0..64, 1_000);
    let (size, bytes) = write_within(max_bytes, std::slice::from_ref(&last));
    assert!(size.bytes <= max_bytes, "{size:?}");
    let found = read(&bytes);
    assert_eq!(found.snapshot.loops[0].turns, last.loops[0].turns);
    let kept = found.stalls.len() as u64;
    assert_eq!(kept + size.dropped.stalls, 64);
    let with_samples = |of: &&super::RecordedStall| of.stall.profile.is_some();
    assert_eq!(found.stalls.iter().filter(with_samples).count() as u64 + size.dropped.samples, 64);
    let longest = found.stalls.last().expect("the longest is there");
    assert_eq!(longest.stall, last.loops[0].stalls[63]);
}

#[test]
fn what_has_no_head_or_no_snapshot_opens() {
    let mut bytes = block::start().to_vec();
    let found = read(&bytes);
    assert_eq!((found.head, found.end), (Head::default(), None));
    assert_eq!(found.snapshot, Snapshot::empty(ClockKind::Real));
    bytes.extend_from_slice(b"what is no block at all");
    assert_eq!(read(&bytes).lost.damaged_blocks, 1);
}

#[test]
fn what_can_not_be_told_is_a_damaged_block() {
    let mut far = stalled(1, 0..1, 0);
    far.loops[0].stalls[0].duration_ns = u64::MAX;
    let found = read(&write(&[far]));
    assert_eq!((found.lost.damaged_blocks, found.lost.stalls), (1, 1));
    let mut odd = stalled(1, 0..0, 0);
    odd.loops[0].utilization = Some(f64::NAN);
    let found = read(&write(&[odd]));
    assert_eq!(found.lost.damaged_blocks, 1);
    assert!(found.snapshot.loops.is_empty());
}

/// As it was written, with samples; more memory than `details_bytes` is not used.
#[test]
fn the_oldest_finds_no_room_in_memory_and_that_is_no_damage() {
    let snapshots: Vec<Snapshot> =
        (1..=40).map(|second| stalled(second, second..second + 2, 50)).collect();
    let bytes = write(&snapshots);
    let whole = read(&bytes);
    assert_eq!((whole.stalls.len(), whole.lost), (41, Lost::default()));
    let within = |details_bytes| {
        super::reader::parse_within(details_bytes, &bytes).expect("it is a recording")
    };
    let some = within(256 << 10);
    assert_eq!((some.stalls.len(), some.lost.old_stalls), (41, 0));
    let has_samples = |of: &super::RecordedStall| of.stall.profile.is_some();
    assert!(some.lost.old_samples > 5 && some.lost.old_samples < 36, "{:?}", some.lost);
    let bare = some.stalls.iter().take_while(|of| !has_samples(of)).count() as u64;
    assert_eq!(bare, some.lost.old_samples);
    assert!(some.stalls.iter().skip(some.lost.old_samples as usize).all(has_samples));
    assert_eq!(some.snapshot, whole.snapshot);
    let few = within(8 << 10);
    assert!(few.lost.old_stalls > 5 && few.lost.old_stalls < 39, "{:?}", few.lost);
    assert_eq!(few.stalls.len() as u64 + few.lost.old_stalls, 41);
    assert_eq!(few.stalls.last().map(|of| of.stall.start_unix_ns), Some(41 * SECOND_NS));
    for found in [&some, &few] {
        let Lost { old_stalls, old_samples, .. } = found.lost;
        assert_eq!(found.lost, Lost { old_stalls, old_samples, ..Lost::default() });
        let notes = found.notes();
        assert!(notes.len() == 1 && notes[0].contains("left out, the oldest"), "{notes:?}");
    }
}

/// A recording with a block more, of this message.
fn with(mut bytes: Vec<u8>, kind: block::Kind, message: &impl Message) -> Vec<u8> {
    block::add(&mut bytes, kind, &message.encode_to_vec()).expect("it is not too long");
    bytes
}

fn with_snapshot(snapshot: &Snapshot, numbers: Vec<Vec<u64>>) -> Recording {
    let told = wire::Told { number: 9, unix_ns: SECOND_NS };
    let message = wire::Snapshot::of(told, snapshot, numbers);
    read(&with(write(&[stalled(1, 0..2, 3)]), block::Kind::Snapshot, &message))
}

#[test]
fn a_stall_is_there_once_however_often_it_is_listed() {
    let next = stalled(2, 0..0, 0);
    let found = with_snapshot(&next, vec![[vec![1; 5_000], vec![0, 1]].concat()]);
    assert_eq!((found.lost, found.snapshot.wall_ns), (Lost::default(), 2 * SECOND_NS));
    let begun: Vec<u64> =
        found.snapshot.loops[0].stalls.iter().map(|stall| stall.start_unix_ns).collect();
    assert_eq!(begun, [SECOND_NS, 0]);
}

#[test]
fn what_is_too_much_for_memory_is_a_damaged_block() {
    let limit = Limit { what: String::new(), why: String::new() };
    let with_thread = |bytes: usize| {
        let mut long = stalled(2, 0..0, 0);
        long.loops[0].thread = "x".repeat(bytes);
        long
    };
    let with_target = |targets: usize, limits: usize| {
        let mut many = stalled(2, 0..0, 0);
        let limits = vec![limit.clone(); limits];
        many.targets = vec![Target { limits, ..target(&mut Random(7)) }; targets];
        many
    };
    for (fine, snapshot) in
        [(true, with_thread(256)), (false, with_thread(257)), (true, with_target(3, 256))]
    {
        let found = with_snapshot(&snapshot, vec![Vec::new()]);
        assert_eq!(found.lost.damaged_blocks, u64::from(!fine));
        assert_eq!(found.timeline.len(), 1 + usize::from(fine));
        assert_eq!(found.snapshot.wall_ns, SECOND_NS * if fine { 2 } else { 1 });
    }
    // What is written can be read.
    let found = with_snapshot(&with_target(limits::TARGETS_MAX + 1, 0), vec![Vec::new()]);
    assert_eq!(found.snapshot.targets.len(), limits::TARGETS_MAX);
    let found = with_snapshot(&with_target(1, limits::LIMITS_MAX + 1), vec![Vec::new()]);
    assert_eq!(found.snapshot.targets[0].limits.len(), limits::LIMITS_MAX);
    // Fields of two bytes, each of which would be a text, a list or a message in memory.
    let repeated = |field: u8, count: usize| [field << 3 | 2, 0].repeat(count);
    for (kind, field, most) in [
        (block::Kind::Head, 3, limits::WORDS_MAX),
        (block::Kind::End, 6, limits::WORDS_MAX),
        (block::Kind::Stall, 12, limits::PARTS_MAX),
        (block::Kind::Samples, 3, limits::PARTS_MAX),
        (block::Kind::Snapshot, 6, limits::TARGETS_MAX),
        (block::Kind::Snapshot, 7, limits::LOOPS_MAX),
    ] {
        let mut bytes = write(&[stalled(1, 0..2, 3)]);
        block::add(&mut bytes, kind, &repeated(field, most + 1)).expect("it is not too long");
        assert_eq!(read(&bytes).lost.damaged_blocks, 1, "{kind:?} {field}");
    }
    let lists = [&[0x2a, 0x81, 0x80, 0x40][..], &vec![0; limits::SAMPLES_LISTS_BYTES_MAX + 1]];
    let mut bytes = write(&[stalled(1, 0..2, 3)]);
    block::add(&mut bytes, block::Kind::Samples, &lists.concat()).expect("it is not too long");
    assert_eq!(read(&bytes).lost.damaged_blocks, 1);
}

#[test]
fn what_one_snapshot_has_no_room_for_is_counted_and_told() {
    let limit = Limit { what: "phases".to_owned(), why: "they are inlined".to_owned() };
    let with = |second: u64, targets: usize, limits: usize| {
        let limits = vec![limit.clone(); limits];
        let target = Target { limits, ..target(&mut Random(7)) };
        Snapshot { targets: vec![target; targets], ..stalled(second, 0..0, 0) }
    };
    let most = [with(1, limits::TARGETS_MAX, limits::LIMITS_MAX), with(2, 1, 0)];
    assert_eq!(read(&write(&most)).dropped, Dropped::default());
    let more = [
        with(1, limits::TARGETS_MAX + 3, 0),
        with(2, 2, limits::LIMITS_MAX + 2),
        with(3, limits::TARGETS_MAX + 1, 1),
    ];
    let bytes = write(&more);
    let dropped = Dropped { targets: 3, limits: 4, ..Dropped::default() };
    let found = read(&bytes);
    assert_eq!((found.dropped, found.lost), (dropped, Lost::default()));
    assert_eq!(found.snapshot.targets.len(), limits::TARGETS_MAX);
    assert!(!dropped.is_whole());
    let notes = found.notes();
    assert!(notes[0].starts_with("3 processes are not in the recording"), "{notes:?}");
    assert!(notes[1].starts_with("4 lines of what is not seen"), "{notes:?}");
    // Also where whoever recorded was killed before the end.
    let cut = read(&bytes[..bytes.len() - 1]);
    assert_eq!((cut.end, cut.dropped), (None, dropped));
}

#[test]
fn behind_a_newest_snapshot_that_can_not_be_told_is_the_one_before() {
    let mut odd = stalled(3, 0..2, 3);
    odd.loops[0].utilization = Some(f64::NAN);
    let last = stalled(2, 0..2, 3);
    let bytes = write(std::slice::from_ref(&last));
    let told = wire::Told { number: 2, unix_ns: SECOND_NS };
    let message = wire::Snapshot::of(told, &odd, vec![vec![0, 1, 7]]);
    let found = read(&with(bytes, block::Kind::Snapshot, &message));
    assert_eq!(found.snapshot, last);
    assert_eq!((found.lost.damaged_blocks, found.lost.stalls), (1, 0));
    assert!(found.lost.damaged_bytes > 0);
}

/// Times can't be added to lengths.
#[test]
fn a_histogram_of_another_scale_is_a_damaged_block() {
    let of = |scale| Some(Histogram::of(scale, [1, 2, 3]));
    let mut fine = stalled(2, 0..0, 0);
    (fine.loops[0].turn_ns, fine.loops[0].tick_drain_length) = (of(Scale::Time), of(Scale::Length));
    let found = with_snapshot(&fine, vec![Vec::new()]);
    assert_eq!((found.snapshot, found.lost), (fine.clone(), Lost::default()));
    let change: [fn(&mut LoopSnapshot, Option<Histogram>); 4] = [
        |of, odd| of.turn_ns = odd,
        |of, odd| of.callbacks_ns.0[2] = odd,
        |of, odd| of.gc_minor_ns = odd,
        |of, odd| of.thread_pool.run_ns = odd,
    ];
    for change in change {
        let mut odd = fine.clone();
        change(&mut odd.loops[0], of(Scale::Length));
        let found = with_snapshot(&odd, vec![Vec::new()]);
        assert_eq!((found.lost.damaged_blocks, found.snapshot.wall_ns), (1, SECOND_NS));
    }
    let mut odd = fine.clone();
    odd.loops[0].microtask_drain_length = of(Scale::Time);
    assert_eq!(with_snapshot(&odd, vec![Vec::new()]).lost.damaged_blocks, 1);
}
