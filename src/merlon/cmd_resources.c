/* The inventory: resources, machines, and queries over all of it. */
#include "merlon/output.h"
#include "merlon/session.h"

#include "json/writer.h"

#define VERSION "2021-04-01"
#define MACHINE_TYPE "Microsoft.HybridCompute/machines"

static const struct mln_option list_options[] = {
    {"type", 't', "TYPE", "only this type, such as " MACHINE_TYPE, NULL, false},
};

static struct mln_result read_resources(struct mln_session *session, struct mln_arena *arena, struct mln_str type,
                                        struct mln_json *list)
{
    struct mln_str scope, path, filter = MLN_S("");
    MLN_TRY(mln_session_subscription(session, &scope));
    if (type.n) {
        MLN_TRY_STR(arena, filter, mln_str_printf(arena, "resourceType eq '%.*s'", MLN_FMT(type)));
        MLN_TRY_STR(arena, filter, mln_session_escape(session, filter));
    }
    MLN_TRY_STR(arena, path,
                mln_str_printf(arena, "%.*s/resources?api-version=" VERSION "&$expand=properties%s%.*s", MLN_FMT(scope),
                               type.n ? "&$filter=" : "", MLN_FMT(filter)));
    return mln_session_list(session, path, list);
}

static struct mln_result run_resources(struct mln_invocation *in, enum mln_exit *exit_code)
{
    static const char *const heads[] = {"Name", "Type", "Location", "Id", NULL};
    static const char *const members[] = {"name", "type", "location", "id"};
    MLN_CLEANUP(mln_session_close) struct mln_session *session = NULL;
    struct mln_json list;
    struct mln_table table;
    (void)exit_code;
    MLN_TRY(mln_session_open(in, &session));
    MLN_TRY(read_resources(session, in->arena, mln_option_value(in, "type"), &list));
    if (mln_option_given(in, "json"))
        return mln_output_json(in, &list);
    mln_table_begin(&table, in, heads);
    for (uint32_t i = 0; i < list.n; i++)
        for (size_t c = 0; c < sizeof members / sizeof *members; c++)
            MLN_TRY(mln_table_cell(&table, mln_output_text(&list.items[i], members[c])));
    return mln_table_end(&table);
}

const struct mln_command mln_command_resources = {.words = "resources",
                                                  .arguments = "",
                                                  .summary = "All resources of the subscription",
                                                  .options = list_options,
                                                  .n_options = sizeof list_options / sizeof *list_options,
                                                  .run = run_resources};

static struct mln_result run_resource(struct mln_invocation *in, enum mln_exit *exit_code)
{
    MLN_CLEANUP(mln_session_close) struct mln_session *session = NULL;
    const struct mln_json *answer;
    struct mln_str path;
    (void)exit_code;
    if (!mln_str_starts(in->arguments[0], MLN_S("/subscriptions/")))
        return mln_fail(MLN_E_INVALID, "a resource's id begins with /subscriptions/; 'merlon resources' lists them");
    MLN_TRY(mln_session_open(in, &session));
    MLN_TRY_STR(in->arena, path, mln_str_printf(in->arena, "%.*s?api-version=" VERSION, MLN_FMT(in->arguments[0])));
    MLN_TRY(mln_session_get(session, path, &answer));
    return mln_output_json(in, answer);
}

const struct mln_command mln_command_resource_show = {.words = "resource show",
                                                      .arguments = "ID",
                                                      .summary = "One resource, whole, as JSON",
                                                      .least = 1,
                                                      .most = 1,
                                                      .run = run_resource};

/* ---- machines ---- */

static struct mln_result run_machines(struct mln_invocation *in, enum mln_exit *exit_code)
{
    static const char *const heads[] = {"Name", "Status", "Since", "System", "Agent", NULL};
    static const char *const members[] = {"name", "properties.status", "properties.lastStatusChange", "properties.osSku",
                                          "properties.agentVersion"};
    MLN_CLEANUP(mln_session_close) struct mln_session *session = NULL;
    struct mln_json list;
    struct mln_table table;
    (void)exit_code;
    MLN_TRY(mln_session_open(in, &session));
    MLN_TRY(read_resources(session, in->arena, MLN_S(MACHINE_TYPE), &list));
    if (mln_option_given(in, "json"))
        return mln_output_json(in, &list);
    mln_table_begin(&table, in, heads);
    for (uint32_t i = 0; i < list.n; i++)
        for (size_t c = 0; c < sizeof members / sizeof *members; c++)
            MLN_TRY(mln_table_cell(&table, mln_output_text(&list.items[i], members[c])));
    return mln_table_end(&table);
}

