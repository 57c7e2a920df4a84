//! Which Node processes are wanted, and which of them have a name of their own.
//!
//! ```text
//!  include: none, or one of these ──> exclude: none of these ──> observed
//! ```

use serde::Deserialize;

use super::pattern::Pattern;
use super::runtimes::Home;

/// What is told of a process to judge it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Facts {
    /// What it would be called.
    pub(super) name: String,
    /// The path of what it executes, as it sees it.
    pub(super) executable: String,
    /// The folder that it works in, as it sees it.
    pub(super) folder: String,
    /// Its control group.
    pub(super) cgroup: String,
    /// The number of its user.
    pub(super) user: String,
    /// Where it lives.
    pub(super) home: Home,
}

/// A rule: all that it names must be so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    name: Option<Pattern>,
    executable: Option<Pattern>,
    folder: Option<Pattern>,
    cgroup: Option<Pattern>,
    user: Option<Pattern>,
    namespace: Option<Pattern>,
    pod: Option<Pattern>,
    container: Option<Pattern>,
}

impl Rule {
    /// Whether a process is meant.
    pub(super) fn is_of(&self, facts: &Facts) -> bool {
        let Facts { name, executable, folder, cgroup, user, home } = facts;
        let pairs = [
            (&self.name, name),
            (&self.executable, executable),
            (&self.folder, folder),
            (&self.cgroup, cgroup),
            (&self.user, user),
            (&self.namespace, &home.namespace),
            (&self.pod, &home.pod),
            (&self.container, &home.container),
        ];
        pairs
            .into_iter()
            .all(|(pattern, text)| pattern.as_ref().is_none_or(|pattern| pattern.matches(text)))
    }

    /// Whether it names what the programs tell that run containers.
    fn asks_for_home(&self) -> bool {
        self.namespace.is_some() || self.pod.is_some() || self.container.is_some()
    }

    /// Whether it names nothing, and so is of everybody.
    pub(super) fn is_empty(&self) -> bool {
        *self == Rule::default()
    }
}

/// The rules together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rules {
    pub(super) include: Vec<Rule>,
    pub(super) exclude: Vec<Rule>,
    /// Names, the first one that matches.
    pub(super) names: Vec<(Rule, String)>,
}

impl Rules {
    /// Whether a process is wanted.
    pub(super) fn wants(&self, facts: &Facts) -> bool {
        let is_in = self.include.is_empty() || self.include.iter().any(|rule| rule.is_of(facts));
        is_in && !self.exclude.iter().any(|rule| rule.is_of(facts))
    }

    /// Whether one of them names what the programs tell that run containers.
    pub(super) fn ask_for_home(&self) -> bool {
        let named = self.names.iter().map(|(rule, _)| rule);
        self.include.iter().chain(&self.exclude).chain(named).any(Rule::asks_for_home)
    }

    /// The name that was given to it.
    pub(super) fn name(&self, facts: &Facts) -> Option<&str> {
        let named = self.names.iter().find(|(rule, _)| rule.is_of(facts));
        named.map(|(_, name)| name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(name: &str, user: &str) -> Facts {
        let (name, user) = (name.to_owned(), user.to_owned());
        Facts { name, user, folder: "/srv/shop".to_owned(), ..Facts::default() }
    }

    fn rule(text: &str) -> Rule {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn who_is_included_and_not_excluded_is_wanted() {
        let all = Rules::default();
        assert!(all.wants(&facts("x", "0")));
        let rules = Rules {
            include: vec![rule("name = 'shop-*'"), rule("user = '1000'\nfolder = '/srv/*'")],
            exclude: vec![rule("name = '*-test'")],
            names: Vec::new(),
        };
        for (name, user, wanted) in [
            ("shop-web", "0", true),
            ("mail", "0", false),
            ("mail", "1000", true),
            ("shop-test", "1000", false),
        ] {
            assert_eq!(rules.wants(&facts(name, user)), wanted, "{name} {user}");
        }
    }

    #[test]
    fn who_lives_in_a_namespace_can_be_left_out() {
        let rules = Rules {
            exclude: vec![rule("namespace = 'kube-*'\ncontainer = 'proxy'")],
            ..Rules::default()
        };
        let lives = |namespace: &str, container: &str| {
            let (namespace, container) = (namespace.to_owned(), container.to_owned());
            let home = Home { namespace, container, pod: "x".to_owned() };
            Facts { home, ..facts("x", "0") }
        };
        assert!(!rules.wants(&lives("kube-system", "proxy")));
        assert!(rules.wants(&lives("kube-system", "web")) && rules.wants(&lives("shop", "proxy")));
        assert!(rules.wants(&facts("x", "0")), "where nobody knows it is in none");
        assert!(rules.ask_for_home() && !Rules::default().ask_for_home());
    }

    #[test]
    fn the_first_rule_gives_the_name() {
        let names =
            vec![(rule("name = 'a*'"), "first".to_owned()), (rule(""), "second".to_owned())];
        let rules = Rules { names, ..Rules::default() };
        assert_eq!(rules.name(&facts("ab", "0")), Some("first"));
        assert_eq!(rules.name(&facts("b", "0")), Some("second"));
        assert_eq!(Rules::default().name(&facts("b", "0")), None);
    }

    #[test]
    fn what_a_rule_can_not_name_is_told() {
        assert!(toml::from_str::<Rule>("nmae = 'x'").is_err());
        assert!(rule("").is_empty() && !rule("name = '*'").is_empty());
    }
}
