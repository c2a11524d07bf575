/* SPDX-License-Identifier: Apache-2.0 */
#include "server/router.h"

#include "server/routes/routes.h"

#include <string.h>

const struct aff_route aff_routes[] = {
#define ROUTE(method, path, scope, handler, metric)                                                          \
    {path, handler, AFF_METHOD_##method, AFF_SCOPE_##scope, AFF_SERIES_##metric},
#include "server/routes.def"
#undef ROUTE
};

const size_t aff_routes_n = sizeof aff_routes / sizeof *aff_routes;

/* True if `path` is of the pattern; *ret_id is then what stands for "{id}". */
static bool fits(const char *pattern, struct aff_text path, struct aff_text *ret_id)
{
    const char *mark = strchr(pattern, '{');

    if (mark == NULL)
        return aff_text_equal(aff_text_of(pattern), path);
    struct aff_text before = {pattern, (size_t)(mark - pattern)};
    struct aff_text behind = aff_text_of(strchr(mark, '}') + 1);
    if (path.size <= before.size + behind.size || memcmp(path.at, before.at, before.size) != 0 ||
        memcmp(path.at + path.size - behind.size, behind.at, behind.size) != 0)
        return false;
    *ret_id = (struct aff_text){path.at + before.size, path.size - before.size - behind.size};
    return true;
}

struct aff_match aff_router_find(enum aff_method method, struct aff_text path)
{
    struct aff_match match = {.series = AFF_SERIES_unmatched};
    enum aff_method wanted = method == AFF_METHOD_HEAD ? AFF_METHOD_GET : method;

    for (size_t i = 0; i < aff_routes_n; i++) {
        const struct aff_route *route = &aff_routes[i];
        if (!fits(route->path, path, &match.id))
            continue;
        match.series = route->series;
        if (route->method == wanted) {
            match.route = route;
            return match;
        }
        match.allow |= 1u << route->method | 1u << AFF_METHOD_OPTIONS;
        if (route->method == AFF_METHOD_GET)
            match.allow |= 1u << AFF_METHOD_HEAD;
    }
    return match;
}

void aff_router_allow(unsigned allow, char ret_text[64])
{
    static const char *const names[] = {
#define X(name) #name,
        AFF_METHOD_LIST(X)
#undef X
    };
    size_t size = 0;

    for (int i = 0; i < AFF_METHOD_MAX; i++) {
        if ((allow >> i & 1) == 0)
            continue;
        if (size > 0) {
            memcpy(ret_text + size, ", ", 2);
            size += 2;
        }
        memcpy(ret_text + size, names[i], strlen(names[i]));
        size += strlen(names[i]);
    }
    ret_text[size] = '\0';
}
