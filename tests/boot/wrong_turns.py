"""What goes wrong at three in the morning, and what the operator reads then."""

from machine import expect
from service import CHECK_ALL, CONFIG, STATE, UNIT


def wrong_turns(service):
    """Each ends with a message that names the remedy, and mending it is enough."""
    credentials(service)
    state_folder(service)
    clock(service)
    lost_session(service)


def credentials(service):
    """One that a drop-in names and nobody put there; one that the configuration counts on."""
    machine, practice = service.machine, service.practice
    absent = "[Service]\nLoadCredential=password:/etc/story-liker/absent\n"
    service.drop_in("absent", absent)
    service.fails("a credential of a drop-in is missing", "243", "status=243/CREDENTIALS")
    service.drop_in("absent", None)

    machine.write(CONFIG, practice.config('[session]\nrelogin = "once-a-day"'))
    service.fails("no password", "78", "set account.password_file")
    machine.write(CONFIG, practice.config())


def lost_session(service):
    """With the password from the credential one login is made, and nobody is needed."""
    machine, practice = service.machine, service.practice
    machine.readme("#### A password for the timer", practice.line["password"] + "\n")
    mode = machine.run("stat -c '%a %U' /etc/credstore /etc/credstore/*").stdout.splitlines()
    expect("the password is root's alone", mode == ["700 root", "600 root"], mode)
    service.drop_in("all", CHECK_ALL)
    practice.world(revoke_sessions=True)
    service.passes("a session that died", "75")
    service.passes("the pass after the login")
    service.drop_in("all", None)


def clock(service):
    """A day behind Instagram's, and a day ahead of it."""
    practice = service.practice
    service.drop_in("all", CHECK_ALL)
    for seconds in (86_400, -86_400):
        practice.switch(date={"skewed": seconds})
        before = len(service.machine.journal(UNIT))
        service.passes(f"a clock that is {seconds} s off", "75")
        said = service.machine.journal(UNIT)[before:]
        expect("... the journal says what to do", "set the clock (NTP)" in said, said)
    practice.switch(date="on")
    service.drop_in("all", None)


def state_folder(service):
    """Read-only; another's."""
    machine = service.machine
    machine.run(f"cp -a {STATE} /tmp/state; mount -t tmpfs tmpfs {STATE}; chown story-liker: {STATE}")
    machine.run(f"chmod 700 {STATE}; cp -a /tmp/state/. {STATE}; mount -o remount,ro {STATE}")
    service.fails("a read-only state folder", "73", "mount the file system for writing")
    machine.run(f"umount {STATE}")
    machine.run(f"chown -R root: {STATE}")
    service.passes("a state folder that became root's")
    owner = machine.run(f"stat -c %U {STATE} {STATE}/stories.db").stdout.split()
    expect("it is the user's again", owner == ["story-liker"] * 2, owner)
