-- SPDX-License-Identifier: Apache-2.0
-- What happened in the shop: views, carts, impressions, rejections and the other kinds of event.
--
-- An event is there once, by (store, event_key), for as long as it is kept (events.keep_days, never less than 90 days),
-- so a retry is safe for that long whichever instance it comes to. Old rows are found by received_at, which only grows,
-- and deleted in small steps. Ids of the shop stand here as numbers; only a product or customer that was not known when
-- the event came stands as text, until a row of that id is there. On Citus the table is distributed by event_key.

CREATE TABLE affinity.event (
    store             integer NOT NULL,
    event_key         uuid NOT NULL,       -- XXH3-128 of the event_id, or random if the shop gave none
    kind              smallint NOT NULL,   -- core/event/event.h
    at                timestamptz NOT NULL, -- when it happened
    received_at       timestamptz NOT NULL DEFAULT now(), -- when it was stored here
    writer            integer NOT NULL,    -- the run of the service that stored it: it need not read it back
    session           bigint,              -- XXH3-64 of the session's id
    customer          bigint,
    product           integer,
    recommendation_id uuid,
    order_key         bigint,              -- XXH3-64 of the order's id, as in affinity.orders
    quantity          integer,
    amount            bigint,
    product_id        text,                -- of a product that is not known
    customer_id       text,                -- of a customer who is not known
    data              jsonb,               -- the members of the event that have no column
    PRIMARY KEY (store, event_key)
);
COMMENT ON TABLE affinity.event IS 'Events of the shop, each once by (store, event_key).';

-- Equal times, as all rows of one transaction have, share an entry.
CREATE INDEX event_received ON affinity.event (received_at);

-- Rejections are looked for over months, and are few.
CREATE INDEX event_rejection ON affinity.event (store, at) WHERE kind = 9;

-- How far the events that an instance wrote down while the database was away have come in. Written in the same
-- transaction as the events.
CREATE TABLE affinity.event_spool (
    spool      uuid PRIMARY KEY,           -- chosen at random when the spool was made
    shipped    bigint NOT NULL,            -- number of the last record that is in affinity.event
    shipped_at timestamptz NOT NULL DEFAULT now()
);
