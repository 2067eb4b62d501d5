#include "api/operations.h"

#include "api/route.h"

#include <pthread.h>

enum { KEPT = 1000, RESULT_BYTES = 1 << 20, SUBSCRIPTION_BYTES = 64 };

struct operation {
    char id[MLN_UUID_TEXT], subscription[SUBSCRIPTION_BYTES];
    int status;
    struct mln_buf result;
};

struct mln_operations {
    pthread_mutex_t lock;
    size_t next; /* the slot to overwrite */
    struct operation ring[KEPT];
};

struct mln_result mln_operations_new(struct mln_operations **out)
{
    struct mln_operations *operations = calloc(1, sizeof *operations);
    if (!operations)
        return mln_fail(MLN_E_MEMORY, "no memory for operations");
    pthread_mutex_init(&operations->lock, NULL);
    for (size_t i = 0; i < KEPT; i++)
        operations->ring[i].result = MLN_BUF(RESULT_BYTES);
    *out = operations;
    return MLN_OK;
}

void mln_operations_free(struct mln_operations *operations)
{
    if (!operations)
        return;
    for (size_t i = 0; i < KEPT; i++)
        mln_buf_free(&operations->ring[i].result);
    pthread_mutex_destroy(&operations->lock);
    free(operations);
}

static struct mln_result fill(struct operation *slot, struct mln_str subscription, int status, struct mln_str result)
{
    struct mln_uuid id;
    MLN_TRY(mln_uuid_random(&id));
    mln_buf_free(&slot->result);
    MLN_TRY(mln_buf_append(&slot->result, result));
    mln_uuid_text(&id, slot->id);
    snprintf(slot->subscription, sizeof slot->subscription, "%.*s", MLN_FMT(subscription));
    slot->status = status;
    return MLN_OK;
}

struct mln_result mln_operations_add(struct mln_operations *operations, struct mln_str subscription, int status,
                                     struct mln_str result, char id[MLN_UUID_TEXT])
{
    pthread_mutex_lock(&operations->lock);
    struct operation *slot = &operations->ring[operations->next];
    slot->id[0] = '\0';
    struct mln_result r = fill(slot, subscription, status, result);
    if (mln_ok(r)) {
        operations->next = (operations->next + 1) % KEPT;
        memcpy(id, slot->id, MLN_UUID_TEXT);
    }
    pthread_mutex_unlock(&operations->lock);
    return r;
}

struct mln_result mln_operations_find(struct mln_operations *operations, struct mln_str subscription, struct mln_str id,
                                      int *status, struct mln_buf *out)
{
    pthread_mutex_lock(&operations->lock);
    struct mln_result r = {MLN_E_NOT_FOUND};
    for (size_t i = 0; i < KEPT && r.code == MLN_E_NOT_FOUND; i++) {
        const struct operation *slot = &operations->ring[i];
        if (slot->id[0] && mln_str_eq_nocase(mln_str_c(slot->id), id) &&
            mln_str_eq_nocase(mln_str_c(slot->subscription), subscription)) {
            *status = slot->status;
            r = mln_buf_append(out, mln_buf_str(&slot->result));
        }
    }
    pthread_mutex_unlock(&operations->lock);
    return r.code == MLN_E_NOT_FOUND ? mln_fail(MLN_E_NOT_FOUND, "The operation is not known.") : r;
}

struct mln_result mln_reply_long_running(struct mln_request *request, struct mln_reply *reply, int status,
                                         struct mln_str result)
{
    char id[MLN_UUID_TEXT];
    struct mln_str location;
    MLN_TRY(mln_operations_add(request->api->operations, request->subscription, status, result, id));
    MLN_TRY_STR(request->arena, location,
                mln_str_printf(request->arena,
                               "%.*s/subscriptions/%.*s/providers/Microsoft.Security/locations/" MLN_LOCATION
                               "/operationResults/%s?api-version=%.*s",
                               MLN_FMT(request->base_url), MLN_FMT(request->subscription), id,
                               MLN_FMT(request->api_version)));
    mln_reply_empty(reply, 202);
    MLN_TRY(mln_reply_header(request, reply, "Location", location));
    return mln_reply_header(request, reply, "Retry-After", MLN_S("1"));
}
