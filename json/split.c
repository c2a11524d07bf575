/* SPDX-License-Identifier: Apache-2.0 */
#include "json/split.h"

#include <stdbool.h>

struct splitter {
    struct aff_text text;
    size_t at;
    struct aff_text *entries;
    size_t most, n;
};

static aff_status refuse(const struct splitter *splitter, const char *wanted, struct aff_error *reterr)
{
    if (splitter->at >= splitter->text.size)
        return aff_error_set(reterr, AFF_INVALID, "not JSON: it ends where %s was to come", wanted);
    return aff_error_set(reterr, AFF_INVALID, "not JSON at byte %zu, where %s was to come", splitter->at,
                         wanted);
}

static bool is_blank(char byte)
{
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static void skip_blanks(struct splitter *splitter)
{
    while (splitter->at < splitter->text.size && is_blank(splitter->text.at[splitter->at]))
        splitter->at++;
}

/* Goes on if the next byte that is not blank is `byte`. */
static bool take(struct splitter *splitter, char byte)
{
    skip_blanks(splitter);
    if (splitter->at >= splitter->text.size || splitter->text.at[splitter->at] != byte)
        return false;
    splitter->at++;
    return true;
}

/* Over a text in quotes that begins here; false: it does not end. */
static bool skip_text(struct splitter *splitter)
{
    const char *bytes = splitter->text.at;
    size_t size = splitter->text.size, at = splitter->at + 1;

    while (at < size && bytes[at] != '"')
        at += bytes[at] == '\\' ? 2 : 1;
    splitter->at = at < size ? at + 1 : size;
    return at < size;
}

/* Over everything up to the bracket that closes the one here; false: it does not come. Both kinds of bracket
 * count alike: who takes an entry apart notices when they do not match. */
static bool skip_nested(struct splitter *splitter)
{
    size_t depth = 0;

    while (splitter->at < splitter->text.size) {
        char byte = splitter->text.at[splitter->at];
        if (byte == '"') {
            if (!skip_text(splitter))
                return false;
            continue;
        }
        splitter->at++;
        if (byte == '{' || byte == '[')
            depth++;
        else if ((byte == '}' || byte == ']') && --depth == 0)
            return true;
    }
    return false;
}

/* Over a number or a word. */
static bool skip_word(struct splitter *splitter)
{
    size_t from = splitter->at;

    while (splitter->at < splitter->text.size && splitter->text.at[splitter->at] != '\0' &&
           strchr(" \t\r\n,:[]{}\"", splitter->text.at[splitter->at]) == NULL)
        splitter->at++;
    return splitter->at > from;
}

/* Over one value, whose text is *ret_value. */
static aff_status take_value(struct splitter *splitter, struct aff_text *ret_value, struct aff_error *reterr)
{
    char first = '\0';
    bool whole;

    skip_blanks(splitter);
    size_t from = splitter->at;
    if (from < splitter->text.size)
        first = splitter->text.at[from];
    if (first == '"')
        whole = skip_text(splitter);
    else if (first == '{' || first == '[')
        whole = skip_nested(splitter);
    else
        whole = skip_word(splitter);
    if (!whole)
        return refuse(splitter, first == '"' || first == '{' || first == '[' ? "its end" : "a value", reterr);
    *ret_value = (struct aff_text){splitter->text.at + from, splitter->at - from};
    return AFF_OK;
}

static aff_status too_many(size_t most, struct aff_error *reterr)
{
    return aff_error_set(reterr, AFF_LIMIT, "a request may have at most %zu entries", most);
}

/* The elements of the array that begins here. */
static aff_status take_array(struct splitter *splitter, struct aff_error *reterr)
{
    if (!take(splitter, '['))
        return refuse(splitter, "an array", reterr);
    if (take(splitter, ']'))
        return AFF_OK;
    do {
        struct aff_text value;
        aff_status status = take_value(splitter, &value, reterr);
        if (status != AFF_OK)
            return status;
        if (splitter->n == splitter->most)
            return too_many(splitter->most, reterr);
        splitter->entries[splitter->n++] = value;
    } while (take(splitter, ','));
    return take(splitter, ']') ? AFF_OK : refuse(splitter, "a comma or the array's end", reterr);
}

static aff_status take_end(struct splitter *splitter, struct aff_error *reterr)
{
    skip_blanks(splitter);
    return splitter->at == splitter->text.size ? AFF_OK : refuse(splitter, "the end", reterr);
}

/* Where the value of member `list` begins; 0: there is none. *ret_others: it has other members, too. */
static aff_status find_list(struct splitter *splitter, const char *list, size_t *ret_at, bool *ret_others,
                            struct aff_error *reterr)
{
    size_t at = 0;
    bool others = false;

    splitter->at++;
    if (!take(splitter, '}')) {
        do {
            struct aff_text name = {"", 0}, value = {"", 0};
            skip_blanks(splitter);
            if (splitter->at >= splitter->text.size || splitter->text.at[splitter->at] != '"')
                return refuse(splitter, "a member's name", reterr);
            aff_status status = take_value(splitter, &name, reterr);
            if (status != AFF_OK)
                return status;
            if (!take(splitter, ':'))
                return refuse(splitter, "a colon", reterr);
            skip_blanks(splitter);
            size_t from = splitter->at;
            status = take_value(splitter, &value, reterr);
            if (status != AFF_OK)
                return status;
            name = (struct aff_text){name.at + 1, name.size - 2};
            if (at == 0 && aff_text_equal(name, aff_text_of(list)))
                at = from;
            else
                others = true;
        } while (take(splitter, ','));
        if (!take(splitter, '}'))
            return refuse(splitter, "a comma or the object's end", reterr);
    }
    *ret_at = at;
    *ret_others = others;
    return take_end(splitter, reterr);
}

aff_status aff_split_json(struct aff_text text, const char *list, struct aff_text *ret_entries, size_t most,
                          size_t *ret_n, struct aff_error *reterr)
{
    struct splitter splitter = {.text = text, .entries = ret_entries, .most = most};
    aff_status status;
    size_t list_at = 0;
    bool others = false;

    skip_blanks(&splitter);
    size_t from = splitter.at;
    if (from >= text.size || (text.at[from] != '{' && text.at[from] != '['))
        return refuse(&splitter, "an array or an object", reterr);
    if (text.at[from] == '[') {
        status = take_array(&splitter, reterr);
        if (status == AFF_OK)
            status = take_end(&splitter, reterr);
    } else {
        status = find_list(&splitter, list, &list_at, &others, reterr);
        if (status == AFF_OK && list_at > 0 && others)
            status = aff_error_set(reterr, AFF_INVALID, "an object with other members beside \"%s\"", list);
        if (status == AFF_OK && list_at > 0) {
            splitter.at = list_at;
            status = take_array(&splitter, reterr);
        } else if (status == AFF_OK && most == 0) {
            status = too_many(most, reterr);
        } else if (status == AFF_OK) {
            while (is_blank(text.at[text.size - 1]))
                text.size--;
            splitter.entries[splitter.n++] = (struct aff_text){text.at + from, text.size - from};
        }
    }
    if (status == AFF_OK)
        *ret_n = splitter.n;
    return status;
}

aff_status aff_split_lines(struct aff_text text, struct aff_text *ret_entries, size_t most, size_t *ret_n,
                           struct aff_error *reterr)
{
    size_t n = 0;

    for (size_t at = 0; at < text.size;) {
        const char *end = memchr(text.at + at, '\n', text.size - at);
        size_t size = end == NULL ? text.size - at : (size_t)(end - text.at) - at;
        struct aff_text line = {text.at + at, size};
        at += size + 1;
        while (line.size > 0 && is_blank(line.at[line.size - 1]))
            line.size--;
        while (line.size > 0 && is_blank(line.at[0]))
            line = (struct aff_text){line.at + 1, line.size - 1};
        if (line.size == 0)
            continue;
        if (n == most)
            return too_many(most, reterr);
        ret_entries[n++] = line;
    }
    *ret_n = n;
    return AFF_OK;
}
