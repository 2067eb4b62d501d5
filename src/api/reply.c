#include "api/reply.h"

#include "api/path.h"
#include "base/base64.h"

#include <stdarg.h>

struct mln_json_writer *mln_reply_json(struct mln_reply *reply, int status)
{
    reply->status = status;
    mln_buf_clear(&reply->body);
    reply->fixed_body = (struct mln_str){0};
    reply->content_type = "application/json; charset=utf-8";
    reply->json = mln_json_writer(&reply->body);
    return &reply->json;
}

void mln_reply_empty(struct mln_reply *reply, int status)
{
    mln_reply_json(reply, status);
    reply->content_type = NULL;
}

struct mln_result mln_reply_header(struct mln_request *request, struct mln_reply *reply, const char *name,
                                   struct mln_str value)
{
    for (size_t i = 0; i < value.n; i++)
        if ((unsigned char)value.p[i] < 0x20 || value.p[i] == 0x7f)
            return mln_fail(MLN_E_INVALID, "a control byte in the value of header %s", name);
    if (reply->n_headers == MLN_MAX_REPLY_HEADERS)
        return mln_fail(MLN_E_LIMIT, "more than %d headers", MLN_MAX_REPLY_HEADERS);
    const char *copy = mln_str_z(request->arena, value);
    if (!copy)
        return mln_arena_failure(request->arena);
    reply->headers[reply->n_headers++] = (struct mln_reply_header){name, copy};
    return MLN_OK;
}

static struct mln_result put_error(struct mln_reply *reply, int status, const char *code, struct mln_str text)
{
    struct mln_json_writer *w = mln_reply_json(reply, status);
    mln_json_begin_object(w);
    mln_json_name(w, MLN_S("error"));
    mln_json_begin_object(w);
    mln_json_member_str(w, "code", mln_str_c(code));
    mln_json_member_str(w, "message", text);
    mln_json_end_object(w);
    mln_json_end_object(w);
    return mln_json_writer_end(w);
}

struct mln_result mln_reply_error(struct mln_reply *reply, int status, const char *code, const char *format, ...)
{
    char text[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return put_error(reply, status, code, mln_str_c(text));
}

struct mln_result mln_reply_failure(struct mln_reply *reply, struct mln_result failure)
{
    int status = mln_code_http(failure.code);
    /* What went wrong inside is for the log; the client gets the meaning of the code. */
    const char *text = status >= 500 ? mln_code_doc(failure.code) : mln_error_text();
    return put_error(reply, status, mln_code_word(failure.code), mln_str_c(text));
}

/* ---- the envelope ---- */

void mln_envelope_begin(struct mln_json_writer *w, struct mln_str id, struct mln_str name, const char *type)
{
    mln_json_begin_object(w);
    mln_json_member_str(w, "id", id);
    mln_json_member_str(w, "name", name);
    mln_json_member_str(w, "type", mln_str_c(type));
}

void mln_envelope_properties(struct mln_json_writer *w)
{
    mln_json_name(w, MLN_S("properties"));
    mln_json_begin_object(w);
}

void mln_envelope_end(struct mln_json_writer *w)
{
    mln_json_end_object(w);
    mln_json_end_object(w);
}

/* ---- lists ---- */

struct mln_json_writer *mln_reply_list_begin(struct mln_reply *reply)
{
    struct mln_json_writer *w = mln_reply_json(reply, 200);
    mln_json_begin_object(w);
    mln_json_name(w, MLN_S("value"));
    mln_json_begin_array(w);
    return w;
}

/* The address of the next page: this one's, with all its parameters but the old token. */
static struct mln_result put_next_link(const struct mln_request *request, struct mln_str next, struct mln_buf *out)
{
    MLN_TRY(mln_buf_append(out, request->base_url));
    MLN_TRY(mln_buf_append(out, request->target));
    MLN_TRY(mln_buf_append(out, MLN_S("?")));
    for (size_t i = 0; i < request->n_query; i++) {
        if (mln_str_eq_nocase(request->query[i].name, MLN_S("$skipToken")))
            continue;
        MLN_TRY(mln_percent_encode(out, request->query[i].name));
        MLN_TRY(mln_buf_byte(out, '='));
        MLN_TRY(mln_percent_encode(out, request->query[i].value));
        MLN_TRY(mln_buf_byte(out, '&'));
    }
    MLN_TRY(mln_buf_append(out, MLN_S("%24skipToken=")));
    return mln_base64_encode(MLN_BASE64URL, next, out);
}

struct mln_result mln_reply_list_end(const struct mln_request *request, struct mln_reply *reply, struct mln_str next)
{
    mln_json_end_array(&reply->json);
    if (next.p) {
        MLN_BUF_CLEANUP struct mln_buf link = MLN_BUF(64 << 10);
        MLN_TRY(put_next_link(request, next, &link));
        mln_json_member_str(&reply->json, "nextLink", mln_buf_str(&link));
    }
    mln_json_end_object(&reply->json);
    return mln_json_writer_end(&reply->json);
}
