/* SPDX-License-Identifier: Apache-2.0 */
/* Writes products or customers with aff_catalogue_put() as its standard input says, for
 * tests/integration/test_put_catalogue.py.
 *
 * put_catalogue_driver URL STORE products|customers. Input, fields separated by tabs:
 *   entry ID [NUMBER=VALUE]...   NUMBER is that of the column; without '=' the value is null
 *   rollback                     the transaction is rolled back
 *   put                          ends the batch; prints the outcomes, the version and the rows of products */
#include "sql/intake/put_catalogue.h"
#include "core/base/arena.h"
#include "sql/connection.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ENTRIES = 2000, MAX_INPUT = 8192 };

struct driver {
    struct aff_connection connection;
    int store;
    enum aff_catalogue_kind kind;
    struct aff_put_entry entries[MAX_ENTRIES];
    struct aff_text values[MAX_ENTRIES][AFF_PRODUCT_COLUMNS];
    size_t n;
    struct aff_arena arena;
    bool rolls_back;
};

static const char *const outcomes[] = {"added", "changed", "unchanged"};

static void show(const struct driver *driver, const struct aff_put_result *result)
{
    (void)printf("done");
    for (size_t i = 0; i < driver->n; i++)
        (void)printf(" %s", outcomes[driver->entries[i].outcome]);
    (void)printf("\t%" PRId64, result->version);
    for (size_t i = 0; i < driver->n && result->products != NULL; i++) {
        const struct aff_product *product = &result->products[i];
        (void)printf("\t%s|%s|%s|%s|%" PRId64 "|%" PRId64 "|%" PRId64 "|%" PRId32 "|%d|%d", product->id.at,
                     product->name.at, product->category.at, product->brand.at, product->price,
                     product->compare_at, product->cost, product->stock, product->available,
                     product->durable);
        for (uint32_t a = 0; a < product->n_attributes; a++)
            (void)printf("|%s:%s", product->attributes[a].name.at, product->attributes[a].value.at);
    }
    (void)printf("\n");
}

static void put(struct driver *driver)
{
    struct aff_put_result result = {0};
    struct aff_error error = {0};
    aff_status status = aff_execute(&driver->connection, "BEGIN", &error);

    if (status == AFF_OK)
        status = aff_catalogue_put(&driver->connection, driver->store, driver->kind, driver->entries,
                                   driver->n, &result, &error);
    if (status == AFF_OK && !driver->rolls_back)
        status = aff_execute(&driver->connection, "COMMIT", &error);
    else
        (void)!aff_execute(&driver->connection, "ROLLBACK", NULL);
    if (status == AFF_OK)
        show(driver, &result);
    else
        (void)printf("failed %s\n", error.text);
    (void)fflush(stdout);
    aff_put_result_done(&result);
    aff_arena_done(&driver->arena);
    driver->n = 0;
    driver->rolls_back = false;
}

static bool add_entry(struct driver *driver, char *rest)
{
    struct aff_put_entry *entry = &driver->entries[driver->n];
    const char *id = strsep(&rest, "\t");

    if (driver->n == MAX_ENTRIES || id == NULL)
        return false;
    *entry = (struct aff_put_entry){.id = aff_arena_copy(&driver->arena, aff_text_of(id)),
                                    .values = driver->values[driver->n]};
    driver->n++;
    for (char *field; (field = strsep(&rest, "\t")) != NULL;) {
        char *value = NULL;
        unsigned long column = strtoul(field, &value, 10);
        if (column >= AFF_PRODUCT_COLUMNS)
            return false;
        entry->given |= 1U << column;
        driver->values[driver->n - 1][column] =
            *value == '=' ? aff_arena_copy(&driver->arena, aff_text_of(value + 1)) : (struct aff_text){0};
    }
    return true;
}

static bool take(struct driver *driver, char *input)
{
    char *rest = input;

    input[strcspn(input, "\n")] = '\0';
    const char *word = strsep(&rest, "\t");
    if (strcmp(word, "entry") == 0)
        return add_entry(driver, rest);
    if (strcmp(word, "rollback") == 0)
        driver->rolls_back = true;
    else if (strcmp(word, "put") == 0)
        put(driver);
    else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    struct driver *driver = calloc(1, sizeof *driver);
    struct aff_error error;
    char input[MAX_INPUT];
    int result = EXIT_SUCCESS;

    if (driver == NULL || argc != 4)
        return EXIT_FAILURE;
    driver->store = atoi(argv[2]);
    driver->kind = strcmp(argv[3], "products") == 0 ? AFF_CATALOGUE_PRODUCTS : AFF_CATALOGUE_CUSTOMERS;
    if (aff_connection_open(argv[1], "put_catalogue_driver", 10, &driver->connection, &error) != AFF_OK) {
        (void)fprintf(stderr, "%s\n", error.text);
        free(driver);
        return EXIT_FAILURE;
    }
    while (result == EXIT_SUCCESS && fgets(input, sizeof input, stdin) != NULL)
        if (!take(driver, input)) {
            (void)fprintf(stderr, "not understood: %s\n", input);
            result = EXIT_FAILURE;
        }
    aff_connection_close(&driver->connection);
    aff_arena_done(&driver->arena);
    free(driver);
    return result;
}
