"""Lets instagrapi, unmodified, use a serving practice server, and asks the server what it received.

    story-liker rehearse --serve 127.0.0.1:0 --plain > line.json &
    python3 tests/instagrapi/check.py line.json

Reads the server's JSON line from the file named as the argument, or from standard input. Prints one
line per check; ends with 0 if all of them hold. With `--save-settings FILE` it also keeps the
settings file that instagrapi wrote. Requests go to the server of that line and nowhere else.
"""

import json
import sys
import tempfile
import traceback
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import requests
from instagrapi import Client
from instagrapi.exceptions import LoginRequired, UnknownError, UserNotFound
from requests.adapters import HTTPAdapter

API_HOSTS = {"i.instagram.com", "b.i.instagram.com"}

# What instagrapi 3.2.2 is known to do differently from what its requests should be.
KNOWN_DEVIATIONS = {
    # It does not look up when a story was taken and makes a time up.
    "seen-taken-at",
    # Every client here is a new device, and all of them share the given session.
    "device-changed:X-IG-Device-ID",
    "device-changed:X-IG-Android-ID",
}


class ToPracticeServer(HTTPAdapter):
    """Connects to the practice server instead of the real hosts; the Host header stays."""

    def __init__(self, base_url):
        super().__init__()
        self.base = urlsplit(base_url)

    def send(self, request, **kwargs):
        url = urlsplit(request.url)
        if url.hostname not in API_HOSTS and url.netloc != self.base.netloc:
            raise ConnectionError(f"{url.hostname} is not for this check")
        request.headers.setdefault("Host", url.netloc)
        request.url = urlunsplit(url._replace(scheme=self.base.scheme, netloc=self.base.netloc))
        return super().send(request, **kwargs)


class Practice:
    """The server's own view, over its loopback pages."""

    def __init__(self, line):
        self.line = line
        self.base_url = line["base_url"]
        # instagrapi mounts adapters of its own whenever settings are loaded; none of them is asked.
        adapter = ToPracticeServer(self.base_url)
        requests.Session.get_adapter = lambda session, url: adapter

    def client(self, settings=None):
        client = Client(request_timeout=0, private_transport="requests")
        client.delay_range = None
        if settings:
            client.load_settings(settings)
            client.request_timeout = 0
        return client

    def get(self, page):
        with urllib.request.urlopen(f"{self.base_url}/practice/{page}") as reply:
            return json.load(reply)

    def post(self, page, body):
        data = json.dumps(body).encode()
        with urllib.request.urlopen(f"{self.base_url}/practice/{page}", data=data) as reply:
            return json.load(reply)

    def acts(self, act, item=None):
        received = self.get("record")["requests"]
        return [r for r in received if r["act"] == act and item in (None, r["item"])]

    def item(self, media_id):
        return self.get("record")["items"].get(media_id, {})


