/* The inventory: resources, machines, and queries over all of it. */
#include "merlon/input.h"
#include "merlon/output.h"
#include "merlon/session.h"

#include "connect/machine.h"
#include "json/writer.h"

#define VERSION "2021-04-01"

static const struct mln_option list_options[] = {
    {.name = "type", .letter = 't', .value = "TYPE", .help = "only this type, such as " MLN_MACHINE_TYPE},
};

static struct mln_result read_resources(struct mln_session *session, struct mln_invocation *in, struct mln_str type,
                                        struct mln_json *list)
{
    struct mln_str scope, path, filter = MLN_S("");
    MLN_TRY(mln_session_subscription(session, &scope));
    if (mln_str_find(type, MLN_S("'"), 0) != SIZE_MAX)
        return mln_misuse(in, "a type has no quotes");
    if (type.n) {
        MLN_TRY_STR(in->arena, filter, mln_str_printf(in->arena, "resourceType eq '%.*s'", MLN_FMT(type)));
        MLN_TRY(mln_session_escape(session, filter, &filter));
    }
    MLN_TRY_STR(in->arena, path,
                mln_str_printf(in->arena, "%.*s/resources?api-version=" VERSION "&$expand=properties%s%.*s",
                               MLN_FMT(scope), type.n ? "&$filter=" : "", MLN_FMT(filter)));
    return mln_session_list(session, path, list);
}

static struct mln_result run_resources(struct mln_invocation *in, enum mln_exit *exit_code)
{
    static const char *const heads[] = {"Name", "Type", "Location", "Id", NULL};
    static const char *const members[] = {"name", "type", "location", "id"};
    MLN_CLEANUP(mln_session_close) struct mln_session *session = NULL;
    struct mln_json list;
    (void)exit_code;
    MLN_TRY(mln_session_open(in, &session));
    MLN_TRY(read_resources(session, in, mln_option_value(in, "type"), &list));
    return mln_output_list(in, &list, heads, members);
}

const struct mln_command mln_command_resources = {.words = "resources",
                                                  .summary = "All resources of the subscription",
                                                  .kind = MLN_ONLINE | MLN_IN_SUBSCRIPTION,
                                                  MLN_OPTIONS(list_options),
                                                  .run = run_resources};

static struct mln_result run_resource(struct mln_invocation *in, enum mln_exit *exit_code)
{
    MLN_CLEANUP(mln_session_close) struct mln_session *session = NULL;
    const struct mln_json *answer;
    struct mln_str path;
    (void)exit_code;
    if (!mln_str_starts(in->arguments[0], MLN_S("/subscriptions/")))
        return mln_misuse(in, "a resource's id begins with /subscriptions/; 'merlon resources' lists them");
    MLN_TRY(mln_session_open(in, &session));
    MLN_TRY(mln_session_id_path(session, in->arguments[0], VERSION, &path));
    MLN_TRY(mln_session_get(session, path, &answer));
    return mln_output_json(in, answer);
}

const struct mln_command mln_command_resource_show = {.words = "resource show",
                                                      .arguments = "ID",
                                                      .summary = "One resource, whole, as JSON",
                                                      .kind = MLN_ONLINE,
                                                      .least = 1,
                                                      .most = 1,
                                                      .run = run_resource};

/* ---- machines ---- */

static struct mln_result run_machines(struct mln_invocation *in, enum mln_exit *exit_code)
{
    static const char *const heads[] = {"Name", "Status", "Since", "System", "Agent", NULL};
    static const char *const members[] = {"name", "properties.status", "properties.lastStatusChange",
                                          "properties.osSku", "properties.agentVersion"};
    MLN_CLEANUP(mln_session_close) struct mln_session *session = NULL;
    struct mln_json list;
    (void)exit_code;
    MLN_TRY(mln_session_open(in, &session));
    MLN_TRY(read_resources(session, in, MLN_S(MLN_MACHINE_TYPE), &list));
    return mln_output_list(in, &list, heads, members);
}

const struct mln_command mln_command_machines = {.words = "machines",
                                                 .summary = "The enrolled machines",
                                                 .kind = MLN_ONLINE | MLN_IN_SUBSCRIPTION,
                                                 .run = run_machines};

/* The machine of that name or id. */
static struct mln_result find_machine(struct mln_session *session, struct mln_invocation *in,
                                      const struct mln_json **out)
{
    struct mln_json *list;
    struct mln_str wanted = in->arguments[0];
    const char *member = mln_str_starts(wanted, MLN_S("/")) ? "id" : "name";
    MLN_TRY_NEW(in->arena, list);
    MLN_TRY(read_resources(session, in, MLN_S(MLN_MACHINE_TYPE), list));
    *out = NULL;
    for (uint32_t i = 0; i < list->n; i++) {
        if (!mln_str_eq_nocase(mln_output_text(&list->items[i], member), wanted))
            continue;
        if (*out)
            return mln_fail(MLN_E_CONFLICT,
                            "several machines are called '%.*s': give the id of one; 'merlon resources' lists them",
                            MLN_FMT(wanted));
        *out = &list->items[i];
    }
    if (!*out)
        return mln_fail(MLN_E_NOT_FOUND, "no machine is called '%.*s'; 'merlon machines' lists them", MLN_FMT(wanted));
    return MLN_OK;
}

static struct mln_result run_machine_show(struct mln_invocation *in, enum mln_exit *exit_code)
{
    MLN_CLEANUP(mln_session_close) struct mln_session *session = NULL;
    const struct mln_json *machine;
    (void)exit_code;
    MLN_TRY(mln_session_open(in, &session));
    MLN_TRY(find_machine(session, in, &machine));
    return mln_output_json(in, machine);
}

