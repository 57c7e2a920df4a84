//! Files made here: what each rule of the plan refuses.

use loopscope::{
    elf::{ElfError, Image},
    plan::{Plan, Point, plan},
};

use crate::{
    imitation::{self, BEHIND_COLLECTION, BEHIND_DRAIN, calls_once, jump, node},
    plan_of,
    writer::{Program, file_of},
};

/// Where each probe lies, from the start of its function.
fn places(plan: &Plan) -> Vec<(Point, u64)> {
    plan.probes.iter().map(|probe| (probe.point, probe.address)).collect()
}

/// Checks that a program has no probe for some points, for a reason, and all others.
#[track_caller]
fn check_missing(program: &Program, points: &[Point], reason: &str) {
    let plan = plan_of(program).unwrap();
    for point in Point::ALL {
        let why = plan.why_missing(point);
        let is_missing = points.contains(&point);
        assert_eq!(plan.probes_of(point).count() == 0, is_missing, "{point:?}: {why:?}");
        assert_eq!(why.is_some_and(|why| why.contains(reason)), is_missing, "{point:?}: {why:?}");
    }
}

/// Replaces the bytes of a function and leaves its size.
fn patch(program: &mut Program, address: u64, at: usize, bytes: &[u8]) {
    let part = program.parts.iter_mut().find(|part| part.address == address).unwrap();
    part.bytes[at..at + bytes.len()].copy_from_slice(bytes);
}

fn remove(program: &mut Program, address: u64) {
    program.parts.retain(|part| part.address != address);
    program.frames.retain(|frame| frame.0 != address);
    program.symbols.retain(|symbol| symbol.address != address);
}

#[test]
fn all_points_of_a_whole_program_are_found() {
    let plan = plan_of(&node()).unwrap();
    assert_eq!(plan.missing, []);
    assert_eq!(
        places(&plan),
        [
            (Point::RunTimers, imitation::TIMERS),
            (Point::RunIdle, imitation::IDLE),
            (Point::RunPrepare, imitation::PREPARE),
            (Point::IoPoll, imitation::POLL),
            (Point::RunCheck, imitation::CHECK),
            (Point::DrainStart, imitation::TRY_RUN_AT),
            (Point::DrainEnd, imitation::RUN_MICROTASKS_AT + 17),
            (Point::GcStart, imitation::COLLECT_AT),
            (Point::GcEnd, imitation::COLLECTOR + 12),
            (Point::Begin, imitation::BEGIN_AT),
        ]
    );
    assert!(plan.probes.iter().all(|probe| !probe.stepped && probe.module == 0));
    assert_eq!(plan.modules[0].build_id, Some(vec![7; 20]));
    assert_eq!((plan.modules[0].uv, plan.modules[0].v8), (true, true));
    assert_eq!(plan.data.default_loop, Some((0, imitation::LOOP)));
    assert_eq!(plan.data.microtask_queue_vtable, Some((0, 0x50_2000)));
    assert_eq!((plan.data.finished_count_offset, plan.data.size_offset), (Some(40), Some(8)));
    assert_eq!(plan.versions.node.as_deref(), Some("77.8.9"));
    assert_eq!(plan.versions.uv, Some((1, 51, 3)));
    assert_eq!(plan.versions.v8.as_deref(), Some("14.6.202.34"));
}

