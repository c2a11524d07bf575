/* SPDX-License-Identifier: Apache-2.0 */
/* Memory of neighbour rows in bytes an edge by the books of malloc, so that what it adds to each row
 * each row is in the figure. The counts behind the edges, which only evidence touches, are told apart. */
#include "synthetic.h"

#include <inttypes.h>
#include <malloc.h>

enum { PRODUCTS = 100000, NEIGHBOURS = 100 };

#define GOAL 10.0

int main(void)
{
    struct synthetic store = {.n_products = PRODUCTS, .n_neighbours = NEIGHBOURS, .seed = 1};
    struct aff_random random = {.state = store.seed};
    struct aff_neighbours *neighbours = NULL;
    size_t count_bytes = 0;
    uint64_t edges = 0;

    synthetic_scatter(&store, &random);
    size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
    synthetic_check(aff_neighbours_new(PRODUCTS, &neighbours), "neighbours");
    for (uint32_t row = 0; row < PRODUCTS; row++)
        aff_neighbours_set(neighbours, row, synthetic_row(&store, row, &random));
    size_t taken = mallinfo2().uordblks + mallinfo2().hblkhd - before;
    size_t bytes = aff_neighbours_bytes(neighbours, &count_bytes, &edges);
    double an_edge = (double)(taken - count_bytes) / (double)edges;

    (void)printf("%" PRIu64
                 " edges: %.2f bytes each by malloc's books, %.2f by ours; counts %.2f bytes each\n",
                 edges, an_edge, (double)bytes / (double)edges, (double)count_bytes / (double)edges);
    aff_neighbours_free(neighbours);
    synthetic_done(&store);
    (void)printf("memory: %.2f bytes an edge (goal <= %.0f) %s\n", an_edge, GOAL,
                 an_edge <= GOAL ? "met" : "missed");
    return an_edge <= GOAL ? 0 : 1;
}
