//! The manifests and values for Kubernetes: well-formed, in agreement with each other, and with the program.
//! `scripts/check-deploy` holds them to the schemas of Kubernetes.

use super::{shipped, told};
use serde_json::{Value, json};
use std::fs;
use std::process::Command;

const SIDECARS: [(&str, &str); 3] = [
    ("vault-values.yaml", "extraContainers"),
    ("openbao-values.yaml", "extraContainers"),
    ("native-values.yaml", "extraInitContainers"),
];

fn yaml(path: &str) -> Value {
    let text = fs::read_to_string(shipped("deploy/kubernetes").join(path)).unwrap();
    serde_saphyr::from_str(&text).unwrap_or_else(|why| panic!("{path}: {why}"))
}

fn container(file: &str, list: &str) -> Value {
    let values = yaml(&format!("sidecar/{file}"));
    let containers = values["server"][list].as_array().unwrap();
    assert_eq!(containers.len(), 1);
    containers[0].clone()
}

fn every_container() -> Vec<(String, Value)> {
    let sidecars = SIDECARS.map(|(file, list)| (file.to_owned(), container(file, list)));
    let pod = &yaml("pod-logs/daemonset.yaml")["spec"]["template"]["spec"];
    let beside = ("daemonset.yaml".to_owned(), pod["containers"][0].clone());
    sidecars.into_iter().chain([beside]).collect()
}

#[test]
fn no_container_may_more_than_it_needs() {
    for (file, container) in every_container() {
        let security = &container["securityContext"];
        let expected = json!({
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        });
        for (key, value) in expected.as_object().unwrap() {
            assert_eq!(&security[key], value, "{file}: {key}");
        }
        assert!(container["resources"]["limits"]["memory"].is_string(), "{file} has a limit of memory");
        for mount in container["volumeMounts"].as_array().unwrap() {
            let path = mount["mountPath"].as_str().unwrap();
            let is_state = path == "/var/lib/leasewatch";
            assert!(is_state || mount["readOnly"] == true, "{file}: {path} can be written to");
        }
    }
    for (file, list) in SIDECARS {
        let security = &container(file, list)["securityContext"];
        assert_eq!((&security["runAsUser"], &security["runAsGroup"]), (&json!(100), &json!(1000)), "{file}");
    }
    assert_eq!(container("native-values.yaml", "extraInitContainers")["restartPolicy"], "Always");
}

#[test]
fn the_program_knows_every_argument_and_every_page() {
    for (file, container) in every_container() {
        let arguments = container["args"].as_array().unwrap();
        let arguments: Vec<&str> = arguments.iter().map(|argument| argument.as_str().unwrap()).collect();
        assert_eq!(arguments[0], "serve", "{file}");
        let mut command = Command::new(env!("CARGO_BIN_EXE_leasewatch"));
        let config = shipped("deploy/kubernetes/pod-logs/leasewatch.toml");
        command.env_clear().arg("check-config");
        command.args(arguments[1..].iter().map(|argument| {
            argument
                .replace("/etc/leasewatch/leasewatch.toml", config.to_str().unwrap())
                .replace("$(POD_NAME)", "vault-0")
        }));
        // The logs are not here; that is all that may be wrong.
        let (_, text) = told(&mut command);
        assert!(text.contains("# Checks") && text.contains("log audit"), "{file}: {text}");
        let port = &container["ports"][0];
        assert_eq!((&port["name"], &port["containerPort"]), (&json!("leasewatch"), &json!(9748)), "{file}");
        for probe in ["readinessProbe", "livenessProbe"] {
            let get = &container[probe]["httpGet"];
            assert!(["/live", "/ready"].contains(&get["path"].as_str().unwrap()), "{file}: {probe}");
            assert_eq!(get["port"], "leasewatch", "{file}: {probe}");
        }
    }
}

#[test]
fn a_sidecar_reads_where_its_chart_writes() {
    for (file, list) in SIDECARS {
        let container = container(file, list);
        let folder = if file.starts_with("openbao") { "/openbao/audit" } else { "/vault/audit" };
        let mounts = container["volumeMounts"].as_array().unwrap();
        let audit = mounts.iter().find(|mount| mount["name"] == "audit").unwrap();
        assert_eq!(audit["mountPath"], folder, "{file}: where the chart itself mounts it");
        let values = yaml(&format!("sidecar/{file}"));
        if list == "extraContainers" {
            let extra = values["server"]["extraArgs"].as_str().unwrap();
            assert!(extra.contains(&format!("-log-file={folder}/server.log ")), "{file}: {extra}");
            let volumes = values["server"]["volumes"].as_array().unwrap();
            let state = mounts.iter().find(|mount| mount["mountPath"] == "/var/lib/leasewatch").unwrap();
            assert!(volumes.iter().any(|volume| volume["name"] == state["name"]), "{file}");
        }
        let arguments = container["args"].as_array().unwrap();
        for log in ["audit", "server"] {
            let argument = json!(format!("--{log}-log={folder}/{log}.log*"));
            assert!(arguments.contains(&argument), "{file}: {argument}");
        }
    }
}

#[test]
fn what_is_scraped_is_what_listens() {
    let pods = yaml("monitoring/podmonitor.yaml");
    let service = yaml("monitoring-service/service.yaml");
    let services = yaml("monitoring-service/servicemonitor.yaml");
    assert_eq!(pods["spec"]["podMetricsEndpoints"][0]["port"], "leasewatch");
    assert_eq!(service["spec"]["ports"][0]["targetPort"], "leasewatch");
    assert_eq!(services["spec"]["endpoints"][0]["port"], service["spec"]["ports"][0]["name"]);
    let selected = &services["spec"]["selector"]["matchLabels"];
    for (label, value) in selected.as_object().unwrap() {
        assert_eq!(&service["metadata"]["labels"][label], value);
    }
    // The alerts group by this label, which whoever scrapes gives.
    for endpoint in [&pods["spec"]["podMetricsEndpoints"][0], &services["spec"]["endpoints"][0]] {
        assert_eq!(endpoint["relabelings"][0]["targetLabel"], "cluster");
    }
    let policy = yaml("pod-logs/networkpolicy.yaml");
    let selector = &policy["spec"]["podSelector"]["matchLabels"];
    let labels = &yaml("pod-logs/daemonset.yaml")["spec"]["template"]["metadata"]["labels"];
    assert_eq!(selector, labels, "the policy is about the DaemonSet's pods");
}

#[test]
fn every_kustomization_names_files_that_are_there_and_all_of_them() {
    for folder in ["pod-logs", "monitoring", "monitoring-service"] {
        let kustomization = yaml(&format!("{folder}/kustomization.yaml"));
        let named = |list: &Value| -> Vec<String> {
            let names = list.as_array().into_iter().flatten();
            names.map(|name| name.as_str().unwrap().to_owned()).collect()
        };
        let mut names = named(&kustomization["resources"]);
        for generator in kustomization["configMapGenerator"].as_array().into_iter().flatten() {
            names.extend(named(&generator["files"]));
        }
        let folder = shipped("deploy/kubernetes").join(folder);
        for name in &names {
            assert!(folder.join(name).exists(), "{name} in {}", folder.display());
        }
        for entry in fs::read_dir(&folder).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(name == "kustomization.yaml" || names.contains(&name), "{name} is not named");
        }
    }
}
