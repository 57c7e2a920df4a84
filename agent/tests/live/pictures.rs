//! The panels, drawn in a real browser from what a real Prometheus answers to their queries.
//!
//! `UPDATE_PICTURES=1 cargo test -p loopscope --test live pictures` observes for three minutes and
//! writes the pictures of `dashboards/README.md`. Otherwise it takes seconds, and holds that every
//! panel is drawn.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::alerts::rules;
use crate::alone;
use crate::browser;
use crate::common::folder;
use crate::dashboards::{agent_of, named};
use crate::kernel::can_attach;
use crate::nodes;
use crate::support::prometheus::{Api, Prometheus};
use crate::support::{PROMETHEUS, dashboards};
use crate::target::Target;

const PAGE: &str = include_str!("pictures/page.html");
const DRAW: &str = include_str!("pictures/draw.js");

/// The services: what each is called, and what it is.
const SERVICES: [(&str, &str); 3] =
    [("checkout", "pathology.js"), ("search", "server.js"), ("mailer", "busy.js")];

/// What a panel may have nothing of, and why.
const EMPTY: [(&str, &str); 6] = [
    ("Callback duration", "single callbacks have no probe"),
    ("Attach errors by reason", "none failed"),
    ("Failures by exporter", "nothing is pushed"),
    ("Export failures", "nothing is pushed"),
    ("Windows opened", "everything is seen at all times"),
    ("Windows refused by reason", "everything is seen at all times"),
];

/// How high a line of a dashboard is drawn, as in `draw.js`, and what stands above and below.
const LINE: u64 = 36;
const HEAD: u64 = 110;

#[test]
fn every_panel_is_drawn_in_a_browser() {
    let _alone = alone();
    let test = "every_panel_is_drawn_in_a_browser";
    if !can_attach(test) {
        return;
    }
    let Some(prometheus) = PROMETHEUS.find(test) else { return };
    let Some(chromium) = browser::chromium() else { return };
    let is_kept = std::env::var_os("UPDATE_PICTURES").is_some();
    for node in nodes::some(test).iter().rev().take(1) {
        let folder = folder(test);
        let mut services = SERVICES.map(|(name, script)| named(node, script, name));
        let names = SERVICES.map(|(name, _)| name);
        let agent = agent_of(&folder, &names, &["--tier", "full", "--overhead-budget", "15"]);
        let mut prometheus =
            Prometheus::with_config(&prometheus, &folder, &[agent.address()], &rules(), &[]);
        services.iter_mut().for_each(Target::go);
        let loops = "count(loopscope_eventloop_drain_length_count)";
        prometheus.until("the services are observed", |api| api.value(loops) >= Some(3.0));
        let firing = "count(ALERTS{alertstate=\"firing\"})";
        prometheus.until("an alert fires", |api| api.value(firing).is_some());
        sleep(Duration::from_secs(if is_kept { 180 } else { 8 }));
        for board in ["fleet", "loop", "stalls", "agent"] {
            let page = Page::of(&prometheus.api, board, &services[0]);
            let picture = page.draw(&chromium, &folder);
            if is_kept {
                let kept = dashboards("pictures").join(format!("{board}.png"));
                fs::copy(picture, kept).expect("dashboards/pictures is there");
            }
        }
    }
}

/// One dashboard with its answers.
struct Page {
    board: &'static str,
    dashboard: Value,
    times: (u64, u64),
    step: u64,
}

