//! The files for deployment are what they say they are.

mod common;

use std::fs;
use std::path::PathBuf;

use common::{folder, run};
use saphyr_parser::{Event, Parser};

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)
}

fn text(name: &str) -> String {
    fs::read_to_string(file(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// What the agent keeps, as `loopscope agent` gives up all others.
const CAPABILITIES: [&str; 5] = ["SYS_PTRACE", "DAC_READ_SEARCH", "BPF", "PERFMON", "SYS_NICE"];

#[test]
fn the_configuration_is_fine_and_says_the_defaults() {
    let path = file("agent.toml");
    let ran = run(&["check", "config", path.to_str().expect("UTF-8")]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    let empty = folder("deploy").join("empty.toml");
    fs::write(&empty, "").expect("it can be written");
    let defaults = run(&["check", "config", empty.to_str().expect("UTF-8")]).stdout;
    let rest = |text: &str| text.split_once(": ").map(|(_, rest)| rest.to_owned());
    assert_eq!(rest(&ran.stdout), rest(&defaults));
}

#[test]
fn what_is_commented_out_is_fine_too() {
    let commented = text("agent.toml").replace("# [[", "[[").replace("\n# folder", "\nfolder");
    let commented = commented.replace("\n# name", "\nname").replace("\n# match", "\nmatch");
    let path = folder("deploy-commented").join("agent.toml");
    fs::write(&path, commented).expect("it can be written");
    let ran = run(&["check", "config", path.to_str().expect("UTF-8")]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains("1 to include, 1 to exclude, 1 names"), "{}", ran.stdout);
}

#[test]
fn what_is_wrong_with_a_configuration_is_told_in_one_line() {
    let path = folder("deploy-wrong").join("agent.toml");
    for (text, part) in [
        ("listen = ':9797'\nstall_treshold = '1s'\n", "agent.toml:2: unknown field"),
        ("listen = 5\n", "agent.toml:1: "),
        ("listen = \n", "agent.toml:1: "),
    ] {
        fs::write(&path, text).expect("it can be written");
        let ran = run(&["check", "config", path.to_str().expect("UTF-8")]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{text}");
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        assert!(ran.stderr.contains(part), "{text}: {}", ran.stderr);
    }
    let ran = run(&["check", "config", "/nowhere/agent.toml"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("/nowhere/agent.toml can't be read"), "{}", ran.stderr);
}

#[test]
fn the_web_configuration_that_it_names_is_checked_as_well() {
    let folder = folder("deploy-web");
    let (path, web) = (folder.join("agent.toml"), folder.join("web.yml"));
    fs::write(&path, format!("web_config_file = '{}'\n", web.display())).expect("written");
    let check = || run(&["check", "config", path.to_str().expect("UTF-8")]);
    let wrong = |part: &str| {
        let ran = check();
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{part}: {}", ran.stderr);
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    };
    wrong("web.yml: can't be read");
    fs::write(&web, "bearer_tokens:\n  grafana: t0ken\n").expect("written");
    wrong("web.yml, line 2: ");
    fs::write(&web, "tls_server_config:\n  cert_file: gone.pem\n  key_file: gone.pem\n")
        .expect("written");
    wrong("gone.pem");
    let digest = "b46c09677343261f0b439a472422225e3a230c9c094d6ab16762e2036b597053";
    fs::write(&web, format!("bearer_tokens:\n  grafana: {digest}\n")).expect("written");
    let ran = check();
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{}", ran.stdout);
    assert!(!ran.stdout.contains(digest), "{}", ran.stdout);
}

#[test]
fn all_of_them_give_the_same_rights() {
    for name in ["loopscope.service", "Containerfile", "kubernetes/daemonset.yaml", "README.md"] {
        let text = text(name);
        for capability in CAPABILITIES {
            assert!(text.contains(capability), "{name}: no {capability}");
        }
        assert!(!text.contains("SYS_ADMIN"), "{name}");
    }
}

#[test]
fn the_manifest_is_yaml_with_the_agents_own_configuration() {
    let manifest = text("kubernetes/daemonset.yaml");
    let events = Parser::new_from_str(&manifest).map(|event| event.expect("it is YAML").0);
    let words: Vec<String> = events
        .filter_map(|event| match event {
            Event::Scalar(text, ..) => Some(text.into_owned()),
            _ => None,
        })
        .collect();
    let behind = |key: &str| {
        let at = words.iter().position(|word| word == key);
        words[at.unwrap_or_else(|| panic!("no {key}: {words:?}")) + 1].as_str()
    };
    assert_eq!((behind("hostPID"), behind("readOnlyRootFilesystem")), ("true", "true"));
    // What is denied to containers by default: `bpf`, and the files of processes in none.
    let unconfined = words.iter().filter(|word| *word == "Unconfined").count();
    let profiles = (behind("seccompProfile"), behind("appArmorProfile"));
    assert_eq!((profiles, unconfined), (("type", "type"), 2));
    for option in ["seccomp=unconfined", "apparmor=unconfined"] {
        assert!(text("Containerfile").contains(option), "{option}");
    }
    let path = folder("deploy-kubernetes").join("agent.toml");
    fs::write(&path, behind("agent.toml")).expect("it can be written");
    let ran = run(&["check", "config", path.to_str().expect("UTF-8")]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.contains("1 to exclude"), "{}", ran.stdout);
}
