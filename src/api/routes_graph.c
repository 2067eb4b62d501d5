/*
 * Resource Graph: Kusto queries over what the caller may see. The tables are made from inventory and posture while they are
 * read; a row is a JSON text that is parsed once, in an arena of its own.
 */
#include "api/documents.h"
#include "api/items.h"
#include "api/pinned.h"

#include "inventory/containers.h"
#include "inventory/inventory.h"
#include "query/kql.h"

#include <stdatomic.h>

enum {
    MAX_SUBSCRIPTIONS = 1000,
    MAX_FACETS = 10,
    DEADLINE_MS = 30000,         /* of a request, with its facets */
    AT_ONCE = 4,                 /* fewer than the server has threads, so that queries keep nobody else waiting */
    ROW_BYTES = 32 << 20,        /* of its text */
    ROW_ARENA_BYTES = 256 << 20, /* of its tree: a resource of many small values has one much larger than its text */
    RESULT_BYTES = 256 << 20,
    MAX_ROWS = 1000000,
    MAX_PAGE = 1000,
};

struct graph {
    struct mln_request *request;
    const struct mln_ruleset *rules;
    struct mln_str subscriptions[MAX_SUBSCRIPTIONS]; /* ids of those that are asked for, where the caller has a role */
    size_t n_subscriptions;
    int64_t deadline_ms;
    struct mln_arena *row; /* the row at hand */
    struct mln_buf text;
    mln_kql_row each;
    void *each_context;
    bool stop; /* no more rows are wanted */
};

static const struct mln_str columns[] = {
    {"id", 2},        {"name", 4},     {"type", 4},           {"tenantId", 8},
    {"kind", 4},      {"location", 8}, {"resourceGroup", 13}, {"subscriptionId", 14},
    {"managedBy", 9}, {"sku", 3},      {"plan", 4},           {"properties", 10},
    {"tags", 4},      {"identity", 8}, {"zones", 5},          {"extendedLocation", 16},
};

/* ---- rows ---- */

/* The columns that follow from an id; type in lower case. */
static struct mln_result put_place(const struct graph *graph, struct mln_json_writer *w, struct mln_str id,
                                   struct mln_str name, struct mln_str type)
{
    struct mln_arm_id parts;
    struct mln_str lower;
    MLN_TRY(mln_arm_id_parse(id, &parts));
    mln_json_member_str(w, "id", id);
    mln_json_member_str(w, "name", name);
    MLN_TRY_STR(graph->row, lower, mln_str_lower(graph->row, type));
    mln_json_member_str(w, "type", lower);
    mln_json_member_str(w, "tenantId", graph->request->api->tenant_id);
    mln_json_member_str(w, "subscriptionId", parts.subscription);
    if (parts.group.p) {
        MLN_TRY_STR(graph->row, lower, mln_str_lower(graph->row, parts.group));
        mln_json_member_str(w, "resourceGroup", lower);
    }
    return MLN_OK;
}

/* Parses the row that was written and hands it on. */
static struct mln_result emit(struct graph *graph, struct mln_json_writer *w)
{
    const struct mln_json *row;
    mln_json_end_object(w);
    MLN_TRY(mln_json_writer_end(w));
    MLN_TRY(mln_json_parse(graph->row, mln_buf_str(&graph->text), ROW_BYTES, &row));
    return graph->each(graph->each_context, row, &graph->stop);
}

static struct mln_json_writer begin(struct graph *graph)
{
    mln_arena_reset(graph->row);
    mln_buf_clear(&graph->text);
    struct mln_json_writer w = mln_json_writer(&graph->text);
    mln_json_begin_object(&w);
    return w;
}

static bool may_read(const struct graph *graph, struct mln_str action, struct mln_str id)
{
    return mln_ok(mln_access_check(graph->request->api->rbac, &graph->request->caller, action, id));
}

static struct mln_result resource_row(void *context, const struct mln_resource *resource, bool *stop)
{
    struct graph *graph = context;
    static const char *const copied[] = {"kind",       "location", "managedBy", "sku",   "plan",
                                         "properties", "tags",     "identity",  "zones", "extendedLocation"};
    if (!may_read(graph, MLN_S("Microsoft.Resources/subscriptions/resources/read"), resource->id))
        return MLN_OK;
    struct mln_json_writer w = begin(graph);
    MLN_TRY(put_place(graph, &w, resource->id, resource->name, resource->type));
    for (size_t i = 0; i < sizeof copied / sizeof *copied; i++)
        mln_json_member_tree(&w, copied[i], mln_json_get_nocase(resource->document, mln_str_c(copied[i])));
    MLN_TRY(emit(graph, &w));
    *stop = graph->stop;
    return MLN_OK;
}

