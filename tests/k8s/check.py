#!/usr/bin/env python3
"""What a cluster would make of the manifests, as far as that can be told without one.

    tests/k8s/check.py VENV FOLDER    renders each overlay into FOLDER and judges it

The schemas are those of three Kubernetes versions. What no schema says, and an operator would find
out at three in the morning, is checked here: that everything referred to is there, that accounts share
nothing, that no pod may do more than it has to. README's kubectl lines are held against the result.
"""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import yaml

VENV, FOLDER = Path(sys.argv[1]) / "bin", Path(sys.argv[2])
OVERLAYS = {"one-account": 1, "several-accounts": 2}
KUBERNETES = ["1.35", "1.36", "1.37"]
NAMESPACE = "story-liker"
DNS = {
    "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
    "podSelector": {"matchExpressions": [{"key": "k8s-app", "operator": "In", "values": ["kube-dns"]}]},
}
problems = []


def expect(what, holds, detail=""):
    if not holds:
        problems.append(f"{what}: {detail}")
        print(f"FAIL {what}: {detail}")


def tool(*words, **options):
    done = subprocess.run([str(VENV / words[0]), *words[1:]], capture_output=True, text=True, **options)
    if done.returncode != 0:
        expect(" ".join(words[:3]), False, done.stdout[-3000:] + done.stderr[-3000:])
    return done.stdout


def of_kind(objects, kind):
    return [entry for entry in objects if entry["kind"] == kind]


def names(objects, kind):
    return {entry["metadata"]["name"] for entry in of_kind(objects, kind)}


