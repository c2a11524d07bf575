-- SPDX-License-Identifier: Apache-2.0
-- Sessions: the products that one visitor viewed, in order. The service holds the newest of them in memory and looks in
-- them for sessions like the one that asks. On Citus the table is distributed by session_key.

CREATE TABLE affinity.session (
    store       integer NOT NULL,
    session_key bigint NOT NULL,           -- XXH3-64 of the session's id, as a signed number
    at          timestamptz NOT NULL,      -- of the newest view
    products    integer[] NOT NULL,        -- oldest view first; a product may come twice
    PRIMARY KEY (store, session_key)
);
COMMENT ON TABLE affinity.session IS 'Products viewed in one session, oldest first.';

CREATE INDEX session_at ON affinity.session (store, at);
