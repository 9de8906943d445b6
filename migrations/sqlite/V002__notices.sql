-- What a person is told. A row is a transition: it is made in the transaction that closes the pass
-- which noticed it, and noticing it again finds it here.
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

-- One row for each way in which a notice is to be told; a way configured later tells no old ones.
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