impl Page {
    fn of(api: &Api, board: &'static str, service: &Target) -> Page {
        let text = fs::read_to_string(dashboards(&format!("{board}.json"))).expect("it is there");
        let mut dashboard: Value = serde_json::from_str(&text).expect("JSON");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        let is_kept = std::env::var_os("UPDATE_PICTURES").is_some();
        let (times, step) = if is_kept { ((now - 170, now), 2) } else { ((now - 10, now), 1) };
        let range = format!("{}s", times.1 - times.0);
        let pid = service.pid().to_string();
        let one = board == "loop";
        let chosen = |value: &str| if one { value.to_owned() } else { ".*".to_owned() };
        let variables = BTreeMap::from([
            ("$instance", ".*".to_owned()),
            ("$target", chosen("checkout")),
            ("$pid", chosen(&pid)),
            ("$thread", chosen("main")),
            ("$cause", ".*".to_owned()),
            ("$__rate_interval", "8s".to_owned()),
            ("$__range", range),
        ]);
        let panels = dashboard["panels"].as_array().expect("panels");
        let panels: Vec<Value> = panels.iter().flat_map(repeated).collect();
        let answered = panels.into_iter().map(|mut panel| {
            let targets = panel["targets"].as_array().cloned().unwrap_or_default();
            let answers = targets.iter().map(|target| {
                let expr = target["expr"].as_str().expect("a query").to_owned();
                let replace =
                    |expr: String, (name, value): (&&str, &String)| expr.replace(*name, value);
                let expr = variables.iter().rev().fold(expr, replace);
                if target["instant"] == true {
                    api.at(&expr, now)
                } else {
                    api.range(&expr, times, step)
                }
            });
            panel["answers"] = answers.collect();
            panel
        });
        dashboard["panels"] = answered.collect();
        Page { board, dashboard, times, step }
    }

    /// Draws it, and returns the picture's file.
    ///
    /// # Panics
    /// If an error is thrown, a panel is not drawn, or one is empty that should not be.
    fn draw(&self, chromium: &Path, folder: &Path) -> PathBuf {
        let data = json!({
            "dashboard": self.dashboard, "from": self.times.0, "to": self.times.1,
            "step": self.step,
        });
        // Nothing in the data can end the script.
        let data = data.to_string().replace("</", "<\\/");
        let script = format!("<script>\nconst DATA = {data};\n{DRAW}</script>");
        let page = folder.join(format!("{}.html", self.board));
        fs::write(&page, PAGE.replace("<script>\n</script>", &script)).expect("it is written");
        let picture = folder.join(format!("{}.png", self.board));
        let panels = self.dashboard["panels"].as_array().expect("panels");
        let end = |panel: &Value| {
            panel["gridPos"]["y"].as_u64().unwrap_or(0)
                + panel["gridPos"]["h"].as_u64().unwrap_or(0)
        };
        let height = panels.iter().map(end).max().unwrap_or(0) * LINE + HEAD;
        let window = format!("--window-size=1424,{height}");
        let shot = format!("--screenshot={}", picture.display());
        let options = [&window, &shot, "--hide-scrollbars", "--force-device-scale-factor=1"];
        let drawn =
            browser::read(chromium, folder, &options, &format!("file://{}", page.display()));
        assert_eq!(drawn["errors"], json!([]), "{}", self.board);
        let shown = panels.iter().filter(|panel| panel["type"] != "row").count();
        assert_eq!(drawn["panels"], shown, "{}", self.board);
        let empty = drawn["empty"].as_array().expect("a list").iter().filter_map(Value::as_str);
        let empty: Vec<&str> =
            empty.filter(|title| EMPTY.iter().all(|(known, _why)| known != title)).collect();
        assert_eq!(empty, [""; 0], "{}", self.board);
        picture
    }
}

/// A panel that is repeated for a variable, once for each of the values chosen at first.
fn repeated(panel: &Value) -> Vec<Value> {
    if panel["repeat"] != "phase" {
        return vec![panel.clone()];
    }
    let phases = ["timers", "poll", "check"];
    let width = 24 / phases.len();
    let one = |(index, phase): (usize, &&str)| {
        let text = panel.to_string().replace("$phase", phase);
        let mut one: Value = serde_json::from_str(&text).expect("JSON");
        one["gridPos"]["x"] = (index * width).into();
        one["gridPos"]["w"] = width.into();
        one
    };
    phases.iter().enumerate().map(one).collect()
}
