"""The practice Instagram on the container's loopback, and the operator's side of it."""

import json
import re
from pathlib import Path

from machine import ADMIN, wait_for

SETTINGS = Path(__file__).parent.parent / "fixtures/settings/instagrapi-3.2.2.json"


class Practice:
    """Served by the installed program itself."""

    def __init__(self, machine, port):
        self.machine = machine
        log = f"/tmp/practice-{port}"
        command = f"systemd-run --quiet --uid={ADMIN} -p StandardOutput=file:{log}"
        command += f" story-liker rehearse --serve 127.0.0.1:{port} --plain"
        begun = machine.run(command)
        assert begun.returncode == 0, begun
        said = lambda: machine.run(f"cat {log}").stdout
        wait_for("the practice server", lambda: said().endswith("\n"), 20)
        self.line = json.loads(said())
        self.target = self.line["quiet_target"]

    def config(self, more=""):
        """A configuration for one target that publishes nothing by itself."""
        return f"""
            targets = ["{self.target}"]

            [account]
            username = "{self.line["username"]}"

            [instagram]
            base_url = "{self.line["base_url"]}"

            [pace]
            between_requests = "2s..2100ms"
            between_likes = "10s..11s"
            between_targets = "5s..6s"
            {more}
            """

    def world(self, **change):
        """Something happens at Instagram."""
        self.machine.call(self.line["base_url"] + "/practice/world", change)

    def switch(self, **to):
        """What nobody knows of Instagram is another way."""
        self.machine.call(self.line["base_url"] + "/practice/switches", to)

    def publish(self, stories):
        """The target publishes."""
        self.world(user=self.target, stories=stories)

    def settings(self):
        """A settings file as a login would have left it."""
        settings = json.loads(SETTINGS.read_text())
        session = self.line["session_id"]
        settings["authorization_data"] = {
            "ds_user_id": session.split("%3A")[0],
            "sessionid": session,
            "should_use_header_over_cookies": True,
        }
        settings["cookies"] = {}
        return json.dumps(settings)

    def requests(self):
        """What the server received."""
        record = self.machine.call(self.line["base_url"] + "/practice/record")
        wrong = [entry for entry in record["requests"] if entry["violations"]]
        assert not wrong, wrong
        return record["requests"]

    def likes(self):
        """How many of them were likes."""
        return sum(bool(re.search("like", entry["act"])) for entry in self.requests())
