//! Files through the pool.

use std::fs::OpenOptions;

use loop_core::{At, JobId};

use super::*;

/// Runs one call to its end and gives back what it came to.
fn wait<T: 'static>(
    lp: &mut Loop,
    call: impl FnOnce(&mut Loop, Box<dyn FnOnce(&mut Loop, Result<T, SysError>)>) -> JobId,
) -> Result<T, SysError> {
    let slot = Rc::new(Cell::new(None));
    let s = slot.clone();
    call(lp, Box::new(move |_, result| s.set(Some(result))));
    assert!(lp.is_alive(), "a job holds the loop");
    done(lp);
    slot.take().expect("the call has called back")
}

fn read_and_write(lp: &mut Loop, path: &Path) {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true);
    let file = wait(lp, |lp, f| lp.fs_open(path, &options, f)).unwrap();
    let write = |lp: &mut Loop, at, bytes: &'static str| {
        wait(lp, |lp, f| lp.fs_write(&file, at, bytes, f)).unwrap()
    };
    let read = |lp: &mut Loop, at, length| {
        let bytes = wait(lp, |lp, f| lp.fs_read(&file, at, length, f)).unwrap();
        String::from_utf8(bytes).unwrap()
    };
    assert_eq!(write(lp, At::Position, "hello "), 6);
    assert_eq!(write(lp, At::Position, "world"), 5);
    assert_eq!(write(lp, At::Offset(0), "J"), 1);
    assert_eq!(read(lp, At::Offset(0), 5), "Jello");
    assert_eq!(read(lp, At::Offset(6), 100), "world");
    assert_eq!(read(lp, At::Position, 100), "", "the position is behind the end");
    assert_eq!(wait(lp, |lp, f| lp.fs_fstat(&file, f)).unwrap().len(), 11);
    wait(lp, |lp, f| lp.fs_sync(&file, f)).unwrap();
    wait(lp, |lp, f| lp.fs_close(file, f)).unwrap();
    assert_eq!(wait(lp, |lp, f| lp.fs_stat(path, f)).unwrap().len(), 11);
    assert_eq!(std::fs::read(path).unwrap(), b"Jello world");
}

#[test]
fn a_file_is_written_and_read_on_both_clocks() {
    let folder = Folder::new("file");
    read_and_write(&mut real_loop(), &folder.at("real"));
    read_and_write(&mut virtual_loop(), &folder.at("virtual"));
}

#[test]
fn directories_and_whole_files() {
    let folder = Folder::new("directories");
    let mut lp = real_loop();
    let lp = &mut lp;
    let inner = folder.at("inner");
    wait(lp, |lp, f| lp.fs_mkdir(&inner, f)).unwrap();
    for name in ["b", "c", "a"] {
        wait(lp, |lp, f| lp.fs_write_file(inner.join(name), name, f)).unwrap();
    }
    wait(lp, |lp, f| lp.fs_write_file(inner.join("b"), "new", f)).unwrap();
    wait(lp, |lp, f| lp.fs_rename(inner.join("b"), inner.join("a"), f)).unwrap();
    let bytes = wait(lp, |lp, f| lp.fs_read_file(inner.join("a"), f)).unwrap();
    assert_eq!(bytes, b"new");
    let entries = wait(lp, |lp, f| lp.fs_readdir(&inner, f)).unwrap();
    let names: Vec<_> = entries.iter().map(|entry| entry.name.to_str().unwrap()).collect();
    assert_eq!(names, ["a", "c"]);
    assert!(entries.iter().all(|entry| entry.file_type.is_file()));
    wait(lp, |lp, f| lp.fs_unlink(inner.join("c"), f)).unwrap();
    assert!(!inner.join("c").exists());
}

#[test]
fn errors_tell_call_and_path() {
    let folder = Folder::new("fs-errors");
    let (here, none) = (folder.path().to_owned(), folder.at("none"));
    let mut lp = real_loop();
    let lp = &mut lp;
    let read_only = OpenOptions::new().read(true).clone();
    let text = |error: Option<SysError>| error.unwrap().to_string();
    let open = text(wait(lp, |lp, f| lp.fs_open(&none, &read_only, f)).err());
    assert_eq!(open, format!("ENOENT: no such file or directory, open '{}'", none.display()));
    let made = wait(lp, |lp, f| lp.fs_mkdir(&here, f)).unwrap_err();
    assert_eq!(
        made.to_string(),
        format!("EEXIST: file already exists, mkdir '{}'", here.display())
    );
    assert_eq!((made.call(), made.path()), ("mkdir", Some(&*here)));
    let listed = text(wait(lp, |lp, f| lp.fs_readdir(&none, f)).err());
    assert!(listed.starts_with("ENOENT: no such file or directory, scandir '"), "{listed}");
    let zero = wait(lp, |lp, f| lp.fs_unlink("a\0b", f)).unwrap_err();
    assert_eq!(zero.name(), "EINVAL");
    let written = text(wait(lp, |lp, f| lp.fs_write_file(&here, "", f)).err());
    assert!(written.starts_with("EISDIR: illegal operation on a directory, open '"), "{written}");
    std::fs::write(folder.at("f"), "x").unwrap();
    let file = wait(lp, |lp, f| lp.fs_open(folder.at("f"), &read_only, f)).unwrap();
    let wrote = text(wait(lp, |lp, f| lp.fs_write(&file, At::Position, "x", f)).err());
    assert_eq!(wrote, "EBADF: bad file descriptor, write");
    let huge = wait(lp, |lp, f| lp.fs_read(&file, At::Offset(0), usize::MAX, f));
    assert_eq!(huge.unwrap(), b"x", "memory for what the file holds is all that is asked for");
}

/// Nobody knows when the thread of the pool comes to it, but the loop's order is the same as ever.
#[test]
fn a_file_calls_back_in_the_poll_phase() {
    let mut lp = virtual_loop();
    let log = Log::default();
    lp.set_immediate(noting(&log, "immediate"));
    lp.fs_stat("/", noting_result(&log, "stat"));
    lp.next_tick(noting(&log, "tick"));
    done(&mut lp);
    assert_eq!(told(&log), "tick stat:ok immediate");
}
