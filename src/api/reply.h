/*
 * An answer being made: status, headers, and a JSON body in ARM's forms. A handler that returns a failure gets the ARM
 * error of its code with the thread's error text; nothing that was written before counts then.
 */
#ifndef MLN_API_REPLY_H
#define MLN_API_REPLY_H

#include "base/buf.h"
#include "json/writer.h"

struct mln_request;

enum { MLN_MAX_REPLY_HEADERS = 16, MLN_MAX_REPLY_BYTES = 64 << 20 };

struct mln_reply_header {
    const char *name, *value; /* literals or in the request's arena */
};

struct mln_reply {
    int status; /* 200 until somebody says otherwise */
    struct mln_buf body;
    struct mln_json_writer json;
    struct mln_str fixed_body; /* p not NULL: bytes that outlive the reply, instead of body */
    const char *content_type;
    struct mln_reply_header headers[MLN_MAX_REPLY_HEADERS];
    size_t n_headers;
};

/* The writer of the body, with this status; one value is written through it. */
struct mln_json_writer *mln_reply_json(struct mln_reply *reply, int status);
/* No body: 204, or 200 and 202 where the client expects none. */
void mln_reply_empty(struct mln_reply *reply, int status);
/* The value is copied into the request's arena. LIMIT: too many headers; INVALID: control bytes in the value. */
MLN_RESULT mln_reply_header(struct mln_request *request, struct mln_reply *reply, const char *name,
                            struct mln_str value);

/* An error in ARM's form, for codes that no struct mln_result stands for:
   return mln_reply_error(reply, 404, "ResourceGroupNotFound", "Resource group '%.*s' could not be found.", ...);
   It replaces whatever was written; the result is MLN_OK unless memory is short. */
MLN_RESULT mln_reply_error(struct mln_reply *reply, int status, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* The same for a failure of another room, with its status, code word and text. */
MLN_RESULT mln_reply_failure(struct mln_reply *reply, struct mln_result failure);

/* ---- ARM's envelope: one resource, alone or in a list ----
       mln_envelope_begin(w, id, name, type);      {"id":..,"name":..,"type":..
       mln_json_member_str(w, "kind", ...);            members beside properties, if any
       mln_envelope_properties(w);                 "properties":{
       mln_json_member_...(w, ...)
       mln_envelope_end(w);                        }}                                                               */
void mln_envelope_begin(struct mln_json_writer *w, struct mln_str id, struct mln_str name, const char *type);
void mln_envelope_properties(struct mln_json_writer *w);
void mln_envelope_end(struct mln_json_writer *w);

/* ---- lists ----
   begin opens {"value":[ and gives the writer; end closes it, with a nextLink that carries next (the key of the last item
   written) as $skipToken when more follows; next.p NULL: this was the last page. */
struct mln_json_writer *mln_reply_list_begin(struct mln_reply *reply);
MLN_RESULT mln_reply_list_end(const struct mln_request *request, struct mln_reply *reply, struct mln_str next);

/* ---- long-running operations ----
   202 with Location and Retry-After; a poll of the Location gets `status` with `result` (JSON text, "" for none). The work
   is done already; the form is what clients of the operation expect. Results are kept for the last 1,000 operations. */
MLN_RESULT mln_reply_long_running(struct mln_request *request, struct mln_reply *reply, int status,
                                  struct mln_str result);

#endif
