/*
 * The one HTTPS client, over libcurl: used by the agent, the command line and connectors.
 *
 * It owns one connection's settings and its kept-alive connection. TLS 1.2 or newer, always verified; no redirects, no
 * proxy unless set, no cookies, no compression. Retries are the caller's. One thread at a time per client.
 */
#ifndef MLN_CONNECT_HTTP_H
#define MLN_CONNECT_HTTP_H

#include "base/buf.h"

struct mln_http;

/* All texts are copied. Either ca_file, ca_pem or ca_sha256 says whom to trust; none of them: the system's authorities. */
struct mln_http_setup {
    struct mln_str ca_file;   /* path of a PEM file */
    struct mln_str ca_pem;    /* PEM text */
    struct mln_str ca_sha256; /* hex digest of a CA certificate's DER (colons allowed): the certificate is taken from
                                       the chain that the server sends, and trusted only when the digest matches */
    struct mln_str certificate_pem; /* client certificate; p NULL: none */
    struct mln_str key_pem;         /* its private key; wiped on free */
    struct mln_str proxy;           /* "http://host:port"; p NULL: none, whatever the environment says */
    struct mln_str user_agent;      /* p NULL: "merlon/VERSION" */
    int64_t connect_timeout_ms;     /* 0: 10 s */
    int64_t timeout_ms;             /* of a whole exchange; 0: 60 s */
    size_t max_answer_bytes;        /* of a body; 0: 16 MiB */
};

MLN_RESULT mln_http_open(const struct mln_http_setup *setup, struct mln_http **out);
void mln_http_close(struct mln_http *http);
MLN_DEFINE_CLEANUP(struct mln_http, mln_http_close)

struct mln_http_header {
    struct mln_str name, value;
};
struct mln_http_request {
    struct mln_str method; /* "GET" ... */
    struct mln_str url;    /* https only */
    const struct mln_http_header *headers;
    size_t n_headers;
    struct mln_str body; /* p NULL: none */
};
struct mln_http_answer {
    int status; /* any status is an answer, not an error */
    struct mln_buf body;
    int64_t retry_after_ms; /* from Retry-After in seconds; -1: not said */
    char location[1024];    /* the Location header, cut; "" */
    char content_type[128];
};
static inline void mln_http_answer_free(struct mln_http_answer *answer)
{
    mln_buf_free(&answer->body);
}

/* One exchange. *answer need not be initialised; free it also after a failure. INVALID (not https, a header with a line
   break), TIMEOUT, LIMIT (answer too large), UNAUTHENTICATED (the server's certificate is not to be trusted), IO. */
MLN_RESULT mln_http_do(struct mln_http *http, const struct mln_http_request *request, struct mln_http_answer *answer);

/* The PEM of the CA certificate that matched ca_sha256 in the last exchange, for keeping; empty before. */
struct mln_str mln_http_pinned_ca(const struct mln_http *http);

#endif
