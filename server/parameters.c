/* SPDX-License-Identifier: Apache-2.0 */
#include "server/parameters.h"

#include "core/catalogue/catalogue.h"
#include "server/parameter_table.h"
#include "json/document.h"

#include <inttypes.h>
#include <stdio.h>

_Static_assert(AFF_PARAMETER_MAX < 32, "a bit for each parameter");

const struct aff_parameter_row aff_parameter_rows[] = {
#define PARAMETER(name, kind, least, most) {#name, sizeof #name - 1, AFF_KIND_OF_##kind, least, most},
#include "server/parameters.def"
#undef PARAMETER
};

static const char *const placements[] = {
#define X(name, text) text,
    AFF_PLACEMENT_LIST(X)
#undef X
};

static const char *const kinds[] = {
#define X(name, text) text,
    AFF_KIND_LIST(X)
#undef X
};

static const char *const asked_as[] = {
#define X(name, text) text,
    AFF_AS_LIST(X)
#undef X
};

static const char *const explains[] = {"none", "basic", "full"};
static const char *const relations[] = {"", "together", "next", "viewed"};

/* By enum aff_verdict. */
static const char *const states[] = {"open", "approved", "rejected"};

/* Why pairs are marked. */
static const char *const marks[] = {"seasonal"};

static const char *const fields[] = {
#define X(name, usual) #name,
    AFF_ITEM_FIELD_LIST(X)
#undef X
};

/* The fields of an item when a request names none. */
static unsigned usual_fields(void)
{
    static const bool usual[] = {
#define X(name, is_usual) is_usual,
        AFF_ITEM_FIELD_LIST(X)
#undef X
    };
    unsigned bits = 0;

    for (unsigned i = 0; i < AFF_ITEM_FIELD_MAX; i++)
        bits |= (unsigned)usual[i] << i;
    return bits;
}

void aff_parameters_reset(struct aff_parameters *parameters, unsigned allowed)
{
    aff_document_free(parameters->document);
    parameters->document = NULL;
    parameters->request = (struct aff_request){
        .cart = parameters->cart,
        .exclude = parameters->exclude,
        .filters = parameters->filters,
        .limit = AFF_LIMIT_DEFAULT,
        .price_min = AFF_NO_MONEY,
        .price_max = AFF_NO_MONEY,
    };
    parameters->store = parameters->session = parameters->locale = parameters->currency =
        (struct aff_text){NULL, 0};
    parameters->cursor = (struct aff_text){NULL, 0};
    parameters->relation = AFF_RELATION_TOGETHER;
    parameters->verdict = AFF_VERDICT_OPEN;
    parameters->fields = 0;
    parameters->dry_run = false;
    parameters->given = 0;
    parameters->allowed = allowed;
    aff_field_errors_reset(&parameters->errors);
}

void aff_parameters_done(struct aff_parameters *parameters)
{
    aff_document_free(parameters->document);
    parameters->document = NULL;
    aff_field_errors_done(&parameters->errors);
}

bool aff_parameters_check(struct aff_parameters *parameters)
{
    struct aff_request *request = &parameters->request;

    if (request->price_min != AFF_NO_MONEY && request->price_max != AFF_NO_MONEY &&
        request->price_min > request->price_max)
        aff_field_error(&parameters->errors, aff_text_of("price_min"), "is above price_max");
    if (parameters->fields == 0)
        parameters->fields = usual_fields();
    return parameters->errors.n == 0;
}

enum aff_parameter aff_parameter_find(struct aff_parameters *parameters, struct aff_text name)
{
    for (int i = 0; i < AFF_PARAMETER_MAX; i++) {
        const struct aff_parameter_row *row = &aff_parameter_rows[i];
        if (row->name_size == name.size && memcmp(row->name, name.at, name.size) == 0 &&
            (parameters->allowed >> i & 1) != 0)
            return (enum aff_parameter)i;
    }
    aff_field_error(&parameters->errors, name, "is no parameter here");
    return AFF_PARAMETER_MAX;
}

static bool check_id(struct aff_parameters *parameters, struct aff_text field, struct aff_text value)
{
    if (aff_text_is_id(value))
        return true;
    aff_field_error(&parameters->errors, field,
                    "must be 1 to %d bytes of UTF-8 text without control characters", AFF_ID_MAX);
    return false;
}

