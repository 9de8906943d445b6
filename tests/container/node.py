"""A node of a cluster in small: runs the pod of a CronJob as the kubelet would, by podman.

Users, rights, environment, command and mounts are taken from the rendered manifest. Folders look like
the kubelet's: a volume belongs to root and the pod's group; files of a ConfigMap or a Secret are links
into a folder `..data`, those of a Secret readable by root and that group only.
"""

import os
import pty
import subprocess
import tempfile
from pathlib import Path

import yaml


class Node:
    def __init__(self, manifest, image, extra):
        objects = yaml.safe_load_all(Path(manifest).read_text())
        crons = [entry for entry in objects if entry and entry["kind"] == "CronJob"]
        self.pods = {c["metadata"]["name"]: c["spec"]["jobTemplate"]["spec"]["template"]["spec"] for c in crons}
        self.image = image
        self.extra = extra
        self.folder = Path(tempfile.mkdtemp(prefix="node-"))
        self.folder.chmod(0o755)
        self.volumes = {}
        self.started = 0

    def group(self):
        return next(iter(self.pods.values()))["securityContext"]["fsGroup"]

    def volume(self, name):
        """A new, empty volume; `fsGroup` makes it the group's."""
        place = self.folder / name
        place.mkdir()
        os.chown(place, 0, self.group())
        place.chmod(0o2775)
        self.volumes[name] = place
        return place

    def files(self, name, files, mode):
        """A ConfigMap or a Secret as it is mounted."""
        place = self.folder / name
        data = place / "..2026_01_01"
        data.mkdir(parents=True)
        for folder in (place, data):
            os.chown(folder, 0, self.group())
            folder.chmod(0o2775)
        (place / "..data").symlink_to(data.name)
        for file, text in files.items():
            path = data / file
            path.write_text(text)
            # The kubelet gives the group its part.
            os.chown(path, 0, self.group())
            path.chmod(mode | 0o440)
            (place / file).symlink_to(f"..data/{file}")
        self.volumes[name] = place
        return place

    def command(self, name, args=None, state="state", config="config", credentials=None, writable=True, extra=None,
                terminal=False):
        pod = self.pods[name]
        container = pod["containers"][0]
        user, rights = pod["securityContext"], container["securityContext"]
        self.started += 1
        words = ["podman", "run", "--rm", "--name", f"{name}-{self.started}", "--hostname", f"{name}-{self.started}"]
        words += ["--user", f"{user['runAsUser']}:{user['runAsGroup']}", "--group-add", str(user["fsGroup"])]
        words += ["--network", "host"]
        if rights["readOnlyRootFilesystem"]:
            words += ["--read-only", "--read-only-tmpfs=false"]
        words += [f"--cap-drop={capability}" for capability in rights["capabilities"]["drop"]]
        if not rights["allowPrivilegeEscalation"]:
            words += ["--security-opt", "no-new-privileges"]
        given = {"state": state, "config": config, "credentials": credentials}
        for mount in container["volumeMounts"]:
            source = given[mount["name"]]
            if source is None:
                # What is optional and absent is an empty folder.
                source = f"empty-{self.started}"
                self.files(source, {}, 0)
            read_only = mount.get("readOnly") or (mount["name"] == "state" and not writable)
            words += ["--volume", f"{self.volumes[source]}:{mount['mountPath']}{':ro' if read_only else ''}"]
        for variable in container.get("env", []):
            words += ["--env", f"{variable['name']}={variable['value']}"]
        if container.get("stdin"):
            words.append("--interactive")
        if container.get("tty") and terminal:
            words.append("--tty")
        words += self.extra if extra is None else extra
        return [*words, self.image, *(container["args"] if args is None else args)]

    def run(self, name, stdin="", **options):
        words = self.command(name, **options)
        done = subprocess.run(words, input=stdin, capture_output=True, text=True, timeout=300)
        return done.returncode, done.stdout + done.stderr

    def type(self, name, question, answer, **options):
        """At a terminal: waits for the question and types the answer; what the terminal then showed."""
        person, program = pty.openpty()
        words = self.command(name, terminal=True, **options)
        process = subprocess.Popen(words, stdin=program, stdout=program, stderr=program)
        os.close(program)
        shown, answered = "", False
        while True:
            try:
                part = os.read(person, 4096).decode()
            except OSError:
                break
            if not part:
                break
            shown += part
            if question in shown and not answered:
                os.write(person, f"{answer}\n".encode())
                answered = True
        os.close(person)
        return process.wait(timeout=120), shown

    def start(self, name, **options):
        """Started and not waited for; its container's name and its process."""
        words = self.command(name, **options)
        pipe = subprocess.PIPE
        return words[4], subprocess.Popen(words, stdout=pipe, stderr=subprocess.STDOUT, text=True)