static struct mln_result resources_table(struct graph *graph)
{
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    MLN_TRY(mln_store_read_begin(graph->request->api->store, &read));
    for (size_t i = 0; i < graph->n_subscriptions && !graph->stop; i++) {
        const struct mln_resource_query query = {.scope = graph->subscriptions[i]};
        MLN_TRY(mln_resource_list(read, &query, resource_row, graph));
    }
    return MLN_OK;
}

static struct mln_str subscription_id(struct mln_str scope)
{
    return mln_str_sub(scope, sizeof "/subscriptions/" - 1, scope.n);
}

static struct mln_result container_row(struct graph *graph, struct mln_str id, struct mln_str name, struct mln_str type,
                                       struct mln_str location, const struct mln_json *tags)
{
    struct mln_json_writer w = begin(graph);
    MLN_TRY(put_place(graph, &w, id, name, type));
    mln_json_member_str(&w, "location", location);
    mln_json_member_tree(&w, "tags", tags);
    return emit(graph, &w);
}

static struct mln_result group_rows(struct graph *graph, struct mln_store_read *read, struct mln_str subscription)
{
    struct mln_group *groups;
    size_t n;
    MLN_TRY(mln_group_list(read, subscription, (struct mln_str){NULL, 0}, 0, graph->request->arena, &groups, &n));
    for (size_t i = 0; i < n && !graph->stop; i++)
        if (may_read(graph, MLN_S("Microsoft.Resources/subscriptions/resourceGroups/read"), groups[i].id))
            MLN_TRY(container_row(graph, groups[i].id, groups[i].name,
                                  MLN_S("microsoft.resources/subscriptions/resourcegroups"), groups[i].location,
                                  groups[i].tags));
    return MLN_OK;
}

static struct mln_result containers_table(struct graph *graph)
{
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    MLN_TRY(mln_store_read_begin(graph->request->api->store, &read));
    for (size_t i = 0; i < graph->n_subscriptions && !graph->stop; i++) {
        struct mln_subscription subscription;
        struct mln_str id = graph->subscriptions[i];
        MLN_TRY(mln_subscription_get(read, subscription_id(id), graph->request->arena, &subscription));
        MLN_TRY(container_row(graph, id, subscription.display_name, MLN_S("microsoft.resources/subscriptions"),
                              (struct mln_str){NULL, 0}, NULL));
        if (!graph->stop)
            MLN_TRY(group_rows(graph, read, subscription.id));
    }
    return MLN_OK;
}

/* ---- securityresources ---- */

/* Rows that a route's own handler knows to write: the item is made once, here and there alike. */
static struct mln_result security_row(struct graph *graph, const struct mln_json *item)
{
    struct mln_str id = mln_json_str(mln_json_get(item, MLN_S("id")), MLN_S(""));
    struct mln_json_writer w = begin(graph);
    MLN_TRY(put_place(graph, &w, id, mln_json_str(mln_json_get(item, MLN_S("name")), MLN_S("")),
                      mln_json_str(mln_json_get(item, MLN_S("type")), MLN_S(""))));
    mln_json_member_tree(&w, "kind", mln_json_get(item, MLN_S("kind")));
    mln_json_member_tree(&w, "properties", mln_json_get(item, MLN_S("properties")));
    return emit(graph, &w);
}

static struct mln_result assessment_row(void *context, const struct mln_assessment *a, bool *stop)
{
    struct graph *graph = context;
    struct mln_str id;
    if (!may_read(graph, MLN_S("Microsoft.Security/assessments/read"), a->resource_id))
        return MLN_OK;
    struct mln_json_writer w = begin(graph);
    MLN_TRY_STR(graph->row, id,
                mln_str_printf(graph->row, "%.*s/providers/" MLN_ASSESSMENT_TYPE "/%.*s", MLN_FMT(a->resource_id),
                               MLN_FMT(a->rule->key)));
    MLN_TRY(put_place(graph, &w, id, a->rule->key, MLN_S(MLN_ASSESSMENT_TYPE)));
    mln_json_name(&w, MLN_S("properties"));
    mln_json_begin_object(&w);
    mln_put_assessment_properties(graph->request, &w, a, true, true);
    mln_json_end_object(&w);
    MLN_TRY(emit(graph, &w));
    *stop = graph->stop;
    return MLN_OK;
}

