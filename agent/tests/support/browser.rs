//! A page in a real browser: headless Chromium, where there is one.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

/// Where it is. Without one the test says so, and is skipped.
pub(crate) fn chromium() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let path = env::var_os("PATH")?;
    let found = env::split_paths(&path)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|program| program.is_file());
    if found.is_none() {
        let why = "there is no chromium on PATH; .ci/setup installs it";
        let required = env::var_os("LOOPSCOPE_REQUIRE_SERVERS").is_some_and(|value| value == "1");
        assert!(!required, "{why}");
        println!("SKIPPED: a page in a browser: {why}");
    }
    found
}

/// Opens a page whose script puts down what it finds as JSON, in an element `found`. `folder` is
/// for what the browser keeps.
pub(crate) fn read(chromium: &Path, folder: &Path, options: &[&str], url: &str) -> Value {
    let output = Command::new("timeout")
        .arg("120")
        .arg(chromium)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"])
        .args(["--disable-dev-shm-usage", "--enable-logging=stderr", "--window-size=1600,1200"])
        .args(options)
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .args(["--dump-dom", url])
        .stdin(Stdio::null())
        .output()
        .expect("chromium can be started");
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(!log.contains("CONSOLE"), "{log}");
    let dom = String::from_utf8_lossy(&output.stdout);
    let found = dom.split("<pre id=\"found\">").nth(1).and_then(|rest| rest.split("</pre>").next());
    let found = found.unwrap_or_else(|| panic!("the page's script has not run: {log}"));
    let found = found.replace("&gt;", ">").replace("&lt;", "<").replace("&amp;", "&");
    serde_json::from_str(&found).expect("JSON")
}
