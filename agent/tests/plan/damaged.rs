//! Damaged files: refused, or the same plan, and neither a panic nor a wait.
//!
//! A bit of the code that is probed, or of the headers that say where it is mapped, may change what
//! the plan says, as that is what will be run. Then each probe must still be what the file has
//! there.

use std::{fs::File, os::unix::fs::FileExt};

use loopscope::{
    elf::Image,
    plan::{NotNode, Plan, Point, Probe, plan},
};

use crate::{
    imitation, nodes, plan_of,
    reduced::reduce,
    writer::{Program, file_of},
};

/// In how many bytes one bit is turned. All are done with `LOOPSCOPE_FLIPS=100000`.
fn flips() -> usize {
    std::env::var("LOOPSCOPE_FLIPS").ok().and_then(|text| text.parse().ok()).unwrap_or(600)
}

/// The same numbers each time, evenly spread.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        ((self.0 >> 33) as usize) % bound
    }
}

fn read(file: &File) -> Option<Result<Plan, NotNode>> {
    let image = Image::read(file.try_clone().unwrap()).ok()?;
    Some(plan(&[image]))
}

/// What a damaged file may still be believed about.
#[derive(Clone, Copy, PartialEq)]
enum Hurt {
    /// The code itself, or where it is mapped.
    Code,
    /// Constants. Versions are nothing but what they say.
    Data,
    /// What code and data are checked against.
    Tables,
}

fn hurt(program: &Program, file: &[u8], at: usize) -> Hurt {
    let tables_at = usize::from_le_bytes(file[32..40].try_into().unwrap());
    let segments = usize::from(u16::from_le_bytes([file[56], file[57]]));
    if (tables_at..tables_at + segments * 56).contains(&at) {
        return Hurt::Code;
    }
    let mut start = tables_at + segments * 56 + 16 + program.build_id.len();
    for part in &program.parts {
        let end = start + part.bytes.len();
        if (start..end).contains(&at) {
            return if part.flags == 5 { Hurt::Code } else { Hurt::Data };
        }
        start = end;
    }
    Hurt::Tables
}

fn check_same(whole: &Plan, damaged: &Plan, hurt: Hurt) {
    for probe in &damaged.probes {
        assert!(whole.probes.contains(probe), "{probe:?}");
    }
    for point in Point::ALL {
        let complete = |plan: &Plan| plan.probes_of(point).count();
        let none = damaged.why_missing(point).is_some() && complete(damaged) == 0;
        assert!(none || complete(damaged) == complete(whole), "{point:?}: {damaged:?}");
    }
    let (a, b) = (&damaged.data, &whole.data);
    assert!(a.default_loop.is_none() || a.default_loop == b.default_loop);
    let (queue, its) = (a.microtask_queue_vtable, b.microtask_queue_vtable);
    assert!(queue.is_none() || queue == its, "{queue:x?} {its:x?}");
    assert!(
        a.finished_count_offset.is_none() || a.finished_count_offset == b.finished_count_offset
    );
    assert!(a.size_offset.is_none() || a.size_offset == b.size_offset);
    if hurt == Hurt::Tables {
        let (a, b) = (&damaged.versions, &whole.versions);
        assert!(a.node.is_none() || a.node == b.node, "{a:?}");
        assert!(a.uv.is_none() || a.uv == b.uv, "{a:?}");
    }
}

fn check_true(probe: &Probe, file: &File) {
    let mut bytes = [0; 16];
    file.read_exact_at(&mut bytes, probe.file_offset).unwrap();
    assert_eq!(bytes, probe.bytes);
    let emulated = matches!(bytes[..2], [0x50..=0x57 | 0x70..=0x7f | 0x90, _] | [0x41, 0x50..=0x57])
        || matches!(bytes[..2], [0x0f, 0x80..=0x8f] | [0xe8 | 0xe9 | 0xeb, _]);
    assert!(emulated || (probe.stepped && probe.point == Point::GcStart), "{probe:?}");
}

/// Turns bits one after the other and makes the plan of each such file.
fn check_flips(program: &Program) {
    let whole = plan_of(program).unwrap();
    let bytes = program.bytes();
    let file = program.file();
    let mut dice = Dice(1);
    let [mut refused, mut missing, mut same] = [0; 3];
    let (code, other): (Vec<usize>, Vec<usize>) =
        (0..bytes.len()).partition(|&at| hurt(program, &bytes, at) == Hurt::Code);
    for count in 0..flips().min(bytes.len()) {
        // All of them if that many are wanted, else some of each kind.
        let kind = if count % 3 == 0 { &code } else { &other };
        let at = if flips() >= bytes.len() { count } else { kind[dice.below(kind.len())] };
        let turned = bytes[at] ^ (1 << dice.below(8));
        file.write_all_at(&[turned], at as u64).unwrap();
        match read(&file) {
            Some(Ok(plan)) => {
                match hurt(program, &bytes, at) {
                    Hurt::Code => plan.probes.iter().for_each(|probe| check_true(probe, &file)),
                    hurt => check_same(&whole, &plan, hurt),
                }
                *if plan.missing.is_empty() { &mut same } else { &mut missing } += 1;
            }
            Some(Err(_)) | None => refused += 1,
        }
        file.write_all_at(&[bytes[at]], at as u64).unwrap();
    }
    assert_eq!(read(&file).unwrap().unwrap(), whole);
    println!("{refused} refused, {missing} with points missing, {same} with all of them");
    assert!(refused > 0 && missing > 0 && same > 0);
}

