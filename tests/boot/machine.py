"""A machine with a real systemd: a Debian root made once, copied and booted in a container.

Nothing outside the container is changed but the two folders below `target/boot`, and nothing is
reachable from within but its own loopback.
"""

import json
import re
import subprocess
import sys
import time
import zlib
from pathlib import Path

FOLDER = Path("target/boot")
SUITE = "bookworm"
PACKAGES = "systemd,systemd-sysv,dbus,sudo,cron,ca-certificates,man-db,apt"
ADMIN = "admin"


class Unbootable(Exception):
    """This machine cannot boot a container."""


def mirror():
    """The one that this machine's own packages come from; else the tool's own."""
    sources = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]
    text = "\n".join(path.read_text() for path in sources if path.is_file())
    address = r"(https?://\S+/debian)/?(?=\s)"
    found = re.search(rf"^(?:deb (?:\[[^]]*\] )?|URIs: ){address}", text, re.M)
    return [found[1]] if found else []


def base():
    """The root without story-liker; the name says what is in it."""
    made = FOLDER / f"{SUITE}-{zlib.crc32(PACKAGES.encode()):08x}"
    if not made.exists():
        unfinished = made.with_suffix(".unfinished")
        delete(unfinished)
        # Half the time of debootstrap.
        command = ["mmdebstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE]
        FOLDER.mkdir(parents=True, exist_ok=True)
        subprocess.run([*command, unfinished, *mirror()], check=True)
        unfinished.rename(made)
    return made


def delete(folder):
    """Whatever is left of an earlier one."""
    subprocess.run(["rm", "-rf", "--one-file-system", folder], check=True)


def readme(heading, language="sh"):
    """What README tells its reader to type under a heading, or to write into a file."""
    command = ["tests/readme", heading, language]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


class Machine:
    """A booted copy of the base; `with` ends it."""

    def __init__(self):
        self.root = FOLDER / "machine"
        delete(self.root)
        subprocess.run(["cp", "-a", "--reflink=auto", base(), self.root], check=True)
        (self.root / "etc/hostname").write_text("machine\n")
        (self.root / "etc/hosts").write_text("127.0.0.1 localhost machine\n")
        (self.root / "etc/sudoers.d").mkdir(exist_ok=True)
        (self.root / "etc/sudoers.d/admin").write_text(f"{ADMIN} ALL=(ALL) NOPASSWD: ALL\n")
        subprocess.run(["useradd", "--root", self.root.resolve(), "-m", ADMIN], check=True)

    def __enter__(self):
        self.log = open(FOLDER / "console", "w")
        command = ["systemd-nspawn", "--quiet", "--directory", self.root, "--boot", "--register=no"]
        command += ["--keep-unit", "--private-network", "--console=pipe", "--machine=machine"]
        self.container = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log
        )
        self.leader = None
        try:
            wait_for("systemd in the container", self.booted, 60)
        except TimeoutError:
            self.__exit__()
            raise Unbootable((FOLDER / "console").read_text()[-2000:])
        return self

    def __exit__(self, *_):
        if self.leader and self.container.poll() is None:
            # What the manager of a container takes for "power off".
            subprocess.run(["kill", "-RTMIN+4", self.leader])
            try:
                self.container.wait(30)
            except subprocess.TimeoutExpired:
                pass
        self.container.kill()
        self.container.wait()
        self.log.close()

    def booted(self):
        if self.container.poll() is not None:
            raise TimeoutError
        children = Path(f"/proc/{self.container.pid}/task/{self.container.pid}/children")
        self.leader = next(iter(children.read_text().split()), None)
        if not self.leader:
            return False
        return self.run("systemctl is-system-running").stdout.strip() in ("running", "degraded")

    def run(self, script, stdin=None, user="root", background=False):
        """A shell in the container: what an administrator types there."""
        home = "/root" if user == "root" else f"/home/{user}"
        command = ["nsenter", "--target", self.leader, "--all", "env", "-i", f"HOME={home}"]
        command += ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
        command += ["LANG=C.UTF-8", "EDITOR=/usr/local/bin/editor", "SUDO_EDITOR=/usr/local/bin/editor"]
        command += ["setpriv", "--reuid", user, "--regid", user, "--init-groups"]
        command += ["sh", "-ec", f"cd {home}\n{script}"]
        if background:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
            )
        return subprocess.run(
            command, input=stdin or "", capture_output=True, text=True, timeout=300
        )

    def readme(self, heading, stdin=None, user=ADMIN):
        """What README tells its reader to type under a heading."""
        ended = self.run(readme(heading), stdin, user)
        expect(f"README: {heading.strip('# ')}", ended.returncode == 0, ended)
        return ended.stdout

    def write(self, path, text, owner="root", mode="644"):
        """A file in the container."""
        command = f"install -D -o {owner} -g {owner} -m {mode} /dev/stdin {path}"
        ended = self.run(command, text)
        assert ended.returncode == 0, ended

    def properties(self, unit, *names):
        """What systemd knows of a unit."""
        shown = self.run(f"systemctl show {unit}").stdout
        known = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
        return tuple(known.get(name, "") for name in names)

    def journal(self, unit):
        """What a unit said and what was said of it."""
        return self.run(f"journalctl --sync; journalctl --no-pager -o cat -u {unit}").stdout

    def call(self, url, body=None):
        """Asks the practice server, whose address is the container's."""
        script = "import sys,urllib.request as u;d=sys.argv[2].encode() or None;"
        script += "print(u.urlopen(sys.argv[1],d).read().decode())"
        command = ["nsenter", "--target", self.leader, "--net", sys.executable, "-c", script, url]
        command.append(json.dumps(body) if body else "")
        return json.loads(subprocess.run(command, check=True, capture_output=True).stdout or "{}")


def wait_for(what, holds, seconds=90):
    """Until it holds."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} s for {what}")
        time.sleep(0.2)


def expect(what, holds, detail=""):
    """One line for each thing that has to be so."""
    print(f"{'ok  ' if holds else 'FAIL'} {what}", flush=True)
    if not holds:
        if isinstance(detail, subprocess.CompletedProcess):
            detail = f"{detail.returncode}\n{detail.stdout}\n{detail.stderr}"
        sys.exit(f"{what}: {detail}")
