-- SPDX-License-Identifier: Apache-2.0
-- Products viewed in the same session: sessions made of events, exact counts of their pairs, and the rows that are served.
--
-- What was counted for a session stands with it, so that it is taken back exactly before the session is counted as it
-- has become. Whoever changes a session's views, or its row, puts it into session_queue first, in the same transaction:
-- that waits for a count of the session that is under way. The count takes the rows of the queue before it reads
-- anything, so what it does not see yet is queued again. On Citus session_queue is distributed by session_key,
-- pair_viewed by a, viewed_stat, viewed_due and neighbour_viewed by product; viewed_state is a reference table.

ALTER TABLE affinity.session ADD COLUMN counted integer[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN affinity.session.counted IS 'The products that count for this session in viewed_stat and pair_viewed, ascending.';

CREATE TABLE affinity.session_queue (
    store       integer NOT NULL,
    session_key bigint NOT NULL,
    at          timestamptz NOT NULL,      -- last heard of, by this database's clock; -infinity: count it at once
    PRIMARY KEY (store, session_key)
);
CREATE INDEX session_queue_at ON affinity.session_queue (store, at);
COMMENT ON TABLE affinity.session_queue IS 'Sessions whose views are not counted yet. They are counted when they have been quiet for a while.';

INSERT INTO affinity.session_queue SELECT store, session_key, '-infinity' FROM affinity.session;

-- The views of one session, and what was put into its cart (core/event/event.h).
CREATE INDEX event_viewed ON affinity.event (store, session) WHERE session IS NOT NULL AND kind IN (1, 3);

CREATE TABLE affinity.viewed_stat (
    store    integer NOT NULL,
    product  integer NOT NULL,
    sessions integer NOT NULL,             -- that hold the product
    PRIMARY KEY (store, product)
);

CREATE TABLE affinity.pair_viewed (
    store    integer NOT NULL,
    a        integer NOT NULL,
    b        integer NOT NULL,
    sessions integer NOT NULL,             -- that hold both
    PRIMARY KEY (store, a, b)
);
CREATE INDEX pair_viewed_b ON affinity.pair_viewed (store, b);
COMMENT ON TABLE affinity.pair_viewed IS 'Products of the same session. One row an unordered pair: a < b.';

-- Products whose neighbours have to be made anew.
CREATE TABLE affinity.viewed_due (
    store   integer NOT NULL,
    product integer NOT NULL,
    counted boolean NOT NULL,              -- its counts are others, too; else the row is only renewed
    PRIMARY KEY (store, product)
);

-- What the service loads, relation 3 `viewed`: one row a product, its neighbours in parallel arrays, best first. Not a
-- part of affinity.neighbour, which a rebuild from orders replaces whole. In affinity.touched it is what = 5.
CREATE TABLE affinity.neighbour_viewed (
    store    integer NOT NULL,
    product  integer NOT NULL,
    others   integer[] NOT NULL,
    scores   real[] NOT NULL,
    sessions integer[] NOT NULL,           -- that hold both
    PRIMARY KEY (store, product)
);

CREATE TABLE affinity.viewed_state (
    store      integer PRIMARY KEY REFERENCES affinity.store,
    sessions   bigint NOT NULL DEFAULT 0,  -- counted
    changes    bigint NOT NULL DEFAULT 0,  -- grows with each change of affinity.session that was counted
    counted_at timestamptz                 -- of the last count
);
INSERT INTO affinity.viewed_state (store) SELECT store FROM affinity.store;

-- What counts of a session's views: of the newest 200 the newest 50 distinct products, ascending.
CREATE FUNCTION affinity.session_counts(views integer[]) RETURNS integer[]
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(d.product ORDER BY d.product), '{}')
    FROM (SELECT v.product FROM unnest(views[greatest(1, cardinality(views) - 199):]) WITH ORDINALITY AS v(product, place)
          GROUP BY v.product ORDER BY max(v.place) DESC LIMIT 50) AS d
$$;
