-- SPDX-License-Identifier: Apache-2.0
-- In which months products sell, what of a pair's orders the months explain, and what people decided about pairs.

-- One row a product, and one for the store itself. On Citus distributed by product.
CREATE TABLE affinity.product_month (
    store   integer NOT NULL,
    product integer NOT NULL,              -- -1: all baskets
    months  integer[] NOT NULL,            -- calendar months (UTC) since January 1970, which is 0; ascending
    orders  integer[] NOT NULL,            -- baskets of that month that hold the product, none 0
    PRIMARY KEY (store, product)
) PARTITION BY LIST (store);
COMMENT ON TABLE affinity.product_month IS 'Baskets that hold a product, by month: the strata of core/learn/season.h.';
DO $$
DECLARE s integer;
BEGIN
    FOR s IN SELECT store FROM affinity.store LOOP
        EXECUTE format('CREATE TABLE affinity.product_month_s%s PARTITION OF affinity.product_month FOR VALUES IN (%s)', s, s);
    END LOOP;
END $$;

-- Months of what was counted before are not known: without a landmark the store is counted anew.
UPDATE affinity.state SET landmark = NULL WHERE generation > 0;

-- Relation `together`: what the months explain, of the time when the row was made; else empty.
ALTER TABLE affinity.neighbour
    ADD COLUMN season_expected real[] NOT NULL DEFAULT '{}', -- orders with both that are expected inside the months
    ADD COLUMN season_z        real[] NOT NULL DEFAULT '{}'; -- how far the orders are above that (core/learn/season.h)

-- The last decision about each pair. On Citus a reference table.
CREATE TABLE affinity.pair_review (
    store   integer NOT NULL REFERENCES affinity.store,
    a       integer NOT NULL,
    b       integer NOT NULL CHECK (a < b),
    verdict text NOT NULL CHECK (verdict IN ('open', 'approve', 'reject')), -- open: the decision was taken back
    by      text NOT NULL DEFAULT '' CHECK (octet_length(by) <= 128),
    note    text NOT NULL DEFAULT '' CHECK (octet_length(note) <= 1000),
    at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    queued  boolean NOT NULL DEFAULT true, -- rows of neighbours are not made with it yet
    PRIMARY KEY (store, a, b)
);
COMMENT ON TABLE affinity.pair_review IS 'Pairs that people approved or rejected, by whom and when.';
CREATE INDEX pair_review_queued ON affinity.pair_review (store) WHERE queued;
