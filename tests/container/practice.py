"""The practice Instagram under the real one's name, in a network that leads nowhere."""

import json
import subprocess
import sys
from pathlib import Path

HOST = "i.instagram.com"
SETTINGS = Path("tests/fixtures/settings/instagrapi-3.2.2.json")


class Practice:
    """The server, and what is asked of it behind the scenes."""

    def __init__(self, program):
        words = [program, "rehearse", "--serve", "127.0.0.1:443"]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        self.line = json.loads(self.process.stdout.readline())
        self.target = self.line["quiet_target"]

    def ask(self, path, body=None):
        words = ["curl", "-sS", "--fail-with-body", "--insecure"]
        words += ["--resolve", f"{HOST}:443:127.0.0.1", f"https://{HOST}/practice/{path}"]
        if body is not None:
            words += ["--data", json.dumps(body)]
        done = subprocess.run(words, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"the practice server does not answer to {path}: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    def likes(self):
        return [entry["item"] for entry in self.ask("record")["requests"] if "like" in entry["act"]]

    def received(self):
        return len(self.ask("record")["requests"])

    def publish(self, stories):
        self.ask("world", {"user": self.target, "stories": stories})

    def settings(self):
        settings = json.loads(SETTINGS.read_text())
        session = self.line["session_id"]
        settings["authorization_data"] = {
            "ds_user_id": session.split("%3A")[0],
            "sessionid": session,
            "should_use_header_over_cookies": True,
        }
        settings["cookies"] = {}
        return json.dumps(settings)

    def configuration(self, more=""):
        return f"""
            targets = ["{self.target}"]
            # No zone is known to an image without a system but those that the program brings.
            time_zone = "Pacific/Auckland"
            {more}
            [account]
            username = "{self.line["username"]}"
            [pace]
            between_requests = "2s..3s"
            between_likes = "10s..12s"
            between_targets = "5s..6s"
            [first_contact]
            posts = "like"
        """

    def stop(self):
        self.process.terminate()
        self.process.wait()
