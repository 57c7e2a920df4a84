//! Where a process lives: its container, and its pod with its namespace, as the programs that run
//! them have written on the host.
//!
//! The host's files are those of its first process: an agent in a container sees them where it
//! shares the host's processes. What is mounted into its own container is looked at then.

use std::fs;
use std::path::{Path, PathBuf};

use super::naming::{container, pod, variable};
use crate::process::Process;

/// The root of the first process that we see, which on a host is the host's, and ours.
const ROOTS: [&str; 2] = ["/proc/1/root", "/"];

/// Where a kubelet links each container's log: `POD_NAMESPACE_CONTAINER-ID.log`.
const LOGS: &str = "var/log/containers";

/// Where a container that may ask its Kubernetes finds the name of its namespace.
const NAMESPACE: &str = "/var/run/secrets/kubernetes.io/serviceaccount/namespace";

/// No name of Kubernetes has more.
const NAME_BYTES_MAX: u64 = 256;

/// What a file about a container may have.
const ABOUT_BYTES_MAX: u64 = 16 << 20;

/// Where a process lives; empty: in none, or that isn't known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Home {
    pub(super) namespace: String,
    pub(super) pod: String,
    pub(super) container: String,
}

/// Where programs that run containers write about them.
#[derive(Clone, Debug)]
pub(super) struct Runtimes {
    roots: Vec<PathBuf>,
}

impl Default for Runtimes {
    fn default() -> Runtimes {
        Runtimes { roots: ROOTS.map(PathBuf::from).into() }
    }
}

impl Runtimes {
    /// Where a process lives that was started with this environment.
    pub(super) fn home(&self, process: &Process, environment: &[u8], cgroup: &str) -> Home {
        let id = container(cgroup);
        if let Some(home) = id.and_then(|id| self.by_kubelet(id)) {
            return home;
        }
        let home = Home {
            container: id.and_then(|id| self.name(id)).unwrap_or_default(),
            pod: pod(process, environment).unwrap_or_default(),
            namespace: String::new(),
        };
        match variable(environment, "KUBERNETES_SERVICE_HOST") {
            Some(_) => Home { namespace: namespace(process).unwrap_or_default(), ..home },
            None => home,
        }
    }

    /// How many containers a kubelet has named here; `None`: there is no folder of theirs.
    pub(super) fn pods_known(&self) -> Option<usize> {
        let logs = self.roots.iter().find_map(|root| fs::read_dir(root.join(LOGS)).ok())?;
        let names = logs.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        Some(names.filter(|name| home(name).is_some()).count())
    }

    fn name(&self, id: &str) -> Option<String> {
        self.by_docker(id).or_else(|| self.by_podman(id))
    }

    fn json(&self, path: impl AsRef<Path>) -> Option<serde_json::Value> {
        self.roots.iter().find_map(|root| {
            let path = root.join(&path);
            let about = fs::metadata(&path).ok()?;
            let is_sane = about.is_file() && about.len() <= ABOUT_BYTES_MAX;
            serde_json::from_slice(&is_sane.then(|| fs::read(&path).ok())??).ok()
        })
    }

    fn by_docker(&self, id: &str) -> Option<String> {
        let told = self.json(format!("var/lib/docker/containers/{id}/config.v2.json"))?;
        let name = told.get("Name")?.as_str()?.trim_start_matches('/');
        (!name.is_empty()).then(|| name.to_owned())
    }

    fn by_kubelet(&self, id: &str) -> Option<Home> {
        let end = format!("-{id}.log");
        self.roots.iter().find_map(|root| {
            let logs = fs::read_dir(root.join(LOGS)).ok()?;
            let names = logs.flatten().filter_map(|entry| entry.file_name().into_string().ok());
            names.filter(|name| name.ends_with(&end)).find_map(|name| home(&name))
        })
    }

    fn by_podman(&self, id: &str) -> Option<String> {
        let told = self.json("var/lib/containers/storage/overlay-containers/containers.json")?;
        let of = told.as_array()?.iter().find(|of| of.get("id").is_some_and(|of| of == id))?;
        Some(of.get("names")?.as_array()?.first()?.as_str()?.to_owned())
    }
}

/// What the name of a container's log says.
fn home(log: &str) -> Option<Home> {
    let (names, _) = log.strip_suffix(".log")?.rsplit_once('-')?;
    let mut names = names.split('_').map(str::to_owned);
    let [pod, namespace, container] = [names.next()?, names.next()?, names.next()?];
    names.next().is_none().then_some(Home { namespace, pod, container })
}

/// The namespace of a process, as its own container has it.
fn namespace(process: &Process) -> Option<String> {
    let bytes = process.read_file(Path::new(NAMESPACE), NAME_BYTES_MAX).ok()?;
    Some(String::from_utf8(bytes).ok()?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "4b2f8c1d9e0a4b2f8c1d9e0a4b2f8c1d9e0a4b2f8c1d9e0a4b2f8c1d9e0a4b2f";

    #[test]
    fn a_container_is_called_as_its_runtime_calls_it() {
        let root = std::env::temp_dir().join(format!("loopscope-homes-{}", std::process::id()));
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        let docker = format!("var/lib/docker/containers/{ID}/config.v2.json");
        let podman = "var/lib/containers/storage/overlay-containers/containers.json";
        write(podman, &format!(r#"[{{"id": "x"}}, {{"id": "{ID}", "names": ["third"]}}]"#));
        // The host's root comes first; what is not there is looked for in the next one.
        let runtimes = Runtimes { roots: vec![root.join("none"), root.clone()] };
        let process = Process::open(std::process::id()).unwrap();
        let home = |cgroup: &str| runtimes.home(&process, &[], cgroup);
        let cgroup = format!("/docker/{ID}");
        assert_eq!(home(&cgroup).container, "third");
        write(&docker, r#"{"Name": "/first"}"#);
        assert_eq!(home(&cgroup).container, "first");
        assert_eq!(home("/system.slice/shop.service"), Home::default());
        assert_eq!(home(&cgroup.replace('4', "5")), Home::default());
        write(&docker, "{");
        assert_eq!(home(&cgroup).container, "third", "what can't be read tells nothing");
        assert_eq!(runtimes.pods_known(), None);
        write(&format!("{LOGS}/shop-7d9f-x2_default_web-{ID}.log"), "");
        write(&format!("{LOGS}/no-pod.log"), "");
        let pod = |text: &str| text.to_owned();
        let [namespace, name, container] = ["default", "shop-7d9f-x2", "web"].map(pod);
        assert_eq!(home(&cgroup), Home { namespace, pod: name, container });
        assert_eq!(runtimes.pods_known(), Some(1));
        fs::remove_dir_all(&root).unwrap();
    }
}