/* A language tag (RFC 5646) by its form: letters, then parts of letters and digits behind hyphens. */
static bool is_locale(struct aff_text text)
{
    size_t part = 0;

    if (text.size < 2 || text.size > 35)
        return false;
    for (size_t i = 0, parts = 0; i < text.size; i++) {
        char c = text.at[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        bool digit = c >= '0' && c <= '9';
        if (c == '-') {
            if (part == 0)
                return false;
            parts++;
            part = 0;
        } else if ((letter || (digit && parts > 0)) && part < 8) {
            part++;
        } else {
            return false;
        }
    }
    return part > 0;
}

static bool is_currency(struct aff_text text)
{
    if (text.size != 3)
        return false;
    for (size_t i = 0; i < 3; i++)
        if (text.at[i] < 'A' || text.at[i] > 'Z')
            return false;
    return true;
}

void aff_parameter_put_text(struct aff_parameters *parameters, enum aff_parameter parameter,
                            struct aff_text field, struct aff_text value)
{
    switch (parameter) {
    case AFF_PARAMETER_locale:
        if (!is_locale(value))
            aff_field_error(&parameters->errors, field, "must be a language tag, for example de-AT");
        parameters->locale = value;
        return;
    case AFF_PARAMETER_currency:
        if (!is_currency(value))
            aff_field_error(&parameters->errors, field, "must be three capital letters, for example EUR");
        parameters->currency = value;
        return;
    default:
        break;
    }
    if (!check_id(parameters, field, value))
        return;
    switch (parameter) {
    case AFF_PARAMETER_product:
        parameters->request.product = value;
        break;
    case AFF_PARAMETER_customer:
        parameters->request.customer = value;
        break;
    case AFF_PARAMETER_why_not:
        parameters->request.why_not = value;
        break;
    case AFF_PARAMETER_store:
        parameters->store = value;
        break;
    case AFF_PARAMETER_cursor:
        parameters->cursor = value;
        break;
    default:
        parameters->session = value;
        break;
    }
}

void aff_parameter_put_whole(struct aff_parameters *parameters, enum aff_parameter parameter,
                             struct aff_text field, int64_t value)
{
    const struct aff_parameter_row *row = &aff_parameter_rows[parameter];

    if (value < (int64_t)row->least || value > (int64_t)row->most) {
        aff_field_error(&parameters->errors, field, "must be from %.0f to %.0f", row->least, row->most);
        return;
    }
    switch (parameter) {
    case AFF_PARAMETER_limit:
        parameters->request.limit = (uint32_t)value;
        break;
    case AFF_PARAMETER_min_orders:
        parameters->request.min_orders = (uint32_t)value;
        break;
    case AFF_PARAMETER_price_min:
        parameters->request.price_min = value;
        break;
    default:
        parameters->request.price_max = value;
        break;
    }
}

void aff_parameter_put_real(struct aff_parameters *parameters, enum aff_parameter parameter,
                            struct aff_text field, double value)
{
    const struct aff_parameter_row *row = &aff_parameter_rows[parameter];

    if (!(value >= row->least && value <= row->most)) {
        aff_field_error(&parameters->errors, field, "must be from %.0f to %.0f", row->least, row->most);
        return;
    }
    switch (parameter) {
    case AFF_PARAMETER_min_lift:
        parameters->request.min_lift = value;
        break;
    case AFF_PARAMETER_min_confidence:
        parameters->request.min_confidence = value;
        break;
    case AFF_PARAMETER_diversity:
        parameters->request.diversity = value;
        break;
    default:
        parameters->request.rotation = value;
        break;
    }
}

void aff_parameter_put_flag(struct aff_parameters *parameters, enum aff_parameter parameter, bool value)
{
    if (parameter == AFF_PARAMETER_strict)
        parameters->request.strict = value;
    else
        parameters->dry_run = value;
}

/* The place of `word` in a list of `n` words, the first `skip` of which cannot be said; -1 and an error that
 * names them all if it is none. */
static int word_of(struct aff_parameters *parameters, struct aff_text field, struct aff_text word,
                   const char *const words[], int n, int skip)
{
    char all[200];
    size_t size = 0;

    for (int i = skip; i < n; i++)
        if (aff_text_equal(aff_text_of(words[i]), word))
            return i;
    for (int i = skip; i < n && size < sizeof all; i++)
        size += (size_t)snprintf(all + size, sizeof all - size, "%s%s", i == skip ? "" : ", ", words[i]);
    aff_field_error(&parameters->errors, field, "must be of: %s", all);
    return -1;
}

#define WORDS(list) list, (int)(sizeof(list) / sizeof *(list))

/* Adds a bit that may come once. */
static void add_bit(struct aff_parameters *parameters, struct aff_text field, unsigned *bits, int bit)
{
    if (bit < 0)
        return;
    if ((*bits >> bit & 1) != 0)
        aff_field_error(&parameters->errors, field, "names a word twice");
    *bits |= 1u << bit;
}

void aff_parameter_put_word(struct aff_parameters *parameters, enum aff_parameter parameter,
                            struct aff_text field, struct aff_text word)
{
    int at;

    switch (parameter) {
    case AFF_PARAMETER_placement:
        at = word_of(parameters, field, word, WORDS(placements), 1);
        parameters->request.placement = at < 0 ? AFF_PLACEMENT_NONE : (enum aff_placement)at;
        break;
    case AFF_PARAMETER_as:
        at = word_of(parameters, field, word, WORDS(asked_as), 0);
        parameters->request.as = at < 0 ? AFF_AS_CART : (enum aff_as)at;
        break;
    case AFF_PARAMETER_explain:
        at = word_of(parameters, field, word, WORDS(explains), 0);
        parameters->request.explain = at < 0 ? AFF_EXPLAIN_NONE : (enum aff_explain)at;
        break;
    case AFF_PARAMETER_relation:
        at = word_of(parameters, field, word, WORDS(relations), 1);
        parameters->relation = at < 0 ? AFF_RELATION_TOGETHER : (enum aff_relation)at;
        break;
    case AFF_PARAMETER_state:
        at = word_of(parameters, field, word, WORDS(states), 0);
        parameters->verdict = at < 0 ? AFF_VERDICT_OPEN : (enum aff_verdict)at;
        break;
    case AFF_PARAMETER_reason:
        (void)word_of(parameters, field, word, WORDS(marks), 0);
        break;
    case AFF_PARAMETER_kind:
        add_bit(parameters, field, &parameters->request.kinds,
                word_of(parameters, field, word, WORDS(kinds), 0));
        break;
    default:
        add_bit(parameters, field, &parameters->fields, word_of(parameters, field, word, WORDS(fields), 0));
        break;
    }
}

/* True if one more fits; the error is added once, with the first that does not. */
static bool has_room(struct aff_parameters *parameters, enum aff_parameter parameter, size_t *n)
{
    const struct aff_parameter_row *row = &aff_parameter_rows[parameter];

    if (*n < (size_t)row->most)
        return true;
    if (*n == (size_t)row->most) {
        aff_field_error(&parameters->errors, aff_text_of(row->name), "may have at most %.0f entries",
                        row->most);
        *n += 1;
    }
    return false;
}

struct aff_cart_line *aff_parameter_add_line(struct aff_parameters *parameters)
{
    if (!has_room(parameters, AFF_PARAMETER_cart, &parameters->request.n_cart))
        return NULL;
    struct aff_cart_line *line = &parameters->cart[parameters->request.n_cart++];
    *line = (struct aff_cart_line){.quantity = 1, .price = AFF_NO_MONEY};
    return line;
}

void aff_parameter_add(struct aff_parameters *parameters, enum aff_parameter parameter, struct aff_text field,
                       struct aff_text value)
{
    struct aff_request *request = &parameters->request;
    struct aff_cart_line *line;
    const char *reason;

    switch (parameter) {
    case AFF_PARAMETER_cart:
        line = aff_parameter_add_line(parameters);
        if (line != NULL && check_id(parameters, field, value))
            line->product = value;
        break;
    case AFF_PARAMETER_exclude:
        if (has_room(parameters, parameter, &request->n_exclude) && check_id(parameters, field, value))
            parameters->exclude[request->n_exclude++] = value;
        break;
    default:
        if (!has_room(parameters, parameter, &request->n_filters))
            break;
        if (aff_filter_parse(value, &parameters->filters[request->n_filters], &reason))
            request->n_filters++;
        else
            aff_field_error(&parameters->errors, field, "%s", reason);
        break;
    }
}

bool aff_parameter_whole(struct aff_text text, int64_t *ret_value)
{
    bool negative = text.size > 0 && text.at[0] == '-';
    int64_t value = 0;

    if (text.size == (size_t)negative || text.size > 18)
        return false;
    for (size_t i = negative; i < text.size; i++) {
        if (text.at[i] < '0' || text.at[i] > '9')
            return false;
        value = value * 10 + (text.at[i] - '0');
    }
    *ret_value = negative ? -value : value;
    return true;
}
