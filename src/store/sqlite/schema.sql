CREATE TABLE account (
    id                  INTEGER PRIMARY KEY,
    profile             TEXT    NOT NULL UNIQUE,
    -- One account has one profile: two would each count on their own and double every limit.
    pk                  INTEGER UNIQUE CHECK (pk > 0),
    username            TEXT,
    device              TEXT,
    ignore_posts_before INTEGER,
    -- When this profile last had the whole file checked for damage.
    checked_at          INTEGER
) STRICT;

CREATE TABLE attempt (
    id         INTEGER PRIMARY KEY,
    account    INTEGER NOT NULL REFERENCES account (id),
    -- No foreign key: runs are pruned on their own.
    run        INTEGER,
    kind       TEXT    NOT NULL CHECK (kind IN (
                   'read', 'story_view', 'like', 'login', 'login_code')),
    call       TEXT    NOT NULL,
    target     INTEGER REFERENCES target (id),
    item_kind  TEXT    CHECK (item_kind IN ('story', 'post')),
    -- No foreign key: the record of a like outlives the item's row.
    item_pk    INTEGER CHECK (item_pk > 0),
    item_owner INTEGER CHECK (item_owner > 0),
    claimed_at INTEGER NOT NULL,
    settled_at INTEGER,
    outcome    TEXT    CHECK (outcome IN ('ok', 'refused', 'unsent', 'unknown', 'disproved')),
    detail     TEXT    NOT NULL DEFAULT '',
    -- Where the row stands in every window: when it was settled, and later than any moment as long
    -- as it is not.
    stands_at  INTEGER NOT NULL
               GENERATED ALWAYS AS (coalesce(settled_at, 9223372036854775807)) VIRTUAL,
    CHECK ((settled_at IS NULL) = (outcome IS NULL)),
    CHECK ((item_kind IS NULL) = (item_pk IS NULL)),
    CHECK ((item_kind IS NULL) = (item_owner IS NULL)),
    CHECK (kind NOT IN ('story_view', 'like') OR item_pk IS NOT NULL),
    CHECK (kind <> 'story_view' OR item_kind = 'story'),
    CHECK (outcome <> 'disproved' OR kind = 'like')
) STRICT;

CREATE INDEX attempt_about_item ON attempt (account, item_pk, claimed_at)
    WHERE item_pk IS NOT NULL AND kind <> 'like';

CREATE INDEX attempt_of_account ON attempt (account, stands_at);

CREATE INDEX attempt_of_kind ON attempt (account, kind, stands_at);

CREATE INDEX attempt_of_target ON attempt (account, target, stands_at) WHERE kind = 'like';

CREATE INDEX attempt_on_item ON attempt (account, item_pk, claimed_at) WHERE kind = 'like';

CREATE UNIQUE INDEX attempt_one_like ON attempt (account, item_pk)
    WHERE kind = 'like' AND (outcome IS NULL OR outcome IN ('ok', 'unknown'));

CREATE INDEX attempt_story_like ON attempt (account, stands_at)
    WHERE kind = 'like' AND item_kind = 'story';

CREATE TABLE delivery (
    notice       INTEGER NOT NULL REFERENCES notice (id) ON DELETE CASCADE,
    channel      TEXT    NOT NULL CHECK (channel IN ('command', 'url')),
    tries        INTEGER NOT NULL DEFAULT 0 CHECK (tries >= 0),
    tried_at     INTEGER,
    -- Why the last try failed; no secret in it.
    problem      TEXT,
    delivered_at INTEGER,
    given_up_at  INTEGER,
    CHECK (delivered_at IS NULL OR given_up_at IS NULL),
    PRIMARY KEY (notice, channel)
) STRICT, WITHOUT ROWID;

CREATE INDEX delivery_open ON delivery (channel, notice)
    WHERE delivered_at IS NULL AND given_up_at IS NULL;

CREATE TABLE hold (
    id         INTEGER PRIMARY KEY,
    account    INTEGER NOT NULL REFERENCES account (id),
    since_at   INTEGER NOT NULL,
    reason     TEXT    NOT NULL CHECK (reason IN (
                   'throttled', 'please_wait', 'action_blocked', 'login_required',
                   'session_doubtful', 'logged_out', 'login_refused', 'challenge', 'checkpoint',
                   'consent', 'two_factor', 'suspended', 'unsupported_version', 'unknown_shape',
                   'unavailable')),
    -- NULL: until a person clears it.
    until_at   INTEGER,
    message    TEXT    NOT NULL,
    attempt    INTEGER REFERENCES attempt (id) ON DELETE SET NULL,
    cleared_at INTEGER,
    cleared_by TEXT,
    CHECK ((cleared_at IS NULL) = (cleared_by IS NULL))
) STRICT;

CREATE INDEX hold_not_cleared ON hold (account, until_at) WHERE cleared_at IS NULL;

CREATE INDEX hold_of_account ON hold (account, since_at);

CREATE INDEX hold_of_attempt ON hold (attempt) WHERE attempt IS NOT NULL;

