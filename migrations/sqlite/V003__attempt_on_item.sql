-- What was sent about an item other than likes: views and the readings that tell what became of a
-- like, however long after it.
CREATE INDEX attempt_about_item ON attempt (account, item_pk, claimed_at)
    WHERE item_pk IS NOT NULL AND kind <> 'like';
