//! The fix as code: what is wrong, and what does the same without holding up the loop.
//!
//! One for each diagnosis; where what was called is known, the one for that call.
//!
//! **Invariant**: an example is JavaScript that parses, of at most ten lines.

use loop_core::snapshot::Stall;

use super::{Id, Seen};

/// A fix for whoever calls one of these.
struct Fix {
    /// Parts of the names of functions, files or calls.
    callers: &'static [&'static str],
    example: &'static str,
}

/// Waits in synchronous calls; the first that fits is told.
const WAITS: [Fix; 5] = [
    Fix {
        callers: &["execSync", "execFileSync", "spawnSync", "child_process", "wait4", "waitid"],
        example: "// before\n\
            const log = execFileSync('git', ['log', '-1']);\n\
            // after\n\
            const { promisify } = require('node:util');\n\
            const { execFile } = require('node:child_process');\n\
            const { stdout: log } = await promisify(execFile)('git', ['log', '-1']);",
    },
    Fix {
        callers: &["Atomics.wait", "AtomicsWait"],
        example: "// before\n\
            Atomics.wait(shared, 0, 0);\n\
            // after\n\
            const waited = Atomics.waitAsync(shared, 0, 0);\n\
            if (waited.async) await waited.value;",
    },
    Fix {
        callers: &["writeFileSync", "appendFileSync", "fsyncSync", "fsync", "fdatasync"],
        example: "// before\n\
            fs.writeFileSync(path, JSON.stringify(state));\n\
            // after\n\
            await fs.promises.writeFile(path, JSON.stringify(state));",
    },
    Fix {
        callers: &["writeSync", "SyncWriteStream", "console", "write"],
        example: "// before: each line waits until the reader of the pipe has room\n\
            fs.writeSync(1, line);\n\
            // after: kept until there is room, and dropped where there never is\n\
            const log = fs.createWriteStream('app.log', { flags: 'a' });\n\
            function write(line) {\n\
            \x20 if (log.writableLength < 1 << 20) log.write(line);\n\
            }",
    },
    Fix {
        callers: &[],
        example: "// before\n\
            const text = fs.readFileSync(path, 'utf8');\n\
            // after\n\
            const text = await fs.promises.readFile(path, 'utf8');",
    },
];

/// Callbacks that compute.
const COMPUTES: [Fix; 7] = [
    Fix {
        callers: &["node:internal/crypto", "pbkdf2", "scrypt", "Scrypt", "generateKeyPair"],
        example: "// before\n\
            const key = crypto.pbkdf2Sync(password, salt, 600_000, 64, 'sha512');\n\
            // after: on a thread of the pool\n\
            const { promisify } = require('node:util');\n\
            const pbkdf2 = promisify(crypto.pbkdf2);\n\
            const key = await pbkdf2(password, salt, 600_000, 64, 'sha512');",
    },
    Fix {
        callers: &["node:zlib", "deflate", "inflate", "Zlib", "Brotli", "zlib"],
        example: "// before\n\
            const packed = zlib.gzipSync(page);\n\
            // after: on a thread of the pool\n\
            const { promisify } = require('node:util');\n\
            const packed = await promisify(zlib.gzip)(page);",
    },
    Fix {
        callers: &["JSON.parse", "JSON.stringify", "JsonParser", "JsonStringify"],
        example: "// before: megabytes in one call\n\
            const rows = JSON.parse(await fs.promises.readFile(path, 'utf8'));\n\
            // after: one row a line; the loop turns between two pieces of the file\n\
            const input = fs.createReadStream(path);\n\
            const lines = readline.createInterface({ input });\n\
            for await (const line of lines) handle(JSON.parse(line));\n\
            // or, where the form can't be chosen: in a worker\n\
            const worker = new Worker('./parse.js', { workerData: path });",
    },
    Fix {
        callers: &["RegExp", "Irregexp", "irregexp", "regexp"],
        example: "// before: each further letter doubles the time\n\
            const valid = /^(\\w+\\s?)*$/.test(input);\n\
            // after: one way to match, and a bound on what is matched\n\
            const valid = input.length <= 1000 && /^\\w+(\\s\\w+)*\\s?$/.test(input);",
    },
    Fix {
        callers: &["LocaleCompare", "localeCompare", "SortCompare", "prototype.sort", "MergeAt"],
        example: "// before\n\
            names.sort((a, b) => a.localeCompare(b, 'de'));\n\
            // after: one collator; and sorted once, not for each request\n\
            const collator = new Intl.Collator('de');\n\
            names.sort(collator.compare);\n\
            // of a million names: in a worker, or in the database (ORDER BY)",
    },
    Fix {
        callers: &["structuredClone", "ValueSerializer", "ValueDeserializer"],
        example: "// before: all of it, for each request\n\
            const copy = structuredClone(state);\n\
            copy.users[id].seen = now;\n\
            // after: what changes alone\n\
            const user = { ...state.users[id], seen: now };\n\
            const copy = { ...state, users: { ...state.users, [id]: user } };",
    },
    Fix {
        callers: &[],
        example: "// before\n\
            for (const chunk of chunks) compute(chunk);\n\
            // after: a few milliseconds at a time; or all of it in a worker thread\n\
            for (const chunk of chunks) {\n\
            \x20 compute(chunk);\n\
            \x20 await new Promise((resume) => setImmediate(resume));\n\
            }",
    },
];

