//! Names of functions that are in files: what scripts call them, or C++ does.

/// What a function of a file is to V8.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Native {
    /// Runs bytecode: the frame is that of a script's function.
    Interpreter,
    /// What scripts call, by the name that they call it by.
    Builtin(String),
    /// Code that V8 made when it was built, by V8's name: what scripts call, or a part of that.
    Embedded(String),
    /// A step between scripts and V8, of no interest by itself.
    Glue,
    /// V8's garbage collector.
    Collector(String),
    /// Anything else.
    Other(String),
}

/// What the symbol of a function says.
pub(super) fn native(symbol: &str) -> Native {
    if let Some(name) = symbol.strip_prefix("Builtins_") {
        return embedded(name);
    }
    let name = cpp(symbol);
    let inner = name.strip_prefix("v8::internal::").unwrap_or_default();
    if let Some(builtin) = inner.strip_prefix("Builtin_") {
        return Native::Builtin(script_name(builtin));
    }
    if COLLECTOR.iter().any(|part| inner.starts_with(part)) {
        return Native::Collector(name);
    }
    Native::Other(name)
}

/// Parts of V8's collector, by how their names begin.
const COLLECTOR: [&str; 16] = [
    "Heap::CollectGarbage",
    "Heap::PerformGarbageCollection",
    "Heap::Scavenge",
    "Heap::MarkCompact",
    "MarkCompactCollector",
    "MinorMarkCompactCollector",
    "MinorMarkSweepCollector",
    "ScavengerCollector",
    "Scavenger",
    "IncrementalMarking",
    "Sweeper",
    "MarkingVisitor",
    "Evacuator",
    "ConcurrentMarking",
    "GCTracer",
    "ScavengeVisitor",
];

fn embedded(name: &str) -> Native {
    let interpreter = name.starts_with("InterpreterEntryTrampoline")
        || name.starts_with("InterpreterEnter")
        || name.ends_with("Handler")
        || name == "BaselineOrInterpreterEnterAtBytecode"
        || name == "BaselineOrInterpreterEnterAtNextBytecode";
    if interpreter {
        Native::Interpreter
    } else if GLUE.iter().any(|part| name.starts_with(part)) {
        Native::Glue
    } else {
        Native::Embedded(name.to_owned())
    }
}

/// Built-ins that lead from scripts to others, by how their names begin.
const GLUE: [&str; 14] = [
    "CEntry",
    "JSEntry",
    "JSRunMicrotasksEntry",
    "JSConstructEntry",
    "JSConstructStub",
    "JSBuiltinsConstructStub",
    "InterpreterPushArgs",
    "Call_",
    "CallFunction",
    "CallApiCallback",
    "CallWith",
    "Construct",
    "BaselineOutOfLinePrologue",
    "ArgumentsAdaptor",
];

/// `Array.prototype.sort` of V8's own `ArrayPrototypeSort`.
pub(super) fn script_name(name: &str) -> String {
    for (prefix, object) in OBJECTS {
        let Some(rest) = name.strip_prefix(prefix) else { continue };
        let (rest, on_prototype) = match rest.strip_prefix("Prototype") {
            Some(rest) => (rest, true),
            None => (rest, *object == "Array" && !ARRAY_STATIC.contains(&rest)),
        };
        let mut chars = rest.chars();
        let Some(first) = chars.next().filter(char::is_ascii_uppercase) else { continue };
        let middle = if on_prototype { ".prototype." } else { "." };
        let method: String = first.to_lowercase().chain(chars).collect();
        return format!("{object}{middle}{method}");
    }
    name.to_owned()
}

/// V8 leaves `Prototype` out of many names of arrays' methods.
const ARRAY_STATIC: [&str; 4] = ["IsArray", "Of", "From", "FromAsync"];

/// How V8's names of objects begin, and what scripts call them. Longer ones stand first.
const OBJECTS: &[(&str, &str)] = &[
    ("ArrayBuffer", "ArrayBuffer"),
    ("AsyncGenerator", "AsyncGenerator"),
    ("Array", "Array"),
    ("Atomics", "Atomics"),
    ("BigInt", "BigInt"),
    ("DataView", "DataView"),
    ("Date", "Date"),
    ("Function", "Function"),
    ("Generator", "Generator"),
    ("Iterator", "Iterator"),
    ("Json", "JSON"),
    ("Map", "Map"),
    ("Math", "Math"),
    ("Number", "Number"),
    ("Object", "Object"),
    ("Promise", "Promise"),
    ("Proxy", "Proxy"),
    ("Reflect", "Reflect"),
    ("RegExp", "RegExp"),
    ("Set", "Set"),
    ("String", "String"),
    ("Symbol", "Symbol"),
    ("TypedArray", "TypedArray"),
    ("WeakMap", "WeakMap"),
    ("WeakSet", "WeakSet"),
];

/// `v8::internal::Heap::CollectGarbage` of a C++ symbol: its names, without arguments. What isn't
/// understood stays as it is.
fn cpp(symbol: &str) -> String {
    nested(symbol).unwrap_or_else(|| symbol.to_owned())
}

