/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/generate/tables.h"

#include "cli/generate/customers.h"
#include "cli/generate/names.h"
#include "cli/generate/planted.h"

#include <stdio.h>

enum { HASH_STOCK = 7 };

struct shelf {
    int32_t compare_at; /* minor units; 0: none */
    uint32_t stock;
    bool available;
};

/* Some products are sold out, some not for sale any more, some shown with a higher former price. What is
 * planted is always there. */
static struct shelf shelf_of(const struct aff_demo_catalogue *catalogue, uint32_t number)
{
    const struct aff_demo_product *product = &catalogue->products[number];
    struct aff_random random = {aff_draw_hash(catalogue->seed, HASH_STOCK, number)};
    bool planted = product->watch != AFF_WATCH_NONE;
    struct shelf shelf = {.stock = 20 + (uint32_t)aff_random_below(&random, 480), .available = true};

    if (!planted && aff_draw_chance(&random, 40))
        shelf.stock = 0;
    if (!planted && aff_draw_chance(&random, 20))
        shelf.available = false;
    if (aff_draw_chance(&random, 120))
        shelf.compare_at = (int32_t)((int64_t)product->price *
                                         (int64_t)(110 + aff_random_below(&random, 25)) / 100 / 100 * 100 +
                                     99);
    return shelf;
}

static void write_text(struct aff_output *output, const char *text)
{
    aff_output_write(output, text, strlen(text));
}

/* After a comma. */
static void write_money(struct aff_output *output, int32_t minor)
{
    char text[32];

    (void)snprintf(text, sizeof text, ",%d.%02d", minor / 100, minor % 100);
    write_text(output, text);
}

static void write_attribute(struct aff_output *output, struct aff_text text)
{
    aff_output_write(output, ",", 1);
    if (text.size > 0)
        aff_output_field(output, text);
}

static void write_product(const struct aff_demo_catalogue *catalogue, uint32_t number,
                          struct aff_output *output)
{
    const struct aff_demo_product *product = &catalogue->products[number];
    const struct aff_demo_type *type = &aff_demo_types[product->type];
    struct shelf shelf = shelf_of(catalogue, number);
    struct aff_demo_description description;
    char text[256];

    aff_demo_describe(product->type, number - catalogue->first[product->type], &description);
    aff_output_field(output, product->id);
    write_attribute(output, aff_text_of(description.name));
    (void)snprintf(text, sizeof text, "%s > %s", aff_demo_department_names[type->department], type->leaf);
    write_attribute(output, aff_text_of(text));
    write_attribute(output, description.brand);
    write_money(output, product->price);
    if (shelf.compare_at > 0)
        write_money(output, shelf.compare_at);
    else
        write_text(output, ",");
    write_money(output, product->cost);
    (void)snprintf(text, sizeof text, ",%u,%s,%s", shelf.stock, shelf.available ? "true" : "false",
                   (type->flags & AFF_TYPE_DURABLE) != 0 ? "true" : "false");
    write_text(output, text);
    write_attribute(output, description.colour);
    write_attribute(output, description.material);
    write_attribute(output, description.size);
    if (description.family > 0)
        (void)snprintf(text, sizeof text, "%s-family-%u", type->slug, description.family);
    write_attribute(output, aff_text_of(description.family > 0 ? text : ""));
    write_attribute(output, aff_text_of(description.tier));
    write_text(output, "\n");
}

void aff_demo_write_products(const struct aff_demo_catalogue *catalogue, struct aff_output *output)
{
    write_text(output, "product_id,name,category,brand,price,compare_at,cost,stock,available,durable,"
                       "attr.colour,attr.material,attr.size,attr.family,attr.tier\n");
    for (uint32_t i = 0; i < catalogue->n; i++)
        write_product(catalogue, i, output);
}

void aff_demo_write_customers(uint64_t seed, uint32_t customers, struct aff_output *output)
{
    char line[64];

    write_text(output, "customer_id,country,segment\n");
    for (uint32_t i = 0; i < customers; i++) {
        struct aff_demo_traits traits = aff_demo_traits_of(seed, i, 0);
        int size = aff_demo_customer_id(i, line);
        size += snprintf(line + size, sizeof line - (size_t)size, ",%s,%s\n", traits.country,
                         aff_demo_segment_names[traits.segment]);
        aff_output_write(output, line, (size_t)size);
    }
}
