//! `record` by probes: what its report tells is what was told live, and a recorder that is killed
//! leaves all but its last second, and nothing in its target.

use std::fs;
use std::path::Path;
use std::process::Child;

use loopscope::recording::{self, Recording};

use crate::alone;
use crate::common::{command, finish, folder, run, signal, until, wait};
use crate::kernel::can_attach;
use crate::nodes;
use crate::target::Target;
use crate::text::until_untouched;

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn record(target: &Target, file: &Path, options: &[&str]) -> Child {
    let pid = target.pid().to_string();
    let args = [&["record", "-o", text(file), pid.as_str()], options].concat();
    let mut command = command(&args);
    command.env("LOOPSCOPE_SOURCE", "ebpf").spawn().expect("it starts")
}

/// The stalls of which it is told in which function they were.
fn named(found: &Recording) -> usize {
    let culprits = found.stalls.iter().filter_map(|of| of.stall.culprit.as_ref());
    culprits.filter(|culprit| culprit.file.ends_with("stalls.js")).count()
}

#[test]
fn the_report_and_the_profiles_of_a_recording_are_those_that_were_told() {
    let _alone = alone();
    let test = "the_report_and_the_profiles_of_a_recording_are_those_that_were_told";
    if !can_attach(test) {
        return;
    }
    for node in nodes::some(test) {
        let place = folder(&format!("{test}-{}", node.version));
        let (file, live) = (place.join("stalls.loopscope"), place.join("live.trace.json"));
        let mut target = Target::start(&node, "stalls.js");
        let options = ["--duration", "100s", "--report", "json", "--profile", text(&live)];
        let recorder = record(&target, &file, &options);
        until("it is recorded", || recording::read(&file).is_ok_and(|it| !it.timeline.is_empty()));
        target.go_and_be_done();
        signal(&recorder, "INT");
        let ran = finish(recorder);
        assert_eq!(ran.code, Some(130), "{ran:?}");
        let found = recording::read(&file).unwrap_or_else(|error| panic!("{error}"));
        assert!(named(&found) > 0, "{found:?}");
        assert_eq!(found.end.as_ref().map(|end| end.exit_code), Some(130));
        let again = place.join("again.trace.json");
        let options = ["--report", "json", "--profile", text(&again)];
        let told = run(&[&["report", text(&file)], options.as_slice()].concat());
        assert_eq!((told.code, &told.stdout), (Some(0), &ran.stdout));
        let profile = |path: &Path| fs::read(path).expect("the profile is there");
        assert_eq!(profile(&again), profile(&live));
        for end in ["cpuprofile", "collapsed"] {
            let file_of = place.join(format!("again.{end}"));
            let args = ["report", text(&file), "--report", "none", "--profile", text(&file_of)];
            assert_eq!(run(&args).code, Some(0));
            assert!(String::from_utf8_lossy(&profile(&file_of)).contains("stalls.js"), "{end}");
        }
        target.end();
    }
}

#[test]
fn a_recorder_that_is_killed_loses_a_second_and_leaves_nothing_behind() {
    let _alone = alone();
    let test = "a_recorder_that_is_killed_loses_a_second_and_leaves_nothing_behind";
    if !can_attach(test) {
        return;
    }
    for node in nodes::some(test) {
        let place = folder(&format!("{test}-{}", node.version));
        let file = place.join("stalls.loopscope");
        let mut target = Target::start(&node, "stalls.js");
        let mut recorder = record(&target, &file, &["--duration", "100s"]);
        until("it is recorded", || recording::read(&file).is_ok_and(|it| !it.timeline.is_empty()));
        target.go();
        until("stalls are recorded with their functions", || {
            recording::read(&file).is_ok_and(|found| named(&found) >= 3)
        });
        signal(&recorder, "KILL");
        wait(&mut recorder);
        let found = recording::read(&file).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((found.end.as_ref(), found.lost.damaged_blocks), (None, 0));
        assert!(found.stalls.iter().any(|of| of.stall.profile.is_some()), "no samples");
        let told = run(&["report", text(&file)]);
        assert_eq!(told.code, Some(0), "{told:?}");
        assert!(told.stdout.contains("stalls.js:"), "{told:?}");
        assert!(told.stderr.contains("it goes until"), "{told:?}");
        target.done();
        until_untouched(&target);
        target.end();
    }
}
