"""A user's crontab with README's line: what it mails, and a pass."""

import subprocess

from machine import expect, wait_for
from practice import Practice

USER = "dora"
HOME = f"/home/{USER}"


class Cron:
    """Runs beside the rest of the check: a crontab knows no seconds."""

    def __init__(self, machine):
        self.machine = machine
        self.practice = Practice(machine, 8081)
        self.practice.publish(1)
        machine.run(f"useradd -m {USER}; install -D -o {USER} /usr/bin/story-liker {HOME}/.cargo/bin/story-liker")
        mailer = "#!/bin/sh\ncat >> /tmp/cron-mail\n"
        machine.write("/usr/sbin/sendmail", mailer, mode="755")
        # Forgotten at first: whose stories.
        machine.write(f"{HOME}/.config/story-liker/config.toml", "", USER)
        command = ["tests/readme", "### cron", "cron"]
        crontab = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        every_minute = crontab.replace("\n17 *", "\n* *")
        assert every_minute != crontab, crontab
        added = machine.run("crontab -", every_minute, USER)
        expect("README's crontab is accepted", added.returncode == 0, added)

    def mended(self):
        """The operator reads the mail and finishes the work."""
        mailed = lambda: self.machine.run("cat /tmp/cron-mail || true").stdout
        wait_for("cron's mail", mailed, 70)
        expect("cron mails that it was needed", "story-liker ended with 78, see" in mailed(), mailed())
        self.machine.write(f"{HOME}/.config/story-liker/config.toml", self.practice.config(), USER)
        command = f"{HOME}/.cargo/bin/story-liker session import -"
        brought = self.machine.run(command, self.practice.settings(), USER)
        expect("a session is brought by hand", brought.returncode == 0, brought)
        self.machine.run("rm /tmp/cron-mail")

    def done(self):
        """Cron's pass finds the session."""
        log = lambda: self.machine.run(f"cat {HOME}/story-liker.log").stdout
        wait_for("cron's pass", lambda: '"counts"' in log(), 90)
        expect("cron's pass liked the story", self.practice.likes() == 1, log())
        mail = self.machine.run("cat /tmp/cron-mail || true").stdout
        expect("and cron mailed nothing", not mail, mail)
        self.machine.run("crontab -r", user=USER)