/* The items that a list handler answers for a subscription, as rows. */
static struct mln_result handler_rows(struct graph *graph, struct mln_str subscription, const char *action,
                                      mln_handler handler)
{
    if (!may_read(graph, mln_str_c(action), subscription))
        return MLN_OK;
    struct mln_request asked = *graph->request;
    asked.scope = subscription;
    asked.subscription = subscription_id(subscription);
    asked.group = (struct mln_str){NULL, 0};
    asked.n_query = 0;
    asked.api_version = MLN_S("2024-01-01");
    memset(asked.captures, 0, sizeof asked.captures);
    struct mln_reply reply = {.body = MLN_BUF(ROW_BYTES)};
    MLN_CLEANUP(mln_arena_free) struct mln_arena *arena = mln_arena_new(ROW_BYTES);
    const struct mln_json *list = NULL;
    struct mln_result r = arena ? handler(&asked, &reply) : mln_fail(MLN_E_MEMORY, "no memory for rows");
    if (mln_ok(r))
        r = mln_json_parse(arena, mln_buf_str(&reply.body), ROW_BYTES, &list);
    mln_buf_free(&reply.body);
    MLN_TRY(r);
    const struct mln_json *value = mln_json_get(list, MLN_S("value"));
    for (uint32_t i = 0; value && i < value->n && !graph->stop; i++)
        MLN_TRY(security_row(graph, &value->items[i]));
    return MLN_OK;
}

static struct mln_result security_table(struct graph *graph)
{
    static const struct {
        const char *action;
        mln_handler handler;
    } lists[] = {
        {"Microsoft.Security/secureScores/read", mln_list_scores},
        {"Microsoft.Security/secureScoreControls/read", mln_list_controls},
        {"Microsoft.Security/pricings/read", mln_list_pricings},
    };
    for (size_t i = 0; i < graph->n_subscriptions && !graph->stop; i++) {
        for (size_t l = 0; l < sizeof lists / sizeof *lists && !graph->stop; l++)
            MLN_TRY(handler_rows(graph, graph->subscriptions[i], lists[l].action, lists[l].handler));
        const struct mln_posture_query query = {.scope = graph->subscriptions[i]};
        if (!graph->stop)
            MLN_TRY(mln_posture_assessments(graph->request->api->posture, graph->rules, &query, assessment_row, graph));
    }
    return MLN_OK;
}

/* ---- the tables, for the query engine ---- */

static const struct {
    struct mln_str name;
    struct mln_result (*scan)(struct graph *graph);
} tables[] = {
    {{"resources", 9}, resources_table},
    {{"securityresources", 17}, security_table},
    {{"resourcecontainers", 18}, containers_table},
};

static struct mln_result table_columns(void *context, struct mln_str table, const struct mln_str **names, size_t *n)
{
    (void)context;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (mln_str_eq_nocase(table, tables[i].name)) {
            *names = columns;
            *n = sizeof columns / sizeof *columns;
            return MLN_OK;
        }
    return mln_fail(MLN_E_NOT_FOUND, "there is no table '%.*s'", MLN_FMT(mln_str_sub(table, 0, 60)));
}

static struct mln_result table_scan(void *context, struct mln_str table, mln_kql_row each, void *each_context)
{
    struct graph *graph = context;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        if (!mln_str_eq_nocase(table, tables[i].name))
            continue;
        graph->each = each;
        graph->each_context = each_context;
        graph->stop = false;
        return tables[i].scan(graph);
    }
    return mln_fail(MLN_E_NOT_FOUND, "there is no table '%.*s'", MLN_FMT(mln_str_sub(table, 0, 60)));
}

/* ---- the request ---- */

static bool asked_for(const struct mln_json *wanted, struct mln_str id)
{
    if (!mln_json_is(wanted, MLN_JSON_ARRAY) || wanted->n == 0)
        return true;
    for (uint32_t i = 0; i < wanted->n; i++)
        if (mln_str_eq_nocase(mln_json_str(&wanted->items[i], MLN_S("")), id))
            return true;
    return false;
}

