//! On processes of this machine.

use super::*;

#[test]
fn this_process_is_read_and_is_no_node() {
    let own = Process::open(std::process::id()).expect("it is there");
    assert!(own.is_same_image());
    assert_eq!(own.own_pid(), *own.status().namespace_pids.last().expect("since Linux 4.1"));
    let maps = own.maps().expect("they can be read");
    assert!(maps.iter().any(|mapping| mapping.executable && mapping.has_file()));
    assert!(maps.windows(2).all(|pair| pair[0].end <= pair[1].start));
    let modules = own.modules().expect("they can be read");
    assert!(modules.iter().all(|module| !module.holds.node), "{modules:?}");
}
