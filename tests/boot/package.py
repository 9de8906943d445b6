"""The Debian package: installed, upgraded under a pass, removed, installed again, purged."""

import shutil
import subprocess

from machine import ADMIN, expect, wait_for

STATE = "/var/lib/story-liker"
UNITS = "story-liker.service story-liker.timer story-liker@.service story-liker@.timer"


def bring(machine, package):
    """Puts a package into the administrator's home, alone."""
    machine.run(f"rm -f /home/{ADMIN}/*.deb")
    shutil.copy(package, machine.root / f"home/{ADMIN}")


def installed(machine, package):
    """All of it is there and works, and nothing runs."""
    bring(machine, package)
    machine.readme("#### Install")

    def says(command, words):
        ended = machine.run(command)
        expect(command, ended.returncode == 0 and words in ended.stdout, ended)

    says("story-liker --version", "story-liker ")
    says("man --pager=cat story-liker", "SYNOPSIS")
    completion = "/usr/share/bash-completion/completions/story-liker"
    says(f"bash -c '. {completion} && complete -p story-liker'", "story-liker")
    says("systemctl list-unit-files story-liker.timer", "disabled")
    says("systemctl list-units --all 'story-liker*'", "0 loaded units")
    says("getent passwd story-liker", f":{STATE}:/usr/sbin/nologin")
    says(f"stat -c '%a %U %G' {STATE}", "700 story-liker story-liker")
    # The units are told of an instance, because a template alone is not checked.
    for unit in (UNITS, "story-liker@second.service story-liker@second.timer"):
        verified = machine.run(f"systemd-analyze verify {unit}")
        silent = not (verified.stdout + verified.stderr)
        expect(f"systemd-analyze verify {unit}", verified.returncode == 0 and silent, verified)
    changed = machine.run("dpkg --verify story-liker")
    expect("dpkg finds every file as packaged", not changed.stdout, changed)


def upgraded_and_removed(service, newer):
    """Neither takes anything from the operator; purging takes what is secret."""
    machine = service.machine
    apt = lambda words: machine.run(f"sudo apt-get -qy {words}", user=ADMIN)
    content = lambda: machine.run(f"md5sum {STATE}/stories.db /etc/story-liker/config.toml").stdout

    process = service.waiting_pass()
    before = content()
    bring(machine, newer)
    upgraded = apt("install ./story-liker_*.deb")
    expect("an upgrade asks nothing", upgraded.returncode == 0, upgraded)
    version = machine.run("dpkg-query -W -f '${Version}' story-liker").stdout
    expect("it is there", version.endswith("-2"), version)
    now = machine.properties("story-liker.service", "MainPID")
    expect("a pass under way goes on", now == process, now)
    active = machine.properties("story-liker.timer", "ActiveState", "UnitFileState")
    expect("the timer too", active == ("active", "enabled"), active)
    expect("database and configuration are as before", content() == before, before)

    removed = apt("remove story-liker")
    expect("removal", removed.returncode == 0, removed)
    journal = machine.journal("story-liker.service")
    ended = "asked to stop (SIGTERM)" in journal.splitlines()[-4:].__str__()
    expect("ended the pass as SIGTERM does", ended, journal[-3000:])
    gone = machine.run("command -v story-liker || systemctl is-active story-liker.timer || true")
    expect("the program is gone and the timer still", gone.stdout.split() == ["inactive"], gone)
    expect("the database stays", f"{STATE}/stories.db" in content(), content())

    again = apt("install ./story-liker_*.deb")
    expect("installed again", again.returncode == 0, again)
    shown = machine.run("sudo -u story-liker story-liker session show")
    expect("it finds its session", shown.returncode == 0, shown)
    timers = machine.run("systemctl list-unit-files --state=enabled --no-legend 'story-liker*'").stdout
    expect("no timer starts a pass before a person says so", timers == "", timers)

    machine.run(f"cp {STATE}/stories.db {STATE}/copy.db")
    purged = apt("purge story-liker")
    expect("purging", purged.returncode == 0, purged)
    expect("it says what goes", f"Deleting {STATE}/stories.db" in purged.stdout, purged)
    told = "Left in place: copy.db second.db" in purged.stdout
    expect("and what stays", told, purged)
    names = "-name '*story-liker*' ! -name '*.d' ! -name 'story-liker-failed@*' ! -name '*.password'"
    left = machine.run(f"ls {STATE}; find /etc /var/lib/systemd -type f,l {names}").stdout
    stays = ["copy.db", "second.db", "second.db.lock", "second.db.second.lock"]
    expect("nothing stays but what the operator made", left.split() == stays, left)


def from_archive(service, archive):
    """Without the package: README's other way, on what purging left."""
    machine = service.machine
    unpack = ["tar", "-xzf", archive, "--strip-components=1", "-C", machine.root / f"home/{ADMIN}"]
    subprocess.run(unpack, check=True)
    machine.readme("#### Without the package")
    machine.write("/etc/story-liker/config.toml", service.practice.config())
    session = service.practice.settings()
    command = "sudo -u story-liker story-liker session import --offline -"
    brought = machine.run(command, session, ADMIN)
    expect("the archive's program takes a session", brought.returncode == 0, brought)
    ended = service.started()
    expect("its unit ends well", ended == ("0", "success", "inactive"), ended)
    counts = service.report()["counts"]
    expect("and asked Instagram from within its sandbox", counts["reads"] > 0, counts)
