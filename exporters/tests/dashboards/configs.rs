//! The configurations that go with the rules: Prometheus' and Alertmanager's.

use std::process::Command;

use crate::tools::{find, printed, promtool, skip};
use crate::{path, text};

#[test]
fn the_configurations_of_prometheus_are_valid() {
    for file in ["prometheus.yml", "prometheus-native.yml"] {
        let test = "the_configurations_of_prometheus_are_valid";
        let Some(mut check) = promtool(test) else { return };
        check.args(["check", "config", file]).current_dir(path("dashboards"));
        let checked = check.output().expect("promtool starts");
        let told = printed(&checked);
        assert!(checked.status.success(), "{file}: {told}");
        // It says so of the rule files, too, which are found from where the configuration lies.
        assert!(told.contains("rules found") && told.contains("alerts.yml"), "{file}: {told}");
        let text = text(file);
        assert!(text.contains("127.0.0.1:9797") && text.contains("job_name: loopscope"), "{file}");
    }
    let native = text("prometheus-native.yml");
    for option in ["scrape_classic_histograms: true", "always_scrape_classic_histograms: true"] {
        assert!(native.contains(option), "prometheus-native.yml does not tell of {option}");
    }
}

#[test]
fn the_configuration_of_alertmanager_is_valid() {
    let test = "the_configuration_of_alertmanager_is_valid";
    let Some(amtool) = find("amtool") else {
        skip(test, "`amtool` is missing");
        return;
    };
    let check = |args: &[&str]| {
        let output = Command::new(&amtool).args(args).current_dir(path("dashboards")).output();
        let output = output.expect("amtool starts");
        assert!(output.status.success(), "{args:?}: {}", printed(&output));
        // Where it has a configuration of its own, it warns on its standard error.
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    };
    check(&["check-config", "alertmanager.yml"]);
    let route = |severity: &str| {
        let label = format!("severity={severity}");
        check(&["config", "routes", "test", "--config.file=alertmanager.yml", &label])
    };
    let routed = ["critical", "warning", "info"].map(route);
    assert_eq!(routed, ["pager", "chat", "nobody"]);
}

/// An alert that it names and that is not there would never be kept quiet.
#[test]
fn alertmanager_names_alerts_that_are_there() {
    let (config, alerts) = (text("alertmanager.yml"), text("rules/alerts.yml"));
    let words = config.split(|c: char| !c.is_ascii_alphanumeric());
    let named: Vec<&str> = words.filter(|word| word.starts_with("Loopscope")).collect();
    assert!(named.len() > 5, "{named:?}");
    for name in named {
        assert!(alerts.contains(&format!("- alert: {name}\n")), "no alert {name}");
    }
}
