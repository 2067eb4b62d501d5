#include "access/principals.h"

#include "base/map.h"
#include "base/snapshot.h"
#include "base/vec.h"
#include "json/fields.h"

#include <pthread.h>

enum { TABLE_BUDGET_BYTES = 256 << 20, ROW_BYTES = 64 << 10 };

const char *const mln_principal_kind_words[] = {"User", "ServicePrincipal", NULL};

static const struct mln_field fields[] = {
#define F(ctype, member, json, kind, need, words, doc)                                                                 \
    MLN_FIELD(struct mln_principal, member, json, kind, need, words, doc),
    MLN_PRINCIPAL_FIELDS(F)
#undef F
};
static const struct mln_field secret_fields[] = {
    MLN_FIELD(struct mln_principal_secret, id, "id", STR, REQUIRED, NULL, "GUID"),
    MLN_FIELD(struct mln_principal_secret, hash, "hash", STR, REQUIRED, NULL, "scrypt text"),
    MLN_FIELD(struct mln_principal_secret, created_ms, "createdTime", TIME, OPTIONAL, NULL, "when"),
    MLN_FIELD(struct mln_principal_secret, expires_ms, "expiresTime", TIME, OPTIONAL, NULL, "until when"),
};
static const struct mln_field certificate_fields[] = {
    MLN_FIELD(struct mln_principal_certificate, thumbprint, "thumbprint", STR, REQUIRED, NULL, "SHA-1 of the DER"),
    MLN_FIELD(struct mln_principal_certificate, public_key, "publicKey", STR, REQUIRED, NULL, "PEM"),
    MLN_FIELD(struct mln_principal_certificate, subject, "subject", STR, OPTIONAL, NULL, "common name"),
    MLN_FIELD(struct mln_principal_certificate, expires_ms, "expiresTime", TIME, OPTIONAL, NULL, "until when"),
};
#define COUNT(array) (sizeof(array) / sizeof *(array))

struct table { /* immutable once published */
    struct mln_arena *arena;
    MLN_VEC(struct mln_principal *) all; /* by name */
    struct mln_map *by_id, *by_name;     /* by_name: users */
};

struct mln_principals {
    struct mln_store *store;
    struct mln_snapshot *tables;
    pthread_mutex_t refreshing, changing;
};

static void table_free(void *value)
{
    struct table *table = value;
    if (!table)
        return;
    mln_map_free(table->by_id);
    mln_map_free(table->by_name);
    mln_arena_free(table->arena);
    free(table);
}

/* ---- reading the store ---- */

/* Fills at most max structs of size bytes from an array of objects. */
static struct mln_result read_items(const struct mln_json *array, const struct mln_field *item_fields, size_t n_fields,
                                    size_t size, size_t max, void *out, size_t *n)
{
    *n = 0;
    if (!mln_json_is(array, MLN_JSON_ARRAY))
        return MLN_OK;
    for (; *n < array->n && *n < max; ++*n)
        MLN_TRY(mln_json_read_fields(&array->items[*n], item_fields, n_fields, MLN_JSON_UNKNOWN_IGNORED,
                                     (char *)out + *n * size));
    return MLN_OK;
}

static struct mln_result read_principal(struct mln_arena *arena, struct mln_str value, struct mln_principal *out)
{
    const struct mln_json *json;
    MLN_TRY(mln_json_parse(arena, value, ROW_BYTES, &json));
    MLN_TRY(mln_json_read_fields(json, fields, COUNT(fields), MLN_JSON_UNKNOWN_IGNORED, out));
    MLN_TRY(read_items(mln_json_get(json, MLN_S("secrets")), secret_fields, COUNT(secret_fields), sizeof *out->secrets,
                       MLN_PRINCIPAL_MAX_SECRETS, out->secrets, &out->n_secrets));
    return read_items(mln_json_get(json, MLN_S("certificates")), certificate_fields, COUNT(certificate_fields),
                      sizeof *out->certificates, MLN_PRINCIPAL_MAX_CERTIFICATES, out->certificates,
                      &out->n_certificates);
}