const struct mln_command mln_command_machine_show = {.words = "machine show",
                                                     .arguments = "NAME|ID",
                                                     .summary = "One machine with all its facts, as JSON",
                                                     .kind = MLN_ONLINE | MLN_IN_SUBSCRIPTION,
                                                     .least = 1,
                                                     .most = 1,
                                                     .run = run_machine_show};

static struct mln_result run_machine_remove(struct mln_invocation *in, enum mln_exit *exit_code)
{
    MLN_CLEANUP(mln_session_close) struct mln_session *session = NULL;
    const struct mln_json *machine, *answer;
    struct mln_str path;
    (void)exit_code;
    MLN_TRY(mln_session_open(in, &session));
    MLN_TRY(find_machine(session, in, &machine));
    struct mln_str id = mln_output_text(machine, "id");
    MLN_TRY(mln_session_id_path(session, id, VERSION, &path));
    MLN_TRY(mln_session_call(session, "DELETE", path, (struct mln_str){NULL, 0}, &answer));
    return mln_output_done(in, "removed", id, "Removed ", "; its certificate is refused from now on.");
}

const struct mln_command mln_command_machine_remove = {.words = "machine remove",
                                                       .arguments = "NAME|ID",
                                                       .summary = "Take a machine out of the estate",
                                                       .kind = MLN_ONLINE | MLN_IN_SUBSCRIPTION,
                                                       .least = 1,
                                                       .most = 1,
                                                       .run = run_machine_remove};

/* ---- query ---- */

static struct mln_result put_value(struct mln_table *table, const struct mln_json *value)
{
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(16 << 20);
    if (value->kind == MLN_JSON_STRING)
        return mln_table_cell(table, mln_json_str(value, MLN_S("")));
    if (value->kind != MLN_JSON_NULL)
        MLN_TRY(mln_json_write(&text, value, false));
    return mln_table_cell(table, mln_buf_str(&text));
}

static struct mln_result put_rows(struct mln_invocation *in, const struct mln_json *data)
{
    const struct mln_json *columns = mln_json_get(data, MLN_S("columns")), *rows = mln_json_get(data, MLN_S("rows"));
    const char *heads[MLN_MAX_COLUMNS + 1] = {NULL};
    struct mln_table table;
    if (!mln_json_is(columns, MLN_JSON_ARRAY) || !mln_json_is(rows, MLN_JSON_ARRAY) || columns->n == 0)
        return MLN_OK;
    if (columns->n > MLN_MAX_COLUMNS)
        return mln_fail(MLN_E_INVALID, "%u columns do not fit a table: project fewer, or --json", columns->n);
    for (uint32_t c = 0; c < columns->n; c++) {
        heads[c] = mln_str_z(in->arena, mln_output_text(&columns->items[c], "name"));
        if (!heads[c])
            return mln_arena_failure(in->arena);
    }
    mln_table_begin(&table, in, heads);
    for (uint32_t r = 0; r < rows->n; r++)
        for (uint32_t c = 0; c < columns->n; c++)
            MLN_TRY(put_value(&table, mln_json_is(&rows->items[r], MLN_JSON_ARRAY) && c < rows->items[r].n
                                          ? &rows->items[r].items[c]
                                          : &mln_json_null));
    return mln_table_end(&table);
}

static struct mln_result run_query(struct mln_invocation *in, enum mln_exit *exit_code)
{
    MLN_CLEANUP(mln_session_close) struct mln_session *session = NULL;
    MLN_BUF_CLEANUP struct mln_buf body = MLN_BUF(2 << 20), typed = MLN_BUF(1 << 20);
    const struct mln_json *answer;
    struct mln_str query = in->arguments[0];
    bool json = mln_option_given(in, "json");
    (void)exit_code;
    if (mln_str_eq(query, MLN_S("-"))) {
        MLN_TRY(mln_input_read(in, query, &typed));
        query = mln_buf_str(&typed);
    }
    MLN_TRY(mln_session_open(in, &session));
    struct mln_json_writer w = mln_json_writer(&body);
    mln_json_begin_object(&w);
    mln_json_member_str(&w, "query", query);
    mln_json_name(&w, MLN_S("options"));
    mln_json_begin_object(&w);
    mln_json_member_str(&w, "resultFormat", json ? MLN_S("objectArray") : MLN_S("table"));
    mln_json_end_object(&w);
    mln_json_end_object(&w);
    MLN_TRY(mln_json_writer_end(&w));
    MLN_TRY(mln_session_call(session, "POST",
                             MLN_S("/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01"),
                             mln_buf_str(&body), &answer));
    const struct mln_json *data = mln_json_get(answer, MLN_S("data"));
    MLN_TRY(json ? mln_output_json(in, data) : put_rows(in, data));
    int64_t total = mln_json_i64(mln_json_get(answer, MLN_S("totalRecords")), 0);
    int64_t count = mln_json_i64(mln_json_get(answer, MLN_S("count")), 0);
    if (count < total)
        fprintf(in->err, "merlon: the first %lld of %lld rows\n", (long long)count, (long long)total);
    return MLN_OK;
}

const struct mln_command mln_command_query = {.words = "query",
                                              .arguments = "KUSTO|-",
                                              .summary = "A Kusto query over resources and security resources",
                                              .kind = MLN_ONLINE,
                                              .details = "- reads the query from standard input.\n\nExample:\n  merlon "
                                                         "query \"resources | summarize n = count() by type\"",
                                              .least = 1,
                                              .most = 1,
                                              .run = run_query};