def pod_of(cronjob):
    return cronjob["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def judge_pod(where, pod, objects):
    expect(f"{where}: nothing starts it again on the spot", pod["restartPolicy"] == "Never")
    expect(f"{where}: no token", pod["automountServiceAccountToken"] is False)
    expect(f"{where}: the account is there", pod["serviceAccountName"] in names(objects, "ServiceAccount"))
    user = pod["securityContext"]
    expect(f"{where}: not root", user["runAsNonRoot"] and user["runAsUser"] > 10000 and user["runAsGroup"] > 10000)
    expect(f"{where}: secrets and volume can be read", user["fsGroup"] == user["runAsGroup"])
    expect(f"{where}: system calls", user["seccompProfile"]["type"] == "RuntimeDefault")
    for loud in ("hostNetwork", "hostPID", "hostIPC", "initContainers", "tolerations"):
        expect(f"{where}: no {loud}", loud not in pod)
    expect(f"{where}: one container", [c["name"] for c in pod["containers"]] == ["story-liker"])
    container = pod["containers"][0]
    rights = container["securityContext"]
    expect(f"{where}: root is read-only", rights["readOnlyRootFilesystem"] is True)
    expect(f"{where}: no rights gained", rights["allowPrivilegeEscalation"] is False and "privileged" not in rights)
    expect(f"{where}: no capabilities", rights["capabilities"] == {"drop": ["ALL"]})
    expect(f"{where}: the program is the image's", "command" not in container)
    for kind in ("requests", "limits"):
        wanted = {"cpu", "memory", "ephemeral-storage"}
        expect(f"{where}: {kind}", set(container["resources"][kind]) == wanted, container["resources"])
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    mounted = {mount["name"]: mount for mount in container["volumeMounts"]}
    expect(f"{where}: every volume is mounted", set(volumes) == set(mounted), (volumes, mounted))
    writable = [name for name, mount in mounted.items() if not mount.get("readOnly")]
    expect(f"{where}: only the history is written", writable == ["state"], writable)
    claim = volumes["state"]["persistentVolumeClaim"]["claimName"]
    expect(f"{where}: the volume is claimed", claim in names(objects, "PersistentVolumeClaim"), claim)
    config = volumes["config"]["configMap"]["name"]
    expect(f"{where}: the configuration is there", config in names(objects, "ConfigMap"), config)
    expect(f"{where}: it changes its name with its content", re.fullmatch(r".*-[a-z0-9]{10}", config), config)
    secret = volumes["credentials"]["secret"]
    expect(f"{where}: a secret is for the group at most", secret["defaultMode"] == 0o440, secret)
    # The program tells what is missing, where a pod that waits for a Secret tells nothing.
    expect(f"{where}: the secret may be absent", secret["optional"] is True)
    for variable in container.get("env", []):
        expect(f"{where}: no secret in a variable", variable["name"] == "STORY_LIKER_PROFILE", variable)
    return claim, config, secret["secretName"], container.get("env", [{}])[0].get("value")


def judge_pass(where, cronjob):
    spec, job = cronjob["spec"], cronjob["spec"]["jobTemplate"]["spec"]
    expect(f"{where}: one at a time", spec.get("concurrencyPolicy") == "Forbid")
    expect(f"{where}: a time zone", spec.get("timeZone") == "Etc/UTC")
    expect(f"{where}: once an hour", re.fullmatch(r"[0-5]?\d \* \* \* \*", spec["schedule"]), spec["schedule"])
    # Below ten seconds the controller may miss every start.
    expect(f"{where}: a late start", spec["startingDeadlineSeconds"] >= 60)
    expect(f"{where}: one retry", job["backoffLimit"] == 1)
    expect(f"{where}: never two pods", job["podReplacementPolicy"] == "Failed")
    disruption, codes = job["podFailurePolicy"]["rules"]
    condition = [{"type": "DisruptionTarget", "status": "True"}]
    expect(f"{where}: an eviction is no failure", disruption == {"action": "Ignore", "onPodConditions": condition})
    exits = codes["onExitCodes"]
    expect(f"{where}: the program's word is final", codes["action"] == "FailJob" and exits["operator"] == "In")
    # The API server refuses all else.
    expect(f"{where}: codes are ordered", exits["values"] == sorted(set(exits["values"])) and 0 not in exits["values"])
    expect(f"{where}: codes of its container", exits["containerName"] == pod_of(cronjob)["containers"][0]["name"])


def judge_network(objects):
    for policy in of_kind(objects, "NetworkPolicy"):
        spec = policy["spec"]
        expect("nothing comes in", spec["ingress"] == [] and set(spec["policyTypes"]) == {"Ingress", "Egress"})
        ports = {(port["port"], port["protocol"]) for rule in spec["egress"] for port in rule["ports"]}
        expect("names and HTTPS go out", ports == {(53, "UDP"), (53, "TCP"), (443, "TCP")}, ports)
        # No label of the account's own: the pods of the DNS have none.
        expect("the cluster's DNS answers", spec["egress"][0]["to"][0] == DNS, spec["egress"][0])
        selected = spec["podSelector"]["matchLabels"]
        for cronjob in of_kind(objects, "CronJob"):
            labels = cronjob["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"]
            if labels.get("app.kubernetes.io/instance") == selected.get("app.kubernetes.io/instance"):
                expect("the policy holds for the pod", selected.items() <= labels.items(), (selected, labels))
    expect("every account has its policy", len(of_kind(objects, "NetworkPolicy")) == len(accounts(objects)))


def accounts(objects):
    return [c for c in of_kind(objects, "CronJob") if not c["spec"].get("suspend")]


def judge(overlay, objects, count):
    for entry in objects:
        where = f"{overlay}: {entry['kind']} {entry['metadata']['name']}"
        in_namespace = entry["metadata"].get("namespace") == NAMESPACE or entry["kind"] == "Namespace"
        expect(f"{where}: its namespace", in_namespace)
        expect(f"{where}: no secret is shipped", entry["kind"] != "Secret")
    used = {}
    for cronjob in of_kind(objects, "CronJob"):
        name = cronjob["metadata"]["name"]
        where = f"{overlay}: {name}"
        # 52 characters and the digits of its Jobs make 63.
        expect(f"{where}: short enough", len(name) <= 52)
        owner = judge_pod(where, pod_of(cronjob), objects)
        used.setdefault(owner, []).append(name)
        if cronjob["spec"].get("suspend"):
            job = cronjob["spec"]["jobTemplate"]["spec"]
            expect(f"{where}: no retry", job["backoffLimit"] == 0)
            longest = max(c["spec"]["jobTemplate"]["spec"]["activeDeadlineSeconds"] for c in accounts(objects))
            expect(f"{where}: it outlasts a pass", job["activeDeadlineSeconds"] >= longest + 900, job)
        else:
            judge_pass(where, cronjob)
    expect(f"{overlay}: accounts", len(accounts(objects)) == count == len(used), used)
    for place in zip(*used):
        expect(f"{overlay}: accounts share nothing", len(set(place)) == count, place)
    starts = [c["spec"]["schedule"] for c in accounts(objects)]
    expect(f"{overlay}: accounts start apart", len(set(starts)) == count, starts)
    for claim in of_kind(objects, "PersistentVolumeClaim"):
        expect(f"{overlay}: one pod at a time", claim["spec"]["accessModes"] == ["ReadWriteOncePod"])
        kept = claim["metadata"]["annotations"]
        expect(f"{overlay}: a tidy-up keeps it", len(kept) == 3, kept)
    enforced = of_kind(objects, "Namespace")[0]["metadata"]["labels"]
    expect("the namespace is restricted", enforced["pod-security.kubernetes.io/enforce"] == "restricted")
    judge_network(objects)


def readme_commands():
    block = subprocess.run(
        ["tests/readme", "### Kubernetes"], capture_output=True, text=True, check=True
    ).stdout
    for line in block.replace("\\\n", " ").splitlines():
        # What the shell takes for itself.
        words = shlex.split(line.split(" < ")[0], comments=True)
        if words:
            yield line, words


def judge_readme(objects, secret):
    """Every name in README's kubectl lines exists, and is made before it is used."""
    made, seen = set(), 0
    for line, words in readme_commands():
        if words[0] != "kubectl":
            continue
        seen += 1
        options = [word for word in words if word.startswith("-")]
        flags = {o.split("=")[0]: o.partition("=")[2] for o in options}
        plain = [word for word in words[1:] if not word.startswith("-")]
        if "--namespace" in flags:
            at = words.index("--namespace")
            expect(f"README: {line}", words[at + 1] == NAMESPACE)
            plain.remove(NAMESPACE)
        if "--kustomize" in flags:
            folder = Path(words[words.index("--kustomize") + 1])
            expect(f"README: {line}", (folder / "kustomization.yaml").exists())
            continue
        if plain[:2] == ["create", "job"]:
            kind, _, source = flags["--from"].partition("/")
            expect(f"README: {line}", kind == "cronjob" and source in names(objects, "CronJob"), source)
            made.add(plain[2])
        elif plain[:2] == ["create", "secret"]:
            expect(f"README: {line}", plain[2:4] == ["generic", secret], plain)
        elif plain[0] in ("attach", "logs", "delete", "wait"):
            for word in plain[1:]:
                kind, _, name = word.partition("/")
                expect(f"README: {line}", kind == "job" and name in made, (word, made))
        elif plain[0] == "get":
            kinds = {"cronjobs", "jobs", "pods", "cronjobs,jobs,pods"}
            expect(f"README: {line}", plain[1] in kinds, plain)
        else:
            expect(f"README: {line}", False, "a command this check does not know")
        # The client itself knows command and flags; without a server it goes no further.
        verb = plain[: {"job": 2, "secret": 3}[plain[1]] if plain[0] == "create" else 1]
        known = tool("kubectl", *verb, "--help") + tool("kubectl", "options")
        for flag in flags:
            expect(f"README: {line}", re.search(rf"{flag}[= \n]", known), flag)
    expect("README has commands", seen >= 8, seen)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    for overlay, count in OVERLAYS.items():
        rendered = FOLDER / f"{overlay}.yaml"
        rendered.write_text(tool("kubectl", "kustomize", f"k8s/overlays/{overlay}"))
        objects = [entry for entry in yaml.safe_load_all(rendered.read_text()) if entry]
        judge(overlay, objects, count)
        example = "k8s/overlays/one-account/credentials.example.yaml"
        for version in KUBERNETES:
            tool("kubernetes-validate", "--strict", "-k", version, str(rendered), example)
        if overlay == "one-account":
            secret = yaml.safe_load(Path(example).read_text())["metadata"]
            pod = pod_of(of_kind(objects, "CronJob")[0])
            wanted = [v["secret"]["secretName"] for v in pod["volumes"] if "secret" in v]
            expect("the example's secret is the one that is mounted", wanted == [secret["name"]])
            judge_readme(objects, secret["name"])
    checkov = ["checkov", "--compact", "--quiet", "--skip-download", "--framework"]
    print(tool(*checkov, "kubernetes", "--directory", str(FOLDER)))
    print(tool(*checkov, "dockerfile", "--file", "k8s/Dockerfile"))
    print(tool("hadolint", "k8s/Dockerfile"))
    print(tool("yamllint", "--strict", "--config-file", "tests/k8s/yamllint.yaml", "k8s", "examples/compose.yaml"))
    print(tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "examples/compose.yaml"))
    if problems:
        sys.exit(f"{len(problems)} problems")
    print(f"note: Kubernetes {', '.join(KUBERNETES)}")


main()