#[test]
fn a_stripped_program_tells_its_phases_by_what_they_do() {
    let whole = plan_of(&node()).unwrap();
    let mut program = node();
    program.symbols.retain(|symbol| !symbol.name.starts_with("uv__"));
    program.symbols.retain(|symbol| symbol.name != "default_loop_struct");
    check_missing(&program, &Point::ALL[..5], "no symbol");
    program.stripped = true;
    assert_eq!(plan_of(&program).unwrap(), whole);

    // Two that run the same queue, or one that runs it in its own way: nobody knows.
    let runners = [Point::RunIdle, Point::RunPrepare, Point::RunCheck];
    let mut twice = program.clone();
    patch(&mut twice, imitation::PREPARE, 4, &[0xa0]);
    patch(&mut twice, imitation::PREPARE, 11, &[0xa8]);
    check_missing(&twice, &runners, "for certain");
    let mut other = program.clone();
    patch(&mut other, imitation::PREPARE, 1, &[0x4c]);
    check_missing(&other, &runners, "for certain");
    let mut no_wait = program.clone();
    no_wait.slots[0].name = "epoll_create1".to_owned();
    check_missing(&no_wait, &[Point::IoPoll], "for certain");
    let mut no_stop = program.clone();
    no_stop.symbols.retain(|symbol| symbol.name != "uv_timer_stop");
    check_missing(&no_stop, &[Point::RunTimers], "for certain");
}

#[test]
fn without_a_build_id_nothing_is_probed() {
    let mut program = node();
    program.build_id.clear();
    check_missing(&program, &Point::ALL, "no build id");
}

#[test]
fn a_function_is_where_its_symbol_and_its_frame_agree() {
    let mut longer = node();
    let check = |one: &&mut crate::writer::Named| one.name == "uv__run_check";
    longer.symbols.iter_mut().find(check).unwrap().size += 1;
    check_missing(&longer, &[Point::RunCheck], ".eh_frame has");
    let mut later = node();
    later.symbols.iter_mut().find(check).unwrap().address += 1;
    check_missing(&later, &[Point::RunCheck], ".eh_frame has");
    let mut frameless = node();
    frameless.frames.retain(|frame| frame.0 != imitation::CHECK);
    check_missing(&frameless, &[Point::RunCheck], "no .eh_frame entry");
    let mut data = node();
    let part = data.parts.iter_mut().find(|part| part.address == imitation::CHECK).unwrap();
    part.flags = 4;
    check_missing(&data, &[Point::RunCheck], "is no code");
    let mut broken = node();
    patch(&mut broken, imitation::CHECK, 1, &[0x06]);
    check_missing(&broken, &[Point::RunCheck], "can't be disassembled");
    let mut twice = node();
    twice.function("uv__run_check", 0x40_5000, &[0x55, 0xc3]);
    check_missing(&twice, &[Point::RunCheck], "more than one");
    let mut uncalled = node();
    remove(&mut uncalled, imitation::CHECK);
    uncalled.function("uv__run_check", 0x40_5000, &[0x55, 0xc3]);
    check_missing(&uncalled, &[Point::RunCheck], "does not call");
}

#[test]
fn a_trap_is_not_probed() {
    let mut program = node();
    patch(&mut program, imitation::IDLE, 0, &[0xcc]);
    check_missing(&program, &[Point::RunIdle], "no instruction that the kernel emulates");
    let mut stepped = node();
    remove(&mut stepped, imitation::COLLECT_AT);
    // Without the push nothing is emulated, and the test is stepped.
    stepped.function(imitation::COLLECT, imitation::COLLECT_AT, &imitation::COLLECTS[1..]);
    let plan = plan_of(&stepped).unwrap();
    assert!(plan.probes_of(Point::GcStart).all(|probe| probe.stepped));
    let trap = [&[0xcc], &imitation::COLLECTS[1..]].concat();
    let mut trapped = node();
    remove(&mut trapped, imitation::COLLECT_AT);
    trapped.function(imitation::COLLECT, imitation::COLLECT_AT, &trap);
    check_missing(&trapped, &[Point::GcStart], "no probe is set");
}