static struct mln_result add_row(void *context, struct mln_str key, struct mln_str value, int64_t revision, bool *stop)
{
    (void)revision, (void)stop;
    struct table *table = context;
    struct mln_principal *principal;
    MLN_TRY_NEW(table->arena, principal);
    struct mln_result r = read_principal(table->arena, value, principal);
    if (!mln_ok(r))
        return mln_fail_at(r, "principal %.*s", MLN_FMT(key));
    MLN_TRY(mln_map_put(table->by_id, principal->id, (union mln_map_value){.p = principal}));
    if (principal->kind == MLN_PRINCIPAL_USER)
        MLN_TRY(mln_map_put(table->by_name, principal->name, (union mln_map_value){.p = principal}));
    return mln_vec_push(table->arena, &table->all, principal);
}

static int by_name(const void *a, const void *b)
{
    const struct mln_principal *const *x = a, *const *y = b;
    int order = mln_str_cmp_nocase((*x)->name, (*y)->name);
    return order ? order : mln_str_cmp((*x)->id, (*y)->id);
}

static struct mln_result load(struct mln_store *store, struct table *table)
{
    table->arena = mln_arena_new(TABLE_BUDGET_BYTES);
    table->by_id = mln_map_new(true);
    table->by_name = mln_map_new(true);
    if (!table->arena || !table->by_id || !table->by_name)
        return mln_fail(MLN_E_MEMORY, "no memory for the principals");
    MLN_CLEANUP(mln_store_read_end) struct mln_store_read *read = NULL;
    MLN_TRY(mln_store_read_begin(store, &read));
    MLN_TRY(mln_store_scan(read, MLN_COLLECTION_PRINCIPALS, &(struct mln_store_scan){0}, add_row, table));
    if (table->all.n)
        qsort(table->all.at, table->all.n, sizeof *table->all.at, by_name);
    return MLN_OK;
}

struct mln_result mln_principals_refresh(struct mln_principals *principals)
{
    struct table *table = calloc(1, sizeof *table);
    if (!table)
        return mln_fail(MLN_E_MEMORY, "no memory for the principals");
    pthread_mutex_lock(&principals->refreshing);
    struct mln_result r = load(principals->store, table);
    if (mln_ok(r))
        r = mln_snapshot_publish(principals->tables, table);
    else
        table_free(table);
    pthread_mutex_unlock(&principals->refreshing);
    return r;
}

struct mln_result mln_principals_open(struct mln_store *store, struct mln_principals **out)
{
    MLN_CLEANUP(mln_principals_close) struct mln_principals *principals = calloc(1, sizeof *principals);
    if (!principals)
        return mln_fail(MLN_E_MEMORY, "no memory for the principals");
    principals->store = store;
    pthread_mutex_init(&principals->refreshing, NULL);
    pthread_mutex_init(&principals->changing, NULL);
    principals->tables = mln_snapshot_new(table_free);
    if (!principals->tables)
        return mln_fail(MLN_E_MEMORY, "no memory for the principals");
    MLN_TRY(mln_principals_refresh(principals));
    *out = MLN_TAKE(principals);
    return MLN_OK;
}

void mln_principals_close(struct mln_principals *principals)
{
    if (!principals)
        return;
    if (principals->tables)
        mln_snapshot_free(principals->tables);
    pthread_mutex_destroy(&principals->refreshing);
    pthread_mutex_destroy(&principals->changing);
    free(principals);
}

struct mln_principals *mln_principals_lock(struct mln_principals *principals)
{
    pthread_mutex_lock(&principals->changing);
    return principals;
}

void mln_principals_unlock(struct mln_principals *principals)
{
    pthread_mutex_unlock(&principals->changing);
}

/* ---- asking ---- */

