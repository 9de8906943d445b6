#!/usr/bin/env python3
"""The image, run as the manifests and the compose file say, against the practice Instagram.

Started by `tests/container/test` in a network of its own. In it the practice server answers under the
real name, so nothing about the connection is configured for the test: name lookup, port, TLS and the
place of the trusted certificates are those of a real pass.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from node import Node
from practice import HOST, Practice

IMAGE = "story-liker:0.1.0"
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
FILES = [CERTIFICATES[1:], "story-liker"]
LARGEST_IMAGE = 20_000_000
MEBIBYTE = 1 << 20


def expect(what, holds, detail=""):
    print(f"{'ok  ' if holds else 'FAIL'} {what}", flush=True)
    if not holds:
        sys.exit(f"{what}: {detail}")


def podman(*words):
    return subprocess.run(["podman", *words], capture_output=True, text=True, check=True).stdout


def judge_image(folder):
    image = json.loads(podman("image", "inspect", IMAGE))[0]
    expect(f"the image has {image['Size'] / 1e6:.1f} MB", image["Size"] <= LARGEST_IMAGE)
    config = image["Config"]
    expect("its user is a number and not root", re.fullmatch(r"[1-9]\d{4,}:[1-9]\d{4,}", config["User"]), config)
    variables = {variable.split("=")[0] for variable in config["Env"]} - {"PATH"}
    expect("it sets two variables", variables == {"STATE_DIRECTORY", "CREDENTIALS_DIRECTORY"}, config["Env"])
    expect("it has labels", "org.opencontainers.image.version" in config["Labels"], config)
    expect("it makes no volume of its own", not config.get("Volumes"), config)

    container = podman("create", IMAGE).strip()
    subprocess.run(f"podman export {container} | tar -x -C {folder}", shell=True, check=True)
    podman("rm", container)
    # Mount points that the runtime makes.
    runtime = {"dev", "proc", "sys", "run", "etc/hosts", "etc/resolv.conf", "etc/hostname", "etc/mtab"}
    files = [path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir()]
    files = sorted(str(path) for path in files if not {str(path), path.parts[0]} & runtime)
    expect("the program, its certificates; no shell", files == FILES, files)
    modes = {file: oct((folder / file).stat().st_mode & 0o7777) for file in FILES}
    expect("only root can write to it", all(int(mode, 8) & 0o6022 == 0 for mode in modes.values()), modes)
    bundle = (folder / CERTIFICATES[1:]).read_text()
    expect("it trusts the public authorities", bundle.count("BEGIN CERTIFICATE") > 100)
    linked = subprocess.run(["ldd", folder / "story-liker"], capture_output=True, text=True)
    expect("the program needs no library", "statically linked" in linked.stdout + linked.stderr, linked)
    history = podman("history", "--no-trunc", IMAGE)
    expect("its history names no secret", not re.search("password|session_?id|token", history, re.I), history)
    return str(folder / "story-liker")


def last_report(output):
    return json.loads([line for line in output.splitlines() if line.startswith("{")][-1])


def judge_pods(practice, program):
    trust = ["--volume", f"{practice.line['ca_file']}:{CERTIFICATES}:ro"]
    names = ["--add-host", f"{HOST}:127.0.0.1"]
    rendered = Path(tempfile.mkdtemp()) / "rendered.yaml"
    rendered.write_text(subprocess.run(
        ["kubectl", "kustomize", "k8s/overlays/one-account"], capture_output=True, text=True, check=True
    ).stdout)
    node = Node(rendered, IMAGE, trust + names)
    state = node.volume("state")
    node.files("config", {"config.toml": practice.configuration()}, 0o644)
    node.files("credentials", {"password": practice.line["password"] + "\n"}, 0o440)
    before = len(practice.likes())
    practice.publish(2)

    code, output = node.run("story-liker")
    expect("without a session a pass ends with 77 and names the remedy",
           code == 77 and "story-liker session import FILE" in output, output)
    code, output = node.run("story-liker-import", stdin=practice.settings())
    expect("a session is imported through standard input", code == 0 and "alive" in output, output)
    code, output = node.run("story-liker-status")
    expect("status answers", code == 0 and practice.line["username"] in output, output)

    code, output = node.run("story-liker")
    expect("a pass ends with 0", code == 0, output)
    expect("it likes both stories", len(practice.likes()) == before + 2, practice.ask("record"))
    expect("in order", not practice.ask("record")["violations"], practice.ask("record")["violations"])
    code, output = node.run("story-liker")
    expect("a second pass finds nothing", code == 0 and len(practice.likes()) == before + 2, output)
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in state.iterdir()}
    expect("the history is the program's alone", set(modes.values()) == {"0o600"}, modes)
    for name, pod in node.pods.items():
        if name != "story-liker" and not pod["containers"][0].get("stdin"):
            code, output = node.run(name)
            expect(f"{name} runs", code == 0, output)

    judge_two_at_once(node, practice)
    judge_wrong_turns(node, practice)
    measure(practice, program, state, node)
    judge_login(node, practice)
    judge_names(node, practice, trust)
    shutil.rmtree(node.folder)


def judge_two_at_once(node, practice):
    before = practice.received()
    practice.publish(3)
    everything = ["run", "--check-all", "--success-codes", "10,75"]
    name, first = node.start("story-liker", args=everything)
    deadline = time.monotonic() + 60
    while practice.received() == before and time.monotonic() < deadline:
        time.sleep(0.2)
    code, output = node.run("story-liker", args=["run"])
    expect("a second pass on the same volume ends with 75",
           code == 75 and f"process 1 on {name}" in output and "--lock-wait" in output, output)
    code, output = node.run("story-liker")
    report = last_report(output)
    expect("for a CronJob that is a success, and the report keeps the code",
           code == 0 and report["exit"]["code"] == 75, output)
    podman("kill", "--signal", "TERM", name)
    output, _ = first.communicate(timeout=45)
    expect("SIGTERM ends a pass with 0", first.returncode == 0 and "SIGTERM" in output, output)
    code, output = node.run("story-liker", args=everything)
    record = practice.ask("record")
    expect("the next pass likes the rest, each once",
           code == 0 and sorted(practice.likes()) == sorted(record["likes_per_item"]), record["likes_per_item"])


def judge_wrong_turns(node, practice):
    before = practice.received()
    code, output = node.run("story-liker", writable=False)
    expect("a volume that cannot be written ends with 73 and names the remedy",
           code == 73 and "mount the file system for writing" in output, output)
    words = node.command("story-liker")
    at = next(at for at, word in enumerate(words) if word.endswith(":/var/lib/story-liker"))
    del words[at - 1 : at + 1]
    done = subprocess.run(words, capture_output=True, text=True)
    expect("without a volume it ends with 73", done.returncode == 73, done.stdout)
    words = [word for word in words if not word.startswith("--read-only")]
    done = subprocess.run(words, capture_output=True, text=True)
    expect("and does so where the root could be written", done.returncode == 73, done.stdout)
    node.files("needs-password", {"config.toml": practice.configuration('session.relogin = "once-a-day"')}, 0o644)
    code, output = node.run("story-liker", config="needs-password")
    expect("a missing credential ends with 78 and names the remedy",
           code == 78 and "set account.password_file" in output, output)
    code, output = node.run("story-liker", config="needs-password", credentials="credentials", args=["config", "show"])
    expect("a mounted secret is found", code == 0 and "/run/secrets/password" in output, output)
    expect("and not shown", practice.line["password"] not in output, output)
    code, output = node.run("story-liker", config="state")
    expect("a missing configuration ends with 78", code == 78 and "no account is named" in output, output)
    shell = subprocess.run(
        ["podman", "run", "--rm", "--network", "none", "--entrypoint", "/bin/sh", IMAGE], capture_output=True
    )
    expect("there is no shell to break into", shell.returncode == 127, shell)
    expect("none of that sent a request", practice.received() == before)


def judge_login(node, practice):
    node.volume("typed")
    code, shown = node.type("story-liker-login", "Password of", practice.line["password"], state="typed")
    expect("login asks on the terminal it is attached to", code == 0 and "logged in as" in shown, shown)
    expect("and shows nothing of the password", practice.line["password"] not in shown)
    node.volume("fresh")
    code, output = node.run("story-liker-login", state="fresh", credentials="credentials")
    expect("login takes the password from the mounted secret", code == 0 and "logged in as" in output, output)
    practice.ask("world", {"revoke_sessions": True})
    code, output = node.run("story-liker", state="fresh", args=["run", "--check-all"])
    expect("an expired session ends with 77 and names the remedy",
           code == 77 and "story-liker login" in output, output)


def judge_names(node, practice, trust):
    """Names go through /etc/hosts first, then through DNS; without either nothing is sent."""
    ask = ["session", "import", "-"]
    lookup = [*trust, "--no-hosts", "--dns", "127.0.0.1"]
    # With the sessions of before revoked, what counts is that the server answered at all.
    node.volume("names")
    before = practice.received()
    code, output = node.run("story-liker-import", args=ask, state="names", stdin=practice.settings(), extra=lookup)
    expect("without DNS it ends with 69", code == 69 and "no connection" in output, output)
    expect("and reached nobody", practice.received() == before)
    server = subprocess.Popen(
        ["dnsmasq", "--keep-in-foreground", "--no-resolv", "--no-hosts", "--conf-file=/dev/null",
         "--listen-address=127.0.0.1", "--bind-interfaces", f"--address=/{HOST}/127.0.0.1"]
    )
    try:
        for _ in range(50):
            if 53 in listening():
                break
            time.sleep(0.1)
        node.volume("dns")
        code, output = node.run("story-liker-import", args=ask, state="dns", stdin=practice.settings(), extra=lookup)
        expect("the name is looked up by DNS", practice.received() > before, output)
    finally:
        server.terminate()
        server.wait()
    node.volume("distrust")
    names = ["--add-host", f"{HOST}:127.0.0.1"]
    before = practice.received()
    code, output = node.run("story-liker-import", args=ask, state="distrust", stdin=practice.settings(), extra=names)
    expect("a server that no public authority vouches for is not trusted",
           code == 69 and "certificate" in output and practice.received() == before, output)


def listening():
    lines = Path("/proc/net/udp").read_text().splitlines()[1:]
    return {int(line.split()[1].split(":")[1], 16) for line in lines}


def measure(practice, program, state, node):
    """Peak memory of a pass with the image's own program, outside a container, where it can be told."""
    pod = node.pods["story-liker"]["containers"][0]
    request = int(pod["resources"]["requests"]["memory"].removesuffix("Mi"))
    folder = Path(tempfile.mkdtemp())
    shutil.copy(state / "stories.db", folder)
    (folder / "config.toml").write_text(
        practice.configuration()
        + f'[instagram]\nbase_url = "https://127.0.0.1"\nca_file = "{practice.line["ca_file"]}"'
    )
    practice.publish(1)
    words = [program, "run", "--check-all", "--config", f"{folder}/config.toml"]
    process = subprocess.Popen(words, env={"STATE_DIRECTORY": str(folder)}, stdout=subprocess.PIPE, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    peak = usage.ru_maxrss * 1024 / MEBIBYTE
    cpu = usage.ru_utime + usage.ru_stime
    print(f"peak {peak:.1f} MiB, processor {cpu:.2f} s, status {os.waitstatus_to_exitcode(status)}")
    expect(f"a pass fits into the memory it asks for ({peak:.0f} of {request} MiB)", peak < request * 0.75, output)
    print(f"note: a pass takes {peak:.0f} MiB and {cpu:.2f} s of a processor")


def judge_compose(practice):
    """README's lines for Docker, in the folder that README made."""
    home = Path("/srv/story-liker")
    (home / "config.toml").write_text(practice.configuration())
    (home / "settings.json").write_text(practice.settings())
    (home / "compose.override.yaml").write_text(f"""
services:
  story-liker:
    network_mode: host
    extra_hosts: ["{HOST}:127.0.0.1"]
    volumes: ["{practice.line['ca_file']}:{CERTIFICATES}:ro"]
""")
    practice.publish(2)
    before = len(practice.likes())
    block = subprocess.run(["tests/readme", "### Docker", "console"], capture_output=True, text=True, check=True)
    lines = block.stdout.splitlines()
    expect("README's four lines for compose", len(lines) == 4, lines)
    for line in lines:
        # A terminal is what a person has and this test has not.
        line = line.replace("run --rm story-liker", "run --rm -T story-liker")
        done = subprocess.run(["bash", "-c", line], cwd=home, capture_output=True, text=True)
        expect(line, done.returncode == 0, done.stdout + done.stderr)
        dry = "--dry-run" in line
        if dry or "import" in line:
            expect("and it liked nothing", len(practice.likes()) == before)
    expect("the last one liked", len(practice.likes()) == before + 2, practice.likes())
    block = subprocess.run(["tests/readme", "### Docker", "cron"], capture_output=True, text=True, check=True)
    line = block.stdout.strip().split(" root ")[1]
    # What is named is all that is read.
    line = line.replace(" run ", f" --file {home}/compose.override.yaml run ", 1).replace("/var/log", str(home))
    done = subprocess.run(["sh", "-c", line], cwd="/", capture_output=True, text=True)
    log = (home / "story-liker.log").read_text()
    expect("the line for cron makes a pass and keeps its log", done.returncode == 0, done.stderr + log)
    expect("which ends with the report", '"likes_sent":0' in log, log)


def main():
    with tempfile.TemporaryDirectory() as folder:
        program = judge_image(Path(folder))
        practice = Practice(program)
        try:
            judge_compose(practice)
            judge_pods(practice, program)
        finally:
            practice.stop()


main()