static struct mln_result choose_subscriptions(struct graph *graph, const struct mln_json *wanted)
{
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    struct mln_arena *arena = graph->request->arena;
    struct mln_subscription *all;
    size_t n;
    MLN_TRY(mln_store_read_begin(graph->request->api->store, &read));
    MLN_TRY(mln_subscription_list(read, arena, &all, &n));
    for (size_t i = 0; i < n && graph->n_subscriptions < MAX_SUBSCRIPTIONS; i++) {
        struct mln_str id;
        MLN_TRY_STR(arena, id, mln_str_printf(arena, "/subscriptions/%.*s", MLN_FMT(all[i].id)));
        if (asked_for(wanted, all[i].id) &&
            mln_access_somewhere(graph->request->api->rbac, &graph->request->caller, (struct mln_str){0}, id))
            graph->subscriptions[graph->n_subscriptions++] = id;
    }
    return MLN_OK;
}

static struct mln_result run_query(struct graph *graph, struct mln_str text, struct mln_kql_error *error,
                                   struct mln_kql_result *out)
{
    struct mln_kql_query *query;
    const struct mln_kql_tables source = {table_columns, table_scan, graph};
    const struct mln_kql_limits limits = {
        .max_rows = MAX_ROWS, .memory_bytes = RESULT_BYTES, .deadline_ms = graph->deadline_ms};
    MLN_TRY(mln_kql_parse(graph->request->arena, text, &query, error));
    *error = (struct mln_kql_error){0};
    return mln_kql_run(query, &source, graph->request->api->clock, &limits, graph->request->arena, out);
}

/* Resource Graph's error: a code of its own, with the place for a text that cannot be parsed. */
static struct mln_result answer_bad_query(struct mln_reply *reply, const struct mln_kql_error *error)
{
    struct mln_json_writer *w = mln_reply_json(reply, 400);
    mln_json_begin_object(w);
    mln_json_name(w, MLN_S("error"));
    mln_json_begin_object(w);
    mln_json_member_str(w, "code", MLN_S("BadRequest"));
    mln_json_member_str(w, "message", MLN_S("Please provide below info when asking for support"));
    mln_json_name(w, MLN_S("details"));
    mln_json_begin_array(w);
    mln_json_begin_object(w);
    mln_json_member_str(w, "code", error->line ? MLN_S("ParserFailure") : MLN_S("InvalidQuery"));
    mln_json_member_str(w, "message", mln_str_c(mln_error_text()));
    if (error->line) {
        mln_json_member_i64(w, "line", error->line);
        mln_json_member_i64(w, "characterPositionInLine", error->position);
        mln_json_member_str(w, "token", error->token);
    }
    mln_json_end_object(w);
    mln_json_end_array(w);
    mln_json_end_object(w);
    mln_json_end_object(w);
    return MLN_OK;
}

struct window { /* the rows of the result that this answer carries */
    size_t from, to;
    bool table;
};

static struct mln_result read_window(const struct mln_json *body, size_t n_rows, struct window *out)
{
    const struct mln_json *options = mln_json_get_nocase(body, MLN_S("options"));
    const struct mln_json *token = mln_json_get_nocase(options, MLN_S("$skipToken"));
    int64_t top = mln_json_i64(mln_json_get_nocase(options, MLN_S("$top")), MAX_PAGE);
    int64_t skip = mln_json_i64(mln_json_get_nocase(options, MLN_S("$skip")), 0);
    if (top < 1 || top > MAX_PAGE)
        return mln_fail(MLN_E_INVALID, "$top must be from 1 to %d", MAX_PAGE);
    if (mln_json_is(token, MLN_JSON_STRING))
        MLN_TRY(mln_str_to_i64(mln_json_str(token, MLN_S("")), &skip));
    if (skip < 0)
        return mln_fail(MLN_E_INVALID, "$skip must not be negative");
    out->from = (uint64_t)skip < n_rows ? (size_t)skip : n_rows;
    out->to = n_rows - out->from > (size_t)top ? out->from + (size_t)top : n_rows;
    out->table =
        mln_str_eq_nocase(mln_json_str(mln_json_get_nocase(options, MLN_S("resultFormat")), MLN_S("")), MLN_S("table"));
    return MLN_OK;
}

