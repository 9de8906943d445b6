"""The units: what the timer does, and what becomes of each ending."""

import json

from machine import ADMIN, expect, readme, wait_for
from practice import Practice

STATE = "/var/lib/story-liker"
CONFIG = "/etc/story-liker/config.toml"
UNIT = "story-liker.service"
TIMER = "story-liker.timer"

# Nobody waits two hours for the next listing here.
CHECK_ALL = "[Service]\nExecStart=\nExecStart=/usr/bin/story-liker run --check-all\n"


class Service:
    """The service on its machine, and its Instagram."""

    def __init__(self, machine):
        self.machine = machine
        self.practice = Practice(machine, 8080)

    def started(self, unit=UNIT):
        """A pass by hand: exit status, result and state by systemd's word."""
        self.machine.run(f"systemctl reset-failed {unit} || true; systemctl start {unit} || true")
        return self.machine.properties(unit, "ExecMainStatus", "Result", "ActiveState")

    def fails(self, what, status, says, unit=UNIT):
        """A pass that ends with this status and makes the unit fail."""
        before = len(self.machine.journal(unit))
        ended = self.started(unit)
        said = self.machine.journal(unit)[before:]
        expect(f"{what}: the unit fails with {status}", ended[0] == status, (ended, said))
        expect("... and is failed", ended[2] == "failed", ended)
        expect(f"... the journal says: {says}", says in said, said)

    def passes(self, what, status="0", unit=UNIT):
        """A pass that ends with this status and leaves the unit in order."""
        ended = self.started(unit)
        in_order = ended == (status, "success", "inactive")
        expect(f"{what}: ended with {status}", in_order, (ended, self.machine.journal(unit)[-3000:]))

    def fired(self, what, timer=TIMER):
        """Lets the timer find that it missed a pass: by its file the last one is two days old."""
        unit = timer.replace(".timer", ".service")
        finished = lambda: self.machine.properties(unit, "ExecMainExitTimestampMonotonic")
        before = finished()
        stamp = f"/var/lib/systemd/timers/stamp-{timer}"
        self.machine.run(f"systemctl stop {timer}; touch -d '2 days ago' {stamp}")
        self.machine.run(f"systemctl start {timer}")
        wait_for(f"a pass by {timer}", lambda: finished() not in (before, ("0",)))
        ended = self.machine.properties(unit, "ExecMainStatus", "Result", "ActiveState")
        expect(f"{timer} fires: {what}", ended == ("0", "success", "inactive"), ended)
        return self.report(unit)

    def report(self, unit=UNIT):
        """The report of the last pass, from the journal."""
        lines = [line for line in self.machine.journal(unit).splitlines() if '"exit":{' in line]
        return json.loads(lines[-1])

    def drop_in(self, name, text, unit=UNIT):
        """A change as an operator makes it; none removes it."""
        path = f"/etc/systemd/system/{unit}.d/{name}.conf"
        if text:
            self.machine.write(path, text)
        else:
            self.machine.run(f"rm {path}")
        self.machine.run("systemctl daemon-reload")

    def waiting_pass(self):
        """A pass that has something to do and is about to wait for it, for minutes."""
        jitter = "Environment=STORY_LIKER_PACE_START_JITTER=10m\n"
        self.drop_in("later", CHECK_ALL + jitter)
        before = self.machine.journal(UNIT).count("a pass begins")
        self.machine.run(f"systemctl start --no-block {UNIT}")
        begun = lambda: self.machine.journal(UNIT).count("a pass begins") > before
        wait_for("a pass", begun, 20)
        self.drop_in("later", None)
        return self.machine.properties(UNIT, "MainPID")

    def configured(self):
        """From the installation to a session, with what is forgotten on the way."""
        machine, practice = self.machine, self.practice
        self.fails("no targets", "78", "no account is named whose items are to be liked")

        editor = f"#!/bin/sh\ncat > \"$1\" <<'END'\n{practice.config()}\nEND\n"
        machine.write("/usr/local/bin/editor", editor, mode="755")
        machine.readme("#### Configure")
        self.fails("no session", "77", f"no session in {STATE}/stories.db")

        root = machine.run("sudo story-liker session import -", practice.settings(), ADMIN)
        refused = root.returncode == 73 and "sudo -u '#" in root.stderr
        expect("root may not bring a session, and is told who may", refused, root)

        mailer = "#!/bin/sh\n(echo \"$2\"; cat) >> /tmp/mail\n"
        machine.write("/usr/bin/mail", mailer, mode="755")
        machine.readme("#### Be told")
        self.started()
        mail = lambda: machine.run("cat /tmp/mail || true").stdout
        wait_for("a mail", lambda: '"exit":{' in mail(), 20)
        expect("a failed pass is told", f"{UNIT} ended with 77" in mail(), mail())

        practice.publish(1)
        machine.write(f"/home/{ADMIN}/settings.json", practice.settings(), ADMIN, "600")
        machine.readme("#### Bring a session")
        expect("a dry run likes nothing", practice.likes() == 0, practice.requests())

    def unattended(self):
        """The timer alone: a pass that likes, and one that finds nothing to do."""
        machine, practice = self.machine, self.practice
        known = machine.properties(TIMER, "TimersCalendar", "RandomizedDelayUSec", "Persistent")
        hourly = "OnCalendar=*-*-* *:00:00" in known[0] and known[1:] == ("15min", "yes")
        expect("it is hourly, spread and persistent", hourly, known)

        self.drop_in("times", readme("#### Start the timer", "ini"), TIMER)
        known = machine.properties(TIMER, "TimersCalendar")
        expect("README's other times are taken", "OnCalendar=*-*-* 00/2:20:00" in known[0], known)
        self.drop_in("times", None, TIMER)

        # Far from now, so that nothing else fires while this looks on.
        hour = int(machine.run("date -d '-6 hours' +%H").stdout)
        calm = f"[Timer]\nOnCalendar=\nOnCalendar=*-*-* {hour:02}:30\nRandomizedDelaySec=0\n"
        for timer in (TIMER, "story-liker@.timer"):
            self.drop_in("calm", calm, timer)
        listed = machine.readme("#### Start the timer")
        expect("the timer is listed", UNIT in listed, listed)

        self.drop_in("all", CHECK_ALL)
        counts = self.fired("a missed pass is made up for")["counts"]
        expect("it liked the story", (practice.likes(), counts["likes"]) == (1, 1), counts)
        files = machine.run(f"stat -c '%a %U:%G %n' {STATE} {STATE}/*").stdout.splitlines()
        modes = {" ".join(line.split()[:2]) for line in files[1:]}
        expect("the files are the user's alone", modes == {"600 story-liker:story-liker"}, files)
        folder = f"700 story-liker:story-liker {STATE}"
        expect("so is the folder", files[0] == folder, files)

        self.drop_in("all", None)
        counts = self.fired("again")["counts"]
        nothing = (counts["likes_sent"], counts["reads"]) == (0, 0)
        expect("nothing was to be done", nothing and practice.likes() == 1, counts)
        machine.readme("#### Look")
        looked_over = [line for line in readme("### When in doubt: doctor and healthcheck").splitlines() if "sudo" in line]
        sound = machine.run(looked_over[0], user=ADMIN)
        expect("doctor finds nothing that keeps a pass from its work", sound.returncode == 0, sound)

    def measured(self):
        """The figures of a pass, written from within the sandbox for another user to collect."""
        machine, folder = self.machine, "/var/lib/prometheus/node-exporter"
        machine.run(f"mkdir -p {folder}")
        machine.readme("#### Figures of the timer")
        self.passes("a pass with figures", "0")
        command = f"setpriv --reuid {ADMIN} grep ^story_liker_last_start_exit_code {folder}/story-liker.prom"
        figures = machine.run(command).stdout
        expect("anybody can collect them", figures == 'story_liker_last_start_exit_code{profile="default"} 0\n', figures)

    def told_apart(self):
        """What counts as success, and what a stop does."""
        machine = self.machine
        lock = f"{STATE}/stories.db.default.lock"
        machine.run(f"systemd-run --unit=holder flock {lock} sleep infinity")
        wait_for("the lock", lambda: machine.run(f"flock -n {lock} true").returncode)
        self.passes("a busy lock", "75")
        self.drop_in("monitor", readme("#### A monitor", "ini"))
        self.passes("a busy lock, for a monitor", "0")
        expect("the report keeps the code", self.report()["exit"]["code"] == 75, self.report())
        self.drop_in("monitor", None)
        machine.run("systemctl stop holder")

        self.waiting_pass()
        machine.run(f"systemctl stop {UNIT}")
        ended = machine.properties(UNIT, "ExecMainStatus", "Result", "ActiveState")
        expect("a stopped pass ends well", ended == ("0", "success", "inactive"), ended)
        stop = self.report()["stop"]
        expect("and says why", "SIGTERM" in stop["reason"], stop)

    def second_account(self):
        """A second profile by the template units. It has another Instagram and a file of its own,
        because the practice account is the same in each, and one file knows an account once."""
        machine = self.machine
        practice = Practice(machine, 8082)
        practice.publish(1)
        table = f"""
            [profile.second]
            targets = ["{practice.target}"]
            database = "{STATE}/second.db"
            [profile.second.instagram]
            base_url = "{practice.line["base_url"]}"
            """
        machine.write(CONFIG, self.practice.config(table))
        unit = "story-liker@second.service"
        self.fails("no session for the profile", "77", f"no session in {STATE}/second.db", unit)
        machine.write(f"/home/{ADMIN}/second.json", practice.settings(), ADMIN, "600")
        machine.readme("#### Several accounts")
        machine.write("/etc/credstore/story-liker.second.password", "of the second", mode="600")
        shown = "[Service]\nExecStartPre=/usr/bin/story-liker --profile %i config show\n"
        self.drop_in("shown", shown, "story-liker@.service")
        self.fired("the second account", "story-liker@second.timer")
        expect("it liked its story", practice.likes() == 1, practice.requests())
        known = [line for line in machine.journal(unit).splitlines() if "account.password" in line]
        expect("its own password is handed to it", "***" in str(known), known)
        own = self.practice.likes()
        expect("the first account liked nothing meanwhile", own == 1, own)

        machine.run("rm /etc/credstore/story-liker.second.password")
        check_all = CHECK_ALL.replace("run", "--profile %i run")
        self.drop_in("all", check_all, "story-liker@.service")
        practice.world(revoke_sessions=True)
        self.fails("a session that died, and no password", "77", "story-liker login", unit)
