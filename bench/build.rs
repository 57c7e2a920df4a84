//! Tells `counts` which compilers made it: instruction counts hold for one compiler and one target,
//! those of the JavaScript engine for one C compiler, too.

use std::env::var;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let compiler = var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let told = Command::new(compiler).arg("--version").output();
    let version = told.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let version = version.unwrap_or_default();
    let number = version.split_whitespace().nth(1).unwrap_or("unknown");
    let target = var("TARGET").unwrap_or_default();
    println!("cargo::rustc-env=LOOPSCOPE_COMPILER=rustc {number} {target}");
    println!("cargo::rerun-if-env-changed=CC");
    let c_compiler = var("CC").unwrap_or_else(|_| "cc".to_owned());
    let told = Command::new(c_compiler).arg("--version").output();
    let version = told.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let version = version.unwrap_or_default();
    let name = version.lines().next().unwrap_or("unknown");
    println!("cargo::rustc-env=LOOPSCOPE_C_COMPILER={name}");
}