/// The fix for a diagnosis of a loop; `None` where there is nothing to fix in the code.
pub(super) fn of_loop(id: Id, seen: &Seen<'_>) -> Option<&'static str> {
    let is_stopped = id == Id::Frozen && seen.of.stopped.is_some();
    of(id, seen.groups.get(id).longest()).filter(|_| !is_stopped)
}

/// The fix where the longest stall was this one.
fn of(id: Id, stall: Option<&Stall>) -> Option<&'static str> {
    Some(match id {
        Id::SyncIo => pick(&WAITS, stall),
        Id::CpuBoundCallback => pick(&COMPUTES, stall),
        Id::CpuStarved => WORKERS,
        Id::Frozen => HANDLER,
        Id::MicrotaskFlood => BATCHES,
        Id::NextTickStarvation => STEPS,
        Id::GcPressure => STREAM,
        Id::TimerStorm => JITTER,
        Id::PollFlood => PAUSE,
        Id::ImmediateFlood => QUEUE,
        Id::ThreadPoolSaturation => LIMIT,
        Id::Healthy => return None,
    })
}

/// The first fix for what the stall was seen in. The last one is for whatever is left.
fn pick(fixes: &[Fix], stall: Option<&Stall>) -> &'static str {
    let seen: Vec<&str> = stall.into_iter().flat_map(names).collect();
    let fits =
        |fix: &&Fix| fix.callers.iter().any(|caller| seen.iter().any(|name| name.contains(caller)));
    let fix = fixes.iter().find(fits).or(fixes.last());
    fix.map_or("", |fix| fix.example)
}

/// What the program's innermost function has called: its frames say what the files of the program
/// are called, too, so they are left out.
fn names(stall: &Stall) -> impl Iterator<Item = &str> {
    const NATIVE: &str = " (native)";
    let leaf = stall.culprit.iter().filter_map(|culprit| culprit.hot_leaf.as_deref());
    let stack = stall.stack.iter().flatten().map(String::as_str);
    let called = stack.take_while(|frame| frame.ends_with(NATIVE) || frame.contains("(node:"));
    let wait = stall.waits.iter().flatten().take(1);
    let wait = wait.flat_map(|wait| [Some(wait.call.as_str()), wait.subject.as_deref()]);
    leaf.chain(called).chain(wait.flatten())
}

const BATCHES: &str = "// before: a promise that is settled already gives the loop no turn\n\
    for (const item of items) await handle(item);\n\
    // after\n\
    for (let i = 0; i < items.length; i++) {\n\
    \x20 await handle(items[i]);\n\
    \x20 if (i % 100 === 99) await new Promise((resume) => setImmediate(resume));\n\
    }";

const STEPS: &str = "function step() {\n\
    \x20 work();\n\
    \x20 // before: if (more()) process.nextTick(step);\n\
    \x20 // after\n\
    \x20 if (more()) setImmediate(step);\n\
    }";

const STREAM: &str = "// before: all rows are alive at once\n\
    const all = await db.all(query);\n\
    all.forEach(write);\n\
    // after: one at a time; and what is kept has a bound\n\
    for await (const row of db.stream(query)) write(row);\n\
    if (cache.size > 10_000) cache.delete(cache.keys().next().value);\n\
    // node --max-semi-space-size=64 app.js    MiB: fewer promotions";

const WORKERS: &str = "// before: as many busy threads as the machine has CPUs\n\
    os.cpus().forEach(() => new Worker('./crunch.js'));\n\
    // after: as many as the quota allows, and one CPU is the loop's\n\
    const limit = fs.readFileSync('/sys/fs/cgroup/cpu.max', 'utf8');\n\
    const [quota, period] = limit.split(' ');\n\
    const all = os.availableParallelism();\n\
    const cpus = quota === 'max' ? all : Math.floor(quota / period);\n\
    for (let i = 1; i < cpus; i++) new Worker('./crunch.js');";

const HANDLER: &str = "export async function handler(event) {\n\
    \x20 const answer = await work(event);\n\
    \x20 // before: setTimeout(flushMetrics, 1000);\n\
    \x20 // after\n\
    \x20 await flushMetrics();\n\
    \x20 return answer;\n\
    }";

const JITTER: &str = "// before: all are due at the same instant\n\
    for (const key of keys) setInterval(refresh, intervalMs, key);\n\
    // after\n\
    for (const key of keys) {\n\
    \x20 const jitterMs = Math.random() * intervalMs;\n\
    \x20 setTimeout(() => setInterval(refresh, intervalMs, key), jitterMs);\n\
    }";

