//! What the kernel accounts to a thread: `/proc/PID/task/TID/schedstat`.
//!
//! ```text
//! 1503912345 20871 42        time on a CPU, time waiting for one (both in ns), time slices
//! ```

use loop_core::snapshot::ThreadCpu;

/// The figures of a thread of this process; nothing where the kernel does not tell.
pub(super) fn read(tid: u32) -> ThreadCpu {
    read_of(std::process::id(), tid)
}

/// The figures of a thread of any process that we may read; nothing else.
pub(super) fn read_of(pid: u32, tid: u32) -> ThreadCpu {
    let path = format!("/proc/{pid}/task/{tid}/schedstat");
    std::fs::read_to_string(path).map(|text| parse(&text)).unwrap_or_default()
}

fn parse(text: &str) -> ThreadCpu {
    let mut numbers = text.split_ascii_whitespace().map(|word| word.parse().ok());
    ThreadCpu {
        on_cpu_ns: numbers.next().flatten(),
        run_delay_ns: numbers.next().flatten(),
        throttled_ns: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_line_is_read_and_anything_else_is_not_measured() {
        let cpu = parse("1503912345 20871 42\n");
        assert_eq!((cpu.on_cpu_ns, cpu.run_delay_ns), (Some(1_503_912_345), Some(20_871)));
        for bad in ["", "x", "-1 -2", "99999999999999999999999 y"] {
            assert_eq!(parse(bad), ThreadCpu::default(), "{bad}");
        }
        assert_eq!(read(u32::MAX), ThreadCpu::default());
    }
}
