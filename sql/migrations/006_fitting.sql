-- SPDX-License-Identifier: Apache-2.0
-- Which fit of affinity.fitted holds for a situation, so that one can go back to an earlier one; `adopted` says from now
-- on only that the fit was better on held-back orders when it was made. On Citus both are reference tables.

CREATE TABLE affinity.fitted_use (
    store     integer NOT NULL,
    situation text NOT NULL,
    fit       bigint NOT NULL,
    used_from timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (store, situation),
    FOREIGN KEY (store, fit) REFERENCES affinity.fitted
);
COMMENT ON TABLE affinity.fitted_use IS 'The fit in use for each situation; without a row the configured weights hold.';

INSERT INTO affinity.fitted_use (store, situation, fit)
SELECT DISTINCT ON (store, situation) store, situation, fit FROM affinity.fitted
WHERE adopted ORDER BY store, situation, fit DESC;

CREATE TABLE affinity.fitting (
    store    integer PRIMARY KEY REFERENCES affinity.store,
    version  bigint NOT NULL DEFAULT 0,    -- grows whenever other weights hold
    tried_at timestamptz                   -- end of the newest complete fit
);
COMMENT ON TABLE affinity.fitting IS 'How often the fitted weights of a store changed, and when they were fitted last.';

INSERT INTO affinity.fitting (store, version) SELECT DISTINCT store, 1 FROM affinity.fitted_use;
