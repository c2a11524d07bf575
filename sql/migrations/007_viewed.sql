-- SPDX-License-Identifier: Apache-2.0
-- Products viewed in the same session: sessions made of events, exact counts of their pairs, and the rows that are served.
--
-- The transaction that stores events appends the views among them to session_heard. The leader takes rows out of it, adds
-- them to their sessions, and counts these as they are, less what was counted for them before, which stands with them:
-- all in one transaction, so each view is taken once, whatever dies when. Whoever writes sessions otherwise appends a
-- row without a product, and shares an advisory lock that the leader has alone (sql/viewed/apply.c). On Citus
-- session_heard is distributed by session_key, pair_viewed by a, viewed_stat, viewed_due and neighbour_viewed by
-- product; viewed_state is a reference table.

ALTER TABLE affinity.session
    ADD COLUMN times   timestamptz[] NOT NULL DEFAULT '{}', -- of the views, in their order; empty: only `at` is known
    ADD COLUMN counted integer[] NOT NULL DEFAULT '{}';     -- products that are counted for it, ascending

CREATE TABLE affinity.session_heard (
    store       integer NOT NULL,
    session_key bigint NOT NULL,
    at          timestamptz NOT NULL,      -- when it happened
    received_at timestamptz NOT NULL DEFAULT now(),
    product     integer,                   -- viewed, or put into the cart; both null: the session was written otherwise
    product_id  text                       -- of a product that was not known
);
CREATE INDEX session_heard_received ON affinity.session_heard (store, received_at);
ALTER TABLE affinity.session_heard REPLICA IDENTITY FULL; -- rows have no key
COMMENT ON TABLE affinity.session_heard IS 'Views that are not yet part of their sessions.';

INSERT INTO affinity.session_heard (store, session_key, at) SELECT store, session_key, at FROM affinity.session;

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