CREATE TABLE notice (
    id          INTEGER PRIMARY KEY,
    account     INTEGER NOT NULL REFERENCES account (id),
    kind        TEXT    NOT NULL CHECK (kind IN (
                    'hold_appeared', 'hold_cleared', 'session_lost', 'session_back', 'failure',
                    'recovery')),
    -- What changed: the row of a hold or run; of 'session_back' and 'recovery' the notice whose end
    -- they are. No foreign key: holds and runs are pruned on their own, and their numbers may come
    -- again, but not at the same moment.
    subject     INTEGER NOT NULL,
    happened_at INTEGER NOT NULL,
    noticed_at  INTEGER NOT NULL,
    reason      TEXT    CHECK (reason IN (
                    'throttled', 'please_wait', 'action_blocked', 'login_required',
                    'session_doubtful', 'logged_out', 'login_refused', 'challenge', 'checkpoint',
                    'consent', 'two_factor', 'suspended', 'unsupported_version', 'unknown_shape',
                    'unavailable')),
    exit_code   INTEGER CHECK (exit_code BETWEEN 0 AND 255),
    message     TEXT    NOT NULL,
    UNIQUE (account, kind, subject, happened_at)
) STRICT;

CREATE INDEX notice_of_account ON notice (account, id);

CREATE TABLE post (
    account         INTEGER NOT NULL REFERENCES account (id),
    media_pk        INTEGER NOT NULL CHECK (media_pk > 0),
    owner_pk        INTEGER NOT NULL CHECK (owner_pk > 0),
    target          INTEGER NOT NULL REFERENCES target (id),
    code            TEXT,
    taken_at        INTEGER NOT NULL,
    has_liked       INTEGER CHECK (has_liked IN (0, 1)),
    pinned          INTEGER NOT NULL CHECK (pinned IN (0, 1)),
    state           TEXT    NOT NULL CHECK (state IN (
                        'new', 'observed', 'claimed', 'liked', 'already_liked',
                        'unknown', 'failed', 'gone', 'expired', 'skipped')),
    tries           INTEGER NOT NULL CHECK (tries >= 0),
    claimed_at      INTEGER,
    unliked_read_at INTEGER,
    first_seen_at   INTEGER NOT NULL,
    PRIMARY KEY (account, media_pk)
) STRICT, WITHOUT ROWID;

CREATE INDEX post_in_state ON post (account, target, state, taken_at);

CREATE TABLE run (
    id         INTEGER PRIMARY KEY,
    account    INTEGER NOT NULL REFERENCES account (id),
    command    TEXT    NOT NULL,
    -- 64 unsigned bits, so text.
    seed       TEXT    NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at   INTEGER,
    stop       TEXT,
    trouble    TEXT    CHECK (trouble IN (
                   'throttled', 'please_wait', 'action_blocked', 'login_required',
                   'session_doubtful', 'logged_out', 'login_refused', 'challenge', 'checkpoint',
                   'consent', 'two_factor', 'suspended', 'unsupported_version', 'unknown_shape',
                   'unavailable')),
    exit_code  INTEGER CHECK (exit_code BETWEEN 0 AND 255),
    requests   INTEGER NOT NULL DEFAULT 0 CHECK (requests >= 0),
    likes      INTEGER NOT NULL DEFAULT 0 CHECK (likes >= 0),
    report     TEXT
) STRICT;

CREATE INDEX run_of_account ON run (account, id);

CREATE TABLE session (
    account     INTEGER PRIMARY KEY REFERENCES account (id),
    pk          INTEGER NOT NULL CHECK (pk > 0),
    -- 0: plain JSON.
    format      INTEGER NOT NULL CHECK (format >= 0),
    content     TEXT    NOT NULL,
    obtained_at INTEGER NOT NULL,
    proved_at   INTEGER
) STRICT;

CREATE TABLE story (
    account         INTEGER NOT NULL REFERENCES account (id),
    media_pk        INTEGER NOT NULL CHECK (media_pk > 0),
    owner_pk        INTEGER NOT NULL CHECK (owner_pk > 0),
    target          INTEGER NOT NULL REFERENCES target (id),
    code            TEXT,
    taken_at        INTEGER NOT NULL,
    expiring_at     INTEGER NOT NULL,
    has_liked       INTEGER CHECK (has_liked IN (0, 1)),
    state           TEXT    NOT NULL CHECK (state IN (
                        'new', 'observed', 'claimed', 'liked', 'already_liked',
                        'unknown', 'failed', 'gone', 'expired', 'skipped')),
    tries           INTEGER NOT NULL CHECK (tries >= 0),
    viewed_at       INTEGER,
    claimed_at      INTEGER,
    unliked_read_at INTEGER,
    first_seen_at   INTEGER NOT NULL,
    PRIMARY KEY (account, media_pk)
) STRICT, WITHOUT ROWID;

CREATE INDEX story_in_state ON story (account, target, state, expiring_at);

CREATE TABLE target (
    id                 INTEGER PRIMARY KEY,
    account            INTEGER NOT NULL REFERENCES account (id),
    -- The name the operator wrote. It survives a rename on the platform; a row without it has been
    -- replaced by the row that holds its pk.
    listed_as          TEXT,
    username           TEXT    NOT NULL,
    pk                 INTEGER CHECK (pk > 0),
    origin             TEXT    NOT NULL CHECK (origin IN ('config', 'command')),
    enabled            INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    stories            INTEGER NOT NULL CHECK (stories IN (0, 1)),
    posts              INTEGER NOT NULL CHECK (posts IN (0, 1)),
    stories_checked_at INTEGER,
    posts_checked_at   INTEGER,
    trouble            TEXT    CHECK (trouble IN ('private', 'gone')),
    trouble_count      INTEGER NOT NULL DEFAULT 0 CHECK (trouble_count >= 0),
    retry_at           INTEGER,
    added_at           INTEGER NOT NULL,
    UNIQUE (account, listed_as),
    UNIQUE (account, pk)
) STRICT;

