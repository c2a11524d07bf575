-- SPDX-License-Identifier: Apache-2.0
-- How far a shop's own tables have been read (docs/source.md). On Citus a reference table.

CREATE TABLE affinity.source_state (
    store     integer NOT NULL REFERENCES affinity.store,
    what      text NOT NULL CHECK (what IN ('orders', 'products', 'customers')),
    watermark timestamptz,                 -- newest updated_at seen; null: the shop's relation has none
    swept_at  timestamptz,                 -- when everything was read last
    PRIMARY KEY (store, what)
);