class Checks:
    def __init__(self, practice):
        self.practice = practice
        self.line = practice.line
        self.target = self.line["targets"][0]
        self.folder = Path(tempfile.mkdtemp(prefix="instagrapi-check-"))
        self.settings = self.folder / "settings.json"

    def logged_in(self):
        client = self.practice.client()
        assert client.login_by_sessionid(self.line["session_id"])
        return client

    def legacy_login_with_one_time_code(self):
        self.practice.post("switches", {"two_factor": True})
        try:
            client = self.practice.client()
            code = client.totp_generate_code(self.line["totp_secret"])
            assert client.login_legacy(self.line["username"], self.line["password"], verification_code=code)
        finally:
            self.practice.post("switches", {"two_factor": False})
        assert str(client.user_id) == self.line["session_id"].split("%3A")[0]
        login, second = self.practice.acts("login")[-1], self.practice.acts("two_factor")[-1]
        assert login["outcome"].startswith("refused:") and second["outcome"] == "ok", (login, second)
        client.dump_settings(self.settings)

    def wrong_one_time_code_is_refused(self):
        self.practice.post("switches", {"two_factor": True})
        try:
            client = self.practice.client()
            client.login_legacy(self.line["username"], self.line["password"], verification_code="000000")
        except UnknownError:
            assert self.practice.acts("two_factor")[-1]["status"] == 400
        else:
            raise AssertionError("a wrong code let the client in")
        finally:
            self.practice.post("switches", {"two_factor": False})

    def login_sends_a_code_nobody_asked_for(self):
        client = self.practice.client()
        code = client.totp_generate_code(self.line["totp_secret"])
        assert client.login(self.line["username"], self.line["password"], verification_code=code)
        assert self.practice.acts("login")[-1]["outcome"] == "ok"

    def login_with_password_alone(self):
        client = self.practice.client()
        assert client.login(self.line["username"], self.line["password"])
        assert client.account_info().username == self.line["username"]

    def calls_around_login(self):
        client = self.logged_in()
        assert client.sync_launcher(login=False)["status"] == "ok"
        assert client.get_reels_tray_feed()["status"] == "ok"
        assert client.get_timeline_feed()["status"] == "ok"
        for act in ("launcher_sync", "reels_tray", "timeline", "key_sync"):
            assert self.practice.acts(act), act

    def login_by_session_id(self):
        client = self.logged_in()
        assert client.username == self.line["username"]
        assert self.practice.acts("user_info")[-1]["outcome"] == "ok"

    def current_user(self):
        client = self.logged_in()
        assert client.account_info().username == self.line["username"]
        assert self.practice.acts("current_user")[-1]["outcome"] == "ok"

    def reloaded_settings(self):
        client = self.practice.client(self.settings)
        assert client.login(self.line["username"], self.line["password"])
        assert client.account_info().username == self.line["username"]
        before = len(self.practice.acts("login"))
        assert client.user_info_by_username_v1(self.target).username == self.target
        assert len(self.practice.acts("login")) == before

    def user_lookup(self):
        client = self.logged_in()
        user = client.user_info_by_username_v1(self.target)
        assert user.username == self.target
        assert client.user_info_v1(user.pk).username == self.target
        assert self.practice.acts("user_lookup")[-1]["target"] == self.target
        try:
            client.user_info_by_username_v1("nobody.here.at.all")
        except UserNotFound:
            return
        raise AssertionError("an unknown name was found")

    def user_search(self):
        found = self.logged_in().search_users_v1(self.target, 5)
        assert self.target in [user.username for user in found], found

    def stories_and_seen(self):
        client = self.logged_in()
        stories = self.stories(client)
        assert client.story_seen([stories[0].pk])
        assert self.practice.acts("seen")[-1]["item"] == stories[0].id
        assert self.practice.item(stories[0].id)["seen"]

    def story_like_and_unlike(self):
        client = self.logged_in()
        story = self.stories(client)[-1]
        assert client.story_like(story.id)
        now = self.practice.item(story.id)
        assert now["liked"] and now["delivered"] and now["likes"] == 1, now
        assert client.story_unlike(story.id)
        assert not self.practice.item(story.id)["liked"]
        assert self.practice.acts("story_unlike", story.id)

    def quiet_target_has_no_stories(self):
        client = self.logged_in()
        quiet = client.user_info_by_username_v1(self.line["quiet_target"])
        assert client.user_stories_v1(quiet.pk) == []

    def posts_over_two_pages(self):
        client = self.logged_in()
        pk = client.user_info_by_username_v1(self.target).pk
        first, cursor = client.user_medias_paginated_v1(pk, 12)
        assert first and cursor
        second, _ = client.user_medias_paginated_v1(pk, 12, end_cursor=cursor)
        assert second and not {m.pk for m in first} & {m.pk for m in second}
        everything = client.user_medias_v1(pk, 0)
        assert len(everything) > len(first) + len(second), len(everything)
        assert len({m.pk for m in everything}) == len(everything)
        assert len(self.practice.acts("posts")) >= 4

    def post_like_and_unlike(self):
        client = self.logged_in()
        pk = client.user_info_by_username_v1(self.target).pk
        post = client.user_medias_paginated_v1(pk, 12)[0][1]
        assert client.media_like(post.id)
        assert self.practice.item(post.id)["liked"]
        assert client.media_info_v1(post.pk).has_liked
        assert client.media_unlike(post.id)
        assert not self.practice.item(post.id)["liked"]
        assert not client.media_info_v1(post.pk).has_liked
        assert self.practice.get("record")["likes_per_item"][post.id] == 1

    def added_items_appear(self):
        client = self.logged_in()
        added = self.practice.post("world", {"user": self.target, "stories": 1, "posts": 1})["added"]
        pk = client.user_info_by_username_v1(self.target).pk
        assert added[0] in [story.id for story in client.user_stories_v1(pk)]
        assert added[1] in [post.id for post in client.user_medias_v1(pk, 0)]

    def armed_refusal_strikes(self):
        client = self.logged_in()
        story = self.stories(client)[0]
        self.practice.post("trouble", {"on": "like", "reply": "feedback_required"})
        try:
            client.story_like(story.id, mark_seen=False)
        except Exception as refusal:
            assert type(refusal).__name__ == "FeedbackRequired", repr(refusal)
            assert self.practice.acts("story_like")[-1]["outcome"] == "refused:feedback_required"
            return
        raise AssertionError("the armed refusal did not strike")

    def logged_out_session_is_dead(self):
        client = self.practice.client(self.settings)
        assert client.logout()
        again = self.practice.client(self.settings)
        try:
            again.private_request("accounts/current_user/?edit=true")
        except LoginRequired:
            return
        raise AssertionError("the session survived its logout")

    def only_known_deviations(self):
        found = set(self.practice.get("record")["violations"])
        assert found <= KNOWN_DEVIATIONS, sorted(found - KNOWN_DEVIATIONS)

    def stories(self, client):
        pk = client.user_info_by_username_v1(self.target).pk
        stories = client.user_stories_v1(pk)
        assert stories, "the first target has stories"
        return stories


CHECKS = [
    Checks.legacy_login_with_one_time_code,
    Checks.wrong_one_time_code_is_refused,
    Checks.login_sends_a_code_nobody_asked_for,
    Checks.login_with_password_alone,
    Checks.login_by_session_id,
    Checks.calls_around_login,
    Checks.current_user,
    Checks.reloaded_settings,
    Checks.user_lookup,
    Checks.user_search,
    Checks.stories_and_seen,
    Checks.story_like_and_unlike,
    Checks.quiet_target_has_no_stories,
    Checks.posts_over_two_pages,
    Checks.post_like_and_unlike,
    Checks.added_items_appear,
    Checks.armed_refusal_strikes,
    Checks.only_known_deviations,
    Checks.logged_out_session_is_dead,
]


def main(arguments):
    save = None
    if arguments[:1] == ["--save-settings"]:
        save, arguments = arguments[1], arguments[2:]
    text = Path(arguments[0]).read_text() if arguments else sys.stdin.readline()
    checks = Checks(Practice(json.loads(text)))
    failed = 0
    for check in CHECKS:
        name = check.__name__.replace("_", " ")
        try:
            check(checks)
            print(f"ok      {name}", flush=True)
        except Exception:
            failed += 1
            print(f"FAILED  {name}", flush=True)
            traceback.print_exc()
        if save and checks.settings.exists():
            Path(save).write_text(checks.settings.read_text())
            save = None
    print(f"{len(CHECKS) - failed} of {len(CHECKS)} checks hold", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
