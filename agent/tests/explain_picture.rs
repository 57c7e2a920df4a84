//! The picture of `explain` in a real browser: headless Chromium, where there is one.
//!
//! The page is opened as it is, with a script behind it that uses it as a reader would and puts
//! down what it finds. The page's own rules let it load nothing, so what it needs is in it.

#[path = "support/browser.rs"]
mod browser;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// What a reader does, and what is seen then.
const READER: &str = r#"
const press = (key) => document.activeElement.dispatchEvent(
  new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
const size = () => parseFloat(getComputedStyle(document.documentElement).fontSize);
const lit = () => document.querySelector('#sources .lit')?.textContent ?? '';
const found = { errors: [], blocked: 0 };
addEventListener('error', (event) => found.errors.push(event.message));
addEventListener('securitypolicyviolation', () => found.blocked++);
found.lanes = [...document.querySelectorAll('.lane')].map((lane) => lane.textContent);
found.turns = document.querySelectorAll('.turn').length;
found.output = [...document.querySelectorAll('.output .row span')].map((row) => row.textContent);
found.callbacks = document.querySelectorAll('.callback').length;
found.drains = [...document.querySelectorAll('.drain > summary span')].map((n) => +n.textContent);
found.script = document.querySelectorAll('script').length;
press('ArrowDown');
found.first = document.activeElement.dataset.title;
for (let index = 0; index < 2; index++) press('ArrowDown');
found.third = document.activeElement.dataset.title;
found.line = lit();
const timer = [...document.querySelectorAll('.timers .callback .row')][0];
timer.dispatchEvent(new MouseEvent('mouseover', { bubbles: true }));
found.why = document.getElementById('why').textContent;
const before = size();
press('+');
found.grown = size() > before;
const isShown = () => document.querySelector('.task .row').checkVisibility();
press('c');
found.closed = !isShown();
press('e');
found.opened = isShown();
found.requests = performance.getEntriesByType('resource').length;
const result = document.createElement('pre');
result.id = 'found';
result.textContent = JSON.stringify(found);
document.body.append(result);
"#;

#[test]
fn the_picture_can_be_read_in_a_browser() {
    let Some(chromium) = browser::chromium() else { return };
    let folder = env::temp_dir().join(format!("loopscope-picture-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder can be made");
    let page = draw(&folder);
    let page = format!("file://{}", page.display());
    let found = browser::read(&chromium, &folder, &[], &page);
    let _ = fs::remove_dir_all(&folder);

    assert_eq!(found["errors"], serde_json::json!([]));
    assert_eq!((&found["blocked"], &found["requests"]), (&0.into(), &0.into()));
    assert_eq!(found["lanes"], serde_json::json!(["main", "check", "timers"]));
    assert_eq!((&found["turns"], &found["callbacks"]), (&2.into(), &5.into()));
    assert_eq!(found["drains"], serde_json::json!([3, 4]));
    let expected = [
        "nextTick 1",
        "nextTick 2",
        "nextTick 3",
        "then 1",
        "microtask 1",
        "microtask 2",
        "then 2",
        "timeout 1",
        "timeout 2",
        "immediate 1",
        "immediate 2",
    ];
    assert_eq!(found["output"], serde_json::json!(expected));
    assert_eq!(found["first"], "script ");
    assert_eq!(found["third"], "asks immediate #2");
    assert_eq!(found["line"], "setImmediate(() => console.log('immediate 1'));");
    let why = found["why"].as_str().expect("a text");
    assert!(
        why.contains("for 0 ms, which became 1 ms; 4 ms late, for main held the loop"),
        "{why}"
    );
    for fact in ["grown", "closed", "opened"] {
        assert_eq!(found[fact], true, "{fact}");
    }
}

#[test]
fn the_picture_is_one_file_and_a_program_can_put_nothing_into_it() {
    let folder = env::temp_dir().join(format!("loopscope-picture-of-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder can be made");
    let program = folder.join("a<b>.js");
    let source = "console.log('</pre><script>alert(1)</script>');\n";
    fs::write(&program, source).expect("a file can be written");
    let page = folder.join("page.html");
    explain(&program.to_string_lossy(), &[], &page);
    let text = fs::read_to_string(&page).expect("the picture is there");
    let _ = fs::remove_dir_all(&folder);
    assert_eq!(text.matches("<script").count(), 1);
    assert!(text.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    for outside in ["http:", "https:", " src=", "@import", "url("] {
        assert!(!text.contains(outside), "{outside}");
    }
}

/// The frames of each step: the newest marked by `>`, what is taken away by `-`.
#[test]
fn the_call_stack_is_drawn_frame_by_frame() {
    let folder = env::temp_dir().join(format!("loopscope-picture-stack-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder can be made");
    let page = folder.join("page.html");
    explain("seeds/call-stack-main-work", &["--stack"], &page);
    let text = fs::read_to_string(&page).expect("the picture is there");
    let _ = fs::remove_dir_all(&folder);
    let steps = text.split("<span class=\"frames\">").skip(1);
    let plain = |step: &str| {
        let frames = step.split("</span>").next().unwrap_or_default().replace("</s>", " ");
        let frames = frames.replace("<s class=\"top\">", ">").replace("<s class=\"gone\">", "-");
        frames.replace("<s>", "").trim_end().to_owned()
    };
    let expected = [
        ">(top level)",
        "(top level) >main",
        "(top level) main >work",
        "(top level) main -work",
        "(top level) -main",
        "-(top level)",
    ];
    assert_eq!(steps.map(plain).collect::<Vec<_>>(), expected);
}

fn explain(name: &str, more: &[&str], page: &Path) {
    let output = Command::new(env!("CARGO_BIN_EXE_loopscope"))
        .args(["explain", name, "--clock", "virtual", "--report", "none"])
        .args(more)
        .arg("--html")
        .arg(page)
        .output()
        .expect("the program can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The picture, with the reader behind it.
fn draw(folder: &Path) -> PathBuf {
    let page = folder.join("page.html");
    explain("seeds/first", &[], &page);
    let text = fs::read_to_string(&page).expect("the picture is there");
    let read = text.replace("</body>", &format!("<script>{READER}</script></body>"));
    fs::write(&page, read).expect("the page can be written");
    page
}
