//! A release of Node without all that the plan doesn't need: some 20 KB of its 100 MB.

use std::{fs::File, path::Path};

use loopscope::{
    elf::{Function, Image, Symbol, Unwind, Wanted},
    plan::{Plan, Point, plan},
};

use crate::{
    imitation::{BEGIN, START},
    writer::{Program, Slot},
};

const FUNCTIONS: [Wanted<'static>; 18] = [
    Wanted::Name(START),
    Wanted::Name(BEGIN),
    Wanted::Name("uv_run"),
    Wanted::Name("uv__run_timers"),
    Wanted::Name("uv__run_idle"),
    Wanted::Name("uv__run_prepare"),
    Wanted::Name("uv__io_poll"),
    Wanted::Name("uv__run_check"),
    Wanted::Name("uv_timer_stop"),
    Wanted::Name("uv_loop_init"),
    Wanted::Name("uv_default_loop"),
    Wanted::Name("uv_version"),
    Wanted::Name("uv_version_string"),
    Wanted::Name("napi_get_node_version"),
    Wanted::Prefix("_ZN2v88internal9Execution16TryRunMicrotasksE"),
    Wanted::Prefix("_ZN2v88internal14MicrotaskQueue13RunMicrotasksEPNS0_7IsolateE"),
    Wanted::Prefix("_ZN2v88internal4Heap24PerformGarbageCollectionE"),
    Wanted::Name("uv__metrics_update_idle_time"),
];

const DATA: [Wanted<'static>; 4] = [
    Wanted::Prefix("_ZN2v88internal14MicrotaskQueue"),
    Wanted::Name("_ZTVN2v88internal14MicrotaskQueueE"),
    Wanted::Prefix("_ZN2v88internal7Version"),
    Wanted::Name("_ZZ21napi_get_node_versionE7version"),
];

/// Of these no bytes are in the file.
const ZEROS: [(&str, u64); 5] = [
    ("default_loop_struct", 848),
    ("wq", 16),
    ("slow_io_pending_wq", 16),
    ("run_slow_work_message", 16),
    ("exit_message", 16),
];

/// The program, whose plan is that of the file.
pub(crate) fn reduce(path: &Path) -> Program {
    let images = [Image::read(File::open(path).unwrap()).unwrap()];
    let [image] = &images;
    let reduction = Reduction { image, unwind: image.unwind().unwrap() };
    let mut program = Program::new();
    program.build_id = image.build_id().unwrap().to_vec();
    for symbol in image.symbols(&FUNCTIONS).unwrap().concat() {
        program.symbol(&symbol.name, symbol.address, symbol.size, 2);
        reduction.add_function(&mut program, symbol.address);
    }
    for symbol in image.symbols(&DATA).unwrap().concat() {
        reduction.add_data(&mut program, &symbol);
    }
    for (name, size) in ZEROS {
        program.zeros(name, image.symbol(name).unwrap().address, size);
    }
    let whole = plan(&images).unwrap();
    reduction.add_callers(&mut program, &whole);
    reduction.add_text(&mut program);
    reduction.add_wait(&mut program, &whole);
    program.merge();
    program
}

struct Reduction<'a> {
    image: &'a Image,
    unwind: Unwind,
}

impl Reduction<'_> {
    /// The function around an address, once.
    fn add_function(&self, program: &mut Program, address: u64) {
        let Some(range) = self.unwind.function_at(address) else { return };
        if program.frames.iter().any(|frame| frame.0 == range.start) {
            return;
        }
        let size = (range.end - range.start) as usize;
        let bytes = self.image.bytes_at(range.start, size + 16).unwrap();
        program.code_before(range.start, &bytes[..size], &bytes[size..]);
    }

    fn add_data(&self, program: &mut Program, symbol: &Symbol) {
        if symbol.function || symbol.size == 0 {
            return;
        }
        let size = symbol.size as usize;
        let Some(bytes) = self.image.bytes_at(symbol.address, size) else { return };
        program.data(&symbol.name, symbol.address, &bytes);
        if symbol.name.starts_with("_ZTV") {
            for word in bytes.chunks_exact(8) {
                self.add_function(program, u64::from_le_bytes(word.try_into().unwrap()));
            }
        }
    }

    fn add_callers(&self, program: &mut Program, whole: &Plan) {
        for probe in &whole.probes {
            self.add_function(program, probe.address);
        }
    }

    /// What `uv_version_string` returns: `mov eax, imm32`.
    fn add_text(&self, program: &mut Program) {
        let function = self.image.symbol("uv_version_string").unwrap();
        let bytes = self.image.bytes_at(function.address, function.size as usize).unwrap();
        let at = bytes.iter().position(|&byte| byte == 0xb8).unwrap() + 1;
        let text = u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        let bytes = self.image.bytes_at(text.into(), 32).unwrap();
        program.data("", text.into(), &bytes);
    }

    /// The stub by which the poll phase waits: `jmp [rip + 32 bits]`.
    fn add_wait(&self, program: &mut Program, whole: &Plan) {
        let poll = whole.probes_of(Point::IoPoll).next().unwrap().address;
        let poll = Function::at(self.image, &self.unwind, poll).unwrap();
        let imports = self.image.imports();
        for (_, stub) in poll.callees() {
            let name = imports.name_of_stub(self.image, stub);
            let Some(name) = name.filter(|name| name == "epoll_pwait") else { continue };
            let bytes = self.image.bytes_at(stub, 16).unwrap();
            assert_eq!(bytes[..2], [0xff, 0x25]);
            let relative = i32::from_le_bytes(bytes[2..6].try_into().unwrap());
            let address = (stub + 6).wrapping_add_signed(relative.into());
            program.data("", stub, &bytes);
            program.parts.last_mut().unwrap().flags = 5;
            program.slots.push(Slot { address, name });
        }
    }
}