const PAUSE: &str = "// before: whatever has come is taken at once\n\
    socket.on('data', handle);\n\
    // after: no more until what has been read is done\n\
    server.maxConnections = 1000;\n\
    socket.on('data', (data) => {\n\
    \x20 socket.pause();\n\
    \x20 handle(data);\n\
    \x20 setImmediate(() => socket.resume());\n\
    });";

const QUEUE: &str = "// before\n\
    for (const item of items) setImmediate(handle, item);\n\
    // after: one that works through them in batches\n\
    function drain() {\n\
    \x20 for (const item of items.splice(0, 100)) handle(item);\n\
    \x20 if (items.length > 0) setImmediate(drain); // in the next turn\n\
    }\n\
    setImmediate(drain);";

const LIMIT: &str = "// before: a thousand jobs for four threads\n\
    await Promise.all(files.map((file) => hash(file)));\n\
    // after: as many as there are threads (UV_THREADPOOL_SIZE for more)\n\
    const limit = pLimit(4);\n\
    await Promise.all(files.map((file) => limit(() => hash(file))));";

#[cfg(test)]
mod tests {
    use loop_core::snapshot::{Counters, Culprit, Ledger, Wait};

    use super::*;

    fn seen(leaf: Option<&str>, stack: &[&str], wait: Option<(&str, &str)>) -> Stall {
        let waits = wait.map(|(call, subject)| Wait {
            call: call.into(),
            subject: Some(subject.into()),
            duration_ns: 1,
        });
        Stall {
            start_unix_ns: 0,
            duration_ns: 1,
            running: false,
            phase: None,
            callbacks: None,
            microtasks: None,
            repeated: None,
            ledger_ns: Ledger::default(),
            counters: Counters::default(),
            culprit: Some(Culprit {
                function: "work".into(),
                file: "/a.js".into(),
                line: 1,
                share: 1.0,
                samples: None,
                hot_leaf: leaf.map(str::to_owned),
            }),
            profile: None,
            waits: waits.map(|wait| vec![wait]),
            drain: None,
            stack: Some(stack.iter().map(|frame| (*frame).to_owned()).collect()),
        }
    }

    #[test]
    fn the_example_is_the_one_for_what_was_called() {
        let check = |id: Id, stall: Stall, part: &str| {
            let example = of(id, Some(&stall)).expect("one");
            assert!(example.contains(part), "{part} in\n{example}");
        };
        let waits = |leaf, call, subject| seen(Some(leaf), &[], Some((call, subject)));
        let read = waits("readFileSync (node:fs:441)", "openat", "/tmp/fifo");
        check(Id::SyncIo, read, "promises.readFile");
        let child = waits("spawnSync (node:internal/child_process:1)", "epoll_pwait", "sleep (1)");
        check(Id::SyncIo, child, "execFile");
        check(Id::SyncIo, seen(None, &[], Some(("write", "pipe:[7]"))), "createWriteStream");
        check(Id::SyncIo, waits("writeFileSync (node:fs:9)", "write", "/a"), "promises.writeFile");
        check(Id::SyncIo, waits("Atomics.wait (native)", "futex", ""), "waitAsync");
        let parse = seen(None, &["v8::JsonParser::Parse (native)", "load (/a.js:1)"], None);
        check(Id::CpuBoundCallback, parse, "readline");
        let leaf = |leaf| seen(Some(leaf), &[], None);
        check(Id::CpuBoundCallback, leaf("syncBufferWrapper (node:zlib:767)"), "zlib.gzip)");
        check(Id::CpuBoundCallback, leaf("pbkdf2Sync (node:internal/crypto/pbkdf2:7)"), "await p");
        check(Id::CpuBoundCallback, leaf("StringFastLocaleCompare (native)"), "Intl.Collator");
        check(Id::CpuBoundCallback, leaf("RegExp.prototype.test (native)"), "one way to match");
        // What a file of the program is called says nothing of what it does.
        let named = seen(None, &["work (/srv/zlib/JSON.parse.js:1)"], None);
        check(Id::CpuBoundCallback, named, "setImmediate");
        assert_eq!(of(Id::Healthy, None), None);
    }

    #[test]
    fn an_example_is_short_and_fits_a_terminal() {
        let fixes = WAITS.iter().chain(&COMPUTES).map(|fix| fix.example);
        let all = Id::ALL.into_iter().filter_map(|id| of(id, None)).chain(fixes);
        for example in all {
            let lines: Vec<&str> = example.lines().collect();
            assert!((4..=10).contains(&lines.len()), "{example}");
            assert!(lines.iter().all(|line| line.chars().count() <= 74), "{example}");
            assert!(example.contains("before") && example.contains("after"), "{example}");
        }
    }
}