static void put_table(struct mln_json_writer *w, const struct mln_kql_result *result, const struct window *window)
{
    static const char *const names[][2] = {
        {"long", "integer"}, {"double", "number"}, {"bool", "boolean"}, {"dynamic", "object"}, {"timespan", "string"}};
    mln_json_begin_object(w);
    mln_json_name(w, MLN_S("columns"));
    mln_json_begin_array(w);
    for (size_t c = 0; c < result->n_columns; c++) {
        const char *type = result->types[c];
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (strcmp(type, names[i][0]) == 0)
                type = names[i][1];
        mln_json_begin_object(w);
        mln_json_member_str(w, "name", result->columns[c]);
        mln_json_member_str(w, "type", mln_str_c(type));
        mln_json_end_object(w);
    }
    mln_json_end_array(w);
    mln_json_name(w, MLN_S("rows"));
    mln_json_begin_array(w);
    for (size_t r = window->from; r < window->to; r++) {
        mln_json_begin_array(w);
        for (size_t c = 0; c < result->n_columns; c++)
            mln_json_put_tree(w, &result->cells[r * result->n_columns + c]);
        mln_json_end_array(w);
    }
    mln_json_end_array(w);
    mln_json_end_object(w);
}

static struct mln_result put_rows(struct mln_request *request, struct mln_json_writer *w,
                                  const struct mln_kql_result *result, const struct window *window)
{
    if (window->table) {
        put_table(w, result, window);
        return MLN_OK;
    }
    mln_json_begin_array(w);
    for (size_t r = window->from; r < window->to; r++) {
        struct mln_json row;
        MLN_TRY(mln_kql_row_object(result, r, request->arena, &row));
        mln_json_put_tree(w, &row);
    }
    mln_json_end_array(w);
    return MLN_OK;
}

/* A facet counts the values of an expression in the query's result; it is a query behind the query. */
static struct mln_result put_facet(struct graph *graph, struct mln_json_writer *w, struct mln_str query,
                                   const struct mln_json *facet)
{
    struct mln_arena *arena = graph->request->arena;
    const struct mln_json *options = mln_json_get_nocase(facet, MLN_S("options"));
    struct mln_str expression = mln_json_str(mln_json_get_nocase(facet, MLN_S("expression")), MLN_S(""));
    struct mln_str filter = mln_json_str(mln_json_get_nocase(options, MLN_S("filter")), MLN_S("true"));
    struct mln_str sort = mln_json_str(mln_json_get_nocase(options, MLN_S("sortBy")), MLN_S("count"));
    struct mln_str order = mln_json_str(mln_json_get_nocase(options, MLN_S("sortOrder")), MLN_S("desc"));
    int64_t top = mln_json_i64(mln_json_get_nocase(options, MLN_S("$top")), 10);
    struct mln_str text;
    struct mln_kql_error error;
    struct mln_kql_result result = {0};
    MLN_BUF_CLEANUP struct mln_buf whole = MLN_BUF(MLN_KQL_MAX_TEXT_BYTES);
    MLN_TRY(mln_buf_append(&whole, MLN_S("(")));
    MLN_TRY(mln_buf_append(&whole, query));
    MLN_TRY(mln_buf_printf(&whole,
                           "\n) | summarize ['count'] = count() by ['%.*s'] = %.*s | where %.*s | sort by %.*s %.*s",
                           MLN_FMT(expression), MLN_FMT(expression), MLN_FMT(filter), MLN_FMT(sort), MLN_FMT(order)));
    MLN_TRY_STR(arena, text, mln_str_dup(arena, mln_buf_str(&whole)));
    struct mln_result r = run_query(graph, text, &error, &result);
    struct window window = {0, (int64_t)result.n_rows < top || top < 0 ? result.n_rows : (size_t)top, false};
    mln_json_begin_object(w);
    mln_json_member_str(w, "expression", expression);
    mln_json_member_str(w, "resultType", mln_ok(r) ? MLN_S("FacetResult") : MLN_S("FacetError"));
    if (mln_ok(r)) {
        mln_json_member_i64(w, "totalRecords", (int64_t)result.n_rows);
        mln_json_member_i64(w, "count", (int64_t)window.to);
        mln_json_name(w, MLN_S("data"));
        MLN_TRY(put_rows(graph->request, w, &result, &window));
    } else {
        mln_json_name(w, MLN_S("errors"));
        mln_json_begin_array(w);
        mln_json_begin_object(w);
        mln_json_member_str(w, "code", MLN_S("BadRequest"));
        mln_json_member_str(w, "message", mln_str_c(mln_error_text()));
        mln_json_end_object(w);
        mln_json_end_array(w);
    }
    mln_json_end_object(w);
    return MLN_OK;
}

