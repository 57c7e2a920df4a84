use proptest::prelude::*;

use super::*;
use crate::sourcemap::{Compiled, reference};

fn map(json: &str) -> Result<SourceMap, Broken> {
    SourceMap::parse(json.as_bytes(), "/app/dist")
}

/// Source, line, column of a place.
fn original(map: &SourceMap, line: u32, column: u32) -> Option<(&str, u32, u32)> {
    let found = map.original(line, column)?;
    Some((found.source, found.line, found.column))
}

/// Line 1 has three stretches, the second of which comes from nowhere; line 3 has one.
const SMALL: &str = r#"{"version":3,"file":"a.js","sources":["../src/a.ts",null,"b.ts"],
    "sourcesContent":["x",null,{"deep":[]}],"names":["work"],
    "mappings":"AACEA,I,IEAC;;EDCD","x_anything":1}"#;

#[test]
fn places_are_found_from_where_their_stretch_begins() {
    let map = map(SMALL).expect("it is a map");
    let first = Some(("/app/src/a.ts", 2, 3));
    assert_eq!(original(&map, 1, 1), first);
    assert_eq!(original(&map, 1, 4), first);
    assert_eq!(original(&map, 1, 5), None, "it comes from nowhere");
    assert_eq!(original(&map, 1, 9), Some(("/app/dist/b.ts", 2, 4)));
    assert_eq!(original(&map, 1, 900), Some(("/app/dist/b.ts", 2, 4)));
    assert_eq!(original(&map, 2, 1), None);
    assert_eq!(original(&map, 3, 2), None, "before its first stretch");
    assert_eq!(original(&map, 3, 3), None, "its source has no name");
    assert_eq!(original(&map, 0, 0), None);
    assert_eq!(map.names_before(1, 9).collect::<Vec<_>>(), [(1, "work")]);
    assert_eq!(map.names_before(3, 9).count(), 0);
}

#[test]
fn a_map_may_be_made_of_others() {
    let part = |line, column, source: &str| {
        format!(
            r#"{{"offset":{{"line":{line},"column":{column}}},"map":{{"version":3,
            "sources":["{source}"],"names":[],"mappings":"AAAA;AACA"}}}}"#
        )
    };
    let parts = [part(0, 0, "a.ts"), part(1, 8, "b.ts")].join(",");
    let all = map(&format!(r#"{{"version":3,"sections":[{parts}]}}"#)).expect("it is a map");
    assert_eq!(original(&all, 1, 1), Some(("/app/dist/a.ts", 1, 1)));
    assert_eq!(original(&all, 2, 8), Some(("/app/dist/a.ts", 2, 1)));
    assert_eq!(original(&all, 2, 9), Some(("/app/dist/b.ts", 1, 1)));
    assert_eq!(original(&all, 3, 1), Some(("/app/dist/b.ts", 2, 1)));
    let nested = r#"{"version":3,"sections":[{"offset":{"line":0,"column":0},"map":
        {"version":3,"sections":[]}}]}"#;
    assert_eq!(map(nested).map(|_| ()), Err(Broken::Json));
}

#[test]
fn sources_are_where_the_map_says() {
    assert_eq!(placed("/app/dist", "", "../src/./a.ts"), "/app/src/a.ts");
    assert_eq!(placed("/app/dist", "../src/", "a.ts"), "/app/src/a.ts");
    assert_eq!(placed("/app/dist", "/src", "a.ts"), "/src/a.ts");
    assert_eq!(placed("/app/dist", "/src", "/b/a.ts"), "/b/a.ts");
    assert_eq!(placed("/app/dist", "", "file:///b/a%20b.ts"), "/b/a b.ts");
    assert_eq!(placed("/app/dist", "", "webpack://app/./src/a.ts"), "webpack://app/src/a.ts");
    assert_eq!(placed("/app/dist", "", "webpack:///./src/a.ts"), "webpack:///src/a.ts");
    assert_eq!(placed("/", "", "../../a.ts"), "/a.ts");
}

#[test]
fn what_is_no_map_says_why() {
    let why = |json: &str| map(json).err();
    let with = |mappings: &str| {
        why(&format!(r#"{{"version":3,"sources":["a.ts"],"names":[],"mappings":"{mappings}"}}"#))
    };
    assert_eq!(why("<!DOCTYPE html>"), Some(Broken::Json));
    assert_eq!(why(""), Some(Broken::Json));
    assert_eq!(why(r#"{"version":2,"mappings":""}"#), Some(Broken::Version));
    assert_eq!(with("AAAA"), None);
    assert_eq!(with(""), None);
    for damaged in ["AAA", "A!AA", "ACAA", "ADAA", "AAAAA", "AAAAAA", "D", "gggggggggg"] {
        assert_eq!(with(damaged), Some(Broken::Mappings), "{damaged}");
    }
    let many = vec!["null"; WORDS_MAX + 1].join(",");
    let many = format!(r#"{{"version":3,"sources":[{many}],"mappings":""}}"#);
    assert_eq!(why(&many), Some(Broken::Json));
    assert_eq!(with(&"A,".repeat(SEGMENTS_MAX + 1)), Some(Broken::TooLarge));
}

#[test]
fn what_servers_put_in_front_is_skipped() {
    assert!(map(&format!(")]}}'\n{SMALL}")).is_ok());
    assert!(map(&format!("\u{feff}{SMALL}")).is_ok());
}

proptest! {
    #[test]
    fn any_bytes_are_a_map_or_an_error(bytes: Vec<u8>) {
        let _ = SourceMap::parse(&bytes, "/app");
        let _ = reference(&bytes);
    }

    #[test]
    fn any_mappings_are_places_or_an_error(
        mappings in "[A-Za-z0-9+/,;]{0,200}", script: String, line: u32, column: u32,
        offset in proptest::option::of((any::<u32>(), any::<u32>())),
    ) {
        let map = serde_json::json!({
            "version": 3, "sources": ["a", null], "names": ["n", "m"], "mappings": mappings,
        });
        let json = match offset {
            None => map,
            Some((line, column)) => serde_json::json!({ "version": 3, "sections": [
                { "offset": { "line": line, "column": column }, "map": map },
            ]}),
        };
        if let Ok(map) = SourceMap::parse(json.to_string().as_bytes(), "/app") {
            let compiled = Compiled::new(script.as_bytes(), map);
            for (line, column) in [(line, column), (1, column), (1, 1), (line, 1)] {
                let _ = compiled.original(line, column);
                let _ = compiled.function("a", (line, column));
            }
        }
    }

    #[test]
    fn any_end_of_a_script_is_read(url in "[ -~]{0,80}") {
        let _ = reference(format!("f();\n//# sourceMappingURL={url}\n").as_bytes());
        let _ = reference(format!("//# sourceMappingURL=data:x;base64,{url}").as_bytes());
    }
}