const struct mln_command mln_command_machines = {
    .words = "machines", .arguments = "", .summary = "The enrolled machines", .run = run_machines};

static struct mln_result find_machine(struct mln_session *session, struct mln_invocation *in, const struct mln_json **out)
{
    struct mln_json *list;
    MLN_TRY_NEW(in->arena, list);
    MLN_TRY(read_resources(session, in->arena, MLN_S(MACHINE_TYPE), list));
    for (uint32_t i = 0; i < list->n; i++)
        if (mln_str_eq_nocase(mln_output_text(&list->items[i], "name"), in->arguments[0])) {
            *out = &list->items[i];
            return MLN_OK;
        }
    return mln_fail(MLN_E_NOT_FOUND, "no machine is called '%.*s'; 'merlon machines' lists them", MLN_FMT(in->arguments[0]));
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
                                                     .arguments = "NAME",
                                                     .summary = "One machine with all its facts, as JSON",
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
    MLN_TRY_STR(in->arena, path,
                mln_str_printf(in->arena, "%.*s?api-version=" VERSION, MLN_FMT(mln_output_text(machine, "id"))));
    MLN_TRY(mln_session_call(session, "DELETE", path, (struct mln_str){NULL, 0}, &answer));
    fprintf(in->out, "Removed %.*s; its certificate is refused from now on.\n", MLN_FMT(in->arguments[0]));
    return MLN_OK;
}

const struct mln_command mln_command_machine_remove = {.words = "machine remove",
                                                       .arguments = "NAME",
                                                       .summary = "Take a machine out of the estate",
                                                       .least = 1,
                                                       .most = 1,
                                                       .run = run_machine_remove};

/* ---- query ---- */

static struct mln_result put_rows(struct mln_invocation *in, const struct mln_json *data)
{
    const struct mln_json *columns = mln_json_get(data, MLN_S("columns")), *rows = mln_json_get(data, MLN_S("rows"));
    const char *heads[MLN_MAX_COLUMNS + 1] = {NULL};
    struct mln_table table;
    if (!columns || !rows || columns->n == 0)
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
        for (uint32_t c = 0; c < columns->n; c++) {
            const struct mln_json *cell = &rows->items[r].items[c];
            MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF(1 << 20);
            if (cell->kind != MLN_JSON_STRING && cell->kind != MLN_JSON_NULL)
                MLN_TRY(mln_json_write(&text, cell, false));
            MLN_TRY(mln_table_cell(&table, cell->kind == MLN_JSON_STRING ? mln_json_str(cell, MLN_S("")) : mln_buf_str(&text)));
        }
    return mln_table_end(&table);
}

static struct mln_result run_query(struct mln_invocation *in, enum mln_exit *exit_code)
{
    MLN_CLEANUP(mln_session_close) struct mln_session *session = NULL;
    MLN_BUF_CLEANUP struct mln_buf body = MLN_BUF(1 << 20);
    const struct mln_json *answer;
    bool json = mln_option_given(in, "json");
    (void)exit_code;
    MLN_TRY(mln_session_open(in, &session));
    struct mln_json_writer w = mln_json_writer(&body);
    mln_json_begin_object(&w);
    mln_json_member_str(&w, "query", in->arguments[0]);
    mln_json_name(&w, MLN_S("options"));
    mln_json_begin_object(&w);
    mln_json_member_str(&w, "resultFormat", json ? MLN_S("objectArray") : MLN_S("table"));
    mln_json_end_object(&w);
    mln_json_end_object(&w);
    MLN_TRY(mln_json_writer_end(&w));
    MLN_TRY(mln_session_call(session, "POST", MLN_S("/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01"),
                             mln_buf_str(&body), &answer));
    const struct mln_json *data = mln_json_get(answer, MLN_S("data"));
    MLN_TRY(json ? mln_output_json(in, data) : put_rows(in, data));
    int64_t total = mln_json_i64(mln_json_get(answer, MLN_S("totalRecords")), 0);
    int64_t count = mln_json_i64(mln_json_get(answer, MLN_S("count")), 0);
    if (count < total)
        fprintf(in->err, "merlon: the first %lld of %lld rows\n", (long long)count, (long long)total);
    return MLN_OK;
}

const struct mln_command mln_command_query = {
    .words = "query",
    .arguments = "KUSTO",
    .summary = "A Kusto query over resources and security resources",
    .details = "Example:\n  merlon query \"resources | summarize n = count() by type\"",
    .least = 1,
    .most = 1,
    .run = run_query};