#[test]
fn a_bit_turned_in_a_made_file_is_refused_or_does_no_harm() {
    check_flips(&imitation::node());
    let mut stripped = imitation::node();
    stripped.symbols.retain(|symbol| !symbol.name.starts_with("uv__"));
    stripped.stripped = true;
    check_flips(&stripped);
}

#[test]
fn a_bit_turned_in_a_release_is_refused_or_does_no_harm() {
    let releases = nodes::official();
    // One from GCC with V8's functions exported, and the newest from clang.
    let chosen = releases.iter().filter(|(version, _)| version.starts_with("20."));
    for (_, path) in chosen.chain(releases.last()) {
        let program = reduce(path);
        let plan = plan_of(&program).unwrap();
        assert_eq!(plan.missing, [], "{}", path.display());
        let real = read(&File::open(path).unwrap()).unwrap().unwrap();
        // The function that tells where an isolate has its queue is not in the reduced file.
        let mut data = real.data.clone();
        data.queue_in_isolate = None;
        assert_eq!((&plan.data, &plan.versions), (&data, &real.versions));
        let places = |plan: &Plan| -> Vec<(Point, u64, [u8; 16])> {
            plan.probes.iter().map(|one| (one.point, one.address, one.bytes)).collect()
        };
        assert_eq!(places(&plan), places(&real));
        check_flips(&program);
    }
}

#[test]
fn a_file_cut_short_is_refused_or_has_less() {
    let program = imitation::node();
    let (whole, bytes) = (plan_of(&program).unwrap(), program.bytes());
    for size in (0..bytes.len()).step_by(7) {
        if let Some(Ok(plan)) = read(&file_of(&bytes[..size])) {
            check_same(&whole, &plan, Hurt::Tables);
        }
    }
}

/// Each number of the headers, and each of the first table of symbols, at its largest.
#[test]
fn huge_numbers_take_neither_memory_nor_time() {
    let program = imitation::node();
    let bytes = program.bytes();
    let file = program.file();
    let sections_at = usize::from_le_bytes(bytes[40..48].try_into().unwrap());
    let fields = (0..64).chain(64..64 + 56 * 40).chain(sections_at..bytes.len());
    for at in fields.step_by(4) {
        for size in [2, 4, 8] {
            for huge in [[0xff; 8], [0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0]] {
                let end = (at + size).min(bytes.len());
                file.write_all_at(&huge[..end - at], at as u64).unwrap();
                if let Some(Ok(plan)) = read(&file) {
                    plan.probes.iter().for_each(|probe| check_true(probe, &file));
                }
                file.write_all_at(&bytes[at..end], at as u64).unwrap();
            }
        }
    }
}

/// A file may say that it is large without being so: the rest of it reads as zeros.
#[test]
fn tables_larger_than_any_are_refused_unread() {
    let mut program = imitation::node();
    program.stripped = true;
    let file = program.file();
    file.set_len(1 << 40).unwrap();
    let bytes = program.bytes();
    let sections_at = u64::from_le_bytes(bytes[40..48].try_into().unwrap());
    let size_of_symbols = sections_at + 64 + 32;
    file.write_all_at(&(1u64 << 38).to_le_bytes(), size_of_symbols).unwrap();
    let error = read(&file).unwrap().unwrap_err().to_string();
    assert!(error.contains("its table of symbols of 274877906944 bytes"), "{error}");

    // A segment of code that reaches to the end.
    let mut program = imitation::node();
    program.code(0x3000_0000, &[0x90]);
    let file = program.file();
    file.set_len(1 << 40).unwrap();
    let header = 64 + 56 * program.parts.len() as u64;
    file.write_all_at(&(1u64 << 38).to_le_bytes(), header + 32).unwrap();
    file.write_all_at(&(1u64 << 38).to_le_bytes(), header + 40).unwrap();
    let plan = read(&file).unwrap().unwrap();
    assert!(plan.why_missing(Point::DrainEnd).unwrap().contains("its code of"), "{plan:?}");
}