static struct mln_result copy(struct mln_arena *arena, const struct mln_principal *from, struct mln_principal *out)
{
    *out = *from;
    MLN_TRY_STR(arena, out->id, mln_str_dup(arena, from->id));
    MLN_TRY_STR(arena, out->name, mln_str_dup(arena, from->name));
    MLN_TRY_STR(arena, out->display_name, mln_str_dup(arena, from->display_name));
    MLN_TRY_STR(arena, out->created_by, mln_str_dup(arena, from->created_by));
    for (size_t i = 0; i < from->n_secrets; i++) {
        MLN_TRY_STR(arena, out->secrets[i].id, mln_str_dup(arena, from->secrets[i].id));
        MLN_TRY_STR(arena, out->secrets[i].hash, mln_str_dup(arena, from->secrets[i].hash));
    }
    for (size_t i = 0; i < from->n_certificates; i++) {
        const struct mln_principal_certificate *c = &from->certificates[i];
        MLN_TRY_STR(arena, out->certificates[i].thumbprint, mln_str_dup(arena, c->thumbprint));
        MLN_TRY_STR(arena, out->certificates[i].public_key, mln_str_dup(arena, c->public_key));
        MLN_TRY_STR(arena, out->certificates[i].subject, mln_str_dup(arena, c->subject));
    }
    return MLN_OK;
}

static struct mln_result get(struct mln_principals *principals, bool named, struct mln_str key, struct mln_arena *arena,
                             struct mln_principal *out)
{
    void *value;
    struct mln_snapshot_pin *pin = mln_snapshot_pin(principals->tables, &value);
    const struct table *table = value;
    union mln_map_value *found = mln_map_get(named ? table->by_name : table->by_id, key);
    struct mln_result r = found ? copy(arena, found->p, out)
                                : mln_fail(MLN_E_NOT_FOUND, "The principal '%.*s' could not be found.",
                                           MLN_FMT(mln_str_sub(key, 0, MLN_PRINCIPAL_NAME_BYTES)));
    mln_snapshot_unpin(principals->tables, pin);
    return r;
}

struct mln_result mln_principal_get(struct mln_principals *principals, struct mln_str id, struct mln_arena *arena,
                                    struct mln_principal *out)
{
    return get(principals, false, id, arena, out);
}

struct mln_result mln_principal_by_name(struct mln_principals *principals, struct mln_str name, struct mln_arena *arena,
                                        struct mln_principal *out)
{
    return get(principals, true, name, arena, out);
}

struct mln_result mln_principals_visit(struct mln_principals *principals, mln_principal_visit visit, void *context)
{
    void *value;
    struct mln_snapshot_pin *pin = mln_snapshot_pin(principals->tables, &value);
    const struct table *table = value;
    struct mln_result r = MLN_OK;
    for (size_t i = 0; i < table->all.n && mln_ok(r); i++)
        r = visit(context, table->all.at[i]);
    mln_snapshot_unpin(principals->tables, pin);
    return r;
}

bool mln_principal_can_sign_in(struct mln_principals *principals, struct mln_str id)
{
    void *value;
    struct mln_snapshot_pin *pin = mln_snapshot_pin(principals->tables, &value);
    const struct table *table = value;
    union mln_map_value *found = mln_map_get(table->by_id, id);
    const struct mln_principal *p = found ? found->p : NULL;
    bool can = p && !p->disabled && p->n_secrets + p->n_certificates > 0;
    mln_snapshot_unpin(principals->tables, pin);
    return can;
}

static struct mln_result caller_of(const struct mln_principal *principal, int64_t generation, struct mln_arena *arena,
                                   struct mln_caller *out)
{
    if (principal->disabled || principal->generation != generation)
        return mln_fail(MLN_E_UNAUTHENTICATED, "The token was revoked.");
    bool user = principal->kind == MLN_PRINCIPAL_USER;
    *out = (struct mln_caller){.kind = user ? MLN_CALLER_USER : MLN_CALLER_SERVICE};
    MLN_TRY_STR(arena, out->id, mln_str_dup(arena, principal->id));
    MLN_TRY_STR(arena, out->name, mln_str_dup(arena, principal->name));
    return MLN_OK;
}