#[test]
fn a_drain_ends_only_in_run_microtasks() {
    let again = calls_once(0x40_5000, imitation::TRY_RUN_AT, BEHIND_DRAIN);
    let mut elsewhere = node();
    elsewhere.code(0x40_5000, &again);
    check_missing(&elsewhere, &[Point::DrainStart, Point::DrainEnd], "not RunMicrotasks");
    let mut part = node();
    part.function(&format!("{}.part.50", imitation::RUN_MICROTASKS), 0x40_5000, &again);
    assert_eq!(plan_of(&part).unwrap().probes_of(Point::DrainEnd).count(), 2);
    let mut jumped = node();
    jumped.function(
        &format!("{}.part.50", imitation::RUN_MICROTASKS),
        0x40_5000,
        &jump(0x40_5000, &[0x55], imitation::TRY_RUN_AT),
    );
    check_missing(&jumped, &[Point::DrainEnd], "a jump at");
    let mut two = node();
    two.function(&imitation::TRY_RUN.replace("QueueE", "QueueEi"), 0x40_5000, &[0x55, 0xc3]);
    check_missing(&two, &[Point::DrainStart, Point::DrainEnd], "more than one");
}

#[test]
fn a_library_calls_its_own_functions_through_stubs() {
    // endbr64 before the jump, or not, and at a place where only eight bytes are for each.
    let stubs: [(u64, &[u8]); 3] =
        [(0x40_6000, &[]), (0x40_6010, &[0xf3, 0x0f, 0x1e, 0xfa]), (0x40_6028, &[])];
    for (stub, before) in stubs {
        let mut program = node();
        imitation::add_stub(&mut program, (stub, 0x50_0100), before, imitation::TRY_RUN);
        let call = imitation::call(imitation::RUN_MICROTASKS_AT, &[0; 6], stub);
        patch(&mut program, imitation::RUN_MICROTASKS_AT, 6, &call[6..]);
        assert_eq!(places(&plan_of(&program).unwrap()), places(&plan_of(&node()).unwrap()));
        program.slots[1].name = "something_else".to_owned();
        check_missing(&program, &[Point::DrainStart, Point::DrainEnd], "nothing calls it");
    }
}

#[test]
fn every_call_of_a_collection_has_its_end() {
    let again = calls_once(0x40_5000, imitation::COLLECT_AT, BEHIND_COLLECTION);
    let mut two = node();
    two.code(0x40_5000, &again);
    assert_eq!(plan_of(&two).unwrap().probes_of(Point::GcEnd).count(), 2);
    // A way back without a jump on it.
    let mut endless = node();
    endless.code(0x40_5000, &calls_once(0x40_5000, imitation::COLLECT_AT, &[0x31, 0xc0, 0xc3]));
    check_missing(&endless, &[Point::GcEnd], "no instruction that the kernel emulates");
    // What reads as a call, but in no function.
    let both = [Point::DrainStart, Point::DrainEnd, Point::GcStart, Point::GcEnd];
    let mut unknown = two.clone();
    unknown.frames.retain(|frame| frame.0 != 0x40_5000);
    check_missing(&unknown, &both, "may be a call");
    // Nor in the middle of another instruction: mov eax, imm32 before it swallows its first bytes.
    let mut within = node();
    let call = &calls_once(0x40_5001, imitation::COLLECT_AT, &[0x5d, 0xc3])[1..];
    within.code(0x40_5000, &[&[0x90, 0xb8][..], call].concat());
    check_missing(&within, &both, "may be a call");
}

#[test]
fn a_copy_that_nothing_calls_is_not_probed() {
    let mut program = node();
    let special = format!("{}.constprop.1331", imitation::COLLECT);
    program.function(&special, 0x40_5000, imitation::COLLECTS);
    program.function(&format!("{}.cold", imitation::COLLECT), 0x40_5100, &[0x06]);
    remove(&mut program, imitation::COLLECTOR);
    program.code(
        imitation::COLLECTOR,
        &calls_once(imitation::COLLECTOR, 0x40_5000, BEHIND_COLLECTION),
    );
    let plan = plan_of(&program).unwrap();
    let starts: Vec<u64> = plan.probes_of(Point::GcStart).map(|probe| probe.address).collect();
    assert_eq!(starts, [0x40_5000]);
    assert_eq!(plan.probes_of(Point::GcEnd).count(), 1);
    remove(&mut program, imitation::COLLECTOR);
    check_missing(&program, &[Point::GcStart, Point::GcEnd], "nothing calls it");
    // What does not tell a young collection from a full one is something else.
    let mut other = node();
    patch(&mut other, imitation::COLLECT_AT, 3, &[0xfc]);
    check_missing(&other, &[Point::GcStart, Point::GcEnd], "does not test its collector");
    // Nor what has it in another register: test edx, 0xfffffffd.
    let mut moved = node();
    patch(&mut moved, imitation::COLLECT_AT, 2, &[0xc2]);
    check_missing(&moved, &[Point::GcStart, Point::GcEnd], "does not test its collector");
}

