//! The report's page in a real browser: headless Chromium, where there is one.
//!
//! The page is opened as it is, with a script behind it that uses it as a reader would and puts
//! down what it finds. The page's own rules let it load nothing, so what it needs is in it.
//!
//! `UPDATE_PICTURES=1 cargo test -p loopscope --test report_page` draws `agent/docs/report.png`.

#[path = "support/browser.rs"]
mod browser;
#[path = "report_page/sample.rs"]
mod sample;

use std::path::{Path, PathBuf};
use std::{env, fs};

use loop_core::snapshot::{ClockKind, Snapshot};
use loopscope::diagnosis::diagnose;
use loopscope::report::Report;
use loopscope::report::html::{self, Timeline};
use serde_json::{Value, json};

/// What every reader has at hand, before the page's own script runs.
const BEFORE: &str = r#"
const found = { errors: [], blocked: 0 };
addEventListener('error', (event) => found.errors.push(event.message));
addEventListener('securitypolicyviolation', () => found.blocked++);
"#;

/// What every reader has at hand, and what is seen without doing anything.
const READER: &str = r#"
const press = (key) => document.activeElement.dispatchEvent(
  new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
const text = (query) => document.querySelector(query)?.textContent ?? '';
const all = (query) => [...document.querySelectorAll(query)];
const type = (value) => {
  const field = document.getElementById('flame-search');
  field.value = value;
  field.dispatchEvent(new Event('input'));
};
found.title = document.title;
found.verdicts = all('.diagnosis h3').map((node) => node.textContent);
found.inSight = document.querySelector('.diagnosis')?.checkVisibility() ?? false;
found.blocks = all('.block').length;
found.rows = all('#timeline .lane').length;
found.told = text('#timeline-told');
"#;

const AFTER: &str = r#"
found.scripts = all('script').length;
found.wide = document.documentElement.scrollWidth > innerWidth;
found.requests = performance.getEntriesByType('resource').length;
const result = document.createElement('pre');
result.id = 'found';
result.textContent = JSON.stringify(found);
document.body.append(result);
"#;

/// The page of a report in the browser, and what its reader finds.
struct Page {
    folder: PathBuf,
    html: String,
}

impl Page {
    fn of(test: &str, snapshot: &Snapshot, timeline: &Timeline) -> Page {
        let folder =
            env::temp_dir().join(format!("loopscope-report-{test}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder can be made");
        let diagnoses = diagnose(snapshot);
        let command = sample::command();
        let report = Report {
            snapshot,
            diagnoses: &diagnoses,
            workload: None,
            script: None,
            command: Some(&command),
        };
        let mut page = Vec::new();
        html::write(&report, timeline, &mut page).expect("a Vec takes all");
        Page { folder, html: String::from_utf8(page).expect("UTF-8") }
    }

    /// Opens it with a reader. `None`: there is no browser.
    fn read(&self, options: &[&str], reader: &str) -> Option<Value> {
        let chromium = browser::chromium()?;
        let script = |text: &str| format!("<script>{text}</script>");
        let html = self.html.replacen("<body>", &format!("<body>{}", script(BEFORE)), 1);
        let behind = script(&format!("{{{READER}{reader}{AFTER}}}"));
        let html = html.replace("</body></html>", &format!("{behind}</body></html>"));
        let path = self.folder.join("page.html");
        fs::write(&path, html).expect("the page can be written");
        let url = format!("file://{}", path.display());
        let found = browser::read(&chromium, &self.folder, options, &url);
        assert_eq!(found["errors"], json!([]));
        assert_eq!((&found["blocked"], &found["requests"]), (&0.into(), &0.into()));
        assert_eq!(found["wide"], false, "it is wider than the window");
        Some(found)
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn verdicts_stand_first_and_every_stall_is_on_the_timeline() {
    let page = Page::of("first", &sample::snapshot(), &sample::timeline());
    for outside in ["http:", "https:", " src=", "@import", "url("] {
        assert!(!page.html.contains(outside), "{outside}");
    }
    let reader = r#"
found.wall = all('#wall .ledger').map((bar) => {
  const width = (node) => node.getBoundingClientRect().width;
  return [...bar.children].reduce((sum, part) => sum + width(part), 0) / width(bar);
});
found.colours = all('.block').map((node) => getComputedStyle(node).backgroundColor);
found.charts = all('figure').length;
found.top = document.querySelector('.diagnosis').getBoundingClientRect().top;
found.busy = all('.lane path').length;
found.forgotten = all('.forgotten').length;
found.unseen = text('#figures');
"#;
    let Some(found) = page.read(&[], reader) else { return };
    assert_eq!(found["title"], "node /srv/shop/server.js --port=8080 - loopscope report");
    let verdicts = found["verdicts"].as_array().expect("a list");
    assert!(verdicts[0].as_str().is_some_and(|text| text.contains("microtask-flood")), "{found}");
    assert_eq!(found["inSight"], true);
    assert!(found["top"].as_f64() < Some(700.0), "a verdict is in sight at once: {found}");
    let stalls: usize = sample::snapshot().loops.iter().map(|of| of.stalls.len()).sum();
    assert_eq!((&found["blocks"], &found["rows"]), (&stalls.into(), &3.into()));
    for share in found["wall"].as_array().expect("a list") {
        assert!(share.as_f64().is_some_and(|share| (share - 1.0).abs() < 0.01), "{found}");
    }
    // The colour that dashboards have for microtasks.
    let colours = found["colours"].as_array().expect("a list");
    assert!(colours.contains(&json!("rgb(163, 82, 204)")), "{found}");
    assert_eq!((&found["busy"], &found["forgotten"]), (&2.into(), &1.into()));
    assert!(found["unseen"].as_str().is_some_and(|text| text.contains("Not measured")), "{found}");
}

#[test]
fn a_stall_is_chosen_by_keyboard() {
    let page = Page::of("keys", &sample::snapshot(), &sample::timeline());
    let reader = r#"
found.first = text('#stall h3');
const start = document.querySelector('#timeline .block[tabindex="0"]');
start.focus();
press('ArrowRight');
found.moved = document.activeElement !== start && document.activeElement.matches('.block');
document.activeElement.click();
found.second = text('#stall h3');
found.pressed = all('.block[aria-pressed="true"]').length;
press('ArrowDown');
document.activeElement.click();
found.other = text('#stall');
found.axis = text('#timeline .axis');
press('+');
found.zoomed = text('#timeline .axis') !== found.axis;
found.stillThere = document.activeElement.matches('.block');
press('0');
found.back = text('#timeline .axis') === found.axis;
document.querySelector('#stalls .item[tabindex="0"]').focus();
press('ArrowUp');
press('ArrowDown');
document.activeElement.click();
found.fromList = text('#stall h3');
found.item = document.activeElement.querySelector('b').textContent;
found.tabs = all('[tabindex="0"]').length;
"#;
    let Some(found) = page.read(&[], reader) else { return };
    assert_ne!(found["first"], found["second"]);
    for fact in ["moved", "zoomed", "stillThere", "back"] {
        assert_eq!(found[fact], true, "{fact}: {found}");
    }
    assert_eq!(found["pressed"], 1);
    assert!(found["other"].as_str().is_some_and(|text| text.contains("worker-1")), "{found}");
    let item = found["item"].as_str().expect("a time");
    assert!(found["fromList"].as_str().is_some_and(|text| text.starts_with(item)), "{found}");
}

#[test]
fn the_flame_graph_is_searched_and_zoomed() {
    let page = Page::of("flame", &sample::snapshot(), &sample::timeline());
    let reader = r#"
const whole = document.getElementById('flame').clientWidth;
found.told = text('#flame-told');
press('/');
found.focus = document.activeElement.id;
type('PRICE.JS');
found.all = text('#flame-found');
found.hits = all('.frame.hit').length;
type('parseLine');
found.one = text('#flame-found');
type('nothing is called so');
found.none = text('#flame-found');
type('');
found.cleared = text('#flame-found') + all('.frame.hit').length;
const frame = document.querySelector('#flame .frame[tabindex="0"]');
frame.focus();
press('ArrowDown');
press('ArrowDown');
found.at = document.activeElement.getAttribute('aria-label');
found.tip = text('#tip');
const isWhole = () => document.activeElement.getBoundingClientRect().width >= whole - 1;
const before = isWhole();
press('Enter');
found.zoomed = isWhole() && !before;
press('Escape');
found.out = document.querySelectorAll('.frame.above').length === 0;
document.getElementById('flame-one').click();
found.single = text('#flame-told');
found.singleRoot = text('.frame');
"#;
    let Some(found) = page.read(&[], reader) else { return };
    let (all_ns, price_ns, line_ns) = sample::searched_ns();
    let share = |ns: u64| format!("{:.1} %", 100.0 * ns as f64 / all_ns as f64);
    let text = |key: &str| found[key].as_str().unwrap_or_default().to_owned();
    assert_eq!(text("focus"), "flame-search");
    assert!(text("all").contains(&share(price_ns)), "{} {found}", share(price_ns));
    assert!(text("one").starts_with(&format!("1 function matches: {}", share(line_ns))), "{found}");
    assert!(found["hits"].as_u64() > Some(1));
    assert_eq!((text("none"), text("cleared")), ("nothing matches".to_owned(), "0".to_owned()));
    assert!(text("at").contains(" %, ") && text("at").contains(" of "), "{found}");
    assert!(text("tip").contains(" %, "), "{found}");
    assert_eq!((&found["zoomed"], &found["out"]), (&true.into(), &true.into()));
    assert_ne!(text("single"), text("told"));
    assert_eq!(text("singleRoot"), "this stall");
}

#[test]
fn hostile_names_are_text() {
    let page = Page::of("hostile", &sample::hostile(), &Timeline::default());
    assert_eq!(page.html.matches("<script").count(), 2);
    let hidden = |c: char| matches!(c, '\u{202e}' | '\u{1b}' | '\u{2028}');
    assert!(!page.html.contains(hidden));
    let reader = r#"
found.ran = window.ran === undefined ? 0 : window.ran;
found.text = document.body.innerText;
found.markup = all('main img, main b b, #stall script').length;
"#;
    let Some(found) = page.read(&[], reader) else { return };
    assert_eq!((&found["ran"], &found["markup"]), (&0.into(), &0.into()));
    let text = found["text"].as_str().expect("a text");
    assert!(text.contains("</script><script>window.ran = 1</script>"), "{text}");
    assert!(text.contains("\\u{202e}") && text.contains("\\u{1b}"), "{text}");
    // Data and script of the page, and two of this test.
    assert_eq!(found["scripts"], 4);
}

#[test]
fn what_was_not_seen_is_said() {
    let quiet = Page::of("quiet", &sample::quiet(), &sample::timeline());
    let reader = "const shown = all('.scripted > section').filter((one) => one.checkVisibility());
        found.sections = shown.length;";
    let Some(found) = quiet.read(&[], reader) else { return };
    assert_eq!(found["told"], "No turn of at least 50.0 ms.");
    assert_eq!((&found["blocks"], &found["sections"]), (&0.into(), &3.into()));

    let dark = Page::of("dark", &sample::without_samples(), &Timeline::default());
    let reader = "found.flame = text('#flame'); found.stall = text('#stall');";
    let found = dark.read(&[], reader).expect("there is a browser");
    assert_eq!(found["flame"], "No sample was taken of any stall.");
    let stall = found["stall"].as_str().expect("a text");
    assert!(stall.contains("No stack was taken of it."), "{stall}");
    assert!(stall.contains("What it waited for was not seen."), "{stall}");

    let nothing = Page::of("nothing", &Snapshot::empty(ClockKind::Real), &Timeline::default());
    let found = nothing.read(&[], "").expect("there is a browser");
    assert_eq!((&found["rows"], &found["inSight"]), (&0.into(), &true.into()));
}

#[test]
fn it_fits_a_narrow_window_and_both_colour_schemes() {
    let page = Page::of("narrow", &sample::snapshot(), &sample::timeline());
    let reader = r#"
const wide = (query) => all(query).filter((node) => node.scrollWidth > node.clientWidth + 1).length;
found.cut = wide('.card.list, #stall, .diagnosis');
found.paper = getComputedStyle(document.body).backgroundColor;
found.inner = innerWidth;
"#;
    // Headless windows are no narrower than this; a frame of 400 px is as narrow as a phone.
    let framed = "<!doctype html><body style=\"margin:0\"><iframe id=\"f\" src=\"page.html\" \
        style=\"width:400px;height:900px;border:0\"></iframe><script>\n\
        document.getElementById('f').onload = (event) => {\n\
        const inside = event.target.contentDocument.getElementById('found');\n\
        document.body.append(document.importNode(inside, true)); };</script>";
    let Some(light) = page.read(&[], reader) else { return };
    fs::write(page.folder.join("frame.html"), framed).expect("it can be written");
    let url = format!("file://{}", page.folder.join("frame.html").display());
    let chromium = browser::chromium().expect("there is a browser");
    let options = ["--allow-file-access-from-files"];
    let narrow = browser::read(&chromium, &page.folder, &options, &url);
    assert_eq!(
        (&narrow["inner"], &narrow["wide"], &narrow["cut"]),
        (&400.into(), &false.into(), &0.into())
    );
    let dark = page.read(&["--blink-settings=preferredColorScheme=0"], reader);
    assert_ne!(light["paper"], dark.expect("there is a browser")["paper"]);
}

/// Not only a picture for the documentation: it holds what is drawn to be as large as the window.
#[test]
fn a_picture_can_be_taken() {
    let page = Page::of("picture", &sample::snapshot(), &sample::timeline());
    let kept = env::var_os("UPDATE_PICTURES").is_some();
    let picture = page.folder.join("report.png");
    let shot = format!("--screenshot={}", picture.display());
    let window = "--window-size=1280,2740";
    let options = [shot.as_str(), window, "--hide-scrollbars", "--force-device-scale-factor=1"];
    if page.read(&options, "").is_none() {
        return;
    }
    let bytes = fs::read(&picture).expect("the picture is there");
    assert!(bytes.len() > 50_000, "only {} bytes", bytes.len());
    if kept {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/report.png");
        fs::copy(picture, docs).expect("agent/docs is there");
    }
}