struct mln_result mln_principal_caller(struct mln_principals *principals, struct mln_str id, int64_t generation,
                                       struct mln_arena *arena, struct mln_caller *out)
{
    void *value;
    struct mln_snapshot_pin *pin = mln_snapshot_pin(principals->tables, &value);
    const struct table *table = value;
    union mln_map_value *found = mln_map_get(table->by_id, id);
    struct mln_result r =
        found ? caller_of(found->p, generation, arena, out) : mln_fail(MLN_E_UNAUTHENTICATED, "The token was revoked.");
    mln_snapshot_unpin(principals->tables, pin);
    return r;
}

/* ---- changing ---- */

static bool is_text(struct mln_str name, size_t most)
{
    if (name.n > most || !mln_str_is_utf8(name))
        return false;
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] < 0x20 || name.p[i] == 0x7f)
            return false;
    return true;
}

static void put_items(struct mln_json_writer *w, const char *name, const struct mln_field *item_fields, size_t n_fields,
                      const void *items, size_t n, size_t size)
{
    mln_json_name(w, mln_str_c(name));
    mln_json_begin_array(w);
    for (size_t i = 0; i < n; i++) {
        mln_json_begin_object(w);
        mln_json_put_fields(w, item_fields, n_fields, (const char *)items + i * size);
        mln_json_end_object(w);
    }
    mln_json_end_array(w);
}

static struct mln_result write_principal(const struct mln_principal *p, struct mln_buf *out)
{
    struct mln_json_writer w = mln_json_writer(out);
    mln_json_begin_object(&w);
    mln_json_put_fields(&w, fields, COUNT(fields), p);
    put_items(&w, "secrets", secret_fields, COUNT(secret_fields), p->secrets, p->n_secrets, sizeof *p->secrets);
    put_items(&w, "certificates", certificate_fields, COUNT(certificate_fields), p->certificates, p->n_certificates,
              sizeof *p->certificates);
    mln_json_end_object(&w);
    return mln_json_writer_end(&w);
}

/* One more must have room, another's name is not free. */
static struct mln_result check_table(struct mln_principals *principals, const struct mln_principal *principal)
{
    void *value;
    struct mln_snapshot_pin *pin = mln_snapshot_pin(principals->tables, &value);
    const struct table *table = value;
    union mln_map_value *found = mln_map_get(table->by_name, principal->name);
    const struct mln_principal *other = found ? found->p : NULL;
    bool taken = principal->kind == MLN_PRINCIPAL_USER && other && !mln_str_eq_nocase(other->id, principal->id);
    bool full = table->all.n >= MLN_PRINCIPALS_MAX && !mln_map_get(table->by_id, principal->id);
    mln_snapshot_unpin(principals->tables, pin);
    if (full)
        return mln_fail(MLN_E_LIMIT, "There are %d principals; there may be no more.", MLN_PRINCIPALS_MAX);
    return taken ? mln_fail(MLN_E_CONFLICT, "There is another user '%.*s'.", MLN_FMT(principal->name)) : MLN_OK;
}

struct mln_result mln_principal_put(struct mln_principals *principals, struct mln_store_batch *batch,
                                    const struct mln_principal *principal)
{
    if (!principal->name.n || !is_text(principal->name, MLN_PRINCIPAL_NAME_BYTES))
        return mln_fail(MLN_E_INVALID, "A principal's name is 1 to %d bytes without control characters.",
                        MLN_PRINCIPAL_NAME_BYTES);
    if (!is_text(principal->display_name, MLN_PRINCIPAL_DISPLAY_BYTES))
        return mln_fail(MLN_E_INVALID, "A principal's display name is at most %d bytes without control characters.",
                        MLN_PRINCIPAL_DISPLAY_BYTES);
    MLN_TRY(check_table(principals, principal));
    MLN_BUF_CLEANUP struct mln_buf text = MLN_BUF_SECRET(ROW_BYTES);
    MLN_TRY(write_principal(principal, &text));
    return mln_store_put(batch, MLN_COLLECTION_PRINCIPALS, principal->id, mln_buf_str(&text));
}

struct mln_result mln_principal_delete(struct mln_store_batch *batch, struct mln_str id)
{
    return mln_store_delete(batch, MLN_COLLECTION_PRINCIPALS, id);
}