fn nested(symbol: &str) -> Option<String> {
    let rest = symbol.strip_prefix("_Z")?;
    let (mut rest, many) = match rest.strip_prefix('N') {
        Some(rest) => (rest.trim_start_matches(['K', 'V', 'R', 'O']), true),
        None => (rest.strip_prefix('L').unwrap_or(rest), false),
    };
    let mut names: Vec<&str> = Vec::new();
    loop {
        rest = rest.strip_prefix('L').unwrap_or(rest);
        if let Some(after) = rest.strip_prefix("St") {
            names.push("std");
            rest = after;
        } else if rest.starts_with(|char: char| char.is_ascii_digit()) {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let length: usize = rest[..digits].parse().ok()?;
            let end = digits.checked_add(length)?;
            let name = rest.get(digits..end)?;
            names.push(if name.starts_with("_GLOBAL__N_") { "(anonymous)" } else { name });
            rest = &rest[end..];
        } else if rest.starts_with("C1") || rest.starts_with("C2") {
            names.push(names.last().copied()?);
            break;
        } else if rest.starts_with('I') && many {
            rest = arguments(rest)?;
        } else {
            break;
        }
        if !many {
            break;
        }
    }
    (!names.is_empty()).then(|| names.join("::"))
}

/// What stands behind the arguments of a template. Only such as nest plainly.
fn arguments(symbol: &str) -> Option<&str> {
    let mut depth = 0_usize;
    let mut rest = symbol;
    loop {
        let char = rest.chars().next()?;
        if char.is_ascii_digit() {
            rest = skip_name(rest)?;
            continue;
        }
        rest = &rest[char.len_utf8()..];
        match char {
            // A literal: its type, its value, `E`.
            'L' => {
                let value = match rest.chars().next()? {
                    'N' => arguments(rest)?,
                    digit if digit.is_ascii_digit() => skip_name(rest)?,
                    _ => rest,
                };
                rest = value.split_once('E')?.1;
            }
            'I' | 'N' | 'J' | 'X' => depth += 1,
            'E' => depth = depth.checked_sub(1)?,
            // Numbers of substitutions and literals.
            'S' => rest = rest.split_once('_').map_or(rest, |(_, after)| after),
            _ => {}
        }
        if depth == 0 {
            return Some(rest);
        }
    }
}

/// What stands behind a name, which begins with its length.
fn skip_name(symbol: &str) -> Option<&str> {
    let digits = symbol.bytes().take_while(u8::is_ascii_digit).count();
    let length: usize = symbol[..digits].parse().ok()?;
    symbol.get(digits.checked_add(length)?..)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn builtins_are_named_as_scripts_call_them() {
        let builtin = |symbol: &str| match native(symbol) {
            Native::Builtin(name) => name,
            Native::Embedded(name) => script_name(&name),
            other => panic!("{symbol}: {other:?}"),
        };
        assert_eq!(builtin("Builtins_ArrayPrototypeSort"), "Array.prototype.sort");
        assert_eq!(builtin("Builtins_ArrayMap"), "Array.prototype.map");
        assert_eq!(builtin("Builtins_ArrayIsArray"), "Array.isArray");
        assert_eq!(builtin("_ZN2v88internal17Builtin_JsonParseEiPmPNS0_7IsolateE"), "JSON.parse");
        assert_eq!(builtin("Builtins_RegExpPrototypeExec"), "RegExp.prototype.exec");
        assert_eq!(builtin("Builtins_Atomics"), "Atomics");
    }

    #[test]
    fn the_interpreter_and_the_collector_are_known() {
        assert_eq!(native("Builtins_InterpreterEntryTrampoline"), Native::Interpreter);
        assert_eq!(native("Builtins_LdaSmiHandler"), Native::Interpreter);
        assert!(matches!(
            native("Builtins_CEntry_Return1_ArgvOnStack_NoBuiltinExit"),
            Native::Glue
        ));
        let symbol = "_ZN2v88internal4Heap14CollectGarbageENS0_15AllocationSpaceE";
        let name = "v8::internal::Heap::CollectGarbage".to_owned();
        assert_eq!(native(symbol), Native::Collector(name));
    }

    #[test]
    fn names_of_cpp_lose_their_arguments() {
        assert_eq!(cpp("_ZN4node2fs4OpenERKN2v8E"), "node::fs::Open");
        assert_eq!(cpp("_ZN4node12_GLOBAL__N_13runEv"), "node::(anonymous)::run");
        assert_eq!(cpp("uv_fs_open"), "uv_fs_open");
        assert_eq!(cpp("_ZN1aIN1b1cEiE1dEv"), "a::d");
        let parses = "_ZN2v88internal10JsonParserItE9ParseJsonILNS1_4ModeE2ELb0EEEvPS1_";
        assert_eq!(cpp(parses), "v8::internal::JsonParser::ParseJson");
    }

    proptest! {
        #[test]
        fn nothing_makes_it_fail(symbol in "(_Z|_ZN)?[A-Z0-9a-zé_]{0,40}") {
            native(&symbol);
        }
    }
}