static struct mln_result put_facets(struct graph *graph, struct mln_json_writer *w, struct mln_str query,
                                    const struct mln_json *facets)
{
    if (!mln_json_is(facets, MLN_JSON_ARRAY) || facets->n == 0)
        return MLN_OK;
    if (facets->n > MAX_FACETS)
        return mln_fail(MLN_E_INVALID, "at most %d facets", MAX_FACETS);
    mln_json_name(w, MLN_S("facets"));
    mln_json_begin_array(w);
    for (uint32_t i = 0; i < facets->n; i++)
        MLN_TRY(put_facet(graph, w, query, &facets->items[i]));
    mln_json_end_array(w);
    return MLN_OK;
}

static struct mln_result answer(struct graph *graph, struct mln_reply *reply)
{
    struct mln_request *request = graph->request;
    const struct mln_json *body;
    struct mln_kql_error error = {0};
    struct mln_kql_result result;
    struct mln_str text;
    struct window window;
    char token[24];
    MLN_TRY(mln_request_object(request, &body));
    MLN_TRY(mln_member_text(body, "query", true, &text));
    MLN_TRY(choose_subscriptions(graph, mln_json_get_nocase(body, MLN_S("subscriptions"))));
    struct mln_result r = run_query(graph, text, &error, &result);
    if (r.code == MLN_E_SYNTAX || r.code == MLN_E_INVALID || r.code == MLN_E_NOT_FOUND || r.code == MLN_E_LIMIT)
        return answer_bad_query(reply, &error);
    MLN_TRY(r);
    MLN_TRY(read_window(body, result.n_rows, &window));
    struct mln_json_writer *w = mln_reply_json(reply, 200);
    mln_json_begin_object(w);
    mln_json_member_i64(w, "totalRecords", (int64_t)result.n_rows);
    mln_json_member_i64(w, "count", (int64_t)(window.to - window.from));
    mln_json_member_str(w, "resultTruncated", MLN_S("false"));
    if (window.to < result.n_rows) {
        snprintf(token, sizeof token, "%zu", window.to);
        mln_json_member_str(w, "$skipToken", mln_str_c(token));
    }
    mln_json_name(w, MLN_S("data"));
    MLN_TRY(put_rows(request, w, &result, &window));
    MLN_TRY(put_facets(graph, w, text, mln_json_get_nocase(body, MLN_S("facets"))));
    mln_json_end_object(w);
    return MLN_OK;
}

static struct mln_result query(struct mln_request *request, struct mln_reply *reply)
{
    MLN_PINNED struct mln_pinned_rules rules = mln_pin_rules(request);
    struct graph *graph;
    MLN_TRY_NEW(request->arena, graph);
    MLN_CLEANUP(mln_arena_free) struct mln_arena *row = mln_arena_new(ROW_ARENA_BYTES);
    if (!row)
        return mln_fail(MLN_E_MEMORY, "no memory for a row");
    graph->request = request;
    graph->rules = rules.set;
    graph->deadline_ms = mln_monotonic_ms() + DEADLINE_MS;
    graph->row = row;
    graph->text = MLN_BUF(ROW_BYTES);
    struct mln_result r = answer(graph, reply);
    mln_buf_free(&graph->text);
    return r;
}

static struct mln_result query_resources(struct mln_request *request, struct mln_reply *reply)
{
    static _Atomic unsigned running;
    struct mln_result r = atomic_fetch_add(&running, 1) < AT_ONCE
                              ? query(request, reply)
                              : mln_fail(MLN_E_BUSY, "As many queries run as may at once.");
    atomic_fetch_sub(&running, 1);
    return r;
}

#define GRAPH "/providers/Microsoft.ResourceGraph"

static const struct mln_route routes[] = {
    {MLN_POST, GRAPH "/resources", query_resources, NULL, "2021-03-01 2022-10-01 2024-04-01", MLN_ROUTE_UNRECORDED, 0},
};
const struct mln_route_table mln_routes_graph = MLN_ROUTE_TABLE("resourceGraph", routes);