#[test]
fn data_counts_where_all_that_tell_it_agree() {
    let mut loops = node();
    patch(&mut loops, 0x40_3300, 1, &[8]);
    assert_eq!(plan_of(&loops).unwrap().data.default_loop, None);
    let mut finished = node();
    patch(&mut finished, 0x50_1000, 0, &[8]);
    assert_eq!(plan_of(&finished).unwrap().data.finished_count_offset, None);
    let mut size = node();
    patch(&mut size, 0x50_1010, 0, &[40]);
    assert_eq!(plan_of(&size).unwrap().data.size_offset, None);
    let mut table = node();
    patch(&mut table, 0x50_2000, 16, &[1]);
    assert_eq!(plan_of(&table).unwrap().data.microtask_queue_vtable, None);
    let mut version = node();
    patch(&mut version, 0x50_3000, 3, b"2");
    assert_eq!(plan_of(&version).unwrap().versions.uv, None);
}

#[test]
fn libuv_and_v8_may_lie_in_other_files() {
    let of = |keep: &dyn Fn(&str) -> bool| {
        let mut program = node();
        program.symbols.retain(|symbol| keep(&symbol.name));
        program
    };
    let images = |programs: &[Program]| -> Vec<Image> {
        programs.iter().map(|program| Image::read(program.file()).unwrap()).collect()
    };
    let start = of(&|name| name.starts_with("_ZN4node"));
    let uv = of(&|name| name.starts_with("uv") || name.starts_with("default"));
    let v8 = of(&|name| name.contains("v88internal") || name.starts_with("napi"));
    let other = Program::new();
    let whole = plan_of(&node()).unwrap();
    let split = plan(&images(&[other.clone(), start.clone(), v8.clone(), uv.clone()])).unwrap();
    assert_eq!(places(&split), places(&whole));
    let modules: Vec<usize> = split.probes.iter().map(|probe| probe.module).collect();
    assert_eq!(modules, [3, 3, 3, 3, 3, 2, 2, 2, 2, 1]);
    assert_eq!(split.data.default_loop, Some((3, imitation::LOOP)));
    let twice = plan(&images(&[start.clone(), v8.clone(), uv.clone(), uv.clone()])).unwrap();
    assert!(twice.why_missing(Point::IoPoll).unwrap().contains("several"));
    // Those of an addon do no harm to a Node that has its own.
    assert_eq!(places(&plan(&images(&[node(), uv.clone()])).unwrap()), places(&whole));
    assert!(plan(&images(&[uv, v8, other])).unwrap_err().to_string().contains("not Node.js"));
    assert!(plan(&[]).is_err());
}

#[test]
fn what_is_no_image_is_an_error() {
    let error = |bytes: &[u8]| Image::read(file_of(bytes)).unwrap_err();
    assert!(matches!(error(b""), ElfError::NotElf));
    assert!(matches!(error(&[0; 64]), ElfError::NotElf));
    assert!(matches!(error(b"#!/usr/bin/env node\n"), ElfError::NotElf));
    let whole = node().bytes();
    for cut in 0..64 {
        assert!(matches!(error(&whole[..cut]), ElfError::NotElf));
    }
    let mut arm = whole.clone();
    arm[18] = 183;
    assert!(matches!(error(&arm), ElfError::Machine { machine: 183 }));
    let mut narrow = whole.clone();
    narrow[4] = 1;
    assert!(matches!(error(&narrow), ElfError::Machine { .. }));
}
