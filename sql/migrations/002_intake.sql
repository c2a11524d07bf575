-- SPDX-License-Identifier: Apache-2.0
-- Ways to a customer's orders and to the return lines, so that matching returns after a small import reads only the
-- orders of the customers concerned.

CREATE INDEX orders_customer ON affinity.orders (store, customer) WHERE customer IS NOT NULL;
CREATE INDEX order_line_returns ON affinity.order_line (store, customer, product)
    WHERE quantity < 0 AND customer IS NOT NULL;
